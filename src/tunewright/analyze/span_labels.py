"""Answers that look wrong: what a model says in place of the gold span, and how training argued against it.

Direction: more ``suspicion`` means more likely wrong. An answer that differs from the gold one in case, punctuation
or articles alone is no wrong label, and one that overlaps it is a matter of where the answer ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.dynamics import row_mean
from tunewright.analyze.ranks import rank_scores, z_scores
from tunewright.metrics.squad import f1, normalise

__all__ = ["SPAN_VOTES", "Reading", "read", "suspect_spans"]

Floats = NDArray[np.floating]

SPAN_VOTES = ("vote_training", "vote_elsewhere", "vote_unlearnt", "vote_place", "vote_apart")
"""The detectors, each a flag of its own; the last two say that a span is ambiguous, and flag no row by themselves."""

SURE = 0.5
"""Probability from which the model is held to say something with certainty."""
UNLEARNT = 0.1
"""Gold probability that a row stays below in every epoch where its answer was not learnt."""
NEEDED = 2
"""Votes of training, elsewhere and unlearnt that flag a row."""

_SMALLEST = 1e-6  # probability; less is as little


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a model's best answers say about the gold ones of a row.

    Attributes:
        rival: the best answer that shares no place and no word order with a gold one; None if there is none.
        rival_probability: of the rival, in [0, 1].
        gold_probability: of the answers that overlap a gold one, together, in [0, 1].
        normalised: the best answer is a gold one but for case, punctuation and articles, and not as it stands.
        place: where the words of a gold answer stand again, with more probability than the gold place; None: nowhere.
        apart: there are several gold answers, and two of them share no place and no word.
    """

    rival: str | None
    rival_probability: float
    gold_probability: float
    normalised: bool
    place: int | None
    apart: bool


def read(n_best: Sequence[Mapping[str, Any]], golds: Sequence[str], starts: Sequence[int] | None = None) -> Reading:
    """Compare the best answers of a model with the gold ones.

    Args:
        n_best: answers with ``text``, ``start`` (characters) and ``probability``, best first.
        golds: texts of the gold answers; empty for a question without answer.
        starts: where they start in the context; None: only words are compared.
    """
    places = list(zip(starts, golds, strict=True)) if starts is not None else []
    agreeing = [_overlaps(answer, golds, places) for answer in n_best]
    again = [_is_same(answer["text"], golds) for answer in n_best]
    rivals = [answer for answer, near, same in zip(n_best, agreeing, again, strict=True) if not near and not same]
    elsewhere = [answer for answer, near, same in zip(n_best, agreeing, again, strict=True) if same and not near]
    gold = _together(answer for answer, near in zip(n_best, agreeing, strict=True) if near)
    first = n_best[0]["text"] if n_best else ""
    return Reading(
        rival=rivals[0]["text"] if rivals else None,
        rival_probability=float(rivals[0]["probability"]) if rivals else 0.0,
        gold_probability=min(1.0, gold + _together(elsewhere)),
        normalised=bool(again and again[0]) and first not in golds,
        place=int(elsewhere[0]["start"]) if elsewhere and elsewhere[0]["probability"] > gold else None,
        apart=_apart(golds, places),
    )


def suspect_spans(
    *,
    readings: Sequence[Reading],
    margin: Floats,
    gold_probability: Floats,
) -> dict[str, NDArray[np.generic]]:
    """Rank rows by how much the model and its training argue against the gold answer.

    Three kinds of evidence, z-scored over the rows and averaged with equal weights: the mean margin over the epochs
    (AUM, Pleiss et al. 2020), the mean log gold probability over the epochs, and the log odds of the rival against the
    gold answers in the last model's list. The first epoch is left out when there are three or more.

    A row is flagged when two of these three agree: something beat the gold span in every epoch (``vote_training``);
    the finished model gives another answer with more probability than the gold one (``vote_elsewhere``); the gold
    probability stayed below ``UNLEARNT`` in all epochs while the model is sure of another answer (``vote_unlearnt``).
    The rule was chosen on 250 rows of SQuAD with planted answers, where it flags 19 and finds 15 of 21 wrong ones; on
    other data it will do less well.

    Args:
        readings: [n] what `read` says.
        margin: [n, epochs] of training, NaN where not seen.
        gold_probability: [n, epochs] of training, NaN where not seen.

    Returns:
        [n] ``suspicion`` in (0, 1), NaN for rows never seen; ``suspect``; ``suggested`` and its
        ``suggested_probability``, None and NaN where there is no rival; ``votes``, how many of ``SPAN_VOTES``, each a
        flag; ``evidence`` in words, empty for none.
    """
    start = 1 if margin.shape[1] >= 3 else 0
    margin, learnt = margin[:, start:], gold_probability[:, start:]
    rival = np.array([reading.rival_probability for reading in readings], dtype=np.float64)
    gold = np.array([reading.gold_probability for reading in readings], dtype=np.float64)
    same = np.array([reading.normalised for reading in readings], dtype=bool)
    odds = np.log(np.maximum(rival, _SMALLEST)) - np.log(np.maximum(gold, _SMALLEST))
    logs = row_mean(np.log(np.maximum(learnt, _SMALLEST)))
    suspicion = rank_scores((z_scores(odds) - z_scores(row_mean(margin)) - z_scores(logs)) / 3)
    seen = ~np.isnan(margin).all(axis=1)
    ahead = (rival > gold) & ~same
    found = {
        "vote_training": seen & ~(margin >= 0).any(axis=1) & ~same,
        "vote_elsewhere": ahead,
        "vote_unlearnt": seen & ahead & (rival >= SURE) & ~(learnt >= UNLEARNT).any(axis=1),
        "vote_place": np.array([reading.place is not None for reading in readings], dtype=bool),
        "vote_apart": np.array([reading.apart for reading in readings], dtype=bool),
    }
    against = np.sum([found[name] for name in SPAN_VOTES[:3]], axis=0)
    names = [reading.rival for reading in readings]
    return {
        "suspicion": suspicion,
        "suspect": seen & (against >= NEEDED),
        "suggested": np.array([*names, None], dtype=object)[:-1],
        "suggested_probability": np.where([name is not None for name in names], rival, np.nan),
        "votes": np.sum(list(found.values()), axis=0),
        **found,
        "evidence": _evidence(readings, found),
    }


def _evidence(readings: Sequence[Reading], found: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.object_]:
    return np.array(
        [_words(reading, {name for name in found if found[name][row]}) for row, reading in enumerate(readings)] + [""],
        dtype=object,
    )[:-1]


def _words(reading: Reading, votes: set[str]) -> str:
    """What speaks against a row, in words."""
    if reading.normalised:
        return "the model says the same but for case, punctuation or articles"
    said = {
        "vote_training": "another span beat the gold one in every epoch",
        "vote_elsewhere": f"another answer has probability {reading.rival_probability:.2f}, the gold one "
        f"{reading.gold_probability:.2f}",
        "vote_unlearnt": "the gold answer was never learnt",
        "vote_place": f"the same words at character {reading.place} are likelier",
        "vote_apart": "the gold answers have nothing in common",
    }
    return "; ".join(text for name, text in said.items() if name in votes)


def _overlaps(answer: Mapping[str, Any], golds: Sequence[str], places: Sequence[tuple[int, str]]) -> bool:
    """Whether an answer shares a character's place with a gold one; without places, a word."""
    text = answer["text"]
    if not text or not golds:
        return not text and not golds
    if not places:
        return f1(text, golds) > 0
    first, end = answer["start"], answer["start"] + len(text)
    return any(first < start + len(gold) and start < end for start, gold in places)


def _is_same(text: str, golds: Sequence[str]) -> bool:
    return normalise(text) in {normalise(gold) for gold in golds or [""]}


def _together(answers: Any) -> float:
    return float(sum(answer["probability"] for answer in answers))


def _apart(golds: Sequence[str], places: Sequence[tuple[int, str]]) -> bool:
    """Whether two gold answers share neither a place nor a word."""
    pairs = ((one, other) for one in range(len(golds)) for other in range(one))
    return any(
        f1(golds[one], [golds[other]]) == 0
        and not (places and _overlaps({"text": golds[one], "start": places[one][0]}, golds, [places[other]]))
        for one, other in pairs
    )
