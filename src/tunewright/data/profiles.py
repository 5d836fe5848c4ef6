"""What a sample of the rows of each column of a table looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Profile", "find_by_name", "profiles_of"]

_MOST_LABELS = 1000
_SAMPLE = 20_000  # rows looked at for lengths and distinct values, drawn from the whole table: it may be sorted


@dataclass(frozen=True, slots=True)
class Profile:
    """What a sample of the rows of a column looks like."""

    name: str
    kind: pa.DataType
    distinct: int
    filled: int
    words: float  # mean number of words, 0 for what is no text
    values: frozenset[str]  # the distinct values, where they are few

    @property
    def key(self) -> str:
        return self.name.lower()

    @property
    def is_string(self) -> bool:
        return bool(pa.types.is_string(self.kind))

    @property
    def can_be_label(self) -> bool:
        discrete = self.is_string or pa.types.is_integer(self.kind) or pa.types.is_boolean(self.kind)
        discrete = discrete or (pa.types.is_floating(self.kind) and all(value.endswith(".0") for value in self.values))
        return bool(discrete) and 2 <= self.distinct <= max(2, min(_MOST_LABELS, self.filled // 2))


def profiles_of(table: pa.Table) -> dict[str, Profile]:
    """A profile per column, from the same sample of rows every time."""
    sample = _sample(table)
    return {name: _profile(sample, name) for name in table.column_names}


def find_by_name(free: Mapping[str, Profile], names: Sequence[str], fits: Callable[[Profile], bool]) -> Profile | None:
    """The fitting column whose name comes first in a list of names."""
    keys = {profile.key: profile for profile in free.values() if fits(profile)}
    return next((keys[name] for name in names if name in keys), None)


def _sample(table: pa.Table) -> pa.Table:
    """The same rows every time, in their order; all of them if they are few."""
    if table.num_rows <= _SAMPLE:
        return table
    rows = np.random.default_rng(0).choice(table.num_rows, _SAMPLE, replace=False)
    return table.take(pa.array(np.sort(rows)))


def _profile(table: pa.Table, name: str) -> Profile:
    column = table[name].combine_chunks()
    nested = pa.types.is_nested(column.type) or pa.types.is_binary(column.type)
    values = pc.unique(column.drop_null()) if not nested else pa.array([])
    words = (
        pc.mean(pc.list_value_length(pc.utf8_split_whitespace(column))).as_py()
        if pa.types.is_string(column.type)
        else 0
    )
    few = frozenset(map(str, values.to_pylist())) if len(values) <= _MOST_LABELS else frozenset()
    return Profile(name, column.type, len(values), len(column) - column.null_count, words or 0.0, few)
