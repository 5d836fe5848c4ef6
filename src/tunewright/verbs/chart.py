"""``map``: what the model could not learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.projection import pca
from tunewright.project import Project, find_run
from tunewright.table import left_join
from tunewright.verbs.dynamics import arrays, last_answers, learnt
from tunewright.verbs.models import embeddings
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["DataMap", "Region", "Suspect", "coverage", "facts", "map"]

_FIRST = 10
_SHOWN = ("label", "predicted", "probability", "suggested", "suspicion", "suspect", "region", "aum", "forgetting")


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
    """The data map of a run: ``rows`` has all columns of the rows that were trained on, one row each."""

    run: str
    coverage: float | None
    epochs: int
    regions: tuple[Region, ...]
    suspects: int
    first_suspects: tuple[Suspect, ...]
    files: tuple[Path, ...]
    rows: pa.Table


def map(project: Project, run: Run | str | None = None, *, latent: bool = False) -> DataMap:
    """Compute what the dynamics of a run say about each row, and draw the data map as PNG, SVG and one HTML file.

    Args:
        project: whose run it is.
        run: by default the last training run.
        latent: also embed the rows and draw them on their first two principal components.

    Raises:
        RunError: if there is no such run, or it has no dynamics.
    """
    run = find_run(project, run)
    rows = left_join(left_join(learnt(run), run.table("examples")), last_answers(run))
    files = _draw(run, rows) + (_draw_latent(project, run, rows) if latent else ())
    suspect = np.equal(rows["suspect"].to_numpy(), True)
    return DataMap(
        run=run.id,
        coverage=coverage(run),
        epochs=int(pc.max(rows["epochs_seen"]).as_py() or 0),
        regions=_regions(rows),
        suspects=int(suspect.sum()),
        first_suspects=_suspects(rows.filter(pa.array(suspect)), _text_fields(project, rows)),
        files=files,
        rows=rows,
    )


def coverage(run: Run) -> float | None:
    """Records there are over records there should be, in [0, 1]; None if the run does not say."""
    epochs = run.meta.get("coverage") or []
    expected = sum(epoch["expected"] for epoch in epochs)
    return sum(epoch["seen"] for epoch in epochs) / expected if expected else None


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
    from tunewright.plot.page import write_page

    folder = run.folder / "figures"
    about = facts(run) | {"coverage": coverage(run), "when": run.meta.get("recorded")}
    columns = arrays(rows)
    numbers = {name: columns[name] for name in ("confidence", "variability", "correctness")}
    sheet = datamap.figure(numbers | {"suspect": columns["suspect"]}, ring="suspect", **about)
    pictures = tuple(datamap.save(sheet, folder / f"map.{kind}") for kind in ("png", "svg"))
    names = [name for name in ("id", *_SHOWN) if name in columns and rows[name].null_count < rows.num_rows]
    shown = {name: columns[name] for name in names} | numbers
    hidden = {"content", "weight", *columns.keys() - {"id", *run.table("examples").column_names}}
    records = rows.select([name for name in rows.column_names if name not in hidden]).to_pylist()
    return (*pictures, write_page(folder / "map.html", columns=shown, records=records, **about))


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
