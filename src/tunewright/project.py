"""A project: a folder with one typed file, ``project.py``, that says what is learnt from what.

    myproject/
        project.py      defines ``project = Project(...)``
        data/<name>/    the dataset: imported once, then versions by edits
        runs/           one folder per run

``Project`` is a value. What can be done with it are the functions of `tunewright.verbs`.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunewright.errors import DataError, ProjectError, TunewrightError
from tunewright.files import claimed
from tunewright.tasks import Task
from tunewright.tasks.source import EMBEDDED
from tunewright.train.config import TrainConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.data.dataset import Dataset
    from tunewright.run import Run

__all__ = ["FILE", "MetadataFunction", "Project", "find_run", "open_dataset", "open_project"]

FILE = "project.py"
_VARIABLE = "project"
_RUN_IT = "run `tunewright init FILE`, or write it: see docs/guide/init.md"

MetadataFunction = Callable[[Mapping[str, Sequence[Any]]], Sequence[Any]]
"""Rows as columns -> one value per row; the function's name becomes the name of the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is learnt from what.

    Args:
        name: of the dataset; a folder below ``data/``.
        source: a file, folder or name on the Hub, or a mapping from split names to these; files are relative to the
            project's folder.
        task: what to learn; its text fields name columns of the source.
        model: Hub id, folder, or the embedded encoder.
        train: how to train, unless a command says otherwise.
        label: column of the source with the gold label; the dataset stores it under ``label``. None: unlabelled.
        id: column of the source with unique ids; made of split and row number where it is missing.
        split: column of the source with split names.
        fields: further columns of the source to keep, for lints and tooltips; no model reads them.
        metadata: functions that make further columns; each gets the rows as columns and is called once, at import.
            A column called like a computed one (see `tunewright.columns`) is stored as ``original_<name>``.
        splits: split -> share, to make splits afresh; None keeps those given and makes only what is missing.
        seed: of splits that are made.
        on_bad: what becomes of rows that cannot be used: ``error``, or ``skip`` them and keep the list.
        folder: where the project lies; `open_project` fills it in.

    Raises:
        ProjectError: if a value is of another type than promised.
    """

    name: str
    source: str | Mapping[str, str]
    task: Task
    model: str = EMBEDDED
    train: TrainConfig = field(default_factory=TrainConfig)
    label: str | None = "label"
    id: str = "id"
    split: str = "split"
    fields: tuple[str, ...] = ()
    metadata: tuple[MetadataFunction, ...] = ()
    splits: Mapping[str, float] | None = None
    seed: int = 0
    on_bad: Literal["error", "skip"] = "error"
    folder: Path = Path()

    def __post_init__(self) -> None:
        for name, expected, good in (
            ("name", "a name for a folder, such as 'reviews'", _is_folder_name(self.name)),
            ("source", "a file, a Hub name, or a mapping from splits to these", isinstance(self.source, str | Mapping)),
            ("task", "a task, such as Classification(labels=('no', 'yes'))", isinstance(self.task, Task)),
            ("model", "a Hub id or a folder", isinstance(self.model, str)),
            ("train", "a TrainConfig", isinstance(self.train, TrainConfig)),
            ("fields", "a tuple of column names", _all(self.fields, lambda item: isinstance(item, str))),
            ("metadata", "a tuple of named functions", _all(self.metadata, _is_named_function)),
            ("on_bad", "'error' or 'skip'", self.on_bad in {"error", "skip"}),
        ):
            if not good:
                raise ProjectError(f"Project({name}=...) expects {expected}, found {getattr(self, name)!r}")
        if getattr(self.task, "label", "label") != "label":
            raise ProjectError(
                f"the task expects labels in the column {getattr(self.task, 'label', None)!r}, and a dataset has them "
                "in 'label'",
                fix="name the column of the source in Project(label=...), and leave the task's label as it is",
            )

    @property
    def dataset_folder(self) -> Path:
        """Where the dataset lies."""
        return self.folder / "data" / self.name

    @property
    def runs_folder(self) -> Path:
        """Where the runs lie."""
        return self.folder / "runs"

    @property
    def model_source(self) -> str:
        """The model as ``from_pretrained`` understands it: a folder below the project's, or the name as it stands."""
        folder = self.folder / self.model
        # absolute, because a run keeps it and may be resumed from elsewhere
        return str(folder.resolve()) if folder.is_dir() else self.model


def open_project(folder: str | Path = ".") -> Project:
    """Load the project of a folder: the variable ``project`` of its ``project.py``.

    The file is Python and is run: open only projects that you trust.

    Raises:
        ProjectError: if there is no such file or variable, or running it fails; file and line are named.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise ProjectError(f"expected a project in {Path(folder).resolve()}, found no {FILE}", fix=_RUN_IT)
    match _variables(path).get(_VARIABLE):
        case Project() as project:
            return replace(project, folder=path.parent)
        case None:
            raise ProjectError(f"{path} does not define {_VARIABLE!r}", fix=f"write: {_VARIABLE} = Project(...)")
        case other:
            raise ProjectError(
                f"{path}: expected {_VARIABLE!r} to be a Project, found {type(other).__name__}",
                fix=f"write: {_VARIABLE} = Project(...)",
            )


def open_dataset(project: Project) -> Dataset:
    """The project's dataset; it is imported from the source if that has not happened yet.

    If ``project.py`` now describes it otherwise, it is imported anew, unless it has edits (undone ones count, too) that
    would be lost. Of several processes one imports, and the others wait for it.

    Raises:
        ProjectError: if ``project.py`` contradicts a dataset that has edits.
        DataError: if the source cannot be imported.
    """
    from tunewright.data.dataset import Dataset

    folder = project.dataset_folder
    if folder.exists() and not _differences(project, dataset := Dataset.open(folder)):
        return dataset
    with claimed(folder.with_name(f".{folder.name}.lock"), wait=True):
        if not folder.exists():
            return _import(project, folder)
        dataset = Dataset.open(folder)  # what another process made while this one waited, maybe
        differences = _differences(project, dataset)
        if not differences:
            return dataset
        if dataset.has_log:
            raise ProjectError(
                f"{FILE} and {folder} disagree: {'; '.join(differences)}",
                fix=f"give the project another name, or remove {folder} with its edits to import the source anew",
            )
        return _import_anew(project, folder)


def find_run(project: Project, run: Run | str | None = None) -> Run:
    """A run of the project: itself, by its full or partial id, or the last training run for None and ``last``.

    Raises:
        RunError: if none or several fit.
    """
    from tunewright.run import find

    return find(project.runs_folder, run or "last") if run is None or isinstance(run, str) else run


def _import_anew(project: Project, folder: Path) -> Dataset:
    """Import beside the folder, then swap: until the new dataset is whole, the old one stays."""
    from tunewright.data.dataset import Dataset

    new, old = (folder.with_name(f".{folder.name}.{which}") for which in ("new", "old"))
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    _import(project, new)
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old)
    return Dataset.open(folder)


def _import(project: Project, folder: Path) -> Dataset:
    from tunewright.data.dataset import Dataset, Fields

    made = tuple(function.__name__ for function in project.metadata)
    return Dataset.create(
        folder,
        _with_metadata(_rows(project), project.metadata),
        fields=Fields(project.task.text_fields, project.label, project.fields + made),
        label_names=project.task.labels,
        on_bad=project.on_bad,
        splits=project.splits,
        seed=project.seed,
        source=_described(project),
        called=_sources(project),
        id=project.id,
        split=project.split,
    )


def _rows(project: Project) -> pa.Table:
    from tunewright.data.read import read_rows

    source: Any = project.source
    if isinstance(source, Mapping):
        located: Any = {split: _located(path, project.folder) for split, path in source.items()}
    else:
        located = _located(source, project.folder)
    return read_rows(located, on_bad=project.on_bad)


def _with_metadata(rows: pa.Table, functions: Sequence[MetadataFunction]) -> pa.Table:
    import pyarrow as pa

    columns = rows.to_pydict() if functions else {}
    for function in functions:
        values = list(function(columns))
        if len(values) != rows.num_rows:
            raise DataError(
                f"metadata function {function.__name__!r} gave {len(values)} values for {rows.num_rows} rows",
                fix="return one value per row",
            )
        rows = rows.append_column(function.__name__, pa.array(values))
    return rows


def _differences(project: Project, dataset: Dataset) -> list[str]:
    from tunewright.data.fields import stored_as

    made = tuple(function.__name__ for function in project.metadata)
    pairs = {
        "texts": (project.task.text_fields, dataset.fields.text),
        "labels": (project.task.labels, dataset.label_names),
        "metadata": (tuple(map(stored_as, project.fields + made)), dataset.fields.metadata),
        "source": (_described(project), dataset.meta["source"]),
        "splits": (project.splits and dict(project.splits), dataset.meta["splits"]),
        "seed": (project.seed, dataset.meta["seed"]),
    }
    return [f"{name} {new!r}, imported {old!r}" for name, (new, old) in pairs.items() if new != old]


def _described(project: Project) -> str:
    """Source and column names, for people, and to notice that they have changed."""
    return f"{_sources(project)} (label: {project.label}, id: {project.id}, split: {project.split})"


def _sources(project: Project) -> str:
    if isinstance(project.source, str):
        return project.source
    return ", ".join(f"{split}: {path}" for split, path in project.source.items())


def _variables(path: Path) -> dict[str, Any]:
    try:
        return runpy.run_path(str(path))
    except SyntaxError as error:
        raise ProjectError(
            f"{error.filename}, line {error.lineno}: {error.msg}", fix=f"correct {(error.text or '').strip()!r}"
        ) from error
    except TunewrightError as error:
        raise ProjectError(f"{_where(error, path)}: {error.message}", fix=error.fix) from error
    except Exception as error:  # it is the user's code: anything may be raised
        raise ProjectError(f"{_where(error, path)}: {type(error).__name__}: {error}") from error


def _where(error: BaseException, path: Path) -> str:
    """File and line in the user's file at which an error came up."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{path}, line {line}"


def _located(source: str, folder: Path) -> str:
    path = os.path.normpath(folder / source)  # the folder need not exist yet for a path that leads out of it
    return path if os.path.exists(path) else source  # noqa: PTH110  it is a string already


def _is_folder_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[\w][\w.-]*", name) is not None


def _is_named_function(item: object) -> bool:
    return callable(item) and str(getattr(item, "__name__", "")).isidentifier()


def _all(items: object, good: Callable[[Any], bool]) -> bool:
    return isinstance(items, tuple) and all(map(good, items))
