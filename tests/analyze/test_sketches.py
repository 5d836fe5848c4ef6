from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.sketches import QuantileSketch, g_test, ks_test
from tunewright.errors import DataError


def test_few_values_are_exact():
    values = np.random.default_rng(0).standard_normal(1000)
    sketch = QuantileSketch.of(values)
    assert sketch.error == 0
    assert sketch.quantile(0.5) == np.sort(values)[499]
    np.testing.assert_allclose(sketch.cdf(values), (values[:, None] >= values).mean(axis=1))


@pytest.mark.parametrize("make", ["standard_normal", "exponential", "ordered", "ties"])
def test_many_values_are_as_exact_as_the_sketch_says(make):
    random = np.random.default_rng(1)
    count = 100_000
    values = {"ordered": np.arange(count), "ties": random.integers(30, size=count)}.get(make)
    values = getattr(random, make)(size=count) if values is None else values
    sketch = QuantileSketch()
    for start in range(0, count, 700):
        sketch = sketch.add(values[start : start + 700])
    at = np.quantile(values, np.linspace(0, 1, 101))
    true = np.searchsorted(np.sort(values), at, side="right") / count
    assert np.abs(sketch.cdf(at) - true).max() <= sketch.error < 0.01
    assert sum(map(len, sketch.levels)) < 6000
    assert (sketch.count, sketch.low, sketch.high) == (count, values.min(), values.max())


def test_merged_sketches_are_as_exact():
    random = np.random.default_rng(2)
    parts = [random.exponential(size=size) for size in (10, 3000, 50_000, 1)]
    merged = QuantileSketch()
    for part in parts:
        merged = merged.merge(QuantileSketch.of(part))
    values = np.concatenate(parts)
    assert merged.count == len(values) == merged.weighted()[1].sum()
    at = np.quantile(values, np.linspace(0.01, 0.99, 50))
    assert (
        np.abs(merged.cdf(at) - np.searchsorted(np.sort(values), at, side="right") / len(values)).max() <= merged.error
    )


def test_small_sketches_merge_in_any_order():
    a, b, c = (QuantileSketch.of(np.random.default_rng(seed).standard_normal(200)) for seed in range(3))
    one, other = a.merge(b).merge(c), c.merge(a.merge(b))
    assert (np.sort(one.levels[0]) == np.sort(other.levels[0])).all()


def test_what_is_no_number_is_left_out():
    sketch = QuantileSketch.of(np.array([np.nan, 1.0, np.inf, 2.0]))
    assert (sketch.count, sketch.low, sketch.high) == (2, 1.0, 2.0)
    with pytest.raises(DataError, match="found none"):
        QuantileSketch.of(np.array([np.nan])).quantile(0.5)


def test_equal_distributions_are_seldom_told_apart():
    random = np.random.default_rng(3)
    known = [QuantileSketch.of(random.standard_normal(3000)) for _ in range(10)]
    p = [ks_test(QuantileSketch.of(random.standard_normal(300)), one).p for one in known for _ in range(50)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.07


def test_a_shift_is_seen_through_a_sketch():
    random = np.random.default_rng(4)
    found = ks_test(QuantileSketch.of(random.normal(0.3, 1, 400)), QuantileSketch.of(random.standard_normal(50_000)))
    assert found.p < 1e-4
    assert 0.08 < found.effect < 0.2


def test_equal_shares_are_seldom_told_apart():
    random = np.random.default_rng(5)
    shares = random.dirichlet(np.full(40, 0.5))
    p = [g_test(random.multinomial(200, shares), random.multinomial(4000, shares)).p for _ in range(2000)]
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.07


def test_other_shares_are():
    found = g_test(np.array([80, 20, 0]), np.array([500, 500, 0]))
    assert found.p < 1e-6
    assert found.effect == pytest.approx(0.172, abs=0.02)


@pytest.mark.parametrize("counts", [([5], [9]), ([0, 0], [3, 4]), ([1, 1], [1, 1])])
def test_too_few_rows_say_nothing(counts):
    assert g_test(*map(np.array, counts)).p > 0.5
