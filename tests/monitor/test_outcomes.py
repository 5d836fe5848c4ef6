from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.monitor.histogram import Histogram, suggest_cut
from tunewright.monitor.integrity import Integrity
from tunewright.monitor.outcomes import Agreement, LabelShift, Outcome, accuracy, confidence_sequence, evidence_of_less
from tunewright.monitor.reference import Reference


def told(fold, table, reference=None):
    return fold.report(fold.update(fold.start(reference), pa.table(table)))


def sequence(values, alpha=0.05):
    fold = Outcome(function=lambda column: column, columns=("x",), alpha=alpha)
    return confidence_sequence(fold.update(fold.start(None), pa.table({"x": values}))["counts"], alpha=alpha)


def test_the_interval_misses_at_some_time_in_few_streams():
    random, missed = np.random.default_rng(0), 0
    for _ in range(60):
        values = (random.random(400) < 0.8).astype(float)
        looks = [sequence(values[:stop]) for stop in (10, 25, 50, 100, 200, 400)]
        missed += any(not low <= 0.8 <= high for low, high in looks)
    assert missed <= 6  # 3 expected at most; more than 6 of 60 has a probability of 3 %


def test_the_interval_is_narrow_where_values_vary_little():
    random = np.random.default_rng(0)
    coin = sequence((random.random(1000) < 0.5).astype(float))
    beta = sequence(random.beta(25, 25, size=1000))
    assert 0.05 < coin[1] - coin[0] < 0.16
    assert beta[1] - beta[0] < 0.04
    assert sequence(np.ones(300))[1] == pytest.approx(1, abs=1e-6)


def test_accuracy_waits_for_labels_and_says_when_it_is_worse():
    table = {"predicted": ["a"] * 300, "label": ["a", "b", None] * 100}
    report = told(accuracy("predicted", "label", baseline=0.8), table)
    assert (report["rows"], report["labelled"], report["mean"], report["worse"]) == (300, 200, 0.5, True)
    empty = told(accuracy("predicted", "label"), {"predicted": ["a"], "label": pa.array([None], pa.string())})
    assert (empty["labelled"], empty["mean"]) == (0, None)


def test_evidence_of_less_rarely_grows_by_chance_and_does_when_a_model_is_worse():
    fold, random = accuracy("said", "gts", baseline=0.8), np.random.default_rng(3)

    def most(rate):
        state, found = fold.start(None), 0.0
        for _ in range(20):
            right = random.random(50) < rate
            batch = pa.table({"said": ["a"] * 50, "gts": np.where(right, "a", "b").tolist()})
            state = fold.update(state, batch)
            found = max(found, evidence_of_less(state["counts"], 0.8))
        return found

    assert sum(most(0.8) > 20 for _ in range(60)) <= 5
    assert most(0.7) > 20
    assert fold.report(fold.update(fold.start(None), pa.table({"said": ["a"], "gts": ["b"]})))["evidence"] > 1
    assert fold.report(fold.start(None))["evidence"] == 1.0


def test_a_metric_has_its_own_range():
    fold = Outcome(function=lambda column: column, columns=("x",), low=1, high=5)
    assert told(fold, {"x": [1.0, 5.0, 3.0]})["mean"] == pytest.approx(3)
    with pytest.raises(ColumnError, match=r"in \[1, 5\], found 7"):
        told(fold, {"x": [7.0]})


def test_two_models_are_compared_by_what_they_say():
    report = told(Agreement(first="a", second="b"), {"a": ["x", "x", "y", None], "b": ["x", "z", "z", "x"]})
    assert report["agreement"] == pytest.approx(1 / 3)
    assert report["pairs"].to_pylist()[0] == {"a": "x", "b": "z", "rows": 1}


def test_shares_of_labels_are_estimated_from_predictions():
    random = np.random.default_rng(0)

    def world(share, number):
        label = random.random(number) < share
        predicted = np.where(random.random(number) < 0.8, label, ~label)
        return pa.table({"label": label.astype(int).astype(str), "predicted": predicted.astype(int).astype(str)})

    fold, reference = LabelShift(), Reference.from_table(world(0.5, 4000))
    same, other = (told(fold, world(share, 4000), reference) for share in (0.5, 0.9))
    assert same["p"] > 0.01
    assert other["p"] < 1e-6
    assert other["labels"]["estimated"][1].as_py() == pytest.approx(0.9, abs=0.04)
    with pytest.raises(ColumnError, match="there is none"):
        fold.start(None)


def test_rules_are_counted_with_rows_that_break_them():
    reference = Reference.from_table(pa.table({"n": [0.0, 2.0]}))
    fold = Integrity(non_null=("t", "gone"), ranges={"n": (0, 10)}, z={"n": 3}, schema={"t": "string", "n": "int64"})
    report = told(fold, {"id": ["a", "b", "c"], "t": ["x", None, "y"], "n": [1.0, 50.0, None]}, reference)
    rules = {one["rule"]: (one["rows"], one["ids"]) for one in report["rules"].to_pylist()}
    assert rules == {
        "t is there": (1, ["b"]),
        "gone is there": (3, ["a", "b", "c"]),
        "0 <= n <= 10": (1, ["b"]),
        "n within 3 standard deviations": (1, ["b"]),
        "t is string": (0, []),
        "n is int64": (3, ["a", "b", "c"]),
    }
    assert report["broken"] == 1


def test_quantiles_are_right_to_one_per_cent():
    values = np.random.default_rng(0).lognormal(5, 1, size=5000) * np.where(np.arange(5000) % 10, 1, -1)
    report = told(Histogram(column="x", cut=300), {"x": values})
    for name, share in (("q50", 0.5), ("q95", 0.95)):
        assert report[name] == pytest.approx(np.quantile(values, share, method="inverted_cdf"), rel=0.011)
    assert (report["lowest"], report["highest"]) == (values.min(), values.max())
    assert report["beyond"] == (values > 300).mean()


def test_a_cut_needs_a_spread():
    with pytest.raises(DataError, match="two different"):
        suggest_cut(np.ones(5))
    with pytest.raises(ColumnError, match="count of="):
        told(Histogram(column="x"), {"x": ["a"]})


@pytest.mark.parametrize("seed", range(5))
def test_the_cut_of_short_texts_is_where_few_are_longer(seed):
    lengths = np.random.default_rng(seed).gamma(6, 7, size=1500).round()
    assert 0.01 < suggest_cut(lengths).beyond < 0.2


def test_the_cut_of_long_dialogues(shared_data):
    rows = pq.read_table(shared_data / "samsum.parquet", columns=["dialogue", "split"])
    lengths = pc.utf8_length(rows.filter(pc.equal(rows["split"], "train"))["dialogue"]).to_numpy()
    cut = suggest_cut(lengths)
    assert 800 < cut.elbow < 1700
    assert cut.quantiles[0.98] == pytest.approx(1700, rel=0.1)
