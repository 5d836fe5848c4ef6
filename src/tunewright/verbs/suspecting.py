"""``suspects``: which labels are wrong, best first, with the evidence, and how far the list can be trusted."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.mistakes import csv_safe
from tunewright.analyze.trust import Honest, Precision, Probes, Reviewed, honest, learnt_little, probe, stated
from tunewright.errors import DataError, EditError, TunewrightError, did_you_mean
from tunewright.files import write_text
from tunewright.project import Project, find_run, open_dataset
from tunewright.table import left_join
from tunewright.verbs.frozen import FROZEN, freeze
from tunewright.verbs.in_words import in_words
from tunewright.verbs.models import Advance
from tunewright.verbs.results import Result
from tunewright.verbs.suspicion import codes_of, evidence, stored, suspicion

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["Precision", "SuspectRow", "Suspects", "ranked", "suspects", "warning"]

_KS = (50, 100, 200)
_FEWEST = 20  # rows that can be judged out of fold
_WRONG = ("accept", "relabel", "drop")  # decisions that say that the label was wrong
_VOTE = "vote_"
_FILLED_IN = ("id", "label", "suggested", "decision", "new_label", "note", "author")
_HELPS = ("run", "probability", "suspicion", "votes", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow:
    """A row whose label may be wrong.

    More ``suspicion`` is more likely wrong; ``suggested_probability`` is what the detectors give the suggested label,
    on average. ``votes`` names the detectors that prefer another label. ``flagged`` rows are beyond the threshold.
    """

    id: str
    texts: tuple[str, ...]
    label: str | None
    suggested: str | None
    suggested_probability: float | None
    suspicion: float
    flagged: bool
    votes: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects(Result):
    """The list, most suspicious first.

    ``judged`` of ``of`` rows have a label that can be judged; ``flagged`` of them are beyond the threshold.
    ``detectors`` are those that had evidence. ``trust`` is the expected share of wrong labels in the first k rows of the
    whole list, up to all that are flagged or asked for. ``warning`` says why ``flagged`` is unreliable, where the trained
    model is weak. ``note`` says what could not be used, and why.
    """

    run: str
    of: int
    judged: int
    flagged: int
    detectors: tuple[str, ...]
    rows: tuple[SuspectRow, ...]
    trust: tuple[Precision, ...]
    probes: Probes | None
    file: Path | None
    warning: str
    note: str
    seconds: float


def suspects(
    project: Project,
    run: Run | str | None = None,
    *,
    top: int | None = None,
    label: str | None = None,
    trust: bool = True,
    path: str | Path | None = None,
    advance: Advance | None = None,
) -> Suspects:
    """List the rows whose label is most likely wrong, and say which share of such a list is, on this data.

    The first call embeds the training rows with the model that the training started from, which has seen no label.
    Without that model the list is made of what training recorded.

    Args:
        project: whose run it is.
        run: by default the last training run.
        top: how many rows; by default all that are flagged.
        label: only rows that are labelled so, or should be.
        trust: also state the precision of the list.
        path: write the rows as CSV, to be reviewed and given to `tunewright edit apply`.
        advance: told how far the embedding is.

    Raises:
        DataError: if ``top`` is less than 1, or no row has or should have the label.
        RunError: if there is no such run, or it has no dynamics.
    """
    started = time.perf_counter()
    if top is not None and top < 1:
        raise DataError(f"expected top of 1 or more, found {top}")
    run = find_run(project, run)
    every, note = ranked(project, run, advance=advance)
    flags = every["suspect"].to_numpy(zero_copy_only=False)
    longest = max(int(flags.sum()), top or 0)
    precision, probes = _trust(project, run, every, _lengths(int(flags.sum()), longest)) if trust else ((), None)
    chosen = _of_label(every, label)
    chosen = chosen.filter(chosen["suspect"]) if top is None else chosen.slice(0, top)
    rows = _rows(project, run, chosen)
    return Suspects(
        run=run.id,
        of=pc.count_distinct(run.table("dynamics", ["id"])["id"]).as_py(),
        judged=every.num_rows,
        flagged=int(flags.sum()),
        detectors=tuple(name.removeprefix(_VOTE) for name in _votes(every) if pc.any(every[name]).as_py()),
        rows=rows,
        trust=precision,
        probes=probes,
        file=None if path is None else _write(Path(path), rows, project.task.text_fields, run=run.id),
        warning=warning(run),
        note=note,
        seconds=round(time.perf_counter() - started, 2),
    )


def ranked(project: Project, run: Run, *, advance: Advance | None = None) -> tuple[pa.Table, str]:
    """All rows that can be judged, most suspicious first, ties by id; and what could not be used.

    Returns:
        the columns of `tunewright.verbs.suspicion.suspicion`, then those of the run's examples.
    """
    note = ""
    if run.labels:
        try:
            freeze(project, run, advance=advance)
        except TunewrightError as error:
            note = f"Judged without the model before training, which would tell more: {error.message}"
        found = suspicion(run)
    else:
        from tunewright.verbs.open_suspects import open_suspects

        found = stored(run, open_suspects(project, run, advance=advance), None)
    known = np.isfinite(found["suspicion"].to_numpy().astype(np.float64))
    table = left_join(found.filter(pa.array(known)), run.table("examples"))
    return table.sort_by([("suspicion", "descending"), ("id", "ascending")]), note


def warning(run: Run) -> str:
    """Whether the trained model has learnt its own rows well enough for its flags to be counted."""
    if not run.labels or not run.has("dynamics"):
        return ""
    _, label = codes_of(run)
    last = run.inputs(["dynamics.margin"])[1]["margin"][:, -1].astype(np.float64)
    return learnt_little(np.where(np.isnan(last), np.nan, last >= 0), label)


def _lengths(flagged: int, longest: int) -> list[int]:
    """Of the lists whose precision is stated: none is longer than the one that is flagged or asked for."""
    return sorted({k for k in (*_KS, flagged, longest) if 1 <= k <= longest})


def _trust(
    project: Project, run: Run, every: pa.Table, lengths: Sequence[int]
) -> tuple[tuple[Precision, ...], Probes | None]:
    ks = sorted({min(k, every.num_rows) for k in lengths if every.num_rows})
    judged, probes = _judged(run, every)
    score = every["suspicion"].to_numpy().astype(np.float64)
    return stated(score, ks=ks, evidence=judged, reviews=_reviews(project, every)), probes


def _judged(run: Run, every: pa.Table) -> tuple[Honest | None, Probes | None]:
    """What the model before training thinks of the rows, in their order; None if there is none, or hardly any rows."""
    if not run.labels or not run.has(FROZEN) or every.num_rows < _FEWEST:
        return None, None
    ids, label = codes_of(run)
    vectors = evidence(run, ids)[FROZEN]
    assert vectors is not None  # the table is there
    order = pc.index_in(every["id"].combine_chunks(), value_set=ids).to_numpy()
    vectors, label = vectors[order], label[order]
    classes = len(run.labels)
    return honest(vectors, label, classes=classes), probe(vectors, label, classes=classes)


def _reviews(project: Project, every: pa.Table) -> Reviewed | None:
    """The last decision about each row, if it was about the label that the row has in the run."""
    try:
        reviews = open_dataset(project).reviews()
    except (DataError, EditError):
        return None
    label = dict(zip(every["id"].to_pylist(), every["label"].to_pylist(), strict=True))
    decided = {
        one["id"]: one["decision"] in _WRONG for one in reviews.to_pylist() if label.get(one["id"]) == one["label"]
    }
    seen = np.array([id in decided for id in label], dtype=bool)
    return Reviewed(seen=seen, wrong=np.array([decided.get(id, False) for id in label], dtype=bool))


def _of_label(every: pa.Table, label: str | None) -> pa.Table:
    if label is None:
        return every
    chosen = every.filter(pc.or_(_is(every["label"], label), _is(every["suggested"], label)))
    if not chosen.num_rows:
        known = {one for one in every["label"].to_pylist() if one is not None}
        raise DataError(f"no row is labelled {label!r} or should be", fix=did_you_mean(label, known))
    return chosen


def _is(column: pa.ChunkedArray, label: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(column.cast(pa.string()), label), False)


def _votes(every: pa.Table) -> list[str]:
    return [name for name in every.column_names if name.startswith(_VOTE)]


def _rows(project: Project, run: Run, chosen: pa.Table) -> tuple[SuspectRow, ...]:
    if "evidence" in chosen.column_names:
        words = chosen["evidence"].to_pylist()
    else:
        words = in_words(run, chosen["id"].to_pylist(), chosen["suggested"].to_pylist())
    fields = [field for field in project.task.text_fields if field in chosen.column_names]
    votes = _votes(chosen)
    return tuple(
        SuspectRow(
            id=row["id"],
            texts=tuple(str(row[field]) for field in fields),
            label=row["label"],
            suggested=row["suggested"],
            suggested_probability=row.get("suggested_probability"),
            suspicion=row["suspicion"],
            flagged=bool(row["suspect"]),
            votes=tuple(name.removeprefix(_VOTE) for name in votes if row[name]),
            evidence=said,
        )
        for row, said in zip(chosen.to_pylist(), words, strict=True)
    )


def _write(path: Path, rows: Sequence[SuspectRow], fields: Sequence[str], *, run: str) -> Path:
    """The list as CSV: what a person fills in, then what helps to decide; guarded against formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_safe(name) for name in (*_FILLED_IN, *_HELPS, *fields)])
    for row in rows:
        probability = "" if row.suggested_probability is None else f"{row.suggested_probability:.4f}"
        helps = (run, probability, f"{row.suspicion:.4f}", " ".join(row.votes), row.evidence)
        cells = (row.id, row.label, row.suggested, *("",) * 4, *helps, *row.texts)
        writer.writerow([csv_safe(cell or "") for cell in cells])
    write_text(path, out.getvalue())
    return path
