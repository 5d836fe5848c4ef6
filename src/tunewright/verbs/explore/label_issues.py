"""Labels that look wrong, contradict each other, or were never learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.lint_rows import codes, members, varied
from tunewright.errors import DataError, EditError
from tunewright.project import open_dataset
from tunewright.verbs.described import objects
from tunewright.verbs.explore.issue import Fix, Issue, Seen, counted, first_of, level, numbers, percent
from tunewright.verbs.suspecting import warning

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["conflicts", "suspects", "unlearnt"]

_MOST_ROWS = 0.5  # of the rows; where more are never right, rows are not the reason
_FEWEST_EPOCHS = 2  # of one epoch, nothing says that a row cannot be learnt


def suspects(seen: Seen) -> Iterator[Issue]:
    """Rows whose label is suspected, most suspicious first, but for those that people have decided about."""
    if not seen.is_judged:
        return
    suspicion = numbers(seen.rows["suspicion"])
    flagged = np.array([one is True for one in seen.rows["suspect"].to_pylist()], dtype=bool)
    judged, decided = int(np.isfinite(suspicion).sum()), _decided(seen)
    left = np.flatnonzero(flagged & ~decided)
    if not len(left):
        return
    ids = np.array(seen.rows["id"].to_pylist(), dtype=str)
    order = left[np.lexsort((ids[left], -suspicion[left]))]
    is_class = bool(seen.run.labels) and seen.has("suggested")
    told = [_changes(seen, order) if is_class else "", _reviewed(int((flagged & decided).sum())), warning(seen.run)]
    yield Issue(
        id="suspect",
        kind="suspect",
        title="Suspected mislabels" if is_class else "Suspected targets",
        why=" ".join([f"{_share(len(order), judged)} are suspected to be wrong.", *filter(None, told)]),
        severity=level(len(order) / judged, high=0.02, medium=0.002),
        effect=len(order) / judged,
        count=len(order),
        rows=seen.shown(order),
        fix=Fix(action="relabel", title="Relabel as suggested") if is_class else None,
        command=f"tunewright suspects {seen.run.id} --csv suspects.csv",
    )


def unlearnt(seen: Seen) -> Iterator[Issue]:
    """Training rows that were right in no epoch, but for those whose label is suspected."""
    epochs = len(seen.run.meta.get("coverage") or ())
    if not seen.has("correctness") or epochs < _FEWEST_EPOCHS:
        return
    never = numbers(seen.rows["correctness"]) == 0
    if seen.is_judged:
        never &= np.array([one is not True for one in seen.rows["suspect"].to_pylist()], dtype=bool)
    found, trained = np.flatnonzero(never), int(np.isfinite(numbers(seen.rows["correctness"])).sum())
    if not len(found):
        return
    if seen.has("confidence"):
        found = found[np.argsort(numbers(seen.rows["confidence"])[found], kind="stable")]
    share = len(found) / trained
    is_training = share >= _MOST_ROWS
    suspicion = ", and no label of these is suspected" if seen.is_judged else ""
    cause = "the training has not come far: train longer" if is_training else "they may be rare, unclear or wrong"
    tag = Fix(action="tag", title="Tag as never learnt", value="never learnt")
    yield Issue(
        id="unlearnt",
        kind="unlearnt",
        title="Never learnt",
        why=f"{counted(len(found), 'row was', 'rows were')} right in none of {epochs} epochs ({percent(share)} of "
        f"{trained:,}){suspicion}: {cause}.",
        severity=level(share, high=0.2, medium=0.05),
        effect=share,
        count=len(found),
        rows=seen.shown(found),
        fix=None if is_training else tag,
        command=f"tunewright map {seen.run.id}",
    )


def conflicts(seen: Seen) -> Iterator[Issue]:
    """Rows with equal texts and different labels, the rows of a text together."""
    if not seen.has("content", "label"):
        return
    content, label = codes(objects(seen.rows["content"])), objects(seen.rows["label"])
    named = np.array([one is not None for one in label], dtype=bool)
    found = np.flatnonzero(members(content, lambda group: varied(label[group[named[group]]])) & named)
    if not len(found):
        return
    found = found[np.argsort(content[found], kind="stable")]
    texts, share, is_class = len(np.unique(content[found])), len(found) / len(label), bool(seen.run.labels)
    advice = "no model can be right about both" if is_class else "each may be right, and a metric knows only its own"
    names, listing = "labels" if is_class else "targets", f"tunewright lint {seen.run.id}"
    yield Issue(
        id="conflict",
        kind="conflict",
        title=f"Same text, different {names}",
        why=f"{counted(len(found), 'row')} ({percent(share)}) share {counted(texts, 'text')} and have different "
        f"{names}: {advice}.",
        severity=level(share, high=0.005, medium=0.0) if is_class else "low",
        effect=share,
        count=len(found),
        rows=seen.shown(found),
        fix=Fix(action="drop", title="Drop all of them") if is_class else None,
        command=seen.dropping(found, listing) if is_class else listing,
    )


def _decided(seen: Seen) -> NDArray[np.bool_]:
    """[n] rows that people decided about as they are labelled in the run, or that were edited since."""
    if not seen.has_dataset:
        return np.zeros(seen.rows.num_rows, dtype=bool)
    try:
        dataset = open_dataset(seen.project)
        present = dataset.table()
        reviews = dataset.reviews().to_pylist()
    except (DataError, EditError):
        return np.zeros(seen.rows.num_rows, dtype=bool)
    now = dict(zip(present["id"].to_pylist(), present["label"].to_pylist(), strict=True))
    reviewed = {(one["id"], one["label"]) for one in reviews}
    rows = zip(seen.rows["id"].to_pylist(), seen.rows["label"].to_pylist(), strict=True)
    return np.array([(id, label) in reviewed or now.get(id, "") != label for id, label in rows], dtype=bool)


def _changes(seen: Seen, at: NDArray[np.int64]) -> str:
    """What the commonest suggestions are."""
    label, suggested = (objects(seen.rows[name])[at].tolist() for name in ("label", "suggested"))
    common = Counter(zip(label, suggested, strict=True)).most_common()
    return f"Most often {first_of([f'{count} {old} as {new}' for (old, new), count in common])}."


def _share(found: int, judged: int) -> str:
    return f"{found:,} of {counted(judged, 'judged label')} ({percent(found / judged)})"


def _reviewed(number: int) -> str:
    return f"{counted(number, 'more was', 'more were')} reviewed or edited already." if number else ""
