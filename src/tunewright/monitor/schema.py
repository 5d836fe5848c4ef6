"""The columns and types that the first rows had, and the first ground truth: what comes later must fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tunewright.monitor.intake import fitted, require_types, schema_of

if TYPE_CHECKING:
    from tunewright.monitor.catalogue import Catalogue

__all__ = ["Kept"]

_ROWS, _TRUTH = "schema", "truth"


class Kept:
    """The schema of a monitor's rows and of their ground truth, which all writers keep to."""

    def __init__(self, catalogue: Catalogue, truth: frozenset[str]) -> None:
        self._catalogue, self._truth = catalogue, truth
        self._known: dict[str, pa.Schema] = {}

    def rows(self, table: pa.Table) -> pa.Table:
        """A batch in the columns and types of the first one, with the ground truth that it has.

        Raises:
            DataError: if it does not fit.
            MonitorError: if it is the first, and its schema could not be kept.
        """
        table = self._without_unknown(table)
        first = schema_of(table.drop_columns(self._columns(table)))
        table = fitted(table, self._of(_ROWS, first), optional=self._truth)
        self._learn(table)
        return table

    def truth(self, labels: pa.Table) -> pa.Table:
        """Ground truth in the types that it first had.

        Raises:
            DataError: if it does not fit.
            MonitorError: if it is the first, and its types could not be kept.
        """
        labels = self._without_unknown(labels)
        self._learn(labels)
        return labels

    def _without_unknown(self, table: pa.Table) -> pa.Table:
        """With ground truth in its types; a column of nothing but nulls whose type nobody knows is left out."""
        if not self._columns(table):
            return table
        known = self._of(_TRUTH, pa.schema([]))
        table = require_types(table, [field for field in known if field.name in table.column_names])
        return table.drop_columns([name for name in self._columns(table) if pa.types.is_null(table[name].type)])

    def _learn(self, table: pa.Table) -> None:
        if not self._columns(table):
            return
        known = self._of(_TRUTH, pa.schema([]))
        if new := [table.schema.field(name) for name in self._columns(table) if name not in known.names]:
            self._tell(_TRUTH, pa.schema([*known, *new]))

    def _columns(self, table: pa.Table) -> list[str]:
        return [name for name in table.column_names if name in self._truth]

    def _of(self, what: str, first: pa.Schema) -> pa.Schema:
        """What is kept; the first one, if it is one of rows, is kept from now on."""
        if what in self._known:
            return self._known[what]
        if (told := self._catalogue.facts().get(what)) is None:
            if what == _ROWS:
                self._tell(what, first)
            return first
        self._known[what] = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(told)))
        return self._known[what]

    def _tell(self, what: str, schema: pa.Schema) -> None:
        self._catalogue.tell(**{what: schema.serialize().to_pybytes().hex()})
        self._known[what] = schema
