"""From windows to examples: which of several inputs speaks for the example they were cut from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["examples_of", "merge", "speaking"]

_KEPT = 10  # of the merged n-best answers
_TINY = 1e-300


def examples_of(ids: Sequence[str]) -> NDArray[np.intp]:
    """[n] the number of the example each of n consecutive windows belongs to, from 0.

    >>> examples_of(["a", "a", "b"]).tolist()
    [0, 0, 1]
    """
    names = np.asarray(ids, dtype=object)
    changes: NDArray[np.intp] = np.cumsum(names[1:] != names[:-1]) if len(names) > 1 else np.zeros(0, np.intp)
    return np.concatenate([np.zeros(min(1, len(names)), np.intp), changes])


def speaking(example: NDArray[np.intp], score: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """[examples] for each example the window with the largest score; NaN is the smallest, ties go to the first.

    Args:
        example: [n] as `examples_of` gives it.
        score: [n].
    """
    ranked = np.lexsort((np.arange(len(example)), -np.where(np.isnan(score), -np.inf, score), example))
    first = np.flatnonzero(np.diff(example[ranked], prepend=-1))
    chosen: NDArray[np.intp] = ranked[first]
    return chosen


def merge(
    ids: Sequence[str], said: Mapping[str, Sequence[Any]], measured: Mapping[str, NDArray[np.generic]]
) -> dict[str, Any]:
    """One row per example, of rows per window.

    What the model says is taken from the window with the largest ``window_score``, what it thinks of the gold target
    from the one with the largest ``gold_probability``. The lists in ``n_best`` become one: within a window an answer's
    probability is proportional to exp(score), and so it is over all windows of an example afterwards.

    Args:
        ids: [n] the example of each window; windows of one example stand together.
        said: columns [n] as `Task.decode` gives them.
        measured: columns [n] as `Task.measure` gives them.

    Returns:
        the same columns [examples], and ``windows``, where any example has several.
    """
    example = examples_of(ids)
    count = np.bincount(example)
    if count.max(initial=1) == 1:
        return {**said, **measured}
    score = np.asarray(said["window_score"], dtype=np.float64)
    loudest = speaking(example, score)
    golden = speaking(example, np.asarray(measured["gold_probability"], dtype=np.float64))
    merged: dict[str, Any] = {name: [values[row] for row in loudest] for name, values in said.items()}
    if "n_best" in said:
        merged["n_best"] = _ranked(example, said["n_best"])
        merged["probability"] = [answers[0]["probability"] for answers in merged["n_best"]]
    return merged | {name: values[golden] for name, values in measured.items()} | {"windows": count}


def _ranked(example: NDArray[np.intp], lists: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Answers of all windows of an example by their score, each place once: windows overlap."""
    merged: list[dict[Any, dict[str, Any]]] = [{} for _ in range(int(example.max(initial=-1)) + 1)]
    levels: list[list[float]] = [[] for _ in merged]
    for number, answers in zip(example.tolist(), lists, strict=True):
        levels[number].append(answers[0]["score"] - math.log(max(answers[0]["probability"], _TINY)))
        for answer in answers:
            known = merged[number].get((answer["text"], answer["start"]))
            if known is None or answer["score"] > known["score"]:
                merged[number][answer["text"], answer["start"]] = dict(answer)
    return [
        _renormalised(sorted(found.values(), key=lambda answer: -answer["score"])[:_KEPT], level)
        for found, level in zip(merged, levels, strict=True)
    ]


def _renormalised(answers: list[dict[str, Any]], levels: list[float]) -> list[dict[str, Any]]:
    """``levels`` are the logarithms of each window's sum of exp(score)."""
    if len(levels) == 1:
        return answers
    level = float(np.logaddexp.reduce(levels))
    return [answer | {"probability": min(1.0, math.exp(answer["score"] - level))} for answer in answers]
