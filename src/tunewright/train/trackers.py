"""Experiment trackers: the Trainer reports curves to them by itself, pictures are sent here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import TrainerCallback

    from tunewright.run import Run

__all__ = ["curves", "finish", "log_image"]


def curves(trackers: Sequence[str], run: Run) -> list[TrainerCallback]:
    """Callbacks for the trackers whose files belong into the run's folder instead of the Trainer's default place."""
    if "tensorboard" not in trackers:
        return []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    return [TensorBoardCallback(SummaryWriter(str(_tensorboard_folder(run))))]


def log_image(trackers: Sequence[str], path: Path, *, run: Run) -> None:
    """Log a PNG to every tracker, under the name of its file.

    Args:
        trackers: names as in ``TrainConfig.trackers``; others that the Trainer knows are passed over.
        path: the PNG.
        run: the run it shows.

    Raises:
        MissingDependencyError: if a tracker's package is not installed.
    """
    for tracker in trackers:
        send = _SENDERS.get(tracker)
        if send is None:
            continue
        try:
            send(path, run)
        except ImportError:
            raise MissingDependencyError(
                f"tracker {tracker!r} is not installed", fix=f"pip install 'tunewright[{tracker}]'"
            ) from None


def finish(trackers: Sequence[str]) -> None:
    """End the trackers' current run, so that the next training in this process begins one of its own."""
    if "wandb" in trackers:
        import wandb

        wandb.finish()


def _wandb(path: Path, _run: Run) -> None:
    import wandb

    wandb.log({path.stem: wandb.Image(str(path))})


def _mlflow(path: Path, _run: Run) -> None:
    import mlflow

    # the Trainer has ended its run by now, so the run is named
    last = mlflow.last_active_run()
    mlflow.log_artifact(str(path), run_id=last.info.run_id if last else None)


def _trackio(path: Path, run: Run) -> None:
    import trackio

    # the Trainer has finished its run by now, so it is opened again under its name
    trackio.init(project="tunewright", name=run.id, resume="allow")
    trackio.log({path.stem: trackio.Image(str(path))})
    trackio.finish()


def _tensorboard(path: Path, run: Run) -> None:
    from matplotlib.image import imread
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(_tensorboard_folder(run))) as writer:
        writer.add_image(path.stem, imread(path), dataformats="HWC")


def _tensorboard_folder(run: Run) -> Path:
    return run.folder / "tensorboard"


_SENDERS: dict[str, Callable[[Path, Run], None]] = {
    "mlflow": _mlflow,
    "tensorboard": _tensorboard,
    "trackio": _trackio,
    "wandb": _wandb,
}
