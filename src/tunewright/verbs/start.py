"""``init``: from a file to a project."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.data.guess import Guess, guess
from tunewright.data.read import read_rows
from tunewright.errors import ProjectError
from tunewright.files import write_text
from tunewright.project import FILE, Project, open_dataset
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import EMBEDDED
from tunewright.tasks.summarize import Summarization
from tunewright.train.config import TrainConfig
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.data.kinds import Kind
    from tunewright.data.problems import OnBad, Problem
    from tunewright.tasks import Task

__all__ = ["Initialised", "init"]

_MAKE_SPLITS = 'to draw some from all rows, write splits={"train": 0.8, "validation": 0.1, "test": 0.1} into project.py'
_TASKS: Mapping[str, type[Task]] = {
    "answers": QuestionAnswering,
    "classification": Classification,
    "summaries": Summarization,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised(Result):
    """A new project: what each column was taken for and why, and what was imported (rows by split).

    ``labels`` is empty where they are open texts: answers and summaries. ``without_test`` says why there is no test
    split, and is empty where there is one.
    """

    file: Path
    name: str
    guesses: Mapping[str, str]
    labels: tuple[str, ...]
    rows: Mapping[str, int]
    skipped: tuple[Problem, ...]
    without_test: str


def init(
    source: str,
    folder: str | Path = ".",
    *,
    name: str | None = None,
    task: Kind | None = None,
    model: str = EMBEDDED,
    train: TrainConfig | None = None,
    on_bad: OnBad = "error",
    force: bool = False,
) -> Initialised:
    """Look at a table of text, import it, and write a project.py that says what was guessed.

    Args:
        source: file, folder or name on the Hub.
        folder: of the project; made if missing.
        name: of the dataset; by default that of the source.
        task: what to learn: ``classification``, ``answers`` or ``summaries``; guessed from the columns if None.
        model: to fine-tune.
        train: how to train; the defaults if None.
        on_bad: what becomes of rows that cannot be used: ``error`` or ``skip``.
        force: replace a project.py that is there.

    Raises:
        ProjectError: if there is a project.py already, or no labels were found.
        DataError: if the source cannot be read, lacks columns of the task, or has bad rows and ``on_bad`` is ``error``.
    """
    path = Path(folder) / FILE
    if path.exists() and not force:
        raise ProjectError(f"there is a {path} already", fix="change it by hand, or replace it with --force")
    guessed = guess(read_rows(source, on_bad=on_bad), kind=task)
    _check(guessed, source)
    project = _project(guessed, source=_relative(source, Path(folder)), name=name or _name(source), model=model)
    project = replace(project, train=train or TrainConfig(), on_bad=on_bad, folder=Path(folder))
    dataset = open_dataset(project)
    write_text(path, _written(project, guessed))
    rows = dataset.describe()["rows"]
    return Initialised(
        file=path,
        name=project.name,
        guesses=dict(guessed.reasons),
        labels=project.task.labels,
        rows=rows,
        skipped=dataset.skipped,
        without_test="" if "test" in rows else _without_test(guessed),
    )


def _without_test(guessed: Guess) -> str:
    rows = "passages" if guessed.kind == "answers" else "rows"
    why = "the source names none" if guessed.split else f"too few {rows}"
    return (
        f"no test split: {why}. Trials and compare judge by test rows; {_MAKE_SPLITS if guessed.split else 'add rows'}"
    )


def _check(guessed: Guess, source: str) -> None:
    labels = guessed.kind != "classification" or len(guessed.label_names) > 1
    if guessed.label is None or not labels:
        raise ProjectError(
            f"expected a column of labels with two or more values in {source}, found none among {list(guessed.reasons)}",
            fix="call the column of the labels 'label', and run it again, or say what is to be learnt with --task",
        )


def _project(guessed: Guess, *, source: str, name: str, model: str) -> Project:
    return Project(
        name=name,
        source=source,
        task=_TASKS[guessed.kind](**_arguments(guessed)),
        model=model,
        label=guessed.label,
        id=guessed.id or "id",
        split=guessed.split or "split",
        fields=guessed.metadata,
    )


def _arguments(guessed: Guess) -> dict[str, Any]:
    """Of the task, by name: columns, and what else the table tells."""
    match guessed.kind:
        case "answers":
            answers, starts = guessed.target
            columns = {"question": guessed.text, "context": guessed.text_pair, "answers": answers, "starts": starts}
            return columns | ({"unanswerable": True} if guessed.unanswerable else {})
        case "summaries":
            return {"document": guessed.text}
        case _:
            pair = {"text_pair": guessed.text_pair} if guessed.text_pair else {}
            return {"text": guessed.text, **pair, "labels": guessed.label_names}


def _written(project: Project, guessed: Guess) -> str:
    """The source of project.py; every line that rests on a guess says why."""
    why = {name: f"  # {' '.join(reason.split())}" for name, reason in guessed.reasons.items()}
    task = _TASKS[guessed.kind].__name__
    lines = [
        f'"""What is learnt from {project.name}: written by `tunewright init`, and yours to change."""',
        "",
        "from __future__ import annotations",
        "",
        f"from tunewright import {', '.join(sorted(('Project', 'TrainConfig', task)))}",
        "",
        "project = Project(",
        f"    name={_literal(project.name)},",
        f"    source={_literal(str(project.source))},",
        f"    label={_literal(guessed.label or '')},{why[guessed.label or '']}",
        *([f"    id={_literal(guessed.id)},{why[guessed.id]}"] if guessed.id else []),
        *([f"    split={_literal(guessed.split)},{why[guessed.split]}"] if guessed.split else []),
        *(_tuple("fields", project.fields, why, indent=4) if project.fields else []),
        *(['    on_bad="skip",'] if project.on_bad == "skip" else []),
        f"    task={task}(",
        *(line for name, value in _arguments(guessed).items() for line in _argument(name, value, why)),
        "    ),",
        f"    model={_literal(project.model)},",
        f"    train={_config(project.train)},",
        ")",
    ]
    return "\n".join(lines) + "\n"


def _argument(name: str, value: object, why: Mapping[str, str]) -> list[str]:
    match value:
        case str():
            return [f"        {name}={_literal(value)},{why[value]}"]
        case tuple():
            return _tuple(name, value, {}, indent=8)
        case _:
            return [f"        {name}={value!r},"]


def _config(config: TrainConfig) -> str:
    """The three fields that people change first, and any other that is not the default."""
    shown = {"epochs", "batch_size", "learning_rate"}
    fields = config.to_json()
    kept = {name: fields[name] for name in fields if name in shown or fields[name] != TrainConfig().to_json()[name]}
    return f"TrainConfig({', '.join(f'{name}={value!r}' for name, value in kept.items())})"


def _tuple(name: str, values: tuple[str, ...], why: Mapping[str, str], *, indent: int) -> list[str]:
    inner = [f"{' ' * (indent + 4)}{_literal(value)},{why.get(value, '')}" for value in values]
    return [f"{' ' * indent}{name}=(", *inner, f"{' ' * indent}),"]


def _literal(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _relative(source: str, folder: Path) -> str:
    """A path as seen from the project's folder; a name on the Hub as it stands."""
    return os.path.relpath(source, folder) if Path(source).exists() else source


def _name(source: str) -> str:
    stem = re.sub(r"\.gz$", "", Path(source).name)
    kept = re.sub(r"[^\w-]+", "-", Path(stem).stem.partition(":")[0]).strip("-_")
    return kept or "data"
