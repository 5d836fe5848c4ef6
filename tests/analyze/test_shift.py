from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tunewright.analyze.association import cramers_v
from tunewright.analyze.shift import _delong, domain_auc, explain_shift
from tunewright.errors import DataError

DRAWS = 200


def test_a_random_split_is_told_apart_no_more_often_than_said():
    """The 95 % interval holds .5 in .915 of these 200 draws, and in .945 of 1,000 draws of five such designs."""
    held, different = 0, 0
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        found = domain_auc(random.normal(size=(200, 8)), random.permutation(200) < 80, seed=draw)
        held += found.low <= 0.5 <= found.high
        different += found.verdict == "different"
    assert 0.91 <= held / DRAWS <= 0.98  # two and a half standard errors
    assert different / DRAWS <= 0.05


def passages(seed, *, per=5, n=40):
    """Vectors of rows about passages, each passage on one side or on both, whatever its vector."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n), per)
    vectors = 2 * random.normal(size=(n, 8))[group] + random.normal(size=(n * per, 8))
    return random, vectors, group


def test_rows_of_a_group_are_predicted_together():
    """Without groups, rows that were drawn at random within passages look worse than guessing, as was measured."""
    alone, together = [], []
    for seed in range(20):
        random, vectors, group = passages(seed)
        domain = np.concatenate([random.permutation(5) < 2 for _ in range(40)])
        alone.append(domain_auc(vectors, domain, seed=seed).auc)
        together.append(domain_auc(vectors, domain, groups=group.tolist(), seed=seed).auc)
    assert np.mean(alone) < 0.47
    assert np.mean(together) == pytest.approx(0.5, abs=0.015)


def test_passages_drawn_at_random_are_told_apart_no_more_often_than_said():
    different = {"groups": 0, "rows": 0}
    for seed in range(30):
        random, vectors, group = passages(seed)
        domain = (random.permutation(40) < 16)[group]
        different["groups"] += domain_auc(vectors, domain, groups=group.tolist(), seed=seed).verdict == "different"
        different["rows"] += domain_auc(vectors, domain, seed=seed).verdict == "different"
    assert different["rows"] > 15
    assert different["groups"] <= 3


def test_rows_that_are_known_by_their_twin_on_the_other_side_are_worse_than_guessing():
    vectors = np.repeat(np.random.default_rng(0).normal(size=(150, 30)), 2, axis=0)
    assert domain_auc(vectors, np.arange(300) % 2 == 0).verdict == "worse than guessing"


def test_too_few_groups_are_an_error():
    with pytest.raises(DataError, match=r"10 groups of rows or more on either side.*found \[3, 3\]"):
        domain_auc(np.ones((60, 3)), np.arange(60) < 30, groups=(np.arange(60) // 10).tolist())


def test_a_shift_is_found_and_its_interval_lies_around_it():
    random = np.random.default_rng(0)
    domain = np.arange(600) < 200
    vectors = random.normal(size=(600, 16))
    vectors[domain, 0] += 1.5
    found = domain_auc(vectors, domain)
    assert found.verdict == "different"
    assert 0.5 < found.low < found.auc < found.high < 1
    assert found.rows == (400, 200)
    assert found == domain_auc(vectors, domain)


def test_half_precision_constant_and_not_finite_vectors():
    domain = np.arange(100) < 50
    for vectors in (np.ones((100, 4), np.float16), np.zeros((100, 4)), np.full((100, 4), np.nan)):
        found = domain_auc(vectors, domain)
        assert (found.auc, found.verdict) == (0.5, "cannot tell")


def test_too_few_rows_are_an_error():
    with pytest.raises(DataError, match="10 rows or more on either side, found 15 and 5"):
        domain_auc(np.ones((20, 3)), np.arange(20) < 5)


def test_the_area_is_that_of_scikit_learn_and_its_variance_that_of_drawing_again():
    random = np.random.default_rng(0)
    inside = np.arange(150) < 60
    draws = [np.where(inside, 1.0, 0.0) + random.normal(size=150) for _ in range(1000)]
    found = np.array([_delong(score, inside, np.arange(150)) for score in draws])
    np.testing.assert_allclose(found[0, 0], roc_auc_score(inside, draws[0]))
    assert found[:, 1].mean() == pytest.approx(found[:, 0].var(), rel=0.1)
    assert _delong(np.zeros(10), np.arange(10) < 5, np.arange(10)) == (0.5, 0.0)


class TestExplanation:
    DOMAIN = np.arange(400) < 200

    def test_the_column_that_differs_comes_first_with_its_values(self):
        random = np.random.default_rng(0)
        metadata = {
            "same": random.choice(["a", "b"], 400).tolist(),
            "title": np.where(self.DOMAIN, "x", random.choice(["x", "y", "z"], 400)).tolist(),
            "length": (random.normal(size=400) + self.DOMAIN).tolist(),
        }
        found = explain_shift(self.DOMAIN, metadata)
        assert {one.column for one in found} == {"title", "length"}
        assert found[0].column == "title"
        assert ("title", None) in {(one.column, one.value) for one in found}
        x = next(one for one in found if one.value == "x")
        assert x.second == 1
        assert x.effect == x.second - x.first > 0.5
        length = next(one for one in found if one.column == "length")
        assert length.value is None
        assert length.second - length.first == pytest.approx(1, abs=0.4)
        assert 0.4 < length.effect < 0.65
        assert max(one.p for one in found) < 0.05

    def test_a_confounded_column_has_the_full_effect(self):
        found = explain_shift(self.DOMAIN, {"title": np.where(self.DOMAIN, "x", "y").tolist()})
        assert [abs(one.effect) for one in found] == pytest.approx([1, 1, 1])

    def test_random_columns_explain_nothing(self):
        random = np.random.default_rng(0)
        columns = {f"column {number}": random.choice(["a", "b", "c"], 400).tolist() for number in range(30)}
        columns |= {f"number {number}": random.normal(size=400).tolist() for number in range(30)}
        assert explain_shift(self.DOMAIN, columns) == ()

    def test_many_values_that_say_nothing_have_no_effect(self):
        random = np.random.default_rng(0)
        titles, half = random.integers(0, 300, 1500).astype(str).tolist(), np.arange(1500) < 750
        assert cramers_v(np.array(titles).astype(int), half.astype(int)) < 0.1  # .445 without correction
        assert explain_shift(half, {"title": titles}) == ()

    def test_a_missing_number_is_no_value(self):
        year = np.where(self.DOMAIN, [2001.0, 2002.0] * 200, [float("nan"), 2002.0] * 200)
        found = explain_shift(self.DOMAIN, {"year": year.tolist()})
        assert {one.value for one in found} == {None, "2001", "2002"}

    def test_the_surest_comes_first(self):
        random = np.random.default_rng(0)
        rare = np.where(self.DOMAIN & (np.arange(400) < 12), "seldom", "often").tolist()
        length = random.normal(size=400) + 0.9 * self.DOMAIN
        found = explain_shift(self.DOMAIN, {"rare": rare, "length": length.tolist()})
        assert [one.p for one in found] == sorted(one.p for one in found)
        assert found[0].column == "length"

    def test_names_of_rows_missing_and_constant_values_are_left_out(self):
        assert explain_shift(self.DOMAIN, {"id": [f"r{row}" for row in range(400)]}) == ()
        assert explain_shift(self.DOMAIN, {"same": ["x"] * 400, "none": [None] * 400}) == ()
        assert explain_shift(self.DOMAIN, {"nan": [float("nan")] * 400, "one": ["a", None] * 200}) == ()
        assert explain_shift(self.DOMAIN, {}) == ()

    def test_what_does_not_fit_is_an_error(self):
        with pytest.raises(DataError, match=r"wrong columns: \['short'\]"):
            explain_shift(self.DOMAIN, {"short": ["a"]})
        with pytest.raises(DataError, match="two sets of rows"):
            explain_shift(np.ones(5, dtype=bool), {})
