"""Records training dynamics from outside a stock Hugging Face ``Trainer``.

    recorder = Recorder("runs", task)
    Trainer(..., data_collator=recorder.collator(collator), callbacks=[recorder])

How: the collator adds one key to the batch (ids, windows, copies of the targets); when training begins, a forward
pre-hook takes that key off before ``forward`` sees it, and a forward hook calls ``task.measure`` while the model
trains. Measured rows stay on the device until the epoch ends or a checkpoint is about to be written, then go to
disk as one Parquet part. A checkpoint therefore never knows more than the parts do, and a resumed training drops
the rows at or after its checkpoint's step and records them again.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import torch
from transformers import TrainerCallback

from tunewright.errors import RecorderError
from tunewright.observe.predict import on_device
from tunewright.run import Run
from tunewright.train.features import EncoderOutput
from tunewright.train.pairs import PARENTS
from tunewright.train.parts import drop_from, part_of
from tunewright.train.processes import rank, shared_run, wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch.utils.hooks import RemovableHandle
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from tunewright.tasks import Collator, Feature, Task

__all__ = ["BATCH_KEY", "Recorder", "When"]

When = Literal["train", "epoch_end", "both"]
BATCH_KEY = "tunewright"
"""The one key that the collator adds to a batch and the pre-hook takes off again."""
_POSITIONS = ("start_positions", "end_positions")


class Recorder(TrainerCallback):
    """One row per training example, window and epoch; never an evaluation row.

    Args:
        run: the run to record into (itself or its folder), or a folder of runs in which to make one.
        task: measures the outputs.
        when: ``train`` keeps what the training forward pass gives (dropout on, free); ``epoch_end`` makes one pass
            with dropout off at the end of each epoch. The two maps differ; the run says which was used. ``both`` is
            ``train``, with such a pass after the second and after the last epoch in a table of its own, ``passes``.

    Where targets are a list of labels, the encoder's vectors of the second epoch (of the first, if it is the only one)
    are kept as well, in the table ``features``: rows that the model sees alike early have the same label, or one is
    wrong. Rows that are mixed of two go into ``synthetic``, measured against the label that has the larger share.
    """

    def __init__(self, run: Run | str | Path, task: Task, *, when: When = "train") -> None:
        self.run = run if isinstance(run, Run) else Run.open(run) if Run.is_run(run) else None
        self.root = None if isinstance(run, Run) else Path(run)
        self.task = task
        self.when = when
        self._collate: Collator | None = None
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._batch: dict[str, Any] | None = None
        self._handles: list[RemovableHandle] = []
        self._epoch = 0
        self._step = 0
        self._encoder = EncoderOutput()
        self._epochs = 0
        self._clean_pass = False
        self._saw_batch = False
        self._expected: list[str] = []

    def collator(self, inner: Collator) -> Collator:
        """Wrap a collator so that each batch says whose rows it holds.

        Raises:
            RecorderError: when called, if a feature has no ``id``.
        """
        self._collate = _Tagging(inner)
        return self._collate

    # --- Trainer events -------------------------------------------------------------------------------------------

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        if args.remove_unused_columns:
            raise RecorderError(
                "the Trainer would remove the ids from the features (remove_unused_columns=True)",
                fix="TrainingArguments(..., remove_unused_columns=False)",
            )
        if args.n_gpu > 1:
            raise RecorderError(
                f"found {args.n_gpu} GPUs in one process, whose replicas would record over each other",
                fix="start one process per GPU: torchrun --nproc-per-node=2 ...",
            )
        dataset = trainer["train_dataloader"].dataset
        self._expected = _ids(dataset)
        if self.run is None and state.global_step > 0:
            raise RecorderError(
                f"the training resumes at step {state.global_step}, and the epochs before are in another run",
                fix="Recorder('runs/<the run it began with>', task)",
            )
        if self.run is None:
            self.run = _made_by_first_process(self.root or Path("runs"), dataset, self.task, self._expected)
        if rank() == 0:
            drop_from(self.run, state.global_step)
            self.run.update(recorded=self.when, labels=list(self.task.labels), status="running")
        wait()
        self._rows, self._saw_batch = {}, False
        self._epochs = math.ceil(state.num_train_epochs)
        self._attach(trainer["model"])

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self._epoch = int(state.epoch or 0)
        self._step = state.global_step
        self._encoder.wanted = self.when != "epoch_end" and self._epoch == min(1, self._epochs - 1)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        if not self._saw_batch:
            self._open_run().update(status="refused")
            raise RecorderError(
                "the first training step carried no ids", fix="Trainer(..., data_collator=recorder.collator(collator))"
            )
        self._step = state.global_step
        if control.should_save or control.should_evaluate:
            self._flush()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self._encoder.wanted = False
        if self.when == "epoch_end" or (self.when == "both" and self._epoch in {1, self._epochs - 1}):
            self._step = max(state.global_step - 1, 0)
            self._pass_over(trainer["model"], trainer["train_dataloader"].dataset, args)
            self._step = state.global_step
        self._flush()
        wait()
        if rank() == 0:
            self._update_coverage()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any) -> None:
        self._flush()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self._flush()
        self.detach()
        wait()
        if rank() == 0:
            self._update_coverage()
            self._open_run().update(status="trained", steps=state.global_step)

    # --- hooks ----------------------------------------------------------------------------------------------------

    def _attach(self, model: torch.nn.Module) -> None:
        self.detach()
        self._handles = [
            model.register_forward_pre_hook(self._take_key, with_kwargs=True),
            model.register_forward_hook(self._keep_outputs),
            *(self._encoder.attach(model) if self.task.labels else []),
        ]

    def detach(self) -> None:
        """Take the hooks off the model; the Trainer's end does this by itself."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _take_key(self, module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        self._batch = kwargs.pop(BATCH_KEY, None)
        return args, kwargs

    def _keep_outputs(self, module: torch.nn.Module, args: Any, outputs: Any) -> None:
        batch, self._batch = self._batch, None
        vectors = self._encoder.take()
        wanted = self._clean_pass or (self.when != "epoch_end" and module.training)
        self._saw_batch |= batch is not None
        if batch is None or not wanted:
            return
        with torch.no_grad():
            measured = self.task.measure(outputs, batch["targets"])
        beside = self._clean_pass and self.when == "both"
        self._keep("passes" if beside else "dynamics", batch, measured, rows=batch["real"])
        if batch["synthetic"] and not beside:
            self._keep("synthetic", batch, measured, rows=batch["synthetic"])
        if vectors is not None:
            self._keep("features", batch, {"vector": vectors}, rows=batch["real"])

    def _keep(
        self, table: str, batch: dict[str, Any], measured: Mapping[str, torch.Tensor], *, rows: Sequence[int]
    ) -> None:
        if not rows:
            return
        some = len(rows) < len(batch["ids"])
        self._rows.setdefault(table, []).append(
            {
                "id": [batch["ids"][row] for row in rows],
                "window": [batch["windows"][row] for row in rows],
                "epoch": self._epoch,
                "step": self._step,
                "measured": {
                    name: value.detach()[rows] if some else value.detach() for name, value in measured.items()
                },
            }
        )

    # --- the clean pass -------------------------------------------------------------------------------------------

    def _pass_over(self, model: torch.nn.Module, dataset: Any, args: TrainingArguments) -> None:
        mine = range(rank(), len(dataset), max(args.world_size, 1))
        loader = torch.utils.data.DataLoader(
            torch.utils.data.Subset(dataset, mine),
            batch_size=args.per_device_eval_batch_size,
            collate_fn=self._collate,
            # a generator of its own: the pass must not move the random state that training continues from
            generator=torch.Generator(),
        )
        with self._clean(model), torch.no_grad():
            for batch in loader:
                model(**on_device(_without_own_targets(batch), args.device))

    @contextmanager
    def _clean(self, model: torch.nn.Module) -> Iterator[None]:
        model.eval()
        self._clean_pass = True
        try:
            yield
        finally:
            self._clean_pass = False
            model.train()

    # --- disk -----------------------------------------------------------------------------------------------------

    def _open_run(self) -> Run:
        if self.run is None:
            raise RecorderError("the recorder has no run before training begins", fix="call trainer.train() first")
        return self.run

    def _flush(self) -> None:
        recorded, self._rows = self._rows, {}
        for table, rows in recorded.items():
            first, last = rows[0]["step"], rows[-1]["step"]
            name = f"part-{first:08d}-{last:08d}-e{rows[0]['epoch']:04d}-r{rank()}"
            self._open_run().append(table, name, part_of(rows, rank()))

    def _update_coverage(self) -> None:
        run = self._open_run()
        if not run.has("dynamics"):
            return
        seen = run.table("dynamics", ["id", "epoch"]).group_by(["epoch"]).aggregate([("id", "count_distinct")])
        expected = len(set(self._expected))
        per_epoch = dict(zip(seen["epoch"].to_pylist(), seen["id_count_distinct"].to_pylist(), strict=True))
        coverage = [
            {"epoch": epoch, "seen": per_epoch.get(epoch, 0), "expected": expected}
            for epoch in range(max(per_epoch, default=-1) + 1)
        ]
        run.update(coverage=coverage)


class _Tagging:
    """A collator that adds ids, windows and copies of the targets; a class, so that workers can be spawned with it."""

    def __init__(self, inner: Collator) -> None:
        self.inner = inner

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        try:
            ids = [str(feature["id"]) for feature in features]
        except KeyError:
            raise RecorderError(
                f"expected an 'id' in every feature, found only {sorted(features[0])}",
                fix="keep the dataset's id column, and set remove_unused_columns=False",
            ) from None
        windows = [int(feature.get("window", 0)) for feature in features]
        batch = dict(self.inner([_without_names(feature) for feature in features]))
        batch[BATCH_KEY] = {"ids": ids, "windows": windows, "targets": _copy(_targets(batch)), **_sorts(features)}
        return batch


def _sorts(features: Sequence[Feature]) -> dict[str, list[int]]:
    """Which rows of a batch are examples of the data, and which are mixed of two of them."""
    return {
        "real": [row for row, feature in enumerate(features) if PARENTS not in feature],
        "synthetic": [row for row, feature in enumerate(features) if PARENTS in feature],
    }


def _without_names(feature: Feature) -> Feature:
    """Model inputs are numbers; names and texts stay out, as they would with ``remove_unused_columns=True``."""
    return {
        name: value for name, value in feature.items() if name not in {"id", "window"} and not isinstance(value, str)
    }


def _targets(batch: Mapping[str, Any]) -> Any:
    """``labels``, or the positions that models of spans take instead."""
    positions = {name: batch[name] for name in _POSITIONS if name in batch}
    return batch.get("labels", positions or None)


def _without_own_targets(batch: dict[str, Any]) -> dict[str, Any]:
    """A mapping of targets is for the task's own loss; a model takes tensors."""
    return {name: value for name, value in batch.items() if name != "labels" or isinstance(value, torch.Tensor)}


def _copy(targets: Any) -> Any:
    if isinstance(targets, dict):
        return {name: _copy(value) for name, value in targets.items()}
    return targets.clone() if isinstance(targets, torch.Tensor) else targets


def _ids(dataset: Any) -> list[str]:
    if not hasattr(dataset, "__len__"):
        raise RecorderError(
            "the recorder cannot tell whether it saw all of an iterable dataset", fix="train on a dataset with a length"
        )
    if hasattr(dataset, "ids"):
        return [str(name) for name in dataset.ids]
    if "id" in getattr(dataset, "column_names", ()):
        windows = dataset["window"] if "window" in dataset.column_names else [0] * len(dataset)
        return _without_repetition([str(name) for name in dataset["id"]], windows)
    first = dataset[0]
    if "id" not in first:
        raise RecorderError(
            f"expected an 'id' in every training example, found only {sorted(first)}",
            fix="dataset.add_column('id', [...]) with one name per example",
        )
    features = [dataset[position] for position in range(len(dataset))]
    return _without_repetition(
        [str(feature["id"]) for feature in features], [feature.get("window", 0) for feature in features]
    )


def _without_repetition(ids: list[str], windows: Sequence[int]) -> list[str]:
    if len(set(zip(ids, windows, strict=True))) < len(ids):
        repeated = next(name for name, count in Counter(ids).items() if count > 1)
        raise RecorderError(
            f"expected every id once, found {repeated!r} again: two examples would become one",
            fix="name the examples by their row number",
        )
    return ids


def _made_by_first_process(root: Path, dataset: Any, task: Task, ids: list[str]) -> Run:
    """A run for a script that has none; every process opens the one that the first has made."""
    return shared_run(
        lambda: Run.create(root, kind="train", name="script", config={}, examples=_examples(dataset, task, ids))
    )


def _examples(dataset: Any, task: Task, ids: list[str]) -> pa.Table:
    """What a script's dataset says about its rows, by the first window of each: texts it has, labels by name."""
    columns = getattr(dataset, "column_names", None) or ()
    texts = {name: list(dataset[name]) for name in task.text_fields if name in columns}
    given = next((name for name in ("label", "labels") if name in columns), None)
    targets = dataset[given] if given else (dataset[position].get("labels") for position in range(len(ids)))
    labels = pa.array([_label_name(target, task.labels) for target in targets], pa.string())
    windows = pa.table({"id": ids, "split": ["train"] * len(ids), **texts, "label": labels})
    return windows.take(np.sort(np.unique(ids, return_index=True)[1]))


def _label_name(target: Any, labels: Sequence[str]) -> str | None:
    """The name of a label given by name or code; None for what is neither."""
    value = target.item() if getattr(target, "ndim", None) == 0 else target
    match value:
        case str():
            return value
        case int() if 0 <= value < len(labels):
            return labels[value]
        case _:
            return None
