"""How good the model is, once labels come: intervals that hold at any time, and what the predictions alone say.

The confidence sequence is that of betting (Waudby-Smith and Ramdas 2023) with a mixture of constant bets: for a mean m
of values in [0, 1], the wealth of one who bets the share f of it on "the mean is higher" is the product of
1 + f (x / m - 1), which is a martingale if the mean is m. Its mean over several f exceeds 2 / alpha at any time with a
probability of alpha / 2 at most (Ville 1939), so means for which it does are too low; "lower" works likewise. Wealth does
not depend on the order of the values, so their counts are all that a state holds, and states merge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import logsumexp

from tunewright.errors import ColumnError
from tunewright.monitor.monitors import Report, fingerprint
from tunewright.monitor.state import CONSTANT, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["Agreement", "LabelShift", "Outcome", "accuracy", "confidence_sequence", "evidence_of_less"]

_EDGES = 1000  # the interval is wider than of exact values by this part of the range at most
_BETS = np.geomspace(1e-4, 0.95, 24)
_STEPS = 30
_MOST = 1e200  # evidence, which is a number in JSON, too


def confidence_sequence(counts: NDArray[np.int64], *, alpha: float = 0.05) -> tuple[float, float]:
    """An interval for a mean that holds at all times at once with a probability of 1 - ``alpha``.

    Args:
        counts: [2001] of values in [0, 1]: place 2k counts the value k / 1000, and 2k + 1 those between it and the next.
        alpha: in (0, 1).
    """
    places = np.flatnonzero(counts)
    weights = counts[places].astype(np.float64)
    low_ends, high_ends = places // 2 / _EDGES, (places + 1) // 2 / _EDGES
    low = _lowest(low_ends, weights, alpha / 2)
    return low, 1 - _lowest(1 - high_ends, weights, alpha / 2)


def evidence_of_less(counts: NDArray[np.int64], mean: float) -> float:
    """Evidence that the mean of values is less: above a limit at some time, if it is not, in one stream of so many.

    Args:
        counts: [2001] of values in [0, 1], as in `confidence_sequence`.
        mean: in [0, 1].

    Returns:
        wealth of a bet on less, in [0, inf).
    """
    if mean >= 1:
        return _MOST if counts[:-1].sum() else 1.0
    places = np.flatnonzero(counts)
    wealth = _log_wealth(1 - (places + 1) // 2 / _EDGES, counts[places].astype(np.float64), 1 - mean)
    return float(np.exp(min(wealth, np.log(_MOST))))


def _lowest(values: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> float:
    """The largest mean, found by halving, at which the wealth of a bet on a higher one is large."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        enough = _log_wealth(values, weights, middle) >= -np.log(alpha)
        low, high = (middle, high) if enough else (low, middle)
    return low


def _log_wealth(values: NDArray[np.float64], weights: NDArray[np.float64], mean: float) -> float:
    """Of who bets that the mean of values is higher, with all bets alike."""
    gains = np.log1p(_BETS[:, None] * (values / mean - 1)) @ weights
    return float(logsumexp(gains)) - float(np.log(len(_BETS)))


def accuracy(predicted: str, truth: str, **settings: Any) -> Outcome:
    """The share of rows whose prediction is the ground truth."""
    settings = {"called": "accuracy", **settings}
    return Outcome(function=_equal, columns=(predicted, truth), **settings)


def _equal(predicted: pa.ChunkedArray, truth: pa.ChunkedArray) -> Any:
    return pc.equal(predicted, truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A fold: the mean of a metric with an interval that may be looked at after every row.

    Rows without a value, as those without ground truth, are counted and wait for their labels. The interval is for a
    mean that stays; of one that moves, look at windows.

    Attributes:
        function: of the columns as Arrow arrays to [n] numbers or booleans, missing where they say nothing.
        columns: that it gets.
        low, high: range of the metric; values beyond it are an error.
        baseline: the mean that the model had; ``worse`` is that all of the interval lies below it.
        alpha: the interval is wrong at some time with this probability at most.
        called: name of the fold.
    """

    function: Callable[..., Any]
    columns: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    baseline: float | None = None
    alpha: float = 0.05
    called: str = "outcome"

    @property
    def name(self) -> str:
        return self.called

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.columns)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        return {"rows": 0, "counts": np.zeros(2 * _EDGES + 1, dtype=np.int64), "sum": 0}

    def update(self, state: State, rows: pa.Table) -> State:
        values = self._values(rows)
        scaled = (values[np.isfinite(values)] - self.low) / (self.high - self.low)
        state["rows"] += rows.num_rows
        state["sum"] += int(np.round(scaled * 2**40).astype(np.int64).sum())
        state["counts"] += np.bincount(_places(scaled), minlength=2 * _EDGES + 1)
        return state

    def merge(self, a: State, b: State) -> State:
        """Of two states; neither is changed."""
        return {name: a[name] + b[name] for name in a}

    def report(self, state: State) -> Report:
        """``mean``, ``lower`` and ``upper`` in the unit of the metric, rows that are ``labelled``; with a baseline
        ``worse``, and ``evidence`` that it is, in [0, inf): it exceeds 20 at any time in one quiet stream of twenty.
        """
        labelled = int(state["counts"].sum())
        told: Report = {"rows": state["rows"], "labelled": labelled, "mean": None, "lower": None, "upper": None}
        if labelled:
            ends = confidence_sequence(state["counts"], alpha=self.alpha)
            mean, lower, upper = (
                self.low + (self.high - self.low) * end for end in (state["sum"] / 2**40 / labelled, *ends)
            )
            told |= {"mean": mean, "lower": lower, "upper": upper}
        if self.baseline is not None:
            against = evidence_of_less(state["counts"], (self.baseline - self.low) / (self.high - self.low))
            worse = bool(labelled) and told["upper"] < self.baseline
            told |= {"baseline": self.baseline, "worse": worse, "evidence": against}
        return told

    def _values(self, rows: pa.Table) -> NDArray[np.float64]:
        given = self.function(*(rows[name] for name in self.columns))
        if isinstance(given, pa.Array | pa.ChunkedArray):
            given = pc.cast(given, pa.float64()).to_numpy(zero_copy_only=False) if len(given) else []
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (rows.num_rows,):
            raise ColumnError(f"expected {rows.num_rows} values of {self.name!r}, found shape {list(values.shape)}")
        if np.any((values < self.low) | (values > self.high)):
            wrong = values[(values < self.low) | (values > self.high)][0]
            raise ColumnError(
                f"expected values of {self.name!r} in [{self.low:g}, {self.high:g}], found {wrong:g}",
                fix="say the range of the metric with low= and high=",
            )
        return values


def _places(scaled: NDArray[np.float64]) -> NDArray[np.int64]:
    cells = np.floor(scaled * _EDGES).astype(np.int64)
    return 2 * cells + (scaled * _EDGES > cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A fold: how often two models say the same, and the pairs of answers in which they differ most often."""

    first: str
    second: str
    top: int = 20

    @property
    def name(self) -> str:
        return f"{self.first} and {self.second}"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.first, self.second})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        return {"rows": 0, "same": 0, "pairs": Counter()}

    def update(self, state: State, rows: pa.Table) -> State:
        pairs = zip(*(rows[name].to_pylist() for name in (self.first, self.second)), strict=True)
        both = [(str(a), str(b)) for a, b in pairs if a is not None and b is not None]
        state["rows"] += len(both)
        state["same"] += sum(a == b for a, b in both)
        state["pairs"].update(pair for pair in both if pair[0] != pair[1])
        return state

    def merge(self, a: State, b: State) -> State:
        """Of two states; neither is changed."""
        return {name: a[name] + b[name] for name in a}

    def report(self, state: State) -> Report:
        """``agreement`` in [0, 1], and ``pairs``: the two answers, and rows."""
        pairs = sorted(state["pairs"].items(), key=lambda item: (-item[1], item[0]))[: self.top]
        told = [{self.first: a, self.second: b, "rows": rows} for (a, b), rows in pairs]
        share = state["same"] / state["rows"] if state["rows"] else None
        schema = pa.schema([(self.first, pa.string()), (self.second, pa.string()), ("rows", pa.int64())])
        return {"rows": state["rows"], "agreement": share, "pairs": pa.Table.from_pylist(told, schema=schema)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShift:
    """A fold: whether the labels are other ones, told from predictions alone (BBSD, Lipton et al. 2018).

    The predictions of production are compared with those of the same model on the reference, by a G-test, and with the
    confusion of the model there the shares of the true labels are estimated. The reference must be of rows that the
    model was not trained on, as it is surer of those.

    Attributes:
        predicted: column of production, and of the reference.
        truth: column of the reference.
    """

    predicted: str = "predicted"
    truth: str = "label"

    @property
    def name(self) -> str:
        return f"labels by {self.predicted}"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.predicted})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        if reference is None:
            raise ColumnError(
                "the shift of labels is one from the reference, and there is none",
                fix="give the monitor `reference=Reference.from_run(run, split='validation')`",
            )
        columns = [reference.column(name).to_pylist() for name in (self.predicted, self.truth)]
        pairs = [(a, b) for a, b in zip(*columns, strict=True) if a is not None and b is not None]
        labels = sorted({label for pair in pairs for label in pair})
        confusion = np.zeros((len(labels), len(labels)))
        np.add.at(confusion, tuple(np.array([[labels.index(one) for one in pair] for pair in pairs]).T), 1)
        return {CONSTANT: {"labels": labels, "confusion": confusion}, "rows": 0, "counts": Counter()}

    def update(self, state: State, rows: pa.Table) -> State:
        state["rows"] += rows.num_rows
        state["counts"].update(rows[self.predicted].drop_null().to_pylist())
        return state

    def merge(self, a: State, b: State) -> State:
        """Of two states with the same reference; neither is changed."""
        return {CONSTANT: a[CONSTANT], "rows": a["rows"] + b["rows"], "counts": a["counts"] + b["counts"]}

    def report(self, state: State) -> Report:
        """``p`` of equal shares, their distance in total variation, predictions of no known label, and ``labels``."""
        labels, confusion = state[CONSTANT]["labels"], state[CONSTANT]["confusion"]
        counts = np.array([state["counts"][label] for label in labels], dtype=np.float64)
        unknown = sum(state["counts"].values()) - int(counts.sum())
        then = confusion.sum(axis=1)
        now = counts / max(counts.sum(), 1)
        shares = {"label": labels, "before": (confusion.sum(axis=0) / confusion.sum()).tolist()}
        shares |= {"predicted_before": (then / then.sum()).tolist(), "predicted": now.tolist()}
        table = pa.table({**shares, "estimated": _estimated(confusion, now).tolist()})
        distance = float(np.abs(now - then / then.sum()).sum() / 2) if counts.sum() else None
        return {
            "rows": state["rows"],
            "p": _g_test(then, counts),
            "distance": distance,
            "unknown": unknown,
            "labels": table,
        }


def _estimated(confusion: NDArray[np.float64], now: NDArray[np.float64]) -> NDArray[np.float64]:
    """[labels] shares of the true labels: those that the confusion turns into the shares of the predictions."""
    from scipy.optimize import nnls

    joint = confusion / confusion.sum()
    weights, _ = nnls(joint, now)
    shares: NDArray[np.float64] = weights * joint.sum(axis=0)
    return shares / shares.sum() if shares.sum() else shares


def _g_test(then: NDArray[np.float64], now: NDArray[np.float64]) -> float | None:
    from scipy.stats import chi2_contingency

    table = np.stack([then, now])[:, then + now > 0]
    if now.sum() == 0 or table.shape[1] < 2:
        return None
    return float(chi2_contingency(table, lambda_="log-likelihood", correction=False).pvalue)
