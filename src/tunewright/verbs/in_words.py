"""The evidence against a label, in words: what the epochs said, and what the nearest rows are labelled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.neighbours import Index, nearest
from tunewright.verbs.suspicion import codes_of, evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["in_words"]

_NEAREST = 10
_SPACES = ("frozen", "features")  # the first that the run has


def in_words(run: Run, ids: Sequence[str], suggested: Sequence[str | None]) -> list[str]:
    """One line for each row: in how many epochs the suggested label won, and the labels of the most similar rows.

    Args:
        run: a training run whose targets are labels.
        ids: of rows that were trained on.
        suggested: the label each should have instead, or None.
    """
    every, label = codes_of(run)
    found = evidence(run, every)
    place = {id: row for row, id in enumerate(every.to_pylist())}
    rows = np.array([place[id] for id in ids], dtype=np.int64)
    wins = _wins(run.labels, found["margin"], found["other"], rows, suggested)
    near = _near(every, label, run.labels, found, rows)
    return ["; ".join(filter(None, pair)) for pair in zip(wins, near, strict=True)]


def _wins(
    labels: Sequence[str],
    margin: NDArray[np.floating] | None,
    other: NDArray[np.floating] | None,
    rows: NDArray[np.int64],
    suggested: Sequence[str | None],
) -> list[str]:
    if margin is None or other is None:
        return [""] * len(rows)
    code = {name: place for place, name in enumerate(labels)}
    rival = np.array([code.get(name or "", -1) for name in suggested], dtype=np.int64)
    won = ((margin[rows] < 0) & (other[rows] == rival[:, None])).sum(axis=1)
    seen = (~np.isnan(margin[rows])).sum(axis=1)
    told = zip(suggested, won, seen, strict=True)
    return [f"{name} won in {count} of {epochs} epochs" if name else "" for name, count, epochs in told]


def _near(
    ids: pa.Array,
    label: NDArray[np.int64],
    labels: Sequence[str],
    found: dict[str, NDArray[np.floating] | None],
    rows: NDArray[np.int64],
) -> list[str]:
    vectors = next((space for name in _SPACES if (space := found[name]) is not None), None)
    if vectors is None or not len(rows):
        return [""] * len(rows)
    known = np.flatnonzero((label >= 0) & np.isfinite(vectors).all(axis=1))
    k = min(_NEAREST, len(known) - 1)
    if k < 1:
        return [""] * len(rows)
    own = np.searchsorted(known, rows)
    own = np.where((own < len(known)) & (known[np.minimum(own, len(known) - 1)] == rows), own, -1)
    places, _ = nearest(np.nan_to_num(vectors[rows]), Index.build(vectors[known]), k=k, exclude=own)
    return [
        _neighbourhood([labels[label[row]] for row in known[one]], ids[int(known[one[0]])].as_py()) for one in places
    ]


def _neighbourhood(near: list[str], first: str) -> str:
    """The labels of the nearest rows, most frequent first.

    >>> _neighbourhood(["pos", "neg", "pos"], "row-7")
    'of the 3 nearest rows 2 pos, 1 neg (nearest: row-7, pos)'
    """
    counts = ", ".join(f"{count} {name}" for name, count in Counter(near).most_common(3))
    return f"of the {len(near)} nearest rows {counts} (nearest: {first}, {near[0]})"
