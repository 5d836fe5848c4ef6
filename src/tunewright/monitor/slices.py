"""One fold for each value of a column: how the rows of each source, language or customer fare."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ProjectError
from tunewright.monitor.monitors import Fold, Merge, Report, fingerprint, merges, scalars
from tunewright.monitor.state import State, copied, joined, split

if TYPE_CHECKING:
    from tunewright.monitor.reference import Reference

__all__ = ["MISSING", "OTHER", "Slices", "sliced"]

OTHER = "(other)"
"""The slice of all values beyond the most that get one of their own."""

MISSING = "(missing)"
"""The slice of rows without a value."""


def sliced(fold: Fold, by: str, *, most: int = 20, values: tuple[str, ...] = ()) -> Fold:
    """A fold for each value of a column, and together if the fold merges.

    Args:
        fold: what is reported of each slice.
        by: the column.
        most: how many values get a slice; all other rows share one.
        values: that get one in any case; those that are most frequent in the reference come after them.

    Raises:
        ProjectError: if there may be no slices, or there are more values than slices.
    """
    if most < 1 or len(values) > most:
        raise ProjectError(f"expected one slice or more, and one for each value, found {most} for {len(values)} values")
    return Slices(fold=fold, by=by, most=most, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """See `sliced`.

    Who gets a slice depends on the values that were seen and on nothing else, neither on their order nor on who saw
    them: first the values that were named, then the most frequent of the reference, then, as chance has it, those
    whose hash is smallest. A value that loses its slice to another is merged into the rest, for good. A sequential
    fold cannot be merged; there the first values keep their slices.
    """

    fold: Fold
    by: str
    most: int
    values: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.fold.name} by {self.by}"

    @property
    def needs(self) -> frozenset[str]:
        return self.fold.needs | {self.by}

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    @property
    def merge(self) -> Merge | None:
        return self._merge if merges(self.fold) else None

    def start(self, reference: Reference | None) -> State:
        constant, blank = split(self.fold.start(reference))
        named = list(dict.fromkeys([*self.values, *_frequent(reference, self.by)]))[: self.most]
        return joined(constant, {"blank": blank, "named": named, "own": [], "slices": {}})

    def update(self, state: State, rows: pa.Table) -> State:
        constant, slices = split(state)[0], state["slices"]
        values = pc.fill_null(pc.cast(rows[self.by], pa.string()), MISSING)
        self._choose(state, pc.unique(values).to_pylist())
        names = pc.if_else(pc.is_in(values, value_set=pa.array(state["own"], pa.string())), values, OTHER)
        for name in pc.unique(names).to_pylist():
            inside = rows.filter(pc.equal(names, name))
            known = slices.get(name) or {"rows": 0, "state": copied(state["blank"])}
            after = self.fold.update(joined(constant, known["state"]), inside)
            slices[name] = {"rows": known["rows"] + inside.num_rows, "state": split(after)[1]}
        return state

    def report(self, state: State) -> Report:
        """``slices``, one row for each with all its numbers; tables of slices one after another; and all rows together."""
        constant, slices = split(state)[0], state["slices"]
        told = {name: self.fold.report(joined(constant, slices[name]["state"])) for name in sorted(slices)}
        rows = [{self.by: name, "slice_rows": slices[name]["rows"], **scalars(one)} for name, one in told.items()]
        tables = {name: _stacked(name, told, self.by) for one in told.values() for name in one if _is_table(one[name])}
        return {**self._together(state), **tables, "slices": pa.Table.from_pylist(rows)}

    def _choose(self, state: State, values: Iterable[str]) -> None:
        """Who has a slice once these values are seen; those that lose theirs join the rest."""
        known = [value for value in dict.fromkeys([*state["own"], *values]) if value != OTHER]
        if merges(self.fold):
            known.sort(key=lambda value: _rank(value, state["named"]))
        state["own"] = known[: self.most]
        slices = state["slices"]
        for value in known[self.most :]:
            if lost := slices.pop(value, None):
                slices[OTHER] = self._both(split(state)[0], slices[OTHER], lost) if OTHER in slices else lost

    def _merge(self, a: State, b: State) -> State:
        constant, slices = split(a)[0], {name: copied(one) for name, one in a["slices"].items()}
        for name, other in b["slices"].items():
            slices[name] = self._both(constant, slices[name], other) if name in slices else copied(other)
        same = {"blank": a["blank"], "named": a["named"], "own": a["own"]}
        state = joined(constant, {**same, "slices": slices})
        self._choose(state, b["own"])
        return state

    def _both(self, constant: Any, a: State, b: State) -> State:
        merge = merges(self.fold)
        assert merge is not None
        both = merge(joined(constant, a["state"]), joined(constant, b["state"]))
        return {"rows": a["rows"] + b["rows"], "state": split(both)[1]}

    def _together(self, state: State) -> Report:
        merge, constant = merges(self.fold), split(state)[0]
        if merge is None:
            return {"rows": sum(one["rows"] for one in state["slices"].values())}
        whole = joined(constant, copied(state["blank"]))
        for name in sorted(state["slices"]):
            whole = merge(whole, joined(constant, state["slices"][name]["state"]))
        return self.fold.report(whole)


def _rank(name: str, named: list[str]) -> tuple[int, str]:
    if name in named:
        return named.index(name), ""
    return len(named), hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def _frequent(reference: Reference | None, by: str) -> list[str]:
    if reference is None or not reference.has(by):
        return []
    counts = Counter(str(value) for value in reference.column(by).drop_null().to_pylist())
    return sorted(counts, key=lambda value: (-counts[value], value))


def _stacked(name: str, told: Mapping[str, Report], by: str) -> pa.Table:
    tables = [
        one[name].add_column(0, by, pa.array([value] * one[name].num_rows, pa.string())) for value, one in told.items()
    ]
    return pa.concat_tables(tables, promote_options="permissive")


def _is_table(value: Any) -> bool:
    return isinstance(value, pa.Table)
