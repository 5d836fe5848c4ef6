"""What is tried of each check of production that a project names, on rows made of the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ProjectError
from tunewright.monitor.checks import Checks, marks
from tunewright.monitor.expressions import Edge
from tunewright.monitor.laws import laws
from tunewright.monitor.monitors import Fold, UserFold, merges, scalars
from tunewright.monitor.reference import Reference
from tunewright.table import left_join
from tunewright.verbs.production import truth_of, vector_columns
from tunewright.verbs.trying import State, Step

if TYPE_CHECKING:
    from tunewright.project import Project

__all__ = ["probe_monitors"]

_ROWS, _REFERENCE, _DIMENSIONS = 24, 240, 8
_SHOWN = 3  # numbers of a report


def probe_monitors(project: Project) -> list[Step]:
    """A step for the rows, and one for each check: a fold keeps its laws, an edge says something of each row."""
    checks = Checks.of(project.monitors, truth=truth_of(project))
    if not checks.all:
        return []
    edges = [_probe_edge(name, edge) for name, edge in checks.edges.items()]
    return [
        Step("production rows", _production, ("score",)),
        *edges,
        *(_probe_fold(name, fold) for name, fold in checks.folds.items()),
    ]


def _probe_fold(name: str, fold: Fold) -> Step:
    def run(state: State) -> str:
        rows = _having(fold.needs, name, state["production"])
        reference: Reference = state["reference"]
        told = fold.report(
            fold.update(fold.start(reference), rows)
        )  # raises as it is, so that the user's line is named
        own = not _is_built_in(fold)
        if own and (broken := laws(fold, rows, reference=reference)):
            raise ProjectError("; ".join(broken), fix="see docs/guide/check.md for the laws")
        kind = "merges" if merges(fold) else "sequential, as it has no merge: one process, no windows"
        said = [f"{key} {value:.4g}" for key, value in scalars(told).items() if isinstance(value, int | float)]
        kept = "keeps its laws on" if own else "built in, takes"
        return f"{kept} {rows.num_rows} rows; {kind}; {', '.join(said[:_SHOWN]) or 'reports no number'}"

    return Step(f"monitor {name}", run, ("production rows",))


def _is_built_in(fold: Fold) -> bool:
    """Whether there is no code of the user's in it that could break a law; windows and slices have a fold inside."""
    within = getattr(fold, "fold", None)
    ours = type(fold).__module__.startswith("tunewright.") and not isinstance(fold, UserFold)
    return ours and (within is None or _is_built_in(within))


def _probe_edge(name: str, edge: Edge) -> Step:
    def run(state: State) -> str:
        rows = _having(edge.needs, name, state["production"])
        found = marks({name: edge}, rows, reference=state["reference"])
        if name in found.errors:
            raise ProjectError(found.errors[name])
        nulls = found.nulls.get(name, 0)
        silent = f", says nothing of {nulls}" if nulls else ""
        return f"marks {int(found.marked[name].sum())} of {rows.num_rows} rows{silent}"

    return Step(f"edge {name}", run, ("production rows",))


def _having(needs: frozenset[str], name: str, rows: pa.Table) -> pa.Table:
    if lacking := sorted(needs - {*rows.column_names}):
        raise ProjectError(
            f"{name!r} needs column {lacking[0]!r}, which production rows lack",
            fix=f"they have {', '.join(rows.column_names)}",
        )
    return rows


def _production(state: State) -> str:
    """Rows as a monitor of this project logs them, again and again until there are enough; vectors are drawn."""
    project: Project = state["project"]
    known: pa.Table = state["rows"]
    said: pa.Table = state["said"]
    kept = [
        name for name in known.column_names if name not in {"split", "weight", "content", *said.column_names} - {"id"}
    ]
    rows = left_join(known.select(kept), said.drop_columns([name for name in ("split",) if name in said.column_names]))
    names = vector_columns(project)
    state["production"] = _many(rows, _ROWS, names, seed=1)
    reference = _many(rows, _REFERENCE, names, seed=2)
    vectors = {name: _array(reference[name]) for name in names}
    labels: tuple[Any, ...] = project.task.labels or ()
    state["reference"] = Reference.from_table(reference.drop_columns([*names]), vectors=vectors, labels=labels)
    return f"{_ROWS} rows with {', '.join(state['production'].column_names)}; vectors are drawn"


def _many(rows: pa.Table, number: int, vectors: tuple[str, ...], *, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    taken = rows.take(pa.array(np.arange(number) % rows.num_rows))
    ids = pa.array([f"{id}-{place}" for place, id in enumerate(taken["id"].to_pylist())], pa.string())
    taken = taken.set_column(taken.column_names.index("id"), "id", ids)
    taken = taken.append_column("logged", pa.repeat(pa.scalar(0, pa.timestamp("us", "UTC")), number))
    for name in vectors:
        values = pa.array(random.normal(size=number * _DIMENSIONS), pa.float32())
        taken = taken.append_column(name, pa.FixedSizeListArray.from_arrays(values, _DIMENSIONS))
    return taken


def _array(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray(pc.list_flatten(column).to_numpy(), np.float32).reshape(len(column), -1)
