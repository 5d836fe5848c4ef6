"""Words of texts as the vocabulary check reads them, many texts at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Found", "Memory", "edgeless", "found_in", "types"]

_V = TypeVar("_V")

_DELETED = b".,'?#:!"
_BLANK, _BETWEEN = 0xFE, 0xFF  # bytes that no text in UTF-8 has: for what separates words, and between two texts
_LOWER = bytes(_BLANK if chr(code).isspace() and code < 128 else code for code in bytes(range(256)).lower())
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_TEXTS = 512
_REMEMBERED = 500_000  # words, by which a process grows at most


@dataclass(frozen=True, slots=True)
class Found:
    """Which texts hold which words, each pair once.

    Attributes:
        words: different ones.
        text: [pairs] place of the text, ascending.
        word: [pairs] place of the word.
    """

    words: list[str]
    text: NDArray[np.integer]
    word: NDArray[np.integer]

    @classmethod
    def of(cls, words: list[str], text: NDArray[np.integer], word: NDArray[np.integer]) -> Found:
        """Of pairs that come several times."""
        number = np.min_scalar_type((int(text.max(initial=0)) + 1) * len(words)).type  # small ones are sorted sooner
        key = np.sort(text.astype(number) * number(len(words)) + word.astype(number))
        return cls(words, *np.divmod(key[np.diff(key, prepend=key[:1] + number(1)) != 0], number(max(len(words), 1))))

    def only(self, words: NDArray[np.bool_]) -> Found:
        """The pairs of some words, [words]."""
        kept = words[self.word]
        return Found(self.words, self.text[kept], self.word[kept])

    def named(self, name: Callable[[str], str]) -> Found:
        """Under other names; words that share one become one."""
        held, places = np.unique(self.word, return_inverse=True)
        names = [name(self.words[number]) for number in held.tolist()]
        place = {one: number for number, one in enumerate(dict.fromkeys(names))}
        return Found.of(list(place), self.text, np.array([place[one] for one in names], dtype=np.int64)[places])


def types(text: str) -> set[str]:
    """The distinct words of a text: in lower case, without ``. , ' ? # : !``, and cut at blanks.

    >>> sorted(types("#Person1#: Don't... don't!"))
    ['dont', 'person1']
    """
    return set(next(found_in(pa.array([text])))[1].words)


def found_in(texts: pa.Array | pa.ChunkedArray) -> Iterator[tuple[slice, Found]]:
    """Which texts hold which of the `types`, a few hundred texts at a time.

    Args:
        texts: [n] strings; a missing one has no words.

    Yields:
        the texts' places, and what was found in them, where they count from 0.
    """
    for start in range(0, len(texts), _TEXTS):
        part = [_plain(text) for text in texts.slice(start, _TEXTS).cast(pa.binary()).to_pylist()]
        yield slice(start, start + len(part)), _found(part)


def _plain(text: bytes | None) -> bytes:
    """A text that the table of ASCII is enough for: other letters in lower case, other blanks as spaces."""
    if text is None or text.isascii():
        return text or b""
    return " ".join(text.decode().lower().split()).encode()


def _found(texts: list[bytes]) -> Found:
    """All texts as one array of bytes, in which words start and end where blanks do."""
    content = b"\xff".join([b"", *texts, b""]).translate(_LOWER, _DELETED)
    codes = np.frombuffer(content, dtype=np.uint8)
    solid = codes < _BLANK
    edges = np.flatnonzero(solid[1:] != solid[:-1])
    starts, ends = edges[::2], edges[1::2]
    offsets = np.zeros(len(starts) + 1, dtype=np.int32)
    np.cumsum((ends - starts).astype(np.int32), out=offsets[1:])
    letters = pa.py_buffer(np.compress(solid, codes))
    words = pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), letters).dictionary_encode()
    counts = np.diff(np.searchsorted(starts, np.flatnonzero(codes == _BETWEEN)))
    return Found.of(words.dictionary.to_pylist(), np.repeat(np.arange(len(texts)), counts), words.indices.to_numpy())


class Memory(dict[str, _V]):
    """Answers about words by one function, remembered; forgotten all at once when there are too many."""

    def __init__(self, answer: Callable[[str], _V]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, word: str) -> _V:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[word] = answer = self._answer(word)
        return answer


def edgeless(word: str) -> str:
    """A word without the marks at its edges.

    >>> edgeless("(so-called)")
    'so-called'
    """
    return word if word.isalnum() else _EDGES.sub("", word)
