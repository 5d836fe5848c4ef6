"""The synthetic rows of a version: what its `Mix` edits describe, as far as their parents are still there."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import Add, Edit, Mix
from tunewright.errors import EditError

__all__ = ["RECIPES", "recipes", "require_new_ids"]

RECIPES = pa.schema(
    {"id": pa.string(), "a": pa.string(), "b": pa.string(), "weight": pa.float64(), "layer": pa.string()}
)
"""Columns of recipes: id, the ids of both parents, the share of ``a`` in [0, 1], and the layer."""
_NAMED = 3  # ids in a message


def recipes(edits: Iterable[Edit], table: pa.Table) -> pa.Table:
    """The recipes among the edits whose parents are both labelled training rows of the table.

    Args:
        edits: those that made the table, in order.
        table: columns id, split and label.

    Returns:
        columns id, a, b, weight (the share of ``a`` in [0, 1]) and layer, in the order of the edits.
    """
    rows = [(*recipe, edit.layer) for edit in edits if isinstance(edit, Mix) for recipe in edit.recipes]
    columns = zip(*rows, strict=True) if rows else ((),) * len(RECIPES)
    found = pa.table([pa.array(values, kind) for values, kind in zip(columns, RECIPES.types, strict=True)], RECIPES)
    usable = table.filter(pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"])))
    parents = usable["id"].combine_chunks()
    return found.filter(pc.and_(pc.is_in(found["a"], value_set=parents), pc.is_in(found["b"], value_set=parents)))


def require_new_ids(edit: Edit, earlier: Iterable[Edit]) -> None:
    """Rows and recipes share one space of ids: what is new must not be called like a recipe.

    Raises:
        EditError: if it is.
    """
    match edit:
        case Mix(recipes=new):
            names = {name for name, *_ in new}
        case Add(rows=rows):
            names = {str(row.get("id")) for row in rows}
        case _:
            return
    taken = {name for other in earlier if isinstance(other, Mix) for name, *_ in other.recipes}
    both = sorted(names & taken)
    if both:
        first = ", ".join(both[:_NAMED]) + (", ..." if len(both) > _NAMED else "")
        raise EditError(
            f"the edit does not fit: {len(both)} ids that recipes have already: {first}", fix="give the new ones others"
        )
