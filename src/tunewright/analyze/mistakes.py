"""The error table: what was predicted wrongly, what the evidence points to, and what to try.

A cause is a pointer, not a proof. Where a rule compares with the correctly predicted rows, about one in ten of
*them* meets it too: it is the wrong rows' share beyond that which says something.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunewright.errors import ColumnError

__all__ = ["CAUSES", "HEADINGS", "csv_safe", "explain", "mistakes", "to_csv"]

Columns = Mapping[str, NDArray[np.generic]]
Mask = NDArray[np.bool_]

NEAR_DUPLICATE = 0.95
"""Cosine similarity from which the nearest training row counts as nearly the same text."""
AGREEING_NEIGHBOUR = 0.75
"""Quantile of neighbour similarity, and of the predicted label's probability, among correct rows from which a
neighbour with the predicted label speaks against the gold label."""
NEGATION_LIFT = 1.2
"""How many times as common negation must be among wrong rows as among correct ones."""
RARE_VOCABULARY = 0.90
"""Quantile of the share of unknown words among correct rows."""
LONG, SHORT = 0.95, 0.05
"""Quantiles of the number of words among correct rows."""
FEWEST = 20
"""Correct rows from which a quantile or a share over them says what is usual."""
LOW_DENSITY = 0.10
"""Quantile of density among correct rows."""

HEADINGS = ("Actual Label", "Predicted Label", "Confidence Score", "Error Type", "Error Cause", "Potential Solution")
UNKNOWN = "unknown"
_SEPARATOR = "; "
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def mistakes(
    predictions: Columns,
    evidence: Columns,
    *,
    text: Sequence[str] = ("text",),
    labels: Sequence[str] | None = (),
    overlap: str = "",
) -> dict[str, NDArray[np.generic]]:
    """The wrong rows as a table for people, most confident mistakes first (ties: by id).

    Args:
        predictions: ``id``, ``label``, ``predicted``, ``probability`` and the text fields, each [n]; rows without a
            label are left out. With ``correct``, that decides what is wrong, else equality.
        evidence: what ``explain`` knows about the same rows, as far as there is any, each [n].
        text: names of the text fields.
        labels, overlap: see ``explain``.

    Returns:
        ``id``, ``Text`` (or, for a pair, both fields under their own names) and ``HEADINGS``, each [wrong rows].

    Raises:
        ColumnError: if a prediction column is missing.
    """
    needed = ("id", "label", "predicted", "probability", *text)
    missing = [name for name in needed if name not in predictions]
    if missing:
        raise ColumnError(f"expected prediction columns {list(needed)}, found none called {missing}")
    kinds = explain({**evidence, **predictions}, labels=labels, overlap=overlap)
    wrong = np.flatnonzero(_wrong(predictions))
    order = wrong[np.lexsort((predictions["id"][wrong].astype(str), -predictions["probability"][wrong].astype(float)))]
    shown = {"Text": text[0]} if len(text) == 1 else {name: name for name in text}
    table = {"id": predictions["id"], **{heading: predictions[name] for heading, name in shown.items()}}
    values = (predictions["label"], predictions["predicted"], predictions["probability"], *kinds.values())
    table |= dict(zip(HEADINGS, values, strict=True))
    return {name: column[order] for name, column in table.items()}


def explain(
    columns: Columns, *, labels: Sequence[str] | None = (), overlap: str = ""
) -> dict[str, NDArray[np.object_]]:
    """Type, causes and solutions of every wrong row; the empty string for correct and unlabelled ones.

    Args:
        columns: ``label``, ``predicted`` and ``probability``, and any of ``suspect``, ``suggested``,
            ``neighbour_similarity``, ``neighbour_label``, ``negation``, ``rare_share``, ``words``, ``truncated``,
            ``density``; a rule whose columns are missing does not fire. Each [n].
        labels: label names in the order of the codes; of two, the second is the positive one. None: targets are no
            classes but texts.
        overlap: name of the column, [n] in [0, 1], that says how much of a target was said; for targets that are texts.

    Returns:
        ``error_type``, ``error_cause`` and ``solution``, each [n]; several causes are joined with "; ".
    """
    wrong = _wrong(columns)
    right = ~wrong & _labelled(columns)
    found: list[tuple[str, str, Mask]] = [
        (cause, solution, wrong & rule(columns, right))
        for cause, (needs, rule, solution) in CAUSES.items()
        if all(name in columns for name in needs)
    ]
    causes, solutions, types = (np.full(len(wrong), "", dtype=object) for _ in range(3))
    for row in np.flatnonzero(wrong):
        given = [(cause, solution) for cause, solution, mask in found if mask[row]]
        causes[row] = _SEPARATOR.join(cause for cause, _ in given) or UNKNOWN
        solutions[row] = _SEPARATOR.join(dict.fromkeys(solution for _, solution in given)) or _LOOK
        gold, predicted = columns["label"][row], columns["predicted"][row]
        shares = overlap in columns and bool(columns[overlap][row] > 0)
        types[row] = _text_type(gold, predicted, shares=shares) if labels is None else _type(gold, predicted, labels)
    return {"error_type": types, "error_cause": causes, "solution": solutions}


def csv_safe(cell: str) -> str:
    """A cell that spreadsheets show as text: what could start a formula gets an apostrophe in front (OWASP).

    >>> csv_safe("=1+1"), csv_safe("a = b"), csv_safe("")
    ("'=1+1", 'a = b', '')
    """
    return f"'{cell}" if cell.startswith(_RISKY) else cell


def to_csv(table: Columns) -> str:
    """The table as CSV (RFC 4180, header first); text cells and headings pass through ``csv_safe``."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_safe(name) for name in table])
    for row in zip(*(column.tolist() for column in table.values()), strict=True):
        writer.writerow([csv_safe(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def _labelled(columns: Columns) -> Mask:
    return np.array([label is not None for label in columns["label"]], dtype=bool)


def _wrong(columns: Columns) -> Mask:
    right = _flags(columns, "correct") if "correct" in columns else _equal(columns, "label", "predicted")
    return _labelled(columns) & ~right


def _text_type(gold: str, predicted: str, *, shares: bool) -> str:
    if not gold:
        return "should say nothing"
    if not predicted:
        return "said nothing"
    return "partly right" if shares else "no overlap"


def _type(gold: str, predicted: str, labels: Sequence[str]) -> str:
    if len(labels) != 2:
        return f"{gold} -> {predicted}"
    return "false positive" if predicted == labels[1] else "false negative"


def _suspected(columns: Columns, _: Mask) -> Mask:
    return _flags(columns, "suspect")


def _contradicted(columns: Columns, right: Mask) -> Mask:
    """A near neighbour has the predicted label, and the model is sure: the gold label stands alone."""
    near = _numbers(columns, "neighbour_similarity") >= _quantile(
        columns, "neighbour_similarity", right, AGREEING_NEIGHBOUR
    )
    sure = _numbers(columns, "probability") >= _quantile(columns, "probability", right, AGREEING_NEIGHBOUR)
    return near & sure & _equal(columns, "neighbour_label", "predicted")


def _near_duplicate(columns: Columns, _: Mask) -> Mask:
    near = _numbers(columns, "neighbour_similarity") >= NEAR_DUPLICATE
    return near & ~_equal(columns, "neighbour_label", "label")


def _negated(columns: Columns, right: Mask) -> Mask:
    negation = _flags(columns, "negation")
    if right.sum() < FEWEST or not negation.any():
        return np.zeros_like(negation)
    lifted = float(negation[_wrong(columns)].mean()) >= NEGATION_LIFT * float(negation[right].mean())
    return negation & lifted


def _rare(columns: Columns, right: Mask) -> Mask:
    return _numbers(columns, "rare_share") > _quantile(columns, "rare_share", right, RARE_VOCABULARY)


def _truncated(columns: Columns, _: Mask) -> Mask:
    return _flags(columns, "truncated")


def _long(columns: Columns, right: Mask) -> Mask:
    return _numbers(columns, "words") > _quantile(columns, "words", right, LONG)


def _short(columns: Columns, right: Mask) -> Mask:
    return _numbers(columns, "words") < _quantile(columns, "words", right, SHORT)


def _sparse(columns: Columns, right: Mask) -> Mask:
    return _numbers(columns, "density") < _quantile(columns, "density", right, LOW_DENSITY)


def _flags(columns: Columns, name: str) -> Mask:
    """[n] True where the value is true; None and NaN are not."""
    return np.equal(columns[name], True).astype(np.bool_)


def _equal(columns: Columns, one: str, other: str) -> Mask:
    """[n] whether two columns hold the same name."""
    same: Mask = np.equal(columns[one].astype(object), columns[other].astype(object)).astype(np.bool_)
    return same


def _numbers(columns: Columns, name: str) -> NDArray[np.float64]:
    return columns[name].astype(np.float64)


def _quantile(columns: Columns, name: str, right: Mask, quantile: float) -> float:
    """A quantile over the correctly predicted rows; NaN, which nothing exceeds, if too few say what is usual."""
    values = _numbers(columns, name)[right]
    values = values[~np.isnan(values)]
    return float(np.quantile(values, quantile)) if len(values) >= FEWEST else float("nan")


Rule = Callable[[Columns, Mask], Mask]
_LOOK = "read it; if many look alike, collect more rows like them"
_CHECK = "check the label"
CAUSES: Mapping[str, tuple[tuple[str, ...], Rule, str]] = {
    "suspected mislabel": (("suspect",), _suspected, _CHECK),
    "gold label contradicted by a neighbour": (("neighbour_similarity", "neighbour_label"), _contradicted, _CHECK),
    "near-duplicate with another label": (
        ("neighbour_similarity", "neighbour_label"),
        _near_duplicate,
        "compare it with its nearest training row and settle on one label, or teach the difference with more pairs",
    ),
    "negation": (("negation",), _negated, "add training rows with and without the negation"),
    "rare vocabulary": (("rare_share",), _rare, "add training rows with these words"),
    "truncated input": (("truncated",), _truncated, "raise max_length, or put what matters first"),
    "long text": (("words",), _long, "add long training rows, or predict on parts"),
    "short text": (("words",), _short, "add short training rows, or give more context"),
    "unlike the training rows": (("density",), _sparse, "collect training rows of this kind"),
}
"""Cause -> columns it needs, its rule (columns, correct rows) -> [n] rows that meet it, and what to try."""
