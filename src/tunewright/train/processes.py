"""Several processes that train one model: who is first, and what they agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

from tunewright.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["from_first", "is_first_process", "rank", "shared_run", "wait"]

T = TypeVar("T")


def shared_run(make: Callable[[], Run]) -> Run:
    """Call ``make`` in the first process and open its run in the others."""
    made = make() if rank() == 0 else None
    folder = from_first(made.folder if made is not None else None)
    assert folder is not None
    return made if made is not None else Run.open(folder)


def from_first(value: T) -> T:
    """The value that the first process has; every process must ask."""
    if not _distributed():
        return value
    shared = [value]
    torch.distributed.broadcast_object_list(shared, src=0)
    return shared[0]


def is_first_process() -> bool:
    """Whether this is the only process of a training, or the first of several."""
    return rank() == 0


def _distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def rank() -> int:
    """Number of this process, counted from 0."""
    return torch.distributed.get_rank() if _distributed() else 0


def wait() -> None:
    """Until every process has come here."""
    if _distributed():
        torch.distributed.barrier()
