"""How many of the words of production the training set has, and which it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tunewright.errors import DataError, ProjectError
from tunewright.monitor.bloom import bloom, contained
from tunewright.monitor.counts import counted, empty, limited, merged_counts, top
from tunewright.monitor.monitors import Fold, Report, fingerprint, require
from tunewright.monitor.slices import sliced
from tunewright.monitor.state import CONSTANT, State
from tunewright.monitor.windows import windowed

if TYPE_CHECKING:
    from tunewright.monitor.reference import Reference

__all__ = ["IGNORED", "Vocabulary", "coverage", "types", "vocabulary"]

IGNORED = (r"person\d+", r"[\d\W_]*\d[\d\W_]*(st|nd|rd|th|am|pm|s|k|m|h|km|kg)?")
"""What is markup or a number, and no word that a training set could have: names such as person1, 12:30, 3rd, 50%."""

_DELETED = (".", ",", "'", "?", "#", ":", "!")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_ONE = 1 << 40  # shares are added as whole numbers, so that no sum depends on the order


def vocabulary(
    column: str,
    *,
    by: str | None = None,
    window: int | str | None = None,
    slide: int | str | None = None,
    time: str = "time",
    **settings: Any,
) -> Fold:
    """Coverage of the training vocabulary and the words outside of it, of all rows or of windows and slices of them.

    Args:
        column: of texts, which the reference has as well.
        by: a column whose values are told apart, see `sliced`.
        window: rows, or a span of event time such as ``"1h"``, see `windowed`.
        slide: how far apart windows end.
        time: column with the event time.
        settings: of `Vocabulary`.
    """
    fold: Fold = Vocabulary(column, **settings)
    fold = windowed(fold, window, slide=slide, time=time) if window is not None else fold
    return sliced(fold, by) if by is not None else fold


def types(text: str) -> set[str]:
    """The distinct words of a text: in lower case, without ``. , ' ? # : !``, and cut at blanks.

    >>> sorted(types("#Person1#: Don't... don't!"))
    ['dont', 'person1']
    """
    text = text.lower()
    for mark in _DELETED:
        text = text.replace(mark, "")
    return set(text.split())


def coverage(found: set[str], known: frozenset[str] | set[str]) -> float | None:
    """Share of the distinct words of a text that are known, in [0, 1]; None for a text without words.

    >>> coverage({"a", "b", "c", "z"}, {"a", "b", "c"})
    0.75
    """
    return 1 - len(found - known) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A fold: coverage, and the number of texts that each unknown word is in.

    Coverage is the mean over texts of the share of distinct words that some training text has. Beside it stands the
    same normalised: words lose the marks at their edges, and those that are ignored are left out, so that markup and
    numbers neither count as unknown nor as words. Texts that are missing or have no words are counted apart.

    Attributes:
        column: of texts.
        ignored: patterns, each of a whole word without the marks at its edges.
        top: how many of the unknown words are reported.
        examples: ids of texts that are kept for each of them.
        most: unknown words that are counted exactly; with more, the frequent ones have an error bound.
        exact: known words that are kept as they are; with more, a Bloom filter stands for them.
        false_positives: of that filter, by which coverage is too high at most.
    """

    column: str
    ignored: tuple[str, ...] = IGNORED
    top: int = 50
    examples: int = 3
    most: int = 200_000
    exact: int = 5_000_000
    false_positives: float = 1e-4

    @property
    def name(self) -> str:
        return f"vocabulary({self.column})"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"id", self.column})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        if reference is None:
            raise ProjectError(
                f"{self.name} compares with the vocabulary of a training set, and there is no reference",
                fix="give the monitor `reference=Reference.from_run(run)`",
            )
        known: set[str] = set().union(*map(types, reference.texts(self.column)))
        if not known:
            raise DataError(f"expected words in column {self.column!r} of the reference, found none")
        sums = {"rows": 0, "texts": 0, "covered": 0, "normal_texts": 0, "normal_covered": 0}
        return {CONSTANT: self._constant(known), **sums, "unknown": empty(), "normal_unknown": empty()}

    def update(self, state: State, rows: pa.Table) -> State:
        require(self, rows)
        ids, texts = rows["id"].to_pylist(), rows[self.column].to_pylist()
        state["rows"] += rows.num_rows
        for id, found, unknown, wholly in self._read(state[CONSTANT], zip(ids, texts, strict=True)):
            state["texts"] += 1
            state["covered"] += _ONE - _ONE * len(unknown) // len(found)
            left = len(found) - wholly.ignored
            if left:
                state["normal_texts"] += 1
                state["normal_covered"] += _ONE - _ONE * wholly.lacking // left
            counted(state["unknown"], unknown, id, examples=self.examples)
            counted(state["normal_unknown"], wholly.unknown, id, examples=self.examples)
        return self._limited(state)

    def merge(self, a: State, b: State) -> State:
        """Of two states with the same reference; neither is changed."""
        sums = {name: a[name] + b[name] for name in a if isinstance(a[name], int)}
        both = {
            name: merged_counts(a[name], b[name], most=self.most, examples=self.examples)
            for name in ("unknown", "normal_unknown")
        }
        return {CONSTANT: a[CONSTANT], **sums, **both}

    def report(self, state: State) -> Report:
        """``coverage`` and ``normal_coverage`` in [0, 1], the unknown words of most texts, and how sure their counts are."""
        return {
            "rows": state["rows"],
            "texts": state["texts"],
            "coverage": _mean(state["covered"], state["texts"]),
            "normal_coverage": _mean(state["normal_covered"], state["normal_texts"]),
            "known_words": state[CONSTANT]["size"],
            "unknown_words": len(state["unknown"]["words"]),
            "count_error": max(state["unknown"]["error"], state["normal_unknown"]["error"]),
            "unknown": _table(top(state["unknown"], self.top)),
            "normal_unknown": _table(top(state["normal_unknown"], self.top)),
        }

    def _constant(self, known: set[str]) -> dict[str, Any]:
        """The known words as one text, which is quick to write, to read and to compare; or as filters."""
        if len(known) <= self.exact:
            return {"size": len(known), "words": "\n".join(sorted(known))}
        normal = set(map(_normal, known))
        filters = [bloom(words, false_positives=self.false_positives) for words in (known, normal)]
        return {"size": len(known), "filters": filters}

    def _read(
        self, constant: dict[str, Any], rows: Iterable[tuple[str, str | None]]
    ) -> Iterator[tuple[str, set[str], set[str], _Normal]]:
        """Of each text with words: its id, its types, those unknown, and the same normalised."""
        texts = [(id, found) for id, text in rows if text is not None and (found := types(text))]
        if "words" in constant:
            exact, normal, ignored = _sets(constant["words"], self.ignored)
        else:
            seen: set[str] = set().union(*(found for _, found in texts))
            exact = frozenset(contained(constant["filters"][0], seen))
            normal = frozenset(contained(constant["filters"][1], set(map(_normal, seen))))
            ignored = frozenset(word for word in exact if _is_ignored(word, self.ignored))
        for id, found in texts:
            unknown = found - exact
            yield id, found, unknown, _normalised(unknown, len(found & ignored), normal, self.ignored)

    def _limited(self, state: State) -> State:
        for name in ("unknown", "normal_unknown"):
            state[name] = limited(state[name], most=self.most)
        return state


@dataclass(frozen=True, slots=True)
class _Normal:
    """Of a text: how many of its types are ignored, how many others are unknown, and the words that those are."""

    ignored: int
    lacking: int
    unknown: set[str]


def _normalised(unknown: set[str], ignored: int, normal: frozenset[str], patterns: tuple[str, ...]) -> _Normal:
    left = [word for word in unknown if not _is_ignored(word, patterns)]
    lacking = [word for word in map(_normal, left) if word not in normal]
    return _Normal(ignored + len(unknown) - len(left), len(lacking), set(lacking))


@lru_cache(maxsize=8)
def _sets(words: str, patterns: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The known words, the same without marks at their edges, and those of them that are ignored."""
    exact = frozenset(words.split("\n"))
    return exact, frozenset(map(_normal, exact)), frozenset(word for word in exact if _is_ignored(word, patterns))


@lru_cache(maxsize=200_000)
def _normal(word: str) -> str:
    return _EDGES.sub("", word)


@lru_cache(maxsize=200_000)
def _is_ignored(word: str, patterns: tuple[str, ...]) -> bool:
    """Whether there is nothing but marks in a word, or it fits one of the patterns."""
    normal = _normal(word)
    return not normal or any(re.fullmatch(pattern, normal) for pattern in patterns)


def _mean(total: int, count: int) -> float | None:
    return total / count / _ONE if count else None


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([("word", pa.string()), ("texts", pa.int64()), ("ids", pa.list_(pa.string()))])
    return pa.Table.from_pylist(rows, schema=schema)
