from __future__ import annotations

import json

import numpy as np
import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.conditions import Evidence, KOfN, Observation, above, band, below, higher_rate


def verdicts(condition, values, *, n=100, hysteresis=0.0):
    memory, found = condition.start(), []
    for time, value in enumerate(values):
        memory, verdict = condition.take(
            json.loads(json.dumps(memory)), Observation(time, value, n), hysteresis=hysteresis
        )
        found.append(verdict)
    return found


def test_limits_with_hysteresis():
    assert verdicts(above(0.5), [0.5, 0.6, 0.45, 0.4], hysteresis=0.1) == ["between", "beyond", "between", "clear"]
    assert verdicts(below(0.5), [0.6, 0.4, 0.55], hysteresis=0.1) == ["clear", "beyond", "between"]
    assert verdicts(band(0.2, 0.4), [0.1, 0.3, 0.5]) == ["beyond", "clear", "beyond"]


def test_limits_that_no_value_is_within_are_refused():
    with pytest.raises(ProjectError, match="lower limit"):
        band(2, 1)


def test_k_of_n():
    values = [1, 0, 1, 1, 0, 0, 0]
    expected = ["near", "near", "beyond", "beyond", "beyond", "near", "clear"]
    assert verdicts(KOfN(2, 3, above(0.5)), values) == expected
    with pytest.raises(ProjectError, match="2 of 1"):
        KOfN(2, 1, above(0))


def test_evidence_of_a_rate_learns_its_start_and_finds_a_rise():
    condition = Evidence(baseline=1000)
    found = verdicts(condition, [0.04] * 10 + [0.5] * 2)
    assert found[:10] == ["clear"] * 10
    assert "beyond" in found


def test_evidence_stays_for_its_quarter_and_begins_anew():
    found = verdicts(Evidence(baseline=(40, 1000), quarter=4), [0.9, 0.04, 0.04, 0.04, 0.04])
    assert found == ["beyond"] * 4 + ["clear"]


def test_evidence_does_not_change_the_memory_it_is_given():
    condition = Evidence(baseline=(1, 10))
    memory = condition.start()
    condition.take(memory, Observation(0, 0.5, 10), hysteresis=0)
    assert memory == condition.start()


def test_evidence_of_p_values():
    assert verdicts(Evidence(of="p"), [0.5, 0.01, 1e-9])[-1] == "beyond"


def test_p_of_a_rate_is_fishers():
    from scipy.stats import fisher_exact

    expected = fisher_exact([[9, 41], [5, 95]], alternative="greater").pvalue
    assert higher_rate([9, 50], (5, 100)) == pytest.approx(expected)


@pytest.mark.parametrize("rate", [0.01, 0.2])
def test_a_quiet_quarter_rarely_has_evidence(rate):
    streams = 60
    draw = np.random.default_rng(3)
    alarms = sum(
        "beyond" in verdicts(Evidence(baseline=200), draw.binomial(100, rate, 92) / 100) for _ in range(streams)
    )
    assert alarms / streams <= 0.05
