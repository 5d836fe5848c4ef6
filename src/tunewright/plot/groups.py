"""How examples are grouped by colour: bins of correctness, and categories such as label or split.

The ramp runs from red over amber to blue and its steps stay apart under red-green and blue-yellow colour blindness;
the categories are those of Okabe and Ito (2008), darkened where they would vanish on white.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.columns import numerals
from tunewright.plot.inputs import missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MARKERS", "Groups", "categories", "clustered", "correctness_bins", "grouped"]

RAMP = ("#6b0a2b", "#c22f2c", "#e57f24", "#e3c545", "#8fbce0", "#3f7fbf", "#1c3f8f")
CATEGORIES = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b",
    "#56b4e9", "#7a3e9d", "#8c510a", "#4d4d4d", "#7fbf3f", "#9aa0a6",
)  # fmt: skip
"""Ten for values and, last, a grey for the rest."""
MARKERS = ("X", "v", "s", "D", "^", "P", "o")
"""One marker per step of the ramp, from always wrong to always right."""

OWN = len(CATEGORIES) - 1
EDGES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Groups:
    """A partition of n examples.

    ``codes`` is an int array [n] with values in 0 .. len(names) - 1; ``colours`` are one ``#rrggbb`` per name for a
    white background, and ``markers`` one Matplotlib marker per name.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    colours: tuple[str, ...]
    markers: tuple[str, ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many examples each group has, [names]."""
        return np.bincount(self.codes, minlength=len(self.names))


def correctness_bins(correctness: NDArray[np.float64]) -> Groups:
    """One bin per value as long as there are at most seven values; otherwise six bins.

    The six are: never, [0, 1/4) without 0, [1/4, 1/2), [1/2, 3/4), [3/4, 1), always.
    """
    shares = np.round(correctness, 6)
    values, codes = np.unique(shares, return_inverse=True)
    names = numerals(*values.tolist(), least=2)
    if len(values) > len(MARKERS):
        names, values = ("0", "0–¼", "¼–½", "½–¾", "¾–1", "1"), np.linspace(0, 1, 6)
        codes = np.where(shares <= 0, 0, np.where(shares >= 1, 5, 1 + np.digitize(shares, EDGES)))
    return _groups(names, codes, _steps(values), RAMP, MARKERS)


def _steps(values: NDArray[np.float64]) -> list[int]:
    """A different step of the ramp for each of at most seven ascending values in 0 .. 1, near the value if possible."""
    last = len(MARKERS) - 1
    steps = [round(value * last) for value in values.tolist()]
    return steps if len(set(steps)) == len(steps) else np.rint(np.linspace(0, last, len(steps))).astype(int).tolist()


def _groups(
    names: tuple[str, ...],
    codes: Any,
    steps: list[int],
    colours: tuple[str, ...],
    markers: tuple[str, ...],
) -> Groups:
    """Groups whose colours and markers stand at the given places of the lists."""
    own, shapes = (tuple(each[step] for step in steps) for each in (colours, markers))
    return Groups(names, np.asarray(codes, np.int64).ravel(), own, shapes)


def categories(values: NDArray[Any], *, most: int = OWN, none: str = "none") -> Groups:
    """The most frequent values in alphabetical order, then one group for the rest, then one for missing values.

    Args:
        values: [n].
        most: values that get a colour of their own, ten or fewer.
        none: what the group of missing values is called.
    """
    texts = [None if missing(value) else str(value) for value in values.tolist()]
    counts = Counter(text for text in texts if text is not None)
    own = sorted(sorted(counts, key=lambda text: (-counts[text], text))[:most])
    rest = [f"{len(counts) - len(own)} others"] if len(counts) > len(own) else []
    last = [none] if None in texts else []
    code = {text: index for index, text in enumerate(own)}
    codes = [len(own) + len(rest) if text is None else code.get(text, len(own)) for text in texts]
    others = most if most < OWN else -1  # a colour to spare tells the others from what is missing
    steps = [*range(len(own)), *[others] * len(rest), *[-1] * len(last)]
    return _groups((*own, *rest, *last), codes, steps, CATEGORIES, ("o",) * len(CATEGORIES))


def clustered(names: NDArray[Any]) -> Groups:
    """The eight largest clusters by name, then the others, then the rows in none."""
    return categories(names, most=8, none="in none")


def grouped(values: NDArray[Any]) -> Groups:
    """Any column in at most a dozen groups: fifths of a number with many values, else its values; yes before no.

    A value on the border of two fifths belongs to the upper one; missing numbers are a group of their own.
    """
    cells = values.tolist()
    known = [cell for cell in cells if not missing(cell)]
    are_numbers = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known)
    if known and all(isinstance(cell, bool) for cell in known):
        return _truth(cells)
    if not are_numbers or len(set(known)) <= OWN:
        return categories(values)
    numbers = np.array([np.nan if missing(cell) else cell for cell in cells], dtype=np.float64)
    edges = np.unique(np.nanquantile(numbers, (0.2, 0.4, 0.6, 0.8), method="higher"))
    codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
    bounds = numerals(*edges.tolist())
    between = [f"{low} to {high}" for low, high in itertools.pairwise(bounds)]
    names = (f"below {bounds[0]}", *between, f"{bounds[-1]} or more", *(["none"] if np.isnan(numbers).any() else []))
    steps = np.rint(np.linspace(len(MARKERS) - 1, 0, len(edges) + 1)).astype(int).tolist()
    colours = (*(RAMP[step] for step in steps), CATEGORIES[-1])
    return Groups(names, codes, colours[: len(names)], ("o",) * len(names))


def _truth(cells: list[Any]) -> Groups:
    names = ("yes", "no", *(["none"] if any(map(missing, cells)) else []))
    codes = [2 if missing(cell) else 0 if cell else 1 for cell in cells]
    return _groups(names, codes, [0, 1, -1][: len(names)], CATEGORIES, ("o",) * len(CATEGORIES))
