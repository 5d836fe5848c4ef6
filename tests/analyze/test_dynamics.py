from __future__ import annotations

import gzip
import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from tunewright.analyze import dynamics
from tunewright.columns import COLUMNS

NAN = np.nan

shapes = st.tuples(st.integers(1, 8), st.integers(1, 6))
probabilities = shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1) | st.just(NAN)))
flags = shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0, NAN])))


def test_data_map_by_hand():
    given_columns = dynamics.data_map(
        gold_probability=np.array([[0.2, 0.4, 0.9], [0.5, NAN, 0.7], [NAN, NAN, NAN]]),
        correct=np.array([[0, 0, 1], [1, NAN, 1], [NAN, NAN, NAN]]),
    )
    np.testing.assert_allclose(given_columns["confidence"], [0.5, 0.6, NAN])
    # deviations -.3, -.1, .4: squares sum to .26
    np.testing.assert_allclose(given_columns["variability"], [math.sqrt(0.26 / 3), 0.1, NAN])
    np.testing.assert_allclose(given_columns["correctness"], [1 / 3, 1, NAN])
    assert given_columns["epochs_seen"].tolist() == [3, 2, 0]


def test_only_the_first_epochs():
    columns = dynamics.data_map(
        gold_probability=np.array([[0.2, 0.4, 0.9]]), correct=np.array([[0.0, 0.0, 1.0]]), first=2
    )
    assert columns["confidence"] == pytest.approx([0.3])
    assert columns["correctness"] == pytest.approx([0])
    assert columns["epochs_seen"].tolist() == [2]


def test_variability_with_interval():
    columns = dynamics.data_map(gold_probability=np.array([[0.0, 1.0]]), correct=np.ones((1, 2)), with_interval=True)
    assert columns["variability"] == pytest.approx([math.sqrt(0.25 + 0.25**2 / 1)])


def test_confidence_is_of_the_gold_class_not_of_the_largest():
    """A mislabelled row is predicted with certainty, as something else: it must not look easy."""
    columns = dynamics.data_map(gold_probability=np.array([[0.01, 0.02, 0.01]]), correct=np.zeros((1, 3)))
    assert columns["confidence"][0] < 0.02


@pytest.mark.parametrize(
    ("correct", "events", "never"),
    [
        ([1, 0, 1, 0], 2, False),
        ([0, 0, 0, 0], 0, True),
        ([0, 1, 1, 1], 0, False),
        ([1, NAN, 0, 1], 1, False),
        ([0, NAN, NAN, 0], 0, True),
        ([NAN, NAN, NAN, NAN], 0, False),
    ],
)
def test_forgetting_by_hand(correct, events, never):
    columns = dynamics.forgetting(correct=np.array([correct], dtype=float))
    assert columns["forgetting"].tolist() == [events]
    assert columns["never_learnt"].tolist() == [never]


def test_aum_by_hand():
    margin = np.array([[-3.0, 1.0, 2.0], [1.0, NAN, NAN]])
    np.testing.assert_allclose(dynamics.aum(margin=margin)["aum"], [0, 1])
    np.testing.assert_allclose(dynamics.aum(margin=margin, skip=1)["aum"], [1.5, NAN])
    np.testing.assert_allclose(dynamics.aum(margin=margin, first=2)["aum"], [-1, 1])


def test_el2n_from_the_stored_statistics_is_the_norm_of_the_error():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])  # two epochs of one example with gold class 0
    expected = np.mean([np.linalg.norm(row - [1, 0, 0]) for row in p])
    columns = dynamics.el2n(gold_probability=p[None, :, 0], sum_of_squares=(p**2).sum(axis=1)[None])
    assert columns["el2n"] == pytest.approx([expected])


def test_el2n_looks_at_the_first_epochs_only():
    columns = dynamics.el2n(gold_probability=np.array([[1.0, 0.0]]), sum_of_squares=np.ones((1, 2)), first=1)
    assert columns["el2n"].tolist() == [0]


def test_closeness_by_hand():
    columns = dynamics.closeness(gold_probability=np.array([[0.2, 0.4], [0.5, 0.5]]))
    np.testing.assert_allclose(columns["closeness"], [0.21, 0.25])


@given(probabilities)
def test_columns_stay_in_their_ranges(p):
    correct = np.where(np.isnan(p), NAN, p > 0.5)
    columns = {
        **dynamics.data_map(gold_probability=p, correct=correct),
        **dynamics.forgetting(correct=correct),
        **dynamics.closeness(gold_probability=p),
    }
    for name, values in columns.items():
        known = values[~np.isnan(values)]
        low, high = COLUMNS[name].low, COLUMNS[name].high
        assert low is None or (known >= low).all()
        assert high is None or (known <= high + 1e-12).all()


@given(probabilities, st.randoms(use_true_random=False))
def test_the_order_of_epochs_does_not_change_the_map(p, random):
    order = list(range(p.shape[1]))
    random.shuffle(order)
    correct = np.where(np.isnan(p), NAN, p > 0.5)
    one = dynamics.data_map(gold_probability=p, correct=correct)
    other = dynamics.data_map(gold_probability=p[:, order], correct=correct[:, order])
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-12)


@given(flags)
def test_forgetting_equals_a_plain_loop(correct):
    def events(row):
        seen = [value for value in row if not math.isnan(value)]
        return sum(before == 1 and after == 0 for before, after in pairwise(seen))

    columns = dynamics.forgetting(correct=correct)
    assert columns["forgetting"].tolist() == [events(row) for row in correct]


def test_the_map_of_published_dynamics_equals_a_plain_loop(shared_data):
    """AllenAI's sample of the interchange format, scored as their code does: one example at a time."""
    examples = _sample(shared_data / "cartography")
    p, correct = np.full((2, len(examples), 5), NAN)
    expected = []
    for row, epochs in enumerate(examples.values()):
        chances, right = [], 0
        for epoch, (logits, gold) in epochs.items():
            weights = [math.exp(value) for value in logits]
            p[row, epoch] = np.exp(logits[gold]) / np.exp(logits).sum()
            correct[row, epoch] = np.argmax(logits) == gold
            chances.append(weights[gold] / sum(weights))
            right += logits.index(max(logits)) == gold
        mean = sum(chances) / len(chances)
        spread = math.sqrt(sum((chance - mean) ** 2 for chance in chances) / len(chances))
        expected.append((mean, spread, right / len(chances), len(chances)))
    columns = dynamics.data_map(gold_probability=p, correct=correct)
    np.testing.assert_allclose(np.stack(list(columns.values()), axis=1), expected, atol=1e-12)


def test_a_published_map_has_the_published_quantiles(shared_data):
    """WinoGrande with RoBERTa-large (Swayamdipta et al. 2020)."""
    with gzip.open(shared_data / "cartography" / "winogrande_roberta_map.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    columns = {name: np.array([row[name] for row in rows]) for name in ("confidence", "variability", "correctness")}
    assert (columns["correctness"] == 6).mean() == pytest.approx(0.616, abs=0.0005)
    assert np.median(columns["confidence"]) == pytest.approx(0.915, abs=0.0005)
    assert np.quantile(columns["variability"], 2 / 3) == pytest.approx(0.190, abs=0.0005)


def _sample(folder):
    """guid -> epoch -> logits and gold label; not every example is in every epoch."""
    examples = {}
    for epoch in range(5):
        for row in map(json.loads, (folder / f"dynamics_epoch_{epoch}.jsonl").read_text().splitlines()):
            examples.setdefault(row["guid"], {})[epoch] = (row[f"logits_epoch_{epoch}"], row["gold"])
    return examples
