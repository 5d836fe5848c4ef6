"""Lints of what lies around a model: targets, encoding, and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tunewright.analyze.lint_rows import TRAIN, Lint, Mask, Rows, Values, finding
from tunewright.metrics.squad import normalise

__all__ = [
    "answers_elsewhere",
    "lost_answers",
    "no_attention_mask",
    "punished_form",
    "stopped_by_length",
    "trained_on_evaluation",
    "truncated",
    "truncated_targets",
]

_EXAMPLES = 3
"""Shown in a message."""
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛“”„‟«»‹›`´–—…", ""))


def answers_elsewhere(rows: Rows) -> Iterable[Lint]:
    """A gold answer that the context does not hold at the character where it is said to begin."""
    if rows.context is None or rows.answers is None or rows.starts is None:
        return
    given = zip(rows.context.tolist(), rows.answers.tolist(), rows.starts.tolist(), strict=True)
    yield from finding(
        rows,
        np.array([not _at_their_places(*one) for one in given], dtype=bool),
        ("answers not at their offset", "error"),
        "rows have an answer that the context does not hold at its start",
        "correct the starts (counted in characters from 0) or drop the rows: other words would be taught",
    )


def truncated(rows: Rows) -> Iterable[Lint]:
    """Inputs longer than the model reads."""
    if rows.lengths is None or rows.max_length is None:
        return
    yield from finding(
        rows,
        rows.lengths > rows.max_length,
        ("truncated inputs", "warning"),
        f"rows are longer than {rows.max_length} tokens and are cut",
        "raise max_length as far as the model allows, or make sure that what matters comes first",
    )


def lost_answers(rows: Rows) -> Iterable[Lint]:
    """Gold answers that no window holds."""
    yield from finding(
        rows,
        _among(rows, rows.lost or ()),
        ("answers lost to windows", "warning"),
        "rows have a gold answer that none of their windows holds; they are not trained on",
        "raise the stride or max_length until every answer fits into a window",
    )


def truncated_targets(rows: Rows) -> Iterable[Lint]:
    """Gold targets longer than the task reads."""
    yield from finding(
        rows,
        _among(rows, rows.cut_targets or ()),
        ("truncated targets", "warning"),
        "rows have a gold target that is longer than the task reads: its end is cut, and never learnt",
        "raise max_target_length of the task in project.py, or shorten the targets; texts that are written end early too",
    )


def no_attention_mask(rows: Rows) -> Iterable[Lint]:
    """Padding that the model takes for text."""
    if rows.unmasked:
        message = "padded batches have no attention mask: the model reads the padding"
        advice = "let the collator give attention_mask; without it, a result depends on what else is in the batch"
        yield Lint("missing attention mask", "error", len(rows.id), message, (), advice)


def trained_on_evaluation(rows: Rows) -> Iterable[Lint]:
    """Evaluation rows whose ids the model was trained on."""
    yield from finding(
        rows,
        _among(rows, rows.trained or ()) & (rows.split != TRAIN),
        ("trained on evaluation rows", "error"),
        "evaluation rows have ids that the model was trained on",
        "leave them out of the evaluation, or train again without them: the score is too high",
    )


def stopped_by_length(rows: Rows) -> Iterable[Lint]:
    """Generated texts that were cut, and how many of each split."""
    if rows.stop_reason is None:
        return
    cut = np.array([reason == "length" for reason in rows.stop_reason], dtype=bool)
    generated = np.array([reason is not None for reason in rows.stop_reason], dtype=bool)
    splits = sorted(set(rows.split[generated].tolist()))
    shares = ", ".join(f"{name} {cut[generated & (rows.split == name)].mean():.0%}" for name in splits)
    yield from finding(
        rows,
        cut,
        ("generation stopped by length", "warning"),
        f"outputs were cut because they grew too long ({shares})",
        "raise the number of new tokens; if outputs repeat themselves, train longer or penalise length",
    )


def punished_form(rows: Rows) -> Iterable[Lint]:
    """Predictions that a metric counts as wrong though only quotes, case, articles or spacing differ.

    Of the project's own metrics, whose best value is not known, those count as wrong that score no prediction equal to
    a gold target as they score these.
    """
    if rows.predicted is None:
        return
    said, golds = rows.predicted.tolist(), _golds(rows)
    pairs = list(zip(said, golds, strict=True))
    alike = np.array([_same_but_for_form(*pair) for pair in pairs], dtype=bool)
    exact = np.array([one in accepted for one, accepted in pairs], dtype=bool)
    wrong = {} if rows.correct is None else {"metric": rows.correct.astype(np.float64) < 1}
    wrong |= {name: _outside(values, exact) for name, values in rows.scores.items()}
    for name, bad in wrong.items():
        found = alike & bad & ~exact
        examples = "; ".join(f"{said[row]!r} for {golds[row][0]!r}" for row in np.flatnonzero(found)[:_EXAMPLES])
        yield from finding(
            rows,
            found,
            (f"{name} punishes form", "warning"),
            f"predictions are right but for quotes, case, articles or spacing, and count as wrong: {examples}",
            "normalise predictions and targets before the metric compares them",
        )


def _outside(scores: Values, exact: Mask) -> Mask:
    """Scores that are worse, or better, than those of all exact predictions; none if nothing is exact."""
    scores = scores.astype(np.float64)
    known = scores[exact & np.isfinite(scores)]
    return (scores < known.min()) | (scores > known.max()) if len(known) else np.zeros(len(scores), dtype=bool)


def _at_their_places(context: str | None, answers: Sequence[str] | None, starts: Sequence[int] | None) -> bool:
    if len(answers or ()) != len(starts or ()):
        return False
    pairs = zip(answers or (), starts or (), strict=True)
    return all(start >= 0 and (context or "").startswith(answer, start) for answer, start in pairs)


def _among(rows: Rows, ids: Iterable[str]) -> Mask:
    wanted = frozenset(ids)
    return np.array([name in wanted for name in rows.id.tolist()], dtype=bool)


def _golds(rows: Rows) -> list[list[str]]:
    """[n] lists of accepted targets; none where there is no label."""
    values: Values = rows.label if rows.answers is None else rows.answers
    return [[] if gold is None else [gold] if isinstance(gold, str) else list(gold) for gold in values.tolist()]


def _same_but_for_form(said: str | None, golds: Iterable[str]) -> bool:
    if said is None or not (bare := _bare(said)):
        return False
    return any(bare == _bare(gold) for gold in golds)


def _bare(text: str) -> str:
    return normalise(text.translate(_QUOTES)).replace(" ", "")
