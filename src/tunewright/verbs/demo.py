"""``demo``: the whole loop on a table that every machine has, ending in sentences with numbers."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from tunewright.data.demo import write_demo
from tunewright.errors import ProjectError
from tunewright.project import FILE, open_project
from tunewright.tasks.source import EMBEDDED
from tunewright.train.config import TrainConfig
from tunewright.verbs.chart import DataMap, map
from tunewright.verbs.choose import focus
from tunewright.verbs.judge import Compared, compare
from tunewright.verbs.learn import train
from tunewright.verbs.results import Result
from tunewright.verbs.score import evaluate
from tunewright.verbs.start import init

__all__ = ["Demo", "Found", "demo"]

_CONFIG = TrainConfig(epochs=3, batch_size=16, learning_rate=1.5e-4)  # chosen on the validation split
_VERSION = "cleaned"
_LEAST_SUSPICIOUS = 0.95  # where the list is nearly pure; further down, every other suspect is a hard right row
_FIRST = 50


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
    """What the demo made and found; ``story`` says it in sentences."""

    folder: Path
    runs: tuple[str, ...]
    figures: tuple[Path, ...]
    table: Path
    found: Found
    accuracy: float
    against_before: Compared
    against_random: Compared
    seconds: float
    story: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The second model against the first, and against the control."""

    before: Compared
    random: Compared


def demo(
    folder: str | Path = "demo",
    *,
    model: str = EMBEDDED,
    per_label: int = 600,
    progress: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Which library wrote this docstring? Train, map, find planted errors, drop the worst suspects, train again, compare.

    Args:
        folder: of a new project; made if missing.
        model: to fine-tune.
        per_label: texts of each of the five libraries.
        progress: show loss, speed and time left of each training on standard error.
        say: told what comes next.

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

    def taught(version: str) -> str:
        say(f"training on version {version!r}")
        return train(project, version=version, progress=progress).id

    before = taught("main")
    say("drawing the data map, and looking for mistakes on the test split")
    mapped = map(project, before, latent=True)
    evaluation = evaluate(project, before)
    focused = focus(project, before, name=_VERSION, bounds={"suspicion": (None, _LEAST_SUSPICIOUS)}, control=True)
    after, random = taught(_VERSION), taught(f"{_VERSION}-random")
    say("comparing on the test split")
    judged = _Judged(compare(project, before, after), compare(project, random, after))
    found = _found(mapped, folder / "truth.csv")
    return Demo(
        folder=folder,
        runs=(before, after, random),
        figures=mapped.files,
        table=evaluation.table,
        found=found,
        accuracy=judged.before.comparison.accuracy_a,
        against_before=judged.before,
        against_random=judged.random,
        seconds=time.perf_counter() - started,
        story=_story(mapped, found, dropped=focused.of - focused.kept, judged=judged),
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


def _story(mapped: DataMap, found: Found, *, dropped: int, judged: _Judged) -> tuple[str, ...]:
    before = judged.before.comparison
    low, high = before.interval_a
    named = ((region.count, "in no region" if region.name == "none" else region.name) for region in mapped.regions)
    regions = ", ".join(f"{count} {name}" for count, name in named)
    first = (
        f"The first model answers {before.accuracy_a:.1%} of {before.n} test rows correctly "
        f"(95 % interval {low:.1%} to {high:.1%})."
    )
    planted = (
        f"{found.planted} training labels were made wrong on purpose. {found.flagged} rows look mislabelled; "
        f"{found.hits} of them are planted errors, and {found.first} of the first {found.of_first} are "
        f"(AUROC of AUM {found.auroc['aum']:.2f}, of confidence {found.auroc['confidence']:.2f})."
    )
    return (
        first,
        f"Its data map covers {mapped.coverage or 0:.0%} of the training rows in {mapped.epochs} epochs: {regions}.",
        planted,
        f"Training again without the {dropped} most suspicious rows, {_words(judged.before, 'the first model')}",
        f"Against dropping as many rows at random, {_words(judged.random, 'the control')}",
        _moral(judged.before, judged.random),
    )


def _words(compared: Compared, other: str) -> str:
    result = compared.comparison
    low, high = result.interval
    detail = (
        f"{100 * result.difference:+.1f} points against {other} (95 % interval {100 * low:+.1f} to {100 * high:+.1f}, "
        f"McNemar p = {result.p:.2g}, n = {result.n})"
    )
    match compared.verdict:
        case "cannot tell":
            return f"the difference is within the noise: {detail}."
        case verdict:
            return f"the new model is {verdict}: {detail}."


def _moral(before: Compared, random: Compared) -> str:
    match before.verdict, random.verdict:
        case "better", "better":
            return "Acting on the map helped, and more than chance would."
        case "better", _:
            return "The second model is better than the first, but not clearly better than a random control."
        case "worse", _:
            return "Acting on the map did not help: it made the model worse."
        case _:
            return "Acting on the map did not help measurably: this test set cannot tell the two models apart."
