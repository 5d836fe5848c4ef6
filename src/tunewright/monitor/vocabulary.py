"""How many of the words of production the training set has, and which it lacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunewright.errors import DataError, ProjectError
from tunewright.monitor.bloom import bloom, contained
from tunewright.monitor.counts import counted, empty, merged_counts, top
from tunewright.monitor.monitors import Fold, Report, fingerprint, require
from tunewright.monitor.slices import sliced
from tunewright.monitor.state import CONSTANT, State
from tunewright.monitor.windows import windowed
from tunewright.monitor.words import Found, Memory, edgeless, found_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["IGNORED", "Vocabulary", "coverage", "vocabulary"]

IGNORED = (r"person\d+", r"[\d\W_]*\d[\d\W_]*(st|nd|rd|th|am|pm|s|k|m|h|km|kg)?")
"""What is markup or a number, and no word that a training set could have: names such as person1, 12:30, 3rd, 50%."""

_KNOWN, _IGNORED, _MARKUP, _SPELLING, _LACKING = range(5)
"""Kinds of words: known; known and ignored; unknown and ignored; unknown but for its marks; unknown in any case."""

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
        texts = pa.array(reference.texts(self.column), pa.string())
        known: set[str] = set().union(*(found.words for _, found in found_in(texts)))
        if not known:
            raise DataError(f"expected words in column {self.column!r} of the reference, found none")
        sums = {"rows": 0, "texts": 0, "covered": 0, "normal_texts": 0, "normal_covered": 0}
        return {CONSTANT: self._constant(known), **sums, "unknown": empty(), "normal_unknown": empty()}

    def update(self, state: State, rows: pa.Table) -> State:
        require(self, rows)
        ids = rows["id"].to_pylist()
        state["rows"] += rows.num_rows
        for place, found in found_in(rows[self.column]):
            self._count(state, ids[place], found)
        return state

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
        words = "\n".join(sorted(known))
        told = {"size": len(known), "digest": hashlib.blake2b(words.encode("utf-8", "surrogatepass")).hexdigest()}
        if len(known) <= self.exact:
            return {**told, "words": words}
        normal = set(map(edgeless, known))
        filters = [bloom(words, false_positives=self.false_positives) for words in (known, normal)]
        return {**told, "filters": filters}

    def _count(self, state: State, ids: list[str], found: Found) -> None:
        kinds = _kinds(_Known(state[CONSTANT]["digest"], self.ignored, state[CONSTANT]))
        kind = np.fromiter(map(kinds.__getitem__, found.words), dtype=np.int8, count=len(found.words))
        held, limits = kind[found.word], {"most": self.most, "examples": self.examples}
        _add(state, "", found.text, held >= _MARKUP)
        normal = (held != _MARKUP) & (held != _IGNORED)
        _add(state, "normal_", found.text[normal], held[normal] == _LACKING)
        lacking = found.only(kind == _LACKING).named(edgeless)
        state["unknown"] = counted(state["unknown"], found.only(kind >= _MARKUP), ids, **limits)
        state["normal_unknown"] = counted(state["normal_unknown"], lacking, ids, **limits)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known, compared by its digest."""

    digest: str
    ignored: tuple[str, ...]
    constant: dict[str, Any] = field(compare=False)


@lru_cache(maxsize=8)
def _kinds(known: _Known) -> Memory[int]:
    """Of any word: whether it is known, ignored, or lacking even without the marks at its edges."""
    ignored = re.compile("|".join(f"(?:{pattern})" for pattern in known.ignored) or r"(?!)")
    exact, normal = _tests(known.constant)

    def kind(word: str) -> int:
        form = edgeless(word)
        if not form or ignored.fullmatch(form):
            return _IGNORED if exact(word) else _MARKUP
        return _KNOWN if exact(word) else _SPELLING if normal(form) else _LACKING

    return Memory(kind)


def _tests(constant: dict[str, Any]) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Whether a word is known, and whether it is but for the marks at the edges of the known ones."""
    if "words" in constant:
        exact = frozenset(constant["words"].split("\n"))
        return exact.__contains__, frozenset(map(edgeless, exact)).__contains__
    words, forms = constant["filters"]
    return lambda word: bool(contained(words, [word])), lambda form: bool(contained(forms, [form]))


def _add(state: State, name: str, text: NDArray[np.integer], unknown: NDArray[np.bool_]) -> None:
    """Add the share of known words of each text that has words, by [pairs] the text and whether the word is unknown."""
    words = np.bincount(text)
    known = words - np.bincount(text[unknown], minlength=len(words))
    some = words > 0
    state[f"{name}texts"] += int(np.count_nonzero(some))
    state[f"{name}covered"] += int((_ONE * known[some] // words[some]).sum())


def _mean(total: int, count: int) -> float | None:
    return total / count / _ONE if count else None


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([("word", pa.string()), ("texts", pa.int64()), ("ids", pa.list_(pa.string()))])
    return pa.Table.from_pylist(rows, schema=schema)
