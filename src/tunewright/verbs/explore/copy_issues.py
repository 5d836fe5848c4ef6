"""Texts that occur more than once: within a split they count twice, across splits they make a score too high."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.lint_rows import codes
from tunewright.verbs.described import objects
from tunewright.verbs.explore.issue import Fix, Issue, Level, Seen, counted, level, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["copies", "leaks"]

How = Literal["exact", "near"]

_LEAKS: dict[How, tuple[str, str]] = {
    "exact": ("the same text as", "the model has seen these, and the score is too high"),
    "near": ("nearly the same text as", "the score says less about texts that are new"),
}
_GUARDED = {"validation": 1, "test": 2}  # the others are trained on; rows without labels leak nothing
_UNLABELLED = "unlabelled"


@dataclass(frozen=True, slots=True)
class _Leak:
    """Rows of training, and the rows of the splits after it that they repeat."""

    training: NDArray[np.int64]
    evaluated: NDArray[np.int64]

    def without(self, other: _Leak) -> _Leak:
        """But for the rows of another one."""
        return _Leak(np.setdiff1d(self.training, other.training), np.setdiff1d(self.evaluated, other.evaluated))


def leaks(seen: Seen) -> Iterator[Issue]:
    """Training rows that repeat, exactly or nearly, a row that is evaluated on."""
    exact = _across(seen, _contents(seen))
    if len(exact.training):
        yield _leak(seen, exact, "exact")
    near = _nearly(seen)
    if near is not None:
        found = _across(seen, near).without(exact)
        if len(found.training) and len(found.evaluated):
            yield _leak(seen, found, "near")


def copies(seen: Seen) -> Iterator[Issue]:
    """Rows that repeat, exactly or nearly, an earlier row of their split."""
    split = _numbered(seen.rows["split"])
    content = _contents(seen)
    label = _numbered(seen.rows["label"]) if seen.has("label") else split
    exact = np.flatnonzero(_later(_together(split, content, label)))
    if len(exact):
        yield _copy(seen, exact, "exact")
    near = _nearly(seen)
    if near is not None:
        found = np.flatnonzero(_later(_together(split, near)) & ~_later(_together(split, content)))
        if len(found):
            yield _copy(seen, found, "near")


def _contents(seen: Seen) -> NDArray[np.int64]:
    return _numbered(seen.rows["content" if seen.has("content") else "id"])


def _numbered(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """[n] one number per distinct value; missing is a value."""
    if pa.types.is_nested(column.type):
        return codes(objects(column))
    numbers = column.combine_chunks().dictionary_encode(null_encoding="encode").indices
    return np.asarray(numbers.to_numpy(), np.int64)


def _together(first: NDArray[np.int64], *others: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] one number per distinct combination of numbers."""
    for other in others:
        first = np.unique(first * (other.max(initial=0) + 1) + other, return_inverse=True)[1]
    return first


def _nearly(seen: Seen) -> NDArray[np.int64] | None:
    """[n] number of the group of nearly equal texts, linked directly or by others; None: nobody has looked."""
    if not seen.has("duplicate_of"):
        return None
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    repeated, ids = (seen.rows[name].combine_chunks() for name in ("duplicate_of", "id"))
    first = np.asarray(pc.fill_null(pc.index_in(repeated, value_set=ids), -1).to_numpy(), np.int64)
    linked = np.flatnonzero(first >= 0)
    n = seen.rows.num_rows
    graph = coo_array((np.ones(len(linked)), (linked, first[linked])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _across(seen: Seen, group: NDArray[np.int64]) -> _Leak:
    """Rows of groups that hold rows of several ranks: those of the highest rank, and the others."""
    rank = np.array([_GUARDED.get(name, 0) for name in seen.split], dtype=np.int64)
    is_known = np.asarray(seen.split != _UNLABELLED, dtype=bool)
    size = int(group.max(initial=-1)) + 1
    least, most = np.full(size, len(_GUARDED) + 1), np.full(size, -1)
    np.minimum.at(least, group[is_known], rank[is_known])
    np.maximum.at(most, group[is_known], rank[is_known])
    leaking = is_known & (least[group] < most[group])
    is_last = rank == most[group]
    return _Leak(np.flatnonzero(leaking & ~is_last), np.flatnonzero(leaking & is_last))


def _later(group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[n] rows whose group has an earlier row."""
    later = np.ones(len(group), dtype=bool)
    later[np.unique(group, return_index=True)[1]] = False
    return later


def _leak(seen: Seen, found: _Leak, how: How) -> Issue:
    names = sorted(set(seen.split[found.evaluated].tolist()))
    share = len(found.evaluated) / int(np.isin(seen.split, names).sum())
    alike, score = _LEAKS[how]
    others = f"{counted(len(found.evaluated), 'row')} of {' and '.join(names)} ({percent(share)} of its rows)"
    rows = seen.shown(found.training)
    return Issue(
        id=f"leak-{how}",
        kind="leak",
        title="Copies across splits" if how == "exact" else "Near-copies across splits",
        why=f"{counted(len(found.training), 'row has', 'rows have')} {alike} {others}: {score}.",
        severity=_severity(share, how),
        effect=share,
        count=len(found.training),
        rows=rows or seen.shown(found.evaluated),
        fix=Fix(action="drop", title="Drop them from training") if rows else None,
        command=seen.dropping(found.training, f"tunewright lint {seen.run.id}"),
    )


def _copy(seen: Seen, at: NDArray[np.int64], how: How) -> Issue:
    share = len(at) / seen.rows.num_rows
    is_exact = how == "exact"
    near = "" if is_exact else "nearly "
    tag = Fix(action="tag", title="Tag as near-copies", value="near-copy")
    return Issue(
        id=f"duplicate-{how}",
        kind="duplicate",
        title="Copies" if is_exact else "Near-copies",
        why=f"{counted(len(at), f'row {near}repeats', f'rows {near}repeat')} an earlier row of the same split"
        f"{', with the same label' if is_exact else ''} ({percent(share)} of the rows): such texts count more than once.",
        severity=level(share, high=1.1, medium=0.05 if is_exact else 0.2),
        effect=share,
        count=len(at),
        rows=seen.shown(at),
        fix=Fix(action="drop", title="Drop all but the first of each") if is_exact else tag,
        command=seen.dropping(at, f"tunewright lint {seen.run.id}") if is_exact else f"tunewright lint {seen.run.id}",
    )


def _severity(share: float, how: How) -> Level:
    return level(share, high=0.005, medium=0.0) if how == "exact" else level(share, high=0.1, medium=0.01)
