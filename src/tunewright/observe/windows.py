"""From windows to examples: which of several inputs speaks for the example they were cut from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.table import speaking

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["examples_of", "merge"]

_KEPT = 10  # of the merged n-best answers


def examples_of(ids: Sequence[str]) -> NDArray[np.intp]:
    """[n] the number of the example each of n consecutive windows belongs to, from 0.

    >>> examples_of(["a", "a", "b"]).tolist()
    [0, 0, 1]
    """
    names = np.asarray(ids, dtype=object)
    changes: NDArray[np.intp] = np.cumsum(names[1:] != names[:-1]) if len(names) > 1 else np.zeros(0, np.intp)
    return np.concatenate([np.zeros(min(1, len(names)), np.intp), changes])


def merge(
    ids: Sequence[str], said: Mapping[str, Sequence[Any]], measured: Mapping[str, NDArray[np.generic]]
) -> dict[str, Any]:
    """One row per example, of rows per window.

    What the model says is taken from the window with the largest ``window_score``, what it thinks of the gold target
    from the one that is `speaking` for it. The lists in ``n_best`` become one: within a window an answer's probability
    is proportional to exp(score), and so it is over all windows of an example afterwards, each answer counted once,
    where it scores best: windows overlap, and "no answer" is an answer in each of them.

    Args:
        ids: [n] the example of each window; windows of one example stand together.
        said: columns [n] as `Task.decode` gives them.
        measured: columns [n] as `Task.measure` gives them.

    Returns:
        the same columns [examples], and ``windows`` where the task says a ``window_score``.
    """
    if "window_score" not in said:
        return {**said, **measured}
    example = examples_of(ids)
    loudest = speaking(example, np.asarray(said["window_score"], dtype=np.float64))
    sure, everywhere = np.asarray(measured["gold_probability"], dtype=np.float64), measured.get("gold_everywhere")
    golden = speaking(example, sure, everywhere=None if everywhere is None else everywhere.astype(bool))
    merged: dict[str, Any] = {name: [values[row] for row in loudest] for name, values in said.items()}
    if "n_best" in said:
        parts = np.split(np.arange(len(example)), np.flatnonzero(np.diff(example)) + 1)
        merged["n_best"] = [_ranked([said["n_best"][row] for row in rows]) for rows in parts]
        merged["probability"] = [answers[0]["probability"] for answers in merged["n_best"]]
    return merged | {name: values[golden] for name, values in measured.items()} | {"windows": np.bincount(example)}


def _ranked(lists: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The answers of all windows of one example by their score, each place once.

    A window's score and probability of any answer tell the sum of exp(score) over all its answers, also those that are
    not in its list. What it says again of an answer that scores better in another window is taken off.
    """
    ranked = sorted((answer for answers in lists for answer in answers), key=lambda answer: -answer["score"])
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for answer in ranked:
        found.setdefault((answer["text"], answer["start"]), answer)

    def mass(answer: Mapping[str, Any]) -> float:
        return math.exp(answer["score"] - ranked[0]["score"])

    again = sum(map(mass, ranked)) - sum(map(mass, found.values()))
    total = sum(mass(answers[0]) / answers[0]["probability"] for answers in lists) - again
    return [{**answer, "probability": min(1.0, mass(answer) / total)} for answer in list(found.values())[:_KEPT]]
