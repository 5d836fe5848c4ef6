"""What a training mixes: the recipes of its data, and fresh pairs where its configuration asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from tunewright.errors import TrainError
from tunewright.train.mixup import MixUp
from tunewright.train.pairs import Arranged, Blending, Marked, from_recipes, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from tunewright.tasks import Collator, Feature, Task
    from tunewright.train.config import TrainConfig

__all__ = ["Mixing", "mixing_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """Synthetic rows of one training, all mixed at one layer.

    Args:
        layer: see `MixUp`.
        alpha: of the Beta distribution of fresh pairs; None draws none.
        seed: of fresh pairs.
        classes: number of labels.
        recipes: columns id, a, b and weight; None without a fixed list.
    """

    layer: str
    alpha: float | None
    seed: int
    classes: int
    recipes: pa.Table | None

    def features(self, real: Sequence[Feature]) -> list[Feature]:
        """The training inputs and, after them, those of the recipes."""
        inputs = numbered(real)
        return inputs if self.recipes is None else [*inputs, *from_recipes(inputs, self.recipes)]

    def dataset(self, order: Any) -> Marked:
        """The dataset whose batches `collator` takes."""
        return Marked(order)

    def collator(self, inner: Collator, *, tag: Callable[[Collator], Collator]) -> Collator:
        """The task's collator with everything mixed; ``tag`` wraps it where the rows of a batch are all known."""
        return Arranged(tag(Blending(inner, self.classes)), self.alpha, self.seed)

    def callback(self) -> MixUp:
        """What mixes in the forward pass."""
        return MixUp(self.layer)

    def counted(self, features: Sequence[Feature], real: int) -> dict[str, Any]:
        """JSON values for the run: where, how many recipes there were, and how many had both parents trained on."""
        given = 0 if self.recipes is None else self.recipes.num_rows
        return {"layer": self.layer, "alpha": self.alpha, "recipes": given, "used": len(features) - real}


def mixing_of(config: TrainConfig, recipes: pa.Table | None, task: Task, *, own_loss: bool) -> Mixing | None:
    """What a training mixes; None if nothing.

    Raises:
        TrainError: if the task has no labels that could be mixed, the loss takes none that are, or there would be
            several layers.
    """
    recipes = recipes if recipes is not None and recipes.num_rows else None
    if recipes is None and config.mixup_alpha is None:
        return None
    if not task.labels:
        raise TrainError(
            "MixUp expects a task with a list of labels, found one without",
            fix="train a version without mixed rows (tunewright edit undo), or leave mixup_alpha out",
        )
    if own_loss:
        raise TrainError(
            "MixUp expects a loss of mixed labels, found one of your own, which takes one label a row",
            fix="train with the cross-entropy or the focal loss",
        )
    layers = set() if recipes is None else set(pc.unique(recipes["layer"]).to_pylist())
    layers |= set() if config.mixup_alpha is None else {config.mixup_layer}
    if len(layers) > 1:
        raise TrainError(
            f"expected one layer to mix at, found {' and '.join(sorted(layers))}",
            fix="undo the edit of one of them, or set mixup_layer to the other",
        )
    return Mixing(
        layer=layers.pop(), alpha=config.mixup_alpha, seed=config.seed, classes=len(task.labels), recipes=recipes
    )
