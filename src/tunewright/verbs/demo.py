"""``demo``: the whole loop on a table that every machine has, ending in sentences with numbers."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from tunewright.analyze.verdict import Judged
from tunewright.data.demo import write_demo
from tunewright.errors import ProjectError
from tunewright.project import FILE, open_project
from tunewright.tasks.source import EMBEDDED
from tunewright.train.config import TrainConfig
from tunewright.verbs.chart import DataMap, map
from tunewright.verbs.choose import focus
from tunewright.verbs.learn import train
from tunewright.verbs.results import Result
from tunewright.verbs.score import Evaluation, evaluate
from tunewright.verbs.start import init
from tunewright.verbs.trial_running import Progress, unheard
from tunewright.verbs.trial_verdict import DecisionVerdict
from tunewright.verbs.trials import run_trial

__all__ = ["Demo", "Found", "demo"]

_CONFIG = TrainConfig(epochs=3, batch_size=16, learning_rate=1.5e-4)  # chosen on the validation split
_VERSION = "cleaned"
_LEAST_SUSPICIOUS = 0.95  # where the list is nearly pure; further down, every other suspect is a hard right row
_FIRST = 50
_SEEDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How well the map finds the labels that were made wrong on purpose.

    ``auroc`` by score (1 is perfect, 0.5 is chance); ``first`` counts planted errors among the first suspects.
    """

    planted: int
    flagged: int
    hits: int
    first: int
    of_first: int
    auroc: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo(Result):
    """What the demo made and found; ``story`` says it in sentences.

    ``run`` is the first training, ``trial`` the one that drops the worst suspects, ``verdict`` what it has shown.
    """

    folder: Path
    run: str
    trial: str
    trainings: int
    figures: tuple[Path, ...]
    table: Path
    found: Found
    accuracy: float
    verdict: DecisionVerdict
    seconds: float
    story: tuple[str, ...]


def demo(
    folder: str | Path = "demo",
    *,
    model: str = EMBEDDED,
    per_label: int = 600,
    progress: bool = False,
    say: Callable[[str], None] = lambda _: None,
    advance: Progress = unheard,
    workers: int | str = "auto",
) -> Demo:
    """Which library wrote this docstring? Train, map, find planted errors, and try: does it help to drop the worst suspects?

    Args:
        folder: of a new project; made if missing.
        model: to fine-tune.
        per_label: texts of each of the five libraries.
        progress: show loss, speed and time left of the first training on standard error.
        say: told what comes next.
        advance: told how far the trial is.
        workers: processes that the trial trains in, side by side.

    Raises:
        ProjectError: if the folder holds a project already.
        MissingDependencyError: if the embedded model is not installed.
    """
    started, folder = time.perf_counter(), Path(folder)
    if (folder / FILE).exists():
        raise ProjectError(f"there is a project in {folder} already", fix="remove it, or name another folder")
    say("reading the docstrings of installed packages, and making 8 % of the training labels wrong")
    init(str(write_demo(folder, per_label=per_label)), folder, model=model, train=_CONFIG)
    project = open_project(folder)

    say("training on version 'main'")
    before = train(project, progress=progress).id
    say("drawing the data map, and looking for mistakes on the test split")
    mapped = map(project, before, latent=True)
    evaluation = evaluate(project, before)
    focused = focus(project, before, name=_VERSION, bounds={"suspicion": (None, _LEAST_SUSPICIOUS)})
    say(f"a trial with {_SEEDS} seeds: the most suspicious rows dropped, as many at random, and none")
    decision = f"{_VERSION}=version:{_VERSION}"
    tried = run_trial(project, decision, run=before, seeds=_SEEDS, workers=workers, progress=advance)
    (verdict,) = tried.decisions
    found = _found(mapped, folder / "truth.csv")
    return Demo(
        folder=folder,
        run=before,
        trial=tried.trial,
        trainings=tried.trainings + tried.reused,
        figures=mapped.files,
        table=evaluation.table,
        found=found,
        accuracy=verdict.against_unchanged.mean_a,
        verdict=verdict,
        seconds=time.perf_counter() - started,
        story=_story(mapped, evaluation, found, dropped=focused.of - focused.kept, verdict=verdict),
    )


def _found(mapped: DataMap, truth: Path) -> Found:
    with truth.open(encoding="utf-8", newline="") as file:
        planted = {row["id"] for row in csv.DictReader(file)}
    rows = mapped.rows.sort_by([("suspicion", "descending"), ("id", "ascending")])
    wrong = np.array([name in planted for name in rows["id"].to_pylist()])
    suspect = np.equal(rows["suspect"].to_numpy(zero_copy_only=False), True)
    scores = {name: sign * rows[name].to_numpy() for name, sign in (("aum", -1), ("confidence", -1))}
    return Found(
        planted=int(wrong.sum()),
        flagged=int(suspect.sum()),
        hits=int((wrong & suspect).sum()),
        first=int(wrong[:_FIRST].sum()),
        of_first=min(_FIRST, len(wrong)),
        auroc={name: float(roc_auc_score(wrong, values)) for name, values in scores.items()},
    )


def _story(
    mapped: DataMap, evaluation: Evaluation, found: Found, *, dropped: int, verdict: DecisionVerdict
) -> tuple[str, ...]:
    named = ((region.count, "in no region" if region.name == "none" else region.name) for region in mapped.regions)
    regions = ", ".join(f"{count} {name}" for count, name in named)
    planted = (
        f"{found.planted} training labels were made wrong on purpose. {found.flagged} rows look mislabelled; "
        f"{found.hits} of them are planted errors, and {found.first} of the first {found.of_first} are "
        f"(AUROC of AUM {found.auroc['aum']:.2f}, of confidence {found.auroc['confidence']:.2f})."
    )
    return (
        _accuracy(evaluation),
        f"Its data map covers {mapped.coverage or 0:.0%} of the training rows in {mapped.epochs} epochs: {regions}.",
        planted,
        f"Training without the {dropped} most suspicious rows, against no change. {verdict.against_unchanged.sentence()}",
        *([] if verdict.against_control is None else [_control(verdict.against_control)]),
        _moral(verdict),
        *mapped.notes,
    )


def _accuracy(evaluation: Evaluation) -> str:
    found = evaluation.scores
    if found is None:  # the demo's texts have labels
        return ""
    low, high = found.accuracy_interval
    return (
        f"The first model answers {found.accuracy:.1%} of {found.n} test rows correctly "
        f"(95 % interval {low:.1%} to {high:.1%})."
    )


def _control(judged: Judged) -> str:
    return f"Against training without as many random rows. {judged.sentence()}"


def _moral(verdict: DecisionVerdict) -> str:
    control = verdict.against_control
    match verdict.word, control and control.verdict:
        case "better", "better":
            return "Acting on the map helped, and more than chance would."
        case "better", _:
            return "Acting on the map helped, but not clearly more than acting at random."
        case "worse", _:
            return "Acting on the map did not help: it made the model worse."
        case _:
            return "Acting on the map did not help measurably: so few rows and seeds cannot tell the arms apart."
