from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from tunewright.analyze.evidence import (
    e_bh,
    e_value,
    evidence,
    false_alarm_threshold,
    first_alarm,
    run_lengths,
)
from tunewright.errors import ComparisonError


def looked(z, *, quarter=90):
    """Looks at windows and runs of them, of which each window tells one number; one-sided normal p-values."""
    from scipy.stats import norm

    rows = []
    for length in run_lengths(quarter):
        runs = len(z) // length
        means = z[: runs * length].reshape(runs, length).sum(axis=1) / np.sqrt(length)
        rows += [((run + 1) * length - 1, length, p) for run, p in enumerate(norm.sf(means))]
    last, length, p = map(np.array, zip(*sorted(rows), strict=True))
    return length, last, p


def test_e_values_have_mean_one():
    assert quad(lambda p: float(e_value(p)), 1e-12, 1, limit=500)[0] == pytest.approx(1, abs=0.05)
    assert (np.diff(e_value(np.linspace(1e-6, 1, 500))) <= 0).all()
    assert np.isfinite(e_value(0.0))


def test_quiet_quarters_raise_few_alarms():
    random = np.random.default_rng(0)
    alarms = [evidence(*looked(random.standard_normal(90))).max() >= 20 for _ in range(400)]
    assert np.mean(alarms) <= 0.05


def test_windows_that_depend_on_each_other_raise_few_alarms():
    """All windows share a deviation, as they do when they are compared with one reference."""
    random = np.random.default_rng(1)
    alarms = []
    for _ in range(400):
        z = (random.standard_normal() + random.standard_normal(90) * 2) / np.sqrt(5)
        length, last, p = looked(z)
        # A run's mean has its own variance, larger than that of independent windows.
        from scipy.stats import norm

        spread = np.sqrt((length + 4) / 5)
        alarms.append(evidence(length, last, norm.sf(norm.isf(p) / spread)).max() >= 20)
    assert np.mean(alarms) <= 0.05


def test_a_large_drift_shows_at_once_and_a_small_one_in_runs():
    random = np.random.default_rng(2)
    length, last, p = looked(random.standard_normal(90) + 6)
    assert last[first_alarm(evidence(length, last, p), 20)] <= 1
    length, last, p = looked(random.standard_normal(90) + 1.5)
    seen = first_alarm(evidence(length, last, p), 20)
    assert seen is not None
    assert last[seen] < 32
    assert length[seen] > 2


def test_late_drift_is_found():
    z = np.random.default_rng(3).standard_normal(90)
    z[64:] += 3
    length, last, p = looked(z)
    assert 64 <= last[first_alarm(evidence(length, last, p), 20)] < 75


def test_evidence_begins_anew_each_quarter():
    p = np.full(20, 1e-9)
    path = evidence(np.ones(20, dtype=int), np.arange(20), p, quarter=10)
    assert path[10] == pytest.approx(path[0])
    assert path[9] == pytest.approx(10 * path[0])


def test_weights_of_a_quarter_add_up_to_one():
    length, last, p = looked(np.zeros(90))
    assert evidence(length, last, np.full(len(p), 0.5))[-1] <= e_value(0.5)


def test_nothing_looked_at():
    assert len(evidence(np.zeros(0, int), np.zeros(0, int), np.zeros(0))) == 0
    assert first_alarm(np.zeros(0), 20) is None
    assert e_bh([]) == ()


def test_thresholds():
    assert false_alarm_threshold(0.05, monitors=3) == pytest.approx(60)
    with pytest.raises(ComparisonError, match="found 2"):
        false_alarm_threshold(2)


def test_of_several_monitors_few_are_wrong():
    random = np.random.default_rng(4)
    wrong = [sum(e_bh(e_value(random.uniform(size=20)).tolist())) > 0 for _ in range(500)]
    assert np.mean(wrong) <= 0.05
    assert e_bh([1e4, *[0.5] * 9]) == (True, *[False] * 9)


def quiet_distances(random, *, reference):
    """p of squared distances of 90 windows, and runs of them, to one reference that is worth so many windows."""
    from scipy.stats import chi2

    windows, centre = random.standard_normal((90, 40)), random.standard_normal(40) / np.sqrt(reference)
    rows = []
    for length in run_lengths(90):
        runs = 90 // length
        means = windows[: runs * length].reshape(runs, length, 40).mean(axis=1)
        p = chi2.sf(((means - centre) ** 2).sum(axis=1) / (1 / length + 1 / reference), 40)
        rows += [((run + 1) * length - 1, length, one) for run, one in enumerate(p)]
    last, length, p = map(np.array, zip(*sorted(rows), strict=True))
    return length, last, p


@pytest.mark.parametrize("reference", [2, 10, 40])
def test_windows_of_one_reference_raise_few_alarms(reference):
    random = np.random.default_rng(5)
    looks = [quiet_distances(random, reference=reference) for _ in range(200)]
    assert np.mean([evidence(*one, reference=reference).max() >= 20 for one in looks]) <= 0.05


@pytest.mark.parametrize("start", [0, 30])
def test_products_find_a_small_drift_sooner(start):
    random = np.random.default_rng(6)
    z = random.standard_normal((20, 90)) + np.where(np.arange(90) < start, 0, 1.0)
    waited = {}
    for reference in (0, 40):
        looks = [looked(one) for one in z]
        first = [first_alarm(evidence(*one, reference=reference), 20) for one in looks]
        waited[reference] = np.mean(
            [90 if one is None else last[one] for (_, last, _), one in zip(looks, first, strict=True)]
        )
    assert waited[40] < waited[0]


def test_products_begin_anew_each_quarter():
    length, last = np.ones(20, dtype=int), np.arange(20)
    path = evidence(length, last, np.full(20, 1e-3), quarter=10, reference=10)
    assert path[10] == pytest.approx(path[0])
    assert path[9] > 1e6 * path[0]


def test_products_have_mean_one_at_most():
    length, last, _ = looked(np.zeros(90))
    path = evidence(length, last, np.ones(len(length)), reference=10)
    assert path[-1] < path[0] < 1
    assert np.isfinite(evidence(length, last, np.zeros(len(length)), reference=10)).all()
