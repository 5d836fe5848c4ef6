"""A run: what one model saw of one dataset version, as a folder of columnar tables.

runs/<date-name-hash>/
    run.json              kind, dataset version, resolved config, seeds, versions, status, coverage, metrics
    examples.parquet      the rows the run saw, so that it can be read without the dataset
    dynamics/             part-*.parquet: one row per example, window and epoch
    passes/               the same of passes without dropout, beside dynamics of the training itself
    features/             one vector per training row, from an early epoch
    mixed.parquet         the recipes of synthetic rows that were trained on beside the examples
    synthetic/            the dynamics of rows that are mixed of two examples
    frozen.parquet        one vector per training row, of the model before training
    predictions.parquet   one row per predicted example; of a training run, of any split
    embeddings.parquet    one vector per row of the dataset version
    clusters.parquet      one row per cluster in latent space
    slices.parquet        one row per part of the data with a loss of its own
    columns/              <analysis>-<hash>.parquet: what analyses computed
    model/                safetensors
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import secrets
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from tunewright import table as tables, truth
from tunewright.errors import ColumnError, DataError, RunError, did_you_mean, listed
from tunewright.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tunewright.columns import Analysis
    from tunewright.serve.notebook import Page

__all__ = ["Kind", "Run", "find", "none_yet", "runs"]

Kind = Literal["train", "eval", "production"]
_META = "run.json"
_LONG = ("dynamics", "passes")  # one row per example, window and epoch
_TABLES = (
    *(
        "examples",
        "mixed",
        "dynamics",
        "passes",
        "held_out",
        "synthetic",
        "features",
        "frozen",
        "predictions",
        "embeddings",
    ),
    *("clusters", "slices"),
)


class Run:
    """One run folder. Tables are read when asked for; nothing is kept in memory but ``meta``."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder = folder
        self.meta = meta

    def __repr__(self) -> str:
        return f"Run({self.id!r}, kind={self.kind!r}, status={self.meta.get('status')!r})"

    @classmethod
    def create(
        cls, root: str | Path, *, kind: Kind, name: str, config: Mapping[str, Any], examples: pa.Table, **meta: Any
    ) -> Run:
        """Make a new run folder below ``root``.

        Args:
            root: folder of runs; made if missing.
            kind: what the run is.
            name: short name, part of the folder's name.
            config: the resolved configuration, JSON values only.
            examples: the rows the run sees; columns ``id``, ``split`` and whatever else belongs to them.
            meta: further JSON values for run.json.
        """
        created = datetime.now(UTC)
        folder = Path(root) / f"{created:%Y%m%d-%H%M%S}-{_slug(name)}-{secrets.token_hex(2)}"
        run = cls(folder, {"kind": kind, "name": name, "created": created.isoformat(timespec="microseconds")})
        run.write("examples", examples)
        run.update(config=dict(config), status="created", **meta)
        return run

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open an existing run folder.

        Raises:
            RunError: if the folder is not a run.
        """
        path = Path(folder) / _META
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"expected a run at {folder}, found no {_META} there") from None
        except json.JSONDecodeError as error:
            raise RunError(f"expected JSON in {path}, found something else ({error})") from error
        return cls(Path(folder), meta)

    @staticmethod
    def is_run(folder: str | Path) -> bool:
        """Whether a folder is a run."""
        return (Path(folder) / _META).is_file()

    @property
    def id(self) -> str:
        """The name of the folder, which names the run everywhere."""
        return self.folder.name

    @property
    def kind(self) -> Kind:
        """train, eval or production."""
        kind: Kind = self.meta["kind"]
        return kind

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in the order of the logits."""
        return tuple(self.meta.get("labels", ()))

    @property
    def model_folder(self) -> Path:
        """Where the trained model lies."""
        return self.folder / "model"

    def update(self, **meta: Any) -> None:
        """Change fields of run.json, atomically."""
        self.meta = {**self.meta, **meta}
        write_json(self.folder / _META, self.meta)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a whole table of the run, atomically."""
        tables.write(self._path(name), table)

    @contextmanager
    def making(self, name: str, settings: Any) -> Iterator[None]:
        """Replace a table, and remember the settings it is made with; until it is there, nobody knows those it has.

        Args:
            name: of the table, which the block of code writes.
            settings: JSON values, see `made_with`.
        """
        self._remember(name, None)
        yield
        self._remember(name, settings)

    def made_with(self, name: str, default: Any = None) -> Any:
        """The settings that a table was made with; None: nobody knows, or there is none."""
        return self.meta.get("made_with", {}).get(name, default) if self.has(name) else None

    def append(self, name: str, part: str, table: pa.Table) -> Path:
        """Add one part to a table that is a folder of parts (``dynamics``)."""
        return tables.append(self.folder / name, part, table)

    def has(self, name: str) -> bool:
        """Whether the run holds a table of this name."""
        return bool(self.parts(name))

    def parts(self, name: str) -> list[Path]:
        """The files of a table; none if there is no such table."""
        return tables.parts(self._existing(name))

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One stored table: examples, dynamics, predictions, embeddings or columns/<name>.

        Examples of production come with the ground truth and the reasons that came after them.

        Raises:
            RunError: if the run has no such table.
        """
        if not self.has(name):
            have = ", ".join(self.tables()) or "none"
            raise RunError(f"run {self.id} has no table {name!r}; it has: {have}", fix=_HOW_TO_GET.get(name, ""))
        if name == "examples" and self.kind == "production":
            rows = truth.read(self.folder)
            return rows.select(columns) if columns else rows
        return tables.read(self._existing(name), columns)

    def tables(self) -> list[str]:
        """Names of the tables the run holds."""
        names = [name for name in _TABLES if self.has(name)]
        return names + [f"columns/{path.stem}" for path in tables.parts(self.folder / "columns")]

    def examples(self) -> pa.Table:
        """The one wide table: the rows the run saw, `widened`."""
        return self.widened(self.table("examples"))

    def widened(self, rows: pa.Table) -> pa.Table:
        """Rows with every per-example column that the run has, matched by ``id``; null where it has none for a row.

        Predictions come under their own names; of an analysis that was computed with several parameters, those that
        were asked for last count.
        """
        computed = sorted(tables.parts(self.folder / "columns"), key=lambda path: path.stat().st_mtime_ns)
        others = [tables.read(path) for path in reversed(computed)]
        if self.has("predictions"):
            others.append(self.table("predictions"))
        for other in others:
            rows = tables.left_join(rows, other)
        return rows

    def sql(self, query: str, *, seconds: float = 30.0) -> pa.Table:
        """DuckDB over read-only views ``examples`` (wide), ``dynamics``, ``passes``, ``predictions`` and ``embeddings``."""
        views = {
            name: self.table(name) for name in ("dynamics", "passes", "predictions", "embeddings") if self.has(name)
        }
        return tables.query(query, {"examples": self.examples(), **views}, seconds=seconds)

    def compute(self, analysis: Analysis, **parameters: Any) -> pa.Table:
        """The columns an analysis gives, from disk if they were computed before.

        Args:
            analysis: what to compute; its needs are read from the run's tables and aligned by id.
            parameters: keyword parameters of the analysis; JSON values. They and the code of the analysis's module are
                part of the stored name, so that another version of it is computed anew.

        Returns:
            columns ``id`` and ``analysis.gives``.
        """
        name = f"columns/{analysis.name}-{_digest({'parameters': parameters, 'code': _code(analysis)})}"
        newest = max((path.stat().st_mtime_ns for path in self._sources(analysis)), default=0)
        stored = self._path(name)
        if stored.exists() and stored.stat().st_mtime_ns >= newest:
            table = tables.read(stored)
            if table.column_names == ["id", *analysis.gives]:
                self._use(stored, analysis)
                return table
        ids, inputs = self.inputs(analysis.needs)
        given = analysis(**inputs, **parameters)
        table = pa.table({"id": ids, **{column: pa.array(given[column]) for column in analysis.gives}})
        self.write(name, table)
        self._use(stored, analysis)
        return table

    def inputs(self, needs: Sequence[str]) -> tuple[pa.Array, dict[str, NDArray[np.generic]]]:
        """The arrays that qualified column names stand for, aligned on the ids of the first one.

        Args:
            needs: such as ``"dynamics.margin"`` -> [n, epochs], ``"passes.margin"`` -> [n, passes] or
                ``"examples.label"`` -> [n].

        Raises:
            ColumnError: if a table lacks a column.
        """
        first = needs[0].partition(".")[0]
        ids = self.table(first, ["id"])["id"].combine_chunks().unique()
        wanted: dict[str, list[str]] = {}
        for need in needs:
            name, _, column = need.partition(".")
            wanted.setdefault(name, []).append(column)
        arrays: dict[str, NDArray[np.generic]] = {}
        for name, columns in wanted.items():
            arrays |= self._aligned(name, columns, ids)
        return ids, arrays

    def _aligned(self, name: str, columns: list[str], ids: pa.Array) -> dict[str, NDArray[np.generic]]:
        import pyarrow.compute as pc

        long = name in _LONG
        keys = ["id", "epoch", "window", "gold_probability"] if long else ["id"]
        if long and "gold_everywhere" in tables.column_names(self._existing(name)):
            keys.append("gold_everywhere")
        try:
            table = self.table(name, list(dict.fromkeys([*keys, *columns])))
        except (KeyError, DataError, pa.ArrowInvalid) as error:
            raise ColumnError(f"expected {columns} in table {name!r} of run {self.id}: {error}") from error
        if long:
            if pc.max(table["window"]).as_py():
                table = tables.one_window(table)
            epochs = sorted(set(table["epoch"].unique().to_pylist())) if name == "passes" else slice(None)
            return {column: tables.pivot(table, column, ids=ids)[:, epochs] for column in columns}
        rows = pc.index_in(ids, value_set=table["id"].combine_chunks())
        taken = table.take(rows)
        return {column: tables.array(taken[column].combine_chunks()) for column in columns}

    def explore(self, **options: Any) -> Page:
        """The page of the explorer, opened at this run, for a notebook; see `tunewright.serve.notebook.explore`."""
        from tunewright.serve.notebook import explore

        return explore(self.folder.parent.parent, self.id, **options)

    def _remember(self, name: str, settings: Any) -> None:
        self.update(made_with={**self.meta.get("made_with", {}), name: settings})

    def _use(self, stored: Path, analysis: Analysis) -> None:
        """Make a file the newest of its analysis, which is the one that `widened` takes."""
        others = (self.folder / "columns").glob(f"{analysis.name}-*.parquet")
        newest = max((path.stat().st_mtime_ns for path in others if path != stored), default=-1)
        if stored.stat().st_mtime_ns <= newest:
            now = max(time.time_ns(), newest + 1)  # clocks of file systems are coarse
            os.utime(stored, ns=(now, now))

    def _sources(self, analysis: Analysis) -> list[Path]:
        names = {need.partition(".")[0] for need in analysis.needs} | {"labels"}  # those of production, if any
        return [path for name in names for path in tables.parts(self._existing(name))]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def _existing(self, name: str) -> Path:
        return self.folder / name if (self.folder / name).is_dir() else self._path(name)


_HOW_TO_GET = {
    "dynamics": "only trainings are recorded: run `tunewright train`; for production, `tunewright monitor report --map FILE`",
    "predictions": "run `tunewright analyze`, or `tunewright evaluate` for a run of their own",
    "embeddings": "run `tunewright analyze`",
    "clusters": "run `tunewright analyze`",
    "slices": "run `tunewright analyze`",
}


_NOT_LAST = {"created", "failed", "imported", "refused"}


def runs(root: str | Path) -> list[Run]:
    """All runs below a folder, oldest first."""
    found = [Run.open(path.parent) for path in Path(root).glob(f"*/{_META}")]
    return sorted(found, key=lambda run: run.meta["created"])


def find(root: str | Path, name: str) -> Run:
    """The run that an id, the name it was given, or a part of its id names; ``last`` is the newest training that is no arm of a trial.

    A part that fits a run and its evaluations, which are called after it, names the run.

    Raises:
        RunError: if none or several runs fit.
    """
    known = {run.id: run for run in runs(root)}
    if name in known:
        return known[name]
    if not known:
        raise none_yet(root)
    if name == "last":
        trained = [run for run in known.values() if run.kind == "train" and run.meta.get("status") not in _NOT_LAST]
        trained = [run for run in trained if not run.meta.get("trial")] or trained  # arms are many, and are not chosen
        if not trained:
            raise none_yet(root)
        return trained[-1]
    called = [run for run in known.values() if run.meta["name"] == name]
    fitting = called or _without_evaluations([run for key, run in known.items() if name and name in key])
    match fitting:
        case [run]:
            return run
        case []:
            raise RunError(f"no run below {root} is called {name!r}", fix=did_you_mean(name, known))
        case _:
            ids = listed([run.id for run in fitting])
            raise RunError(f"{name!r} could be any of: {ids}", fix="give more of the name")


def none_yet(root: str | Path) -> RunError:
    """The error of whatever needs a run before anything was trained."""
    return RunError(f"expected a training run below {root}, found none", fix="run `tunewright train` first")


def _without_evaluations(fitting: list[Run]) -> list[Run]:
    """Runs but those that evaluate another one of them."""
    ids = {run.id for run in fitting}
    return [run for run in fitting if run.meta.get("parent") not in ids or run.kind == "train"]


def _code(analysis: Analysis) -> str:
    """The source of the module that an analysis is in; empty where there is none, as in a shell."""
    try:
        return Path(inspect.getfile(analysis.function)).read_text(encoding="utf-8")
    except (OSError, TypeError):
        return ""


def _digest(parameters: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(parameters, sort_keys=True).encode(), digest_size=4).hexdigest()


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return "-".join(filter(None, kept.split("-")))[:40] or "run"
