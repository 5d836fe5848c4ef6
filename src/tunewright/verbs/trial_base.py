"""What the decisions of a trial are changes of: a version of the dataset, a model to start from, a configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import version_after
from tunewright.errors import ComparisonError
from tunewright.project import find_run, open_dataset
from tunewright.run import runs
from tunewright.train.config import TrainConfig
from tunewright.train.provenance import versions
from tunewright.trial.arms import Training, training_key
from tunewright.verbs.trial_worker import described_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunewright.data.dataset import Dataset
    from tunewright.data.edits import Add
    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.verbs.trial_production import Pool

__all__ = ["Base", "finished", "open_base", "trained_rows", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Where a trial starts from.

    Args:
        project: data, task and model.
        dataset: of the project.
        version: id of the version the arm without a change learns.
        version_name: what it was called.
        model: as ``from_pretrained`` understands it.
        parent: the run whose model this is; None is the project's.
        config: of that arm, with the seed that comes first.
        run: a finished run of this kind, whose columns decisions may rest on; None if there is none yet.
        fingerprint: of the test rows of the version, by which all arms are judged.
        split: name of these rows' split.
        held_out: production rows that judge instead of those of the version, from which no arm learns.
        beside: name of the split that would judge without them, and is looked at beside them.
        pool: production rows from which a control of collected rows is drawn.
    """

    project: Project
    dataset: Dataset
    version: str
    version_name: str
    model: str
    parent: str | None
    config: TrainConfig
    run: Run | None
    fingerprint: str
    split: str
    held_out: Add | None = None
    beside: str = ""
    pool: Pool | None = None

    @property
    def rows(self) -> pa.Table:
        """All rows of the version."""
        return self.dataset.table(self.version)

    @property
    def judge(self) -> str:
        """Id of the version whose rows judge: that of the arm without a change, or what is held out beside it."""
        return self.version if self.held_out is None else version_after(self.version, self.held_out)

    @property
    def judged_by(self) -> pa.Table:
        """The labelled rows that judge: those of the version's split, or those held out."""
        rows = self.dataset.tried([self.held_out] if self.held_out else [], on=self.version)
        return rows.filter(pc.and_(pc.equal(rows["split"], self.split), pc.is_valid(rows["label"])))

    @property
    def by_test(self) -> Base | None:
        """The same base as the test rows judge it, where production rows come first; else None."""
        if self.held_out is None:
            return None
        fingerprint = self.dataset.fingerprint(self.beside, self.version)
        return replace(self, held_out=None, split=self.beside, beside="", fingerprint=fingerprint)

    @property
    def judges(self) -> tuple[Base, ...]:
        """This base, and `by_test` if there is one."""
        return (self, self.by_test) if self.by_test is not None else (self,)

    def key(self, training: Training) -> str:
        """What makes two trainings from this base the same."""
        return training_key(
            training,
            model=self.model,
            task=repr(self.project.task),
            own_loss=described_project(self.project)["own_loss"],
        )


def open_base(project: Project, run: Run | str | None = None, *, split: str = "test") -> Base:
    """The base of a trial: a training run, by default the last one that was not made for a trial, or the project's plan.

    The precision is settled once, so that no arm trains in another than the rest.

    Raises:
        RunError: if there is no such run.
        ComparisonError: if there are no labelled rows to judge by, or they are those that pick checkpoints.
    """
    found = _latest(project) if run is None else find_run(project, run)
    dataset = open_dataset(project)
    meta = found.meta if found else {}
    config = _config(found) if found else project.train
    version = dataset.resolve(meta.get("version", "main"))
    base = Base(
        project=project,
        dataset=dataset,
        version=version,
        version_name=meta.get("version_name", "main"),
        model=meta["config"]["model"] if found else project.model_source,
        parent=meta.get("parent"),
        config=replace(config, trackers=(), precision="fp32" if config.precision == "auto" else config.precision),
        run=found,
        fingerprint=dataset.fingerprint(split, version),
        split=split,
    )
    if split in {"train", "validation"} or base.judged_by.num_rows == 0:
        raise ComparisonError(
            f"expected labelled rows that nothing was chosen on, found {base.judged_by.num_rows} in split {split!r}",
            fix="judge by --split test, and give the dataset such rows",
        )
    return base


def finished(base: Base) -> dict[str, Run]:
    """Runs of the project that are finished and have their model, by the key of their training; the newest of equals.

    Runs that other versions of the libraries have made are left out: they might come out otherwise today.
    """
    now = _libraries(versions())
    done = (run for run in _whole(base.project) if run.meta.get("status") == "finished" and run.model_folder.is_dir())
    return {_key(run): run for run in done if _libraries(run.meta.get("versions", {})) == now}


def unfinished(base: Base) -> dict[str, Run]:
    """Runs of the project that were interrupted and can be resumed, by the key of their training."""
    begun = [run for run in _whole(base.project) if run.meta.get("status") in {"created", "running", "interrupted"}]
    if not begun:
        return {}
    from tunewright.train.steps import is_running

    return {_key(run): run for run in begun if not is_running(run)}


def trained_rows(base: Base, rows: pa.Table, *, mixed: int = 0) -> int:
    """How many inputs one epoch has: labelled training rows of a weight above 0 with a target that fits, and mixtures."""
    from tunewright.tasks.source import load_tokenizer

    kept = rows.filter(
        pc.and_(pc.and_(pc.equal(rows["split"], "train"), pc.is_valid(rows["label"])), pc.greater(rows["weight"], 0))
    )
    task = base.project.task
    if task.labels:  # one input each
        return int(kept.num_rows) + mixed
    tokenizer = load_tokenizer(base.model, trust_remote_code=base.config.trust_remote_code)
    features = task.encode(kept.to_pydict(), tokenizer) if kept.num_rows else []
    return sum(bool(feature["teaches"]) for feature in features) + mixed


def _latest(project: Project) -> Run | None:
    done = [run for run in _whole(project) if run.meta.get("status") == "finished"]
    own = [run for run in done if run.meta.get("dataset") == project.name and not run.meta.get("trial")]
    return own[-1] if own else None


def _whole(project: Project) -> list[Run]:
    """Trainings on all rows of a version: the run of a fold has seen fewer, under the same configuration."""
    found = (run for run in runs(project.runs_folder) if run.kind == "train" and "model" in run.meta["config"])
    return [run for run in found if "fold" not in run.meta]


def _config(run: Run) -> TrainConfig:
    """How a run was trained; one that folds were gathered into records as any other."""
    config = run.meta["config"]
    return TrainConfig.from_json({**config, "record": "train"} if "fold_runs" in run.meta else config)


def _libraries(found: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(found.get(name) for name in ("tunewright", "torch", "transformers"))


def _key(run: Run) -> str:
    config = run.meta["config"]
    training = Training(version=run.meta.get("version", ""), config=TrainConfig.from_json(config))
    return training_key(training, model=config["model"], task=config["task"], own_loss=config.get("own_loss"))
