"""``map``: what the model could not learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.projection import pca
from tunewright.errors import DataError
from tunewright.project import Project, find_run
from tunewright.table import left_join
from tunewright.verbs.dynamics import arrays, coverage, last_answers, learnt
from tunewright.verbs.explore.standalone import save_page
from tunewright.verbs.models import embeddings
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["DataMap", "Region", "Suspect", "facts", "map", "page", "pictures"]

_FIRST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region of the map: how many rows, and their medians."""

    name: str
    count: int
    confidence: float
    variability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A row that looks mislabelled, with the label the model would give; more ``suspicion`` is more likely wrong."""

    id: str
    text: tuple[str, ...]
    label: str
    suggested: str | None
    suspicion: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMap(Result):
    """The data map of a run: ``rows`` has all columns of the rows that were trained on, one row each.

    ``notes`` say which file was not written, and why.
    """

    run: str
    coverage: float | None
    epochs: int
    regions: tuple[Region, ...]
    suspects: int
    first_suspects: tuple[Suspect, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    rows: pa.Table


def map(project: Project, run: Run | str | None = None, *, latent: bool = False) -> DataMap:
    """Compute what the dynamics of a run say about each row, and draw the data map as PNG and SVG.

    The whole run is written as one HTML file as well, which opens at its data map, see
    `tunewright.verbs.explore.standalone.save_page`; where it cannot be, the notes of the result say why.

    Args:
        project: whose run it is.
        run: by default the last training run.
        latent: also embed the rows and draw them on their first two principal components.

    Raises:
        RunError: if there is no such run, or it has no dynamics.
    """
    run = find_run(project, run)
    rows = _rows(run)
    drawn = _draw(run, rows) + (_draw_latent(project, run, rows) if latent else ())
    pages, notes = page(project, run, "map.html")
    suspect = np.equal(rows["suspect"].to_numpy(), True)
    return DataMap(
        run=run.id,
        coverage=coverage(run),
        epochs=int(pc.max(rows["epochs_seen"]).as_py() or 0),
        regions=_regions(rows),
        suspects=int(suspect.sum()),
        first_suspects=_suspects(rows.filter(pa.array(suspect)), _text_fields(project, rows)),
        files=drawn + pages,
        notes=notes,
        rows=rows,
    )


def pictures(run: Run) -> tuple[Path, ...]:
    """Draw the data map of a run as PNG and SVG.

    Raises:
        RunError: if it has no dynamics.
    """
    return _draw(run, _rows(run))


def page(project: Project, run: Run, name: str, *, view: str = "") -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write the page of a run among its figures.

    Args:
        project: whose run it is.
        run: which run.
        name: of the file.
        view: what it opens at, see `save_page`.

    Returns:
        the file, or why there is none.
    """
    try:
        return (save_page(project, run, path=run.folder / "figures" / name, view=view).file,), ()
    except DataError as error:
        return (), (f"{name} was not written: {error.message}; {error.fix}",)


def _rows(run: Run) -> pa.Table:
    return left_join(left_join(learnt(run), run.table("examples")), last_answers(run))


def _regions(rows: pa.Table) -> tuple[Region, ...]:
    columns = arrays(rows.select(["region", "confidence", "variability"]))
    found = []
    for name in ("easy", "ambiguous", "hard", ""):
        inside = columns["region"] == name
        if inside.any():
            medians = {key: float(np.nanmedian(columns[key][inside])) for key in ("confidence", "variability")}
            found.append(Region(name=name or "none", count=int(inside.sum()), **medians))
    return tuple(found)


def _suspects(rows: pa.Table, fields: tuple[str, ...]) -> tuple[Suspect, ...]:
    first = rows.sort_by([("suspicion", "descending"), ("id", "ascending")]).slice(0, _FIRST)
    return tuple(
        Suspect(
            id=row["id"],
            text=tuple(row[field] for field in fields),
            label=row["label"],
            suggested=row["suggested"],
            suspicion=row["suspicion"],
        )
        for row in first.to_pylist()
    )


def _text_fields(project: Project, rows: pa.Table) -> tuple[str, ...]:
    """Those that the run knows: an imported run may have ids and labels only."""
    return tuple(field for field in project.task.text_fields if field in rows.column_names)


def _draw(run: Run, rows: pa.Table) -> tuple[Path, ...]:
    from tunewright.plot import datamap

    folder = run.folder / "figures"
    about = facts(run) | {"coverage": coverage(run), "when": run.meta.get("recorded")}
    columns = arrays(rows)
    numbers = {name: columns[name] for name in ("confidence", "variability", "correctness")}
    sheet = datamap.figure(numbers | {"suspect": columns["suspect"]}, ring="suspect", **about)
    return tuple(datamap.save(sheet, folder / f"map.{kind}") for kind in ("png", "svg"))


def _draw_latent(project: Project, run: Run, rows: pa.Table) -> tuple[Path, ...]:
    from tunewright.plot import latent

    embeddings(project, run)
    rows = left_join(rows, run.compute(pca))
    names = ("pc1", "pc2", "probability", "label", "correct")
    columns: dict[str, NDArray[Any]] = {name: arrays(rows)[name] for name in names}
    sheet = latent.figure(columns, labels=run.labels or None, **facts(run))
    return tuple(latent.save(sheet, run.folder / "figures" / f"latent.{kind}") for kind in ("png", "svg"))


def facts(run: Run) -> dict[str, Any]:
    """What the second line of a picture says about a run: its model and its dataset."""
    meta = run.meta
    model = Path(str(meta["config"].get("model", "")))
    name = model.parent.name if model.name == run.model_folder.name else model.name  # of a run that it started from
    version = meta.get("version_name") or meta.get("version", "")
    return {"model": name, "dataset": f"{meta.get('dataset', '')} {version}".strip()}
