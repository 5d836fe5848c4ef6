"""Words of texts as the vocabulary check reads them, one text at a time or as a matrix for many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Memory", "edgeless", "presence", "types"]

_V = TypeVar("_V")

_DELETED = (".", ",", "'", "?", "#", ":", "!")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_CELLS = 1 << 25  # of a matrix of texts and words, one byte each
_TEXTS = 512
_REMEMBERED = 500_000  # words, by which a process grows at most


def types(text: str) -> set[str]:
    """The distinct words of a text: in lower case, without ``. , ' ? # : !``, and cut at blanks.

    >>> sorted(types("#Person1#: Don't... don't!"))
    ['dont', 'person1']
    """
    return set(next(presence(pa.array([text])))[1])


def presence(texts: pa.Array | pa.ChunkedArray) -> Iterator[tuple[slice, list[str], NDArray[np.bool_]]]:
    """Which text holds which of the `types`, a few hundred texts at a time.

    Args:
        texts: [n] strings; a missing one has no words.

    Yields:
        the texts' places, the words of all of them, and [texts, words] whether a text holds a word.
    """
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    for start in range(0, len(array), _TEXTS):
        yield from _presence(array.slice(start, _TEXTS), start)


def _presence(texts: pa.Array, start: int) -> Iterator[tuple[slice, list[str], NDArray[np.bool_]]]:
    pieces = pc.utf8_split_whitespace(_clean(pc.fill_null(texts, "")))
    coded = pc.list_flatten(pieces).dictionary_encode()
    words: list[str] = coded.dictionary.to_numpy(zero_copy_only=False).tolist()
    if len(texts) > 1 and len(texts) * len(words) > _CELLS:
        half = len(texts) // 2
        yield from _presence(texts.slice(0, half), start)
        yield from _presence(texts.slice(half), start + half)
        return
    seen = np.zeros((len(texts), len(words)), dtype=np.bool_)
    lengths = pc.list_value_length(pieces).to_numpy()
    seen[np.repeat(np.arange(len(texts)), lengths), coded.indices.to_numpy()] = True
    if "" in words:  # what Arrow finds before the first blank and after the last
        place = words.index("")
        words, seen = [*words[:place], *words[place + 1 :]], np.delete(seen, place, axis=1)
    yield slice(start, start + len(texts)), words, seen


def _clean(texts: pa.Array) -> pa.Array:
    texts = pc.utf8_lower(texts)
    for mark in _DELETED:
        texts = pc.replace_substring(texts, mark, "")
    return texts


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
    return _EDGES.sub("", word)
