"""Where the loss is, what the model cannot read, and what the lints find besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.lint_rows import codes
from tunewright.analyze.selection import contrast
from tunewright.errors import RunError
from tunewright.verbs.evaluations import trained
from tunewright.verbs.explore.issue import Fix, Issue, Level, Seen, counted, level, numbers, percent
from tunewright.verbs.linting import Lint, Severity, lints_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["cut_inputs", "high_losses", "lints"]

_TOLD_ELSEWHERE = frozenset(
    {
        *("duplicates across splits", "near-duplicates across splits", "truncated inputs"),
        *("duplicates within a split", "near-duplicates within a split"),
        *("same text, different labels", "same text, different targets"),
    }
)
_LEAK = "trained on evaluation rows"
_OF_COLUMNS: dict[Severity, Level] = {"error": "high", "warning": "medium", "note": "low"}
_SHARES: dict[Severity, tuple[float, float]] = {"error": (0.01, 0.0), "warning": (0.5, 0.05), "note": (1.1, 1.1)}
"""From which share of the rows on a lint about rows is high, and medium."""


def high_losses(seen: Seen) -> Iterator[Issue]:
    """The slices that are stored in the run."""
    if not seen.run.has("slices") or not seen.has("loss"):
        return
    loss = numbers(seen.rows["loss"])
    split = seen.run.meta.get("slices", {}).get("split")
    looked = seen.split != "test" if split is None else seen.split == split
    total = float(np.nansum(loss[looked]))
    place = {id: row for row, id in enumerate(seen.rows["id"].to_pylist())}
    for one in seen.run.table("slices").to_pylist():
        rows = np.array([place[id] for id in one["ids"] if id in place], dtype=np.int64)
        if len(rows) and total > 0 and one["interval"][0] > 0:
            yield _slice(seen, one, rows[np.argsort(-loss[rows], kind="stable")], total)


def cut_inputs(seen: Seen) -> Iterator[Issue]:
    """Rows that are longer than the model reads, and what that does to their loss."""
    if not seen.has("truncated"):
        return
    cut = np.array([one is True for one in seen.rows["truncated"].to_pylist()], dtype=bool)
    found = np.flatnonzero(cut)
    if not len(found):
        return
    loss = numbers(seen.rows["loss"]) if seen.has("loss") else np.full(len(cut), np.nan)
    effect = contrast(loss, cut, strata=codes(seen.split))
    told = (
        ""
        if effect is None
        else f" Their loss differs from the others' by {_interval(effect.difference, effect.interval)}."
    )
    share = len(found) / len(cut)
    is_worse = effect is not None and effect.word == "higher"
    yield Issue(
        id="truncated",
        kind="truncated",
        title="Cut inputs",
        why=f"{counted(len(found), 'row is', 'rows are')} longer than the model reads, and cut ({percent(share)}).{told}",
        severity=level(share, high=0.2, medium=0.01) if is_worse else "low",
        effect=share,
        count=len(found),
        rows=seen.shown(found[np.argsort(-np.nan_to_num(loss[found]), kind="stable")]),
        fix=Fix(action="tag", title="Tag as cut", value="cut"),
        command=f"tunewright slices {seen.run.id} --by truncated",
    )


def lints(seen: Seen) -> Iterator[Issue]:
    """What the lints say besides, as far as it takes no tokenizer."""
    try:
        run = trained(seen.project, seen.run)
    except RunError:  # an ensemble
        return
    if not seen.has_dataset or not seen.has(*seen.project.task.text_fields):  # dynamics of rows that nobody has
        return
    place = {id: row for row, id in enumerate(seen.rows["id"].to_pylist())}
    for one in lints_of(seen.project, run, seen.rows):
        rows = np.array([place[id] for id in one.rows if id in place], dtype=np.int64)
        if one.name not in _TOLD_ELSEWHERE and (not one.rows or seen.shown(rows)):
            yield _of_lint(seen, one, rows)


def _slice(seen: Seen, one: dict[str, Any], rows: NDArray[np.int64], total: float) -> Issue:
    low, high = one["interval"]
    share = min(1.0, low * one["n"] / total)
    return Issue(
        id=f"slice-{one['description']}",
        kind="slice",
        title=f"High loss: {one['description']}",
        why=f"{counted(one['n'], 'row has', 'rows have')} a mean loss of {one['mean_loss']:.2f} nats, the others of their "
        f"splits {one['rest_loss']:.2f}: {_interval(one['difference'], (low, high))}, corrected p {_p(one['p_corrected'])}. "
        f"At least {percent(share)} of all loss is due to that.",
        severity=level(share, high=0.05, medium=0.01),
        effect=share,
        count=one["n"],
        rows=seen.shown(rows),
        fix=Fix(action="tag", title="Tag the slice", value=one["description"]),
        command=f"tunewright slices {seen.run.id}",
    )


def _of_lint(seen: Seen, one: Lint, rows: NDArray[np.int64]) -> Issue:
    splits = np.isin(seen.split, np.unique(seen.split[rows].astype(str)))
    share = min(1.0, one.count / int(splits.sum())) if len(rows) else 0.0
    is_empty = one.name.startswith("empty ")
    return Issue(
        id=f"lint-{one.name}",
        kind="leak" if one.name == _LEAK else "lint",
        title=one.name.capitalize(),
        why=f"{one.message}: {one.what_to_do}.",
        severity=_severity(one, share),
        effect=share,
        count=one.count,
        rows=seen.shown(rows),
        fix=Fix(action="drop", title="Drop them") if is_empty else None,
        command=f"tunewright lint {seen.run.id}",
    )


def _severity(one: Lint, share: float) -> Level:
    if one.name == _LEAK or not one.rows:
        return _OF_COLUMNS[one.severity]
    high, medium = _SHARES[one.severity]
    return level(share, high=high, medium=medium)


def _interval(difference: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{difference:+.2f} [{low:+.2f}, {high:+.2f}] nats"


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
