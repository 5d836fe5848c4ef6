"""How good a detector is, and whether one is better than another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from tunewright.analyze.compare import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from common.detecting import Found
    from common.evidence import Truth

RESAMPLES = 1000
FIRST = 100


def figures(found: Found, truth: Truth) -> dict[str, float]:
    """Average precision, AUROC, precision of the first 100, of the first as many as are wrong and of the flags."""
    wrong, score = truth.wrong[truth.known], _score(found, truth)
    order = np.argsort(-score, kind="stable")
    made = {
        "average_precision": float(average_precision_score(wrong, score)),
        "auroc": float(roc_auc_score(wrong, score)),
        f"precision_at_{FIRST}": float(wrong[order[:FIRST]].mean()),
        "precision_at_wrong": float(wrong[order[: wrong.sum()]].mean()),
        "recall_at_twice": float(wrong[order[: 2 * wrong.sum()]].sum() / wrong.sum()),
        "seconds": round(found.seconds, 3),
    }
    if found.flag is not None:
        made |= _flags(found.flag[truth.known], wrong)
    if found.suggested is not None:
        made["suggestion_right"] = float((found.suggested == truth.right)[truth.wrong].mean())
    return {name: round(value, 4) for name, value in made.items()}


def samples(found: dict[str, Found], truth: Truth, *, seed: int) -> dict[str, NDArray[np.float64]]:
    """[resamples] average precision of each detector, over the same bootstrap samples of the rows."""
    wrong = truth.wrong[truth.known]
    draw = np.random.default_rng(seed)
    counts = draw.multinomial(len(wrong), np.full(len(wrong), 1 / len(wrong)), size=RESAMPLES)
    return {name: _resampled(_score(one, truth), wrong, counts) for name, one in found.items()}


def summary(measured: Sequence[dict[str, Any]], ours: Sequence[str]) -> dict[str, Any]:
    """Means over the planted conditions, the worst regret over all, and ours against each of the others."""
    everywhere = [set(one["samples"]) for one in measured]
    names = [name for name in measured[0]["samples"] if all(name in present for present in everywhere)]
    planted = [one for one in measured if not one["figures"]["condition"].endswith("natural")]
    others = [name for name in names if not name.startswith("combined")]
    return {
        "mean_average_precision_planted": {name: _mean(planted, name) for name in names} if planted else {},
        "worst_regret": {name: _regret(measured, name, others) for name in ours},
        "comparisons": {name: _against(measured, name, others) for name in ours},
    }


def ratios(conditions: Sequence[dict[str, Any]], ours: Sequence[str], other: str) -> dict[str, Any]:
    """Average precision of ours over that of a peer that only some conditions have; of means, and by condition."""
    both = [one for one in conditions if other in one["detectors"]]
    each = {f"{one['condition']} {one['seed']}": one["detectors"] for one in both}
    precision = {key: {name: made[name]["average_precision"] for name in (*ours, other)} for key, made in each.items()}
    return {
        name: {
            "of_means": _ratio([(row[name], row[other]) for row in precision.values()]),
            **{key: _ratio([(row[name], row[other])]) for key, row in precision.items()},
        }
        for name in (ours if both else ())
    }


def table(conditions: Sequence[dict[str, Any]]) -> str:
    """Average precision by detector and condition, as Markdown; several seeds are averaged."""
    titles = list(dict.fromkeys(one["condition"] for one in conditions))
    names = list(dict.fromkeys(name for one in conditions for name in one["detectors"]))
    lines = [f"| detector | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    for name in names:
        cells = [
            _cell([one["detectors"].get(name) for one in conditions if one["condition"] == title]) for title in titles
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def sentence(made: dict[str, Any]) -> str:
    """What the comparisons say, in words."""
    return "\n".join(
        f"{name}: worst regret {made['worst_regret'][name]:.3f}; better than "
        f"{sum(one['low'] > 0 for one in rows)} of {len(rows)} others, worse than {sum(one['high'] < 0 for one in rows)}"
        for name, rows in made["comparisons"].items()
    )


def _score(found: Found, truth: Truth) -> NDArray[np.float64]:
    return np.nan_to_num(found.score, nan=-np.inf).clip(-1e9)[truth.known]


def _flags(flag: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> dict[str, float]:
    hits = int((flag & wrong).sum())
    return {
        "flag_precision": hits / max(int(flag.sum()), 1),
        "flag_recall": hits / int(wrong.sum()),
        "flag_f1": 2 * hits / int(flag.sum() + wrong.sum()),
        "flagged_over_wrong": int(flag.sum()) / int(wrong.sum()),
    }


def _resampled(score: NDArray[np.float64], wrong: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """[resamples] average precision where each row counts as often as it was drawn; ties stay in the rows' order."""
    order = np.argsort(-score, kind="stable")
    drawn = counts[:, order]
    hits = drawn * wrong[order]
    precision = np.cumsum(hits, axis=1) / np.maximum(np.cumsum(drawn, axis=1), 1)
    return (hits * precision).sum(axis=1) / np.maximum(hits.sum(axis=1), 1)


def _precision(one: dict[str, Any], name: str) -> float:
    return float(one["figures"]["detectors"][name]["average_precision"])


def _mean(measured: Sequence[dict[str, Any]], name: str) -> float:
    return round(float(np.mean([_precision(one, name) for one in measured])), 4)


def _regret(measured: Sequence[dict[str, Any]], name: str, others: Sequence[str]) -> float:
    """By how much the best single detector beats this one where it does most; means over the seeds of a condition."""
    titles = dict.fromkeys(one["figures"]["condition"] for one in measured)
    groups = [[one for one in measured if one["figures"]["condition"] == title] for title in titles]
    return round(max(max(_mean(group, other) for other in others) - _mean(group, name) for group in groups), 4)


def _against(measured: Sequence[dict[str, Any]], name: str, others: Sequence[str]) -> list[dict[str, Any]]:
    """Differences of mean average precision, resampled over conditions and rows, p by Holm over the others."""
    made = [_difference(measured, name, other) for other in others]
    for one, corrected in zip(made, holm([one["p"] for one in made]), strict=True):
        one["p_holm"] = round(corrected, 4)
    return made


def _difference(measured: Sequence[dict[str, Any]], name: str, other: str) -> dict[str, Any]:
    each = np.stack([one["samples"][name] - one["samples"][other] for one in measured])
    draw = np.random.default_rng(0)
    chosen = draw.integers(len(each), size=(each.shape[1], len(each)))
    resampled = each[chosen, np.arange(each.shape[1])[:, None]].mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    beyond = min((resampled <= 0).mean(), (resampled >= 0).mean())
    return {
        "other": other,
        "difference": round(_mean(measured, name) - _mean(measured, other), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "p": round(float(min(1.0, 2 * max(beyond, 1 / len(resampled)))), 4),
    }


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return round(sum(one for one, _ in pairs) / sum(other for _, other in pairs), 4)


def _cell(found: Sequence[dict[str, float] | None]) -> str:
    present = [one["average_precision"] for one in found if one]
    return f"{np.mean(present):.3f}" if present else "–"
