"""``focus``: choose what to learn from, as a new version of the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.regions import Bounds, Region, sample, select
from tunewright.data.edits import Keep
from tunewright.errors import DataError, EditError
from tunewright.project import Project, find_run, open_dataset
from tunewright.verbs.dynamics import arrays, learnt
from tunewright.verbs.results import Result
from tunewright.verbs.signing import signed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.data.dataset import Dataset
    from tunewright.run import Run

__all__ = ["Focused", "focus"]

_FRACTION = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Focused(Result):
    """A new version that keeps some of the training rows; ``labels`` counts the kept ones by label."""

    name: str
    version: str
    parent: str
    run: str
    rule: str
    kept: int
    of: int
    labels: Mapping[str, int]
    control: str | None


def focus(
    project: Project,
    run: Run | str | None = None,
    *,
    name: str,
    region: Region | None = None,
    bounds: Bounds | None = None,
    fraction: float | None = None,
    without_suspects: bool = False,
    control: bool = False,
) -> Focused:
    """Keep the training rows that a rule about the data map chooses; other splits stay as they are.

    The new version is made from the one the run was trained on. It stores the rule, the ids it resolved to and the run.

    Args:
        project: whose run it is.
        run: by default the last training run.
        name: of the new version.
        region: easy, ambiguous or hard: the extreme fraction of it.
        bounds: column -> (low, high), low <= value < high; None is unbounded.
        fraction: of the region, in (0, 1]; a third by default.
        without_suspects: leave out suspected mislabels first.
        control: also make a random version of the same size, ``<name>-random``.

    Raises:
        DataError: if there is no rule, nothing is kept, or the fraction is out of range.
        EditError: if the name is taken.
        RunError: if the run has no dynamics.
    """
    run = find_run(project, run)
    dataset = open_dataset(project)
    if fraction is not None and region is None:
        raise DataError("a fraction is one of a region", fix="add --region ambiguous, or leave the fraction out")
    if region is None and not bounds and not without_suspects:
        raise DataError("expected a rule, found none", fix="give a region, bounds, or --without-suspects")
    for taken in (name, f"{name}-random") if control else (name,):
        if taken in dataset.versions:
            raise EditError(f"there is a version called {taken!r} already", fix="choose another --name")
    parent = dataset.resolve(run.meta.get("version", "main"))
    columns = arrays(_present(learnt(run), dataset, parent))
    if region == "ambiguous" and np.nanmax(columns["epochs_seen"]) < 2:
        raise DataError(
            "rows are ambiguous when the model wavers between epochs, and the run has one epoch",
            fix="train for two or more epochs",
        )
    suspect = np.equal(columns["suspect"], True)
    chosen = select(
        columns,
        region=region,
        bounds=bounds,
        fraction=_FRACTION if fraction is None else fraction,
        exclude=suspect if without_suspects else None,
        seed=project.seed,
    )
    rule = _rule(region, bounds or {}, _FRACTION if fraction is None else fraction, without_suspects=without_suspects)
    version = _keep(dataset, columns, chosen, on=parent, name=name, run=run, rule=rule)
    if control:
        drawn = sample(columns, int(chosen.sum()), seed=project.seed)
        rule_of_control = f"{int(chosen.sum())} random rows (seed {project.seed}), control of {name}"
        _keep(dataset, columns, drawn, on=parent, name=f"{name}-random", run=run, rule=rule_of_control)
    return Focused(
        name=name,
        version=version,
        parent=parent,
        run=run.id,
        rule=rule,
        kept=int(chosen.sum()),
        of=len(chosen),
        labels=_labels(dataset, version),
        control=f"{name}-random" if control else None,
    )


def _present(rows: pa.Table, dataset: Dataset, version: str) -> pa.Table:
    """Rows of the run that are training rows of the version."""
    table = dataset.table(version)
    training = table.filter(pc.equal(table["split"], "train"))
    kept = rows.filter(pc.is_in(rows["id"], training["id"].combine_chunks()))
    if kept.num_rows == 0:
        raise DataError(
            "none of the rows of the run is a training row of the dataset", fix="name a run that was trained on it"
        )
    return kept


def _keep(
    dataset: Dataset,
    columns: Mapping[str, NDArray[np.generic]],
    chosen: NDArray[np.bool_],
    *,
    on: str,
    name: str,
    run: Run,
    rule: str,
) -> str:
    if not chosen.any():
        raise DataError(f"the rule ({rule}) keeps none of {len(chosen)} rows", fix="loosen it; look at the map first")
    why = signed(run=run.id, analysis="data_map, suspects", rule=rule)
    edit = Keep(ids=tuple(columns["id"][chosen].tolist()), reason=f"focus: {name}", evidence=why)
    return dataset.apply([edit], on=on, name=name)


def _rule(region: Region | None, bounds: Bounds, fraction: float, *, without_suspects: bool) -> str:
    """The rule as one line that can be read and repeated."""
    parts = [f"{fraction:.3g} most {region}"] if region else []
    for column, (low, high) in bounds.items():
        parts += [f"{column} >= {low:g}"] if low is not None else []
        parts += [f"{column} < {high:g}"] if high is not None else []
    parts += ["not suspect"] if without_suspects else []
    return " and ".join(parts)


def _labels(dataset: Dataset, version: str) -> dict[str, int]:
    labels: dict[str, int] = dataset.describe(version)["labels"]["train"]
    return labels
