"""Which training comes next: seed by seed over all arms, each training once, and none that no longer matters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm, Training

__all__ = ["Schedule"]

Key = Callable[[Training], str]


@dataclass(slots=True)
class Schedule:
    """What is to be trained, what is being trained, and what is done.

    After each seed there is a look at the results; arms of decisions that are settled then are not trained further.
    With several workers the next seed has begun by then, and what has begun is finished.

    Args:
        arms: no change first.
        seeds: in order.
        config: of the arm without a change.
        key: what makes two trainings the same.
        done: keys of trainings that need not be done.
    """

    arms: Sequence[Arm]
    seeds: Sequence[int]
    config: TrainConfig
    key: Key
    done: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    _begun: set[str] = field(default_factory=set)

    def take(self) -> tuple[str, Training] | None:
        """The next training with its key; None if none is left."""
        for key, training in self._wanted():
            if key not in self.done and key not in self._begun:
                self._begun.add(key)
                return key, training
        return None

    def keys(self, arm: Arm, position: int) -> tuple[str, ...]:
        """Keys of the trainings of an arm for the seed at a position."""
        return tuple(map(self.key, arm.trainings(self.config, self.seeds[position], position)))

    def complete(self, *, of: Collection[str] | None = None) -> int:
        """How many seeds, from the first on, are trained in all arms of decisions that are not settled (or in ``of``)."""
        arms = [arm for arm in self.arms if (arm.name in of if of is not None else arm.decision not in self.settled)]
        for position in range(len(self.seeds)):
            if not all(key in self.done for arm in arms for key in self.keys(arm, position)):
                return position
        return len(self.seeds)

    def left(self) -> int:
        """How many trainings are neither done nor begun."""
        return len({key for key, _ in self._wanted()} - self.done - self._begun)

    def all(self) -> Mapping[str, Training]:
        """Every training by its key."""
        return dict(self._of(self.arms))

    def _wanted(self) -> Iterator[tuple[str, Training]]:
        decisions = {arm.decision for arm in self.arms if arm.kind == "decision"}
        if decisions <= self.settled:
            return
        yield from self._of([arm for arm in self.arms if arm.decision not in self.settled])

    def _of(self, arms: Sequence[Arm]) -> Iterator[tuple[str, Training]]:
        for position, seed in enumerate(self.seeds):
            for arm in arms:
                for training in arm.trainings(self.config, seed, position):
                    yield self.key(training), training
