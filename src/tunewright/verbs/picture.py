"""``plot``: the population in latent space, the errors, and the dynamics, as PNG and SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow.compute as pc

from tunewright.errors import ColumnError, DataError, did_you_mean
from tunewright.plot.figures import save
from tunewright.project import Project, find_run
from tunewright.verbs.chart import facts
from tunewright.verbs.described import arrays_of
from tunewright.verbs.dynamics import learnt
from tunewright.verbs.evaluations import is_grade, trained
from tunewright.verbs.models import Advance, predictions, rows_of
from tunewright.verbs.population import of_split, population
from tunewright.verbs.results import Result
from tunewright.verbs.slicing import sliced

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from tunewright.run import Run

__all__ = ["Picture", "Plotted", "plot"]

Picture = Literal["population", "errors", "dynamics"]

_LABELS_TO_SEE = 10
_NOT_TAKEN = {"errors": "colour", "dynamics": "split"}
_DRAWN_AS = {"cluster": "cluster_name"}
"""Numbers that are names, and the column with these."""
_UMAP, _PCA = ("umap1", "umap2"), ("pc1", "pc2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotted(Result):
    """A picture: what it shows, of how many rows, and its files."""

    run: str
    picture: Picture
    split: str | None
    colour: str | None
    rows: int
    files: tuple[Path, ...]


def plot(
    project: Project,
    run: Run | str | None,
    picture: Picture,
    *,
    split: str | None = None,
    colour: str | None = None,
    advance: Advance | None = None,
) -> Plotted:
    """Draw a run.

    ``population``: every row in latent space, a panel per split, the area of a dot its loss (after `analyze`).
    ``errors``: the confusion matrix where targets are classes, else how the scores are spread, and the worst slices.
    ``dynamics``: gold probability and loss over the epochs, for each region of the data map.

    Args:
        project: whose run it is.
        run: None is the last training run.
        picture: which one.
        split: rows to draw: of the population, by default all; of errors, by default validation.
        colour: column that colours the population, or groups the dynamics, by default the region of the data map.
        advance: told how far the model is, where it has to be asked.

    Raises:
        ColumnError: if there is no column to colour by.
        DataError: if there is no such picture, it has no such option, or the split has no rows.
        RunError: if there is no such run, or it lacks what the picture shows.
    """
    if picture not in get_args(Picture):
        raise DataError(f"no picture is called {picture!r}", fix=did_you_mean(picture, get_args(Picture)))
    refused = _NOT_TAKEN.get(picture, "")
    if {"colour": colour, "split": split}.get(refused) is not None:
        raise DataError(f"the picture of the {picture} has no option {refused!r}", fix=f"leave out {refused}")
    found = find_run(project, run) if picture == "dynamics" else trained(project, run)
    match picture:
        case "population":
            sheet, rows, colour = _population(project, found, split, colour, advance)
        case "errors":
            split = split or "validation"
            sheet, rows = _errors(project, found, split, advance)
        case "dynamics":
            sheet, rows, colour = _dynamics(project, found, colour)
    name = re.sub(r"[^\w.-]+", "-", "-".join(filter(None, (picture, split, colour))))
    files = tuple(save(sheet, found.folder / "figures" / f"{name}.{kind}") for kind in ("png", "svg"))
    return Plotted(run=found.id, picture=picture, split=split, colour=colour, rows=rows, files=files)


def _population(
    project: Project, run: Run, split: str | None, colour: str | None, advance: Advance | None
) -> tuple[Figure, int, str]:
    from tunewright.plot.population import figure

    known = population(project, run).column_names
    axes = next((pair for pair in (_UMAP, _PCA) if set(pair) <= set(known)), None)
    if axes is None:
        raise ColumnError(f"the rows of run {run.id} have no coordinates yet", fix="run `tunewright analyze`")
    wanted = rows_of(project, run)
    wanted = wanted if split is None else of_split(wanted, split)
    predictions(project, run, wanted, advance=advance)
    rows = run.widened(wanted)
    colour = _known(colour, rows) or _telling(run)
    drawn = _DRAWN_AS.get(colour, colour)
    names = ["split", "loss", drawn, *axes, *(["cluster_name"] if "cluster_name" in rows.column_names else [])]
    sheet = figure(arrays_of(rows, list(dict.fromkeys(names))), axes=axes, colour=drawn, **facts(run))
    return sheet, rows.num_rows, colour


def _telling(run: Run) -> str:
    """Classes as long as colours can tell them apart."""
    return "label" if 0 < len(run.labels) <= _LABELS_TO_SEE else "correct"


def _errors(project: Project, run: Run, split: str, advance: Advance | None) -> tuple[Figure, int]:
    said = predictions(project, run, of_split(rows_of(project, run), split), advance=advance)
    said = said.filter(pc.and_(pc.equal(said["split"], split), pc.is_valid(said["label"])))
    if said.num_rows == 0:
        raise DataError(f"none of the rows of split {split!r} has a label", fix="draw a labelled split")
    about = facts(run)
    about["dataset"] = f"{about['dataset']} {split}"
    return (_confusion(run, said, about) if run.labels else _grades(project, run, said, about, split)), said.num_rows


def _confusion(run: Run, said: pa.Table, about: dict[str, Any]) -> Figure:
    from tunewright.plot.errors import figure

    return figure(arrays_of(said, ["label", "predicted"]), labels=run.labels, **about)


def _grades(project: Project, run: Run, said: pa.Table, about: dict[str, Any], split: str) -> Figure:
    from tunewright.plot.grades import figure

    scores = {name: said[name].to_numpy().astype(np.float64) for name in said.column_names if is_grade(name)}
    found = sliced(project, run, split=split)
    worst = [(one.description, one.n, one.difference, one.interval) for one in found.slices]
    return figure(scores, worst, tested=found.tested, **about)


def _dynamics(project: Project, run: Run, colour: str | None) -> tuple[Figure, int, str]:
    from tunewright.plot.progress import figure

    ids, seen = run.inputs(["dynamics.gold_probability", "dynamics.loss"])
    learnt(run)
    rows = population(project, run)
    colour = _known(colour, rows) or "region"
    same = rows.take(pc.index_in(ids, value_set=rows["id"].combine_chunks()))
    drawn = _DRAWN_AS.get(colour, colour)
    groups: Any = arrays_of(same, [drawn])[drawn]
    if groups.dtype == object:
        groups[groups == ""] = None  # such as rows in no region
    pair = (seen[name].astype(np.float64) for name in ("gold_probability", "loss"))
    return figure(*pair, groups=groups, by=drawn, **facts(run)), len(ids), colour


def _known(colour: str | None, rows: pa.Table) -> str | None:
    if colour is not None and colour not in rows.column_names:
        raise ColumnError(f"no column is called {colour!r}", fix=did_you_mean(colour, rows.column_names))
    return colour
