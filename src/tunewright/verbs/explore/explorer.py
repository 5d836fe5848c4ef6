"""What a page asks of a project: its runs, their points, rows and texts. Nothing here changes anything."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError, RunError, TunewrightError
from tunewright.project import find_run
from tunewright.run import Run, runs as runs_below
from tunewright.verbs.explore.aligned import aligned
from tunewright.verbs.explore.detail import Decided, Example, example, histories
from tunewright.verbs.explore.exporting import Format, exported
from tunewright.verbs.explore.kept import Kept, give_back
from tunewright.verbs.explore.losses import Losses, losses
from tunewright.verbs.explore.notes import methods, notes
from tunewright.verbs.explore.production import reference_places, reference_rows
from tunewright.verbs.explore.seen import Seen, dynamics
from tunewright.verbs.explore.snapshot import Snapshot, etag, snapshot
from tunewright.verbs.explore.text_index import TextIndex
from tunewright.verbs.explore.told import Hits, Located, RowsAt, RunInfo, SeenAt, VersionSummary, Workspace
from tunewright.verbs.history import versions_of
from tunewright.verbs.look import runs, summary
from tunewright.verbs.results import encode
from tunewright.verbs.signing import author

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.data.dataset import Dataset
    from tunewright.project import Project

__all__ = ["MOST_ROWS", "Explorer", "Hits", "Located", "RowsAt", "RunInfo", "SeenAt", "VersionSummary", "Workspace"]

_KEPT = 3  # runs whose rows stay mapped
_CUT = 300  # characters of a text in a list of rows
_MANY = 20_000  # rows, from which on what is made of all of them is made in the background
_DRAWING = 5.0  # seconds that a page takes to draw many rows
_SEEN, _INDEX = "seen", "index"  # names of what is kept with a snapshot
_OF_OTHERS = frozenset({"duplicate_of", "neighbour", "neighbour_label", "other", "suggested"})  # not searched
MOST_ROWS = 500
"""Rows that one request may ask for."""


class Explorer:
    """Reads a project for people who look at it. Safe to use from several threads.

    Args:
        project: whose runs they are.
        elsewhere: runs that may lie in other folders, found by their ids.
    """

    def __init__(self, project: Project, *, elsewhere: Sequence[Run] = ()) -> None:
        self.project = project
        self._elsewhere = {run.id: run for run in elsewhere}
        self._lock = RLock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._versions: tuple[Any, tuple[VersionSummary, ...]] = (None, ())
        self._told: tuple[Any, tuple[pa.Table | None, pa.Table | None]] = (None, (None, None))

    def workspace(self) -> Workspace:
        """The project as it is now."""
        known = runs(self.project).runs
        return Workspace(
            project=self.project.name,
            labels=self.project.task.labels,
            author=author(),
            runs=known,
            versions=self._named_versions(),
            run=self.first(),
        )

    def first(self) -> str | None:
        """The run to open first: the last training, or the last run where there is none."""
        try:
            return find_run(self.project).id
        except RunError:
            known = runs_below(self.project.runs_folder)
            return known[-1].id if known else None

    def find(self, run: str) -> Run:
        """A run by its id, by the name it was given, or by a part of its id that no other has.

        Raises:
            RunError: if none or several fit.
        """
        if run in self._elsewhere:
            return self._elsewhere[run]
        folder = self.project.runs_folder
        there = {path.name: path for path in folder.iterdir() if not path.is_symlink()} if folder.is_dir() else {}
        if run in there and Run.is_run(there[run]):
            return Run.open(there[run])
        found = find_run(self.project, run)
        if found.id not in there:
            raise RunError(f"the run {found.id} is a link to another folder", fix="move the run into the project")
        return found

    def snapshot(self, run: str) -> Snapshot:
        """The rows of a run, read again when one of its tables changed.

        Raises:
            RunError: if there is no such run.
        """
        return self._of(run).shot

    def run(self, run: str) -> RunInfo:
        """What a page must know of a run before it shows points."""
        kept = self._of(run)
        shot = kept.shot
        return RunInfo(
            id=shot.run.id,
            kind=shot.run.kind,
            summary=summary(shot.run),
            examples=shot.rows.num_rows,
            columns=tuple(shot.columns.values()),
            layouts=shot.layouts,
            epochs=shot.epochs,
            fields=self.project.task.text_fields,
            methods=methods(self.project, shot.run),
            reference=reference_rows(shot.run),
            etag=shot.etag,
            notes=kept.once("notes", lambda: notes(shot)),
        )

    def prepare(self, run: str) -> None:
        """Of many rows, begin the index that a search needs, once a page has had the time to draw them."""
        kept = self._of(run)
        if kept.shot.rows.num_rows >= _MANY:
            kept.begin(_INDEX, lambda: _indexed(kept.shot), after=_DRAWING)

    def points(self, run: str, *, like: str | None = None) -> pa.Table:
        """Positions, labels, split and loss of every row, see `Snapshot.encoded`; in the order of another run, if asked."""
        kept = self._of(run)
        points = kept.once("points", kept.shot.base)
        return points if like is None else aligned(points, kept.shot, self.snapshot(like))

    def losses(self, run: str) -> Losses:
        """What the training of a run has logged so far."""
        return losses(self.find(run))

    def column(self, run: str, name: str) -> pa.Table:
        """One more column of every row."""
        return self.snapshot(run).encoded([name])

    def epochs(self, run: str) -> pa.Table:
        """Dynamics of every row, see `tunewright.verbs.explore.seen.dynamics`.

        Raises:
            RunError: if none were recorded.
        """
        kept = self._of(run)
        if not kept.shot.epochs:
            raise RunError(f"run {kept.shot.run.id} has no dynamics", fix="run `tunewright train`")
        return dynamics(kept.once(_SEEN, lambda: Seen(kept.shot)))

    def reference(self, run: str) -> pa.Table:
        """Where the reference of a production run lies, see `tunewright.verbs.explore.production.reference_places`."""
        return reference_places(self.find(run))

    def rows(self, run: str, at: Sequence[int]) -> RowsAt:
        """Rows by number.

        Raises:
            DataError: if one is beyond the rows of the run, or there are more than 500.
        """
        shot = self.snapshot(run)
        numbers = checked(shot, at, most=MOST_ROWS)
        found = shot.rows.select([name for name in shot.rows.column_names if name in shot.columns]).take(numbers)
        return RowsAt(
            rows=tuple(
                SeenAt(row=row, id=values["id"], values=encode({name: _cut(value) for name, value in values.items()}))
                for row, values in zip(at, found.to_pylist(), strict=True)
            )
        )

    def example(self, run: str, row: int) -> Example:
        """All about one row.

        Raises:
            DataError: if the run has no such row.
        """
        checked(self.snapshot(run), [row], most=1)
        return next(self.examples(run, row, row + 1))

    def examples(self, run: str, start: int, stop: int) -> Iterator[Example]:
        """All about rows from ``start`` to before ``stop``."""
        kept = self._of(run)
        shot = kept.shot
        seen = _seen(kept, is_all=stop - start > 1)
        rows = shot.rows.slice(start, stop - start)
        known = histories(*self._provenance(shot.run), rows["id"].to_pylist())
        for row, values in enumerate(rows.to_pylist(), start):
            yield example(self.project, shot, row, values=values, seen=seen, known=known.get(values["id"], ()))

    def history(self, run: Run, id: str) -> tuple[Decided, ...]:
        """What was done to a row on the way to the version of a run as it is now, and what people decided about it."""
        return histories(*self._provenance(run), [id]).get(id, ())

    def locate(self, run: str, ids: Sequence[str]) -> Located:
        """Row numbers of ids."""
        return Located(rows=tuple(self.snapshot(run).numbers(ids).tolist()))

    def search(self, run: str, query: str, *, most: int = 100_000) -> Hits:
        """Rows whose texts hold all words of a query, at most so many, see `TextIndex.search`."""
        kept = self._of(run)
        index = kept.once(_INDEX, lambda: _indexed(kept.shot))
        began = time.perf_counter()
        found = index.search(query, most=most)
        return Hits(rows=found.rows, total=found.total, ms=1000 * (time.perf_counter() - began))

    def exported(self, run: str, at: Sequence[int], format: Format) -> Iterator[bytes]:
        """Rows as a file, in pieces, see `tunewright.verbs.explore.exporting.exported`.

        Raises:
            DataError: if one is beyond the rows of the run.
        """
        shot = self.snapshot(run)
        return exported(shot.rows, checked(shot, at, most=shot.rows.num_rows), format)

    def _of(self, run: str) -> Kept:
        found = self.find(run)
        with self._lock:
            kept = self._kept.get(found.id)
            if kept is None or kept.shot.etag != etag(self.project, found):
                kept = self._kept[found.id] = Kept(snapshot(self.project, found))
                give_back()
            self._kept.move_to_end(found.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept

    def _named_versions(self) -> tuple[VersionSummary, ...]:
        stamp = self._stamp()
        if self._versions[0] != stamp:
            self._versions = (stamp, _summaries(self.project) if stamp else ())
        return self._versions[1]

    def _provenance(self, run: Run) -> tuple[pa.Table | None, pa.Table | None]:
        stamp = (self._stamp(), run.meta.get("version"))
        if self._told[0] != stamp:
            self._told = (stamp, _provenance(self.project, run) if stamp[0] else (None, None))
        return self._told[1]

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes whenever a file of the dataset does; empty where there is none."""
        folder = self.project.dataset_folder
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
        return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


def checked(shot: Snapshot, at: Sequence[int], *, most: int) -> Any:
    """Row numbers as an array [n].

    Raises:
        DataError: if one is beyond the rows, or there are more than ``most``.
    """
    last = shot.rows.num_rows
    if len(at) > most or any(not 0 <= row < last for row in at):
        raise DataError(f"expected at most {most:,} row numbers from 0 to {last - 1:,}, found others", fix="ask again")
    return np.asarray(at, dtype=np.int64)


def _seen(kept: Kept, *, is_all: bool) -> Seen | None:
    """What the recorder saw: read whole if all of it is wanted, or it is soon done; else that goes on in the background."""
    if not kept.shot.epochs:
        return None
    seen = kept.once(_SEEN, lambda: Seen(kept.shot))
    if is_all or kept.shot.rows.num_rows < _MANY:
        seen.read()
    else:
        kept.begin("all seen", seen.read, after=_DRAWING)
    return seen


def _indexed(shot: Snapshot) -> TextIndex:
    texts = (name for name, info in shot.columns.items() if info.kind == "text" and name not in _OF_OTHERS)
    return TextIndex(shot.rows, list(texts))


def _dataset(project: Project) -> Dataset:
    """The dataset as it lies there: `open_dataset` would import it anew if ``project.py`` changed."""
    from tunewright.data.dataset import Dataset

    return Dataset.open(project.dataset_folder)


def _summaries(project: Project) -> tuple[VersionSummary, ...]:
    try:
        known = versions_of(_dataset(project)).versions
    except TunewrightError:  # runs can be looked at without the data that they were trained on
        return ()
    return tuple(
        VersionSummary(id=one.id, name=one.name, edits=len(one.changes), rows=sum(one.rows.values())) for one in known
    )


def _provenance(project: Project, run: Run) -> tuple[pa.Table | None, pa.Table | None]:
    """Edits on the way to the version of a run, as its name stands now, and reviews."""
    try:
        dataset = _dataset(project)
        name = run.meta.get("version_name")
        version = name if name in dataset.versions else run.meta.get("version") or "main"
        return dataset.provenance(version), dataset.reviews()
    except TunewrightError:
        return None, None


def _cut(value: Any) -> Any:
    return value[: _CUT - 1] + "…" if isinstance(value, str) and len(value) > _CUT else value
