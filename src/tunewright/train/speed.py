"""How to compute fastest on this machine, found by a short measurement instead of a guess."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunewright.train.config import TrainConfig

__all__ = ["Speed", "choose"]

_TIMED_STEPS = 3
_WORTH_IT = 1.2  # bf16 must be a fifth faster: it costs digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was chosen, and the measured seconds per step of each candidate (empty when nothing was measured)."""

    threads: int
    precision: str
    seconds: Mapping[str, float]


def choose(model: torch.nn.Module, batch: Mapping[str, Any], config: TrainConfig, *, measure: bool = True) -> Speed:
    """Resolve ``threads`` and ``precision`` of a config where they are ``auto``.

    Forward and backward passes of one batch are timed; gradients are cleared and the random state is put back, so
    training is the same as without the measurement. On a GPU nothing is timed: bf16 where it is supported.

    Args:
        model: in the state training starts from; left unchanged.
        batch: one batch of typical length.
        config: what may be chosen.
        measure: False takes PyTorch's thread count and fp32 (for short trainings).
    """
    threads = torch.get_num_threads() if config.threads == "auto" else config.threads
    if torch.cuda.is_available():
        automatic = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
        precision = automatic if config.precision == "auto" else config.precision
        return Speed(threads=threads, precision=precision, seconds={})
    if not measure:
        precision = "fp32" if config.precision == "auto" else config.precision
        return Speed(threads=threads, precision=precision, seconds={})
    return _measured(model, {name: value for name, value in batch.items() if name != "labels"}, config)


def _measured(model: torch.nn.Module, batch: Mapping[str, Any], config: TrainConfig) -> Speed:
    seconds: dict[str, float] = {}
    first = "fp32" if config.precision == "auto" else config.precision
    counts = _thread_counts() if config.threads == "auto" else [config.threads]
    with torch.random.fork_rng():
        for count in counts:
            seconds[f"{first}, {count} threads"] = _step_seconds(model, batch, threads=count, precision=first)
        threads = min(counts, key=lambda count: seconds[f"{first}, {count} threads"])
        chosen = first
        if config.precision == "auto":
            faster = _step_seconds(model, batch, threads=threads, precision="bf16")
            seconds[f"bf16, {threads} threads"] = faster
            chosen = "bf16" if faster * _WORTH_IT < seconds[f"fp32, {threads} threads"] else "fp32"
    return Speed(threads=threads, precision=chosen, seconds={name: round(value, 4) for name, value in seconds.items()})


def _thread_counts() -> list[int]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sorted({1, max(cores // 2, 1), cores})


def _step_seconds(model: torch.nn.Module, batch: Mapping[str, Any], *, threads: int, precision: str) -> float:
    torch.set_num_threads(threads)
    model.train()
    _step(model, batch, precision)
    times = []
    for _ in range(_TIMED_STEPS):
        start = time.perf_counter()
        _step(model, batch, precision)
        times.append(time.perf_counter() - start)
    model.zero_grad(set_to_none=True)
    return min(times)


def _step(model: torch.nn.Module, batch: Mapping[str, Any], precision: str) -> None:
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    context: AbstractContextManager[Any] = torch.autocast("cpu", dtype=half) if half else nullcontext()
    with context:
        outputs = model(**batch)
    # targets are the task's business; any scalar of the output costs as much to go back from as the loss
    outputs[0].float().mean().backward()
    model.zero_grad(set_to_none=True)
