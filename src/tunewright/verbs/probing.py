"""What is tried of each function of the user's, on a few real rows."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tunewright.bindings import Metadata, Metric, Visualiser, computed, number_or_numbers, preprocessed, shown
from tunewright.errors import DataError, ProjectError
from tunewright.verbs.perfect import perfect
from tunewright.verbs.trying import Outcome, State, Step

if TYPE_CHECKING:
    import torch

__all__ = ["probe_loss", "probe_metadata", "probe_metric", "probe_preprocess", "probe_visualiser"]

_SHOWN = 3  # values
_LONGEST = 60  # characters of a value
_LEAN = 3.0
"""A logit that leans to a target, or away from it."""


def probe_preprocess(function: Callable[..., Any]) -> Step:
    """The same twice, the same for a row alone; the rows that follow are those it makes."""

    def run(state: State) -> Outcome:
        columns, rows = state["source"], state["source_rows"]
        changed, seconds = _timed(lambda: preprocessed(function, columns, rows))
        _same_twice(changed, preprocessed(function, columns, rows))
        state["source"] = {**columns, **changed}
        for row in range(rows):
            one = {name: [values[row]] for name, values in columns.items()}
            alone = one | preprocessed(function, one, 1)
            _same_alone(row, {name: state["source"][name][row] for name in alone}, alone)
        counts = [
            f"{name} in {sum(map(_differ, values, columns.get(name, [None] * rows)))} of {rows} rows"
            for name, values in changed.items()
        ]
        return Outcome("changes " + (", ".join(counts) or "nothing in these rows"), seconds / rows)

    return Step(f"preprocess {getattr(function, '__name__', '')}".strip(), run, ("source",))


def probe_metadata(made: Metadata, *, needs: tuple[str, ...]) -> Step:
    """One finite value per row of one type, the same twice and for a row alone, and the rows left as they are."""

    def run(state: State) -> Outcome:
        columns, rows = state["source"], state["source_rows"]
        given = copy.deepcopy(columns)
        found, seconds = _timed(lambda: computed(made, given, rows))
        _left_alone(columns, given)
        for name, values in found.items():
            _all_finite(values, name)
        _same_twice(found, computed(made, copy.deepcopy(columns), rows))
        if not made.rowwise:
            for row in range(rows):
                one = copy.deepcopy({name: [values[row]] for name, values in columns.items()})
                _same_alone(row, {name: values[row] for name, values in found.items()}, computed(made, one, 1))
        detail = "; ".join(f"{name}: {pa.array(values).type} {_some(values)}" for name, values in found.items())
        return Outcome(detail, seconds / rows)

    return Step(f"metadata {made.name}", run, needs)


def probe_metric(made: Metric) -> Step:
    """A finite number per row or one, the same twice, and best where predictions are perfect."""

    def run(state: State) -> Outcome:
        rows = state["rows"].to_pydict()
        targets = [name for name in state["project"].task.target_fields if name in rows]
        gold = {name: rows[name] for name in ("id", "label", *targets)}
        right = {**gold, "predicted": list(rows["label"])}
        wrong = {**gold, "predicted": _wrong(rows["label"], state["project"].task.labels)}
        count = len(rows["label"])
        best, seconds = _timed(lambda: number_or_numbers(made, right, count))
        worse = number_or_numbers(made, wrong, count)
        _same_twice({made.name: best.tolist()}, {made.name: number_or_numbers(made, right, count).tolist()})
        _best_when_perfect(made, float(best.mean()), float(worse.mean()))
        shape = "one number" if best.ndim == 0 else "a number per row"
        return Outcome(f"{shape}: {best.mean():.4g} if perfect, {worse.mean():.4g} if wrong", seconds / count)

    return Step(f"metric {made.name}", run, ("sample",))


def probe_visualiser(made: Visualiser) -> Step:
    """Text, the same twice."""

    def run(state: State) -> Outcome:
        said = state["said"]
        rows = [{**row, **extra} for row, extra in zip(state["rows"].to_pylist(), said.to_pylist(), strict=True)]
        texts, seconds = _timed(lambda: [shown([made], copy.deepcopy(row))[made.name] for row in rows])
        again = [shown([made], copy.deepcopy(row))[made.name] for row in rows]
        _same_twice({made.name: texts}, {made.name: again})
        return Outcome(f"text, {min(map(len, texts))} to {max(map(len, texts))} characters", seconds / len(rows))

    return Step(f"visualiser {made.name}", run, ("score",))


def probe_loss(function: Callable[..., Any]) -> Step:
    """A finite tensor [batch] with a gradient, the same twice, and smaller where the outputs are right."""

    def run(state: State) -> Outcome:
        import torch

        teaches = torch.tensor([feature["teaches"] for feature in state["features"]])
        outputs, targets = state["model"].eval()(**state["inputs"]), state["targets"]
        values, seconds = _timed(lambda: function(outputs, targets))
        _is_per_example(values, len(teaches))
        _all_finite(values[teaches].tolist(), "the loss")
        with torch.no_grad():
            _same_twice({"loss": values.tolist()}, {"loss": function(outputs, targets).tolist()})
        size = _gradient_size(state["model"], values[teaches].mean())
        _smaller_when_right(function, state)
        mean = values[teaches].mean().item()
        return Outcome(f"[{len(teaches)}], mean {mean:.4g}, gradient norm {size:.3g}", seconds / len(teaches))

    return Step(f"loss {getattr(function, '__name__', '')}".strip(), run, ("forward",))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def _differ(one: Any, other: Any) -> bool:
    return bool(one != other)


def _some(values: Sequence[Any]) -> str:
    shown = [
        value[:_LONGEST] + "..." if isinstance(value, str) and len(value) > _LONGEST else value for value in values
    ]
    return repr(shown[:_SHOWN])


def _left_alone(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    changed = [name for name in before if name not in after or _differ(before[name], after[name])]
    changed += [name for name in after if name not in before]
    if changed:
        raise DataError(
            f"it changes the rows it is given: {', '.join(map(repr, changed))}",
            fix="work on a copy; to change texts, use Project(preprocess=...)",
        )


def _all_finite(values: Sequence[Any], of: str) -> None:
    bad = [row for row, value in enumerate(values) if isinstance(value, float) and not math.isfinite(value)]
    if bad:
        raise DataError(
            f"{of}: expected finite numbers, found {values[bad[0]]} in row {bad[0]} of the sample ({len(bad)} in all)",
            fix="mind empty texts and divisions by zero; metadata may be None",
        )


def _same_twice(first: Mapping[str, Sequence[Any]], second: Mapping[str, Sequence[Any]]) -> None:
    for name, values in first.items():
        if _differ(values, second.get(name)):
            raise DataError(
                f"called twice with the same rows, it gives different values of {name!r}: "
                f"{_pair(values, second.get(name))}",
                fix="take randomness, time and state from outside out of it, or seed it",
            )


def _pair(first: Any, second: Any) -> str:
    if isinstance(first, list) and isinstance(second, list):
        pairs = [pair for pair in zip(first, second, strict=False) if _differ(*pair)]
        if pairs:
            return f"{pairs[0][0]!r}, then {pairs[0][1]!r}"
    return f"{first!r}, then {second!r}"


def _same_alone(row: int, together: Mapping[str, Any], alone: Mapping[str, Sequence[Any]]) -> None:
    for name, values in alone.items():
        if _differ(values[0], together[name]):
            raise DataError(
                f"row {row} of the sample has {name} {together[name]!r} among the others and {values[0]!r} alone",
                fix="let each row's value depend on this row only: rows are added and dropped later",
            )


def _wrong(labels: Sequence[str], known: Sequence[str]) -> list[str]:
    """A wrong prediction for every row: the label that comes next, and after the last one a text that is none."""
    choices = [*dict.fromkeys([*labels, *known]), "another answer altogether"]
    following = dict(pairwise(choices))
    return [following[label] for label in labels]


def _best_when_perfect(made: Metric, best: float, worse: float) -> None:
    sign = 1 if made.direction == "higher" else -1
    if sign * (best - worse) > 0:
        return
    if best == worse:
        raise ProjectError(
            f"perfect and wrong predictions both score {best:.4g}: it does not tell them apart",
            fix="compare the columns 'label' and 'predicted'",
        )
    other = "lower" if made.direction == "higher" else "higher"
    raise ProjectError(
        f"perfect predictions score {best:.4g}, wrong ones {worse:.4g}, and {made.direction} is said to be better",
        fix=f'write @metric(direction="{other}"), or turn the score around',
    )


def _is_per_example(values: Any, features: int) -> None:
    import torch

    if not isinstance(values, torch.Tensor):
        raise DataError(f"expected a tensor [{features}], found {type(values).__name__}", fix="return a tensor [batch]")
    if tuple(values.shape) != (features,):
        raise DataError(
            f"expected one loss per example, shape [{features}], found {list(values.shape)}",
            fix="leave out the mean: cross_entropy(..., reduction='none')",
        )
    if not values.requires_grad:
        raise DataError("no gradient flows through the loss", fix="leave out detach(), item(), numpy() and argmax")


def _gradient_size(model: torch.nn.Module, loss: torch.Tensor) -> float:
    import torch

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    parts = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    size = math.sqrt(sum(float(part.double().square().sum()) for part in parts))
    if not math.isfinite(size) or size == 0:
        raise DataError(
            f"expected a gradient in the model's weights, found one of norm {size:g}",
            fix="compute the loss from outputs.logits, without detach() or argmax",
        )
    return size


def _smaller_when_right(function: Callable[..., Any], state: State) -> None:
    """Outputs that lean to the gold targets must cost less than those that lean away; little, as losses may be smooth."""
    import torch

    teaches = torch.tensor([feature["teaches"] for feature in state["features"]])
    right, wrong = (perfect(state["outputs"], state["targets"], sure=logit) for logit in (_LEAN, -_LEAN))
    if right is None:
        return
    with torch.no_grad():
        best, worst = (function(made, state["targets"])[teaches].mean().item() for made in (right, wrong))
    if best >= worst:
        raise ProjectError(
            f"outputs that favour the gold targets have the loss {best:.4g}, those that disfavour them {worst:.4g}",
            fix="turn its sign around: training makes the loss small",
        )
