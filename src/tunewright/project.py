"""A project: a folder with one typed file, ``project.py``, that says what is learnt from what.

    myproject/
        project.py      defines ``project = Project(...)``
        data/<name>/    the dataset: imported once, then versions by edits
        runs/           one folder per run

``Project`` is a value. What can be done with it are the functions of `tunewright.verbs`.
"""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunewright.bindings import Metadata, Metric, Visualiser, as_metadata
from tunewright.errors import ProjectError, TunewrightError
from tunewright.files import claimed
from tunewright.source import describe_columns, describe_sources, prepare
from tunewright.tasks import Task
from tunewright.tasks.source import EMBEDDED
from tunewright.train.config import TrainConfig

if TYPE_CHECKING:
    from tunewright.data.dataset import Dataset
    from tunewright.run import Run

__all__ = ["FILE", "Project", "find_run", "import_dataset", "open_dataset", "open_project"]

FILE = "project.py"
_VARIABLE = "project"
_RUN_IT = "run `tunewright init FILE`, or write it: see docs/guide/init.md"


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
        label: column of the source with the gold label; the dataset stores it under ``label``. None: unlabelled. Where
            the default is no column, and the task's targets have columns of their own, the first of these.
        id: column of the source with unique ids; made of split and row number where it is missing.
        split: column of the source with split names.
        fields: further columns of the source to keep, for lints and tooltips; no model reads them.
        metadata: functions that make further columns; each gets the rows as columns and is called once, at import; a
            change of its text imports anew. Plain ones, or decorated (see `tunewright.bindings.metadata`). A column called like a computed one (see
            `tunewright.columns`) is stored as ``original_<name>``.
        metrics: functions that score predictions (see `tunewright.bindings.metric`).
        visualisers: functions from a row to text for the detail view (see `tunewright.bindings.visualiser`).
        monitors: what to check of production: edges, folds, and objects with ``init`` and ``check``. Empty: the usual
            checks (see `tunewright.monitor.defaults`).
        alerts: when to say that production is not what it should be: alerts, lines such as ``"long_text.rate above 0.2"``,
            and the word "default" for the usual ones.
        sinks: to which alerts are sent (see `tunewright.monitor.sinks`).
        loss: function from a model's outputs and the batch's targets (class indices [batch], or a mapping of tensors
            where the task has no list of labels) to a tensor [batch], to train on in place of the task's own. The
            weights of the rows are multiplied in afterwards.
        preprocess: function from the source's rows as columns to those columns that it changes or adds; called once,
            at import, before the metadata functions; a change of its text imports anew.
        unlabelled: a file, folder or name on the Hub with rows that have no labels; they become the split
            ``unlabelled``.
        splits: split -> share, to make splits afresh; None keeps those given and makes only what is missing.
        seed: of splits that are made.
        on_bad: what becomes of rows that cannot be used: ``error``, or ``skip`` them and keep the list.
        folder: where the project lies; `open_project` fills it in.

    Raises:
        ProjectError: if a value is of another type than promised.
        DataError: if an alert is none.
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
    metadata: tuple[Callable[..., Any], ...] = ()
    metrics: tuple[Metric, ...] = ()
    visualisers: tuple[Visualiser, ...] = ()
    monitors: tuple[Any, ...] = ()
    alerts: tuple[Any, ...] = ("default",)
    sinks: tuple[Any, ...] = ()
    loss: Callable[[Any, Any], Any] | None = None
    preprocess: Callable[..., Any] | None = None
    unlabelled: str | None = None
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
            ("metrics", "a tuple of functions decorated with @metric(direction=...)", _all(self.metrics, _is(Metric))),
            ("visualisers", "a tuple of functions decorated with @visualiser", _all(self.visualisers, _is(Visualiser))),
            ("monitors", "a tuple of edges, folds and monitors", isinstance(self.monitors, tuple)),
            ("alerts", "a tuple of alerts, lines and 'default'", isinstance(self.alerts, tuple)),
            ("sinks", "a tuple of objects with a name and send(event, standings)", _all(self.sinks, _is_sink)),
            ("loss", "a function of outputs and targets", self.loss is None or callable(self.loss)),
            ("preprocess", "a function of the rows as columns", self.preprocess is None or callable(self.preprocess)),
            (
                "unlabelled",
                "a file, a folder or a Hub name",
                self.unlabelled is None or isinstance(self.unlabelled, str),
            ),
            ("on_bad", "'error' or 'skip'", self.on_bad in {"error", "skip"}),
        ):
            if not good:
                raise ProjectError(f"Project({name}=...) expects {expected}, found {getattr(self, name)!r}")
        _require_checks(self.monitors)
        _require_alerts(self.alerts)
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
    """Load the project of a folder: the variable ``project`` of its ``project.py``, with what the file decorates.

    Functions of the file decorated with ``@metadata``, ``@metric`` and ``@visualiser`` join those the project names.
    The file is Python and is run: open only projects that you trust.

    Raises:
        ProjectError: if there is no such file or variable, or running it fails; file and line are named.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise ProjectError(f"expected a project in {Path(folder).resolve()}, found no {FILE}", fix=_RUN_IT)
    variables = _variables(path)
    match variables.get(_VARIABLE):
        case Project() as project:
            return replace(_with_decorated(project, variables), folder=path.parent)
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
            return import_dataset(project, folder)
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


def import_dataset(project: Project, folder: Path) -> Dataset:
    """Import the project's source into a folder of its own, whatever lies where the dataset belongs.

    Raises:
        DataError: if the source cannot be imported.
        ProjectError: if one of the project's functions raises.
    """
    from tunewright.data.dataset import Dataset, Fields

    made = _metadata_columns(project)
    rows = prepare(project)
    label = _label_column(project, rows.column_names)
    return Dataset.create(
        folder,
        rows,
        fields=Fields(project.task.text_fields, label, project.fields + made, _targets(project)),
        label_names=project.task.labels,
        on_bad=project.on_bad,
        splits=project.splits,
        seed=project.seed,
        source=describe_columns(project),
        called=describe_sources(project),
        id=project.id,
        split=project.split,
    )


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
    import_dataset(project, new)
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old)
    return Dataset.open(folder)


def _metadata_columns(project: Project) -> tuple[str, ...]:
    return tuple(name for function in project.metadata for name in as_metadata(function).makes)


def _label_column(project: Project, columns: Sequence[str]) -> str | None:
    targets = _targets(project)
    return targets[0] if targets and project.label == "label" and "label" not in columns else project.label


def _targets(project: Project) -> tuple[str, ...]:
    """Columns of the source with targets; a source without labels has none."""
    return () if project.label is None else project.task.target_fields


def _differences(project: Project, dataset: Dataset) -> list[str]:
    from tunewright.data.fields import stored_as

    made = _metadata_columns(project)
    pairs = {
        "texts": (project.task.text_fields, dataset.fields.text),
        "labels": (project.task.labels, dataset.label_names),
        "targets": (_targets(project), dataset.fields.target),
        "metadata": (tuple(map(stored_as, project.fields + made)), dataset.fields.metadata),
        "source": (_described_alike(project, dataset.meta["source"]), dataset.meta["source"]),
        "splits": (project.splits and dict(project.splits), dataset.meta["splits"]),
        "seed": (project.seed, dataset.meta["seed"]),
    }
    return [f"{name} {new!r}, imported {old!r}" for name, (new, old) in pairs.items() if new != old]


def _described_alike(project: Project, imported: str) -> str:
    """The project's description; without its metadata functions where the dataset is from before they were noted."""
    without = describe_columns(replace(project, metadata=()))
    return without if without == imported else describe_columns(project)


def _with_decorated(project: Project, variables: Mapping[str, Any]) -> Project:
    def joined(kind: type, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return given + tuple(value for value in variables.values() if isinstance(value, kind) and value not in given)

    return replace(
        project,
        metadata=joined(Metadata, project.metadata),
        metrics=joined(Metric, project.metrics),
        visualisers=joined(Visualiser, project.visualisers),
    )


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


def _is_folder_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[\w][\w.-]*", name) is not None


def _is_named_function(item: object) -> bool:
    return isinstance(item, Metadata) or (callable(item) and str(getattr(item, "__name__", "")).isidentifier())


def _require_checks(monitors: tuple[Any, ...]) -> None:
    """Raises ProjectError if one of them checks nothing, or two have one name."""
    if monitors:
        from tunewright.monitor.checks import Checks

        Checks.of(monitors)


def _require_alerts(alerts: tuple[Any, ...]) -> None:
    """Raises DataError if one of them is none; what it is about is known when a monitor is opened."""
    if alerts != ("default",):
        from tunewright.monitor.rules import read

        read(alerts)


def _is_sink(item: object) -> bool:
    return isinstance(getattr(item, "name", None), str) and callable(getattr(item, "send", None))


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda item: isinstance(item, kind)


def _all(items: object, good: Callable[[Any], bool]) -> bool:
    return isinstance(items, tuple) and all(map(good, items))
