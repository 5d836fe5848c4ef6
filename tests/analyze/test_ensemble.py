from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from tunewright.analyze.ensemble import choose_weights, combine, diversity
from tunewright.errors import DataError

LOG3 = np.log(3)
TWO = np.array([[[LOG3, 0.0]], [[0.0, 0.0]]])  # one row: the first model says 3/4, the second 1/2


def test_probabilities_are_averaged_by_hand():
    np.testing.assert_allclose(combine(TWO), [[0.625, 0.375]])
    np.testing.assert_allclose(combine(TWO, [3, 1]), [[0.6875, 0.3125]])


def test_logits_are_averaged_by_hand():
    root = np.sqrt(3)
    np.testing.assert_allclose(combine(TWO, of="logits"), [[root / (1 + root), 1 / (1 + root)]])


@given(arrays(np.float64, (3, 5, 4), elements=st.floats(-50, 50)), st.sampled_from(["probabilities", "logits"]))
def test_rows_sum_to_one_and_equal_members_change_nothing(logits, of):
    np.testing.assert_allclose(combine(logits, [0.2, 0.3, 0.5], of=of).sum(axis=1), 1)
    same = np.stack([logits[0]] * 3)
    np.testing.assert_allclose(combine(same, of=of), combine(logits[:1]), atol=1e-12)


def test_large_logits_do_not_overflow():
    assert np.isfinite(combine(np.array([[[1e4, -1e4]]]))).all()


def expert(gold, right, classes=3, strength=4.0):
    """Logits of a model that knows the rows in ``right`` and guesses the next class on the others."""
    logits = np.zeros((len(gold), classes))
    logits[np.arange(len(gold)), np.where(right, gold, (gold + 1) % classes)] = strength
    return logits


def test_the_better_model_gets_the_weight():
    random = np.random.default_rng(0)
    gold = random.integers(3, size=200)
    stack = np.stack([expert(gold, random.random(200) < share) for share in (0.9, 0.4)])
    weights = choose_weights(stack, gold)
    assert weights[0] > weights[1]
    assert sum(weights) == pytest.approx(1)


def test_ties_go_to_equal_weights():
    gold = np.array([0, 1, 2, 0])
    stack = np.stack([expert(gold, np.ones(4, bool))] * 3)
    assert choose_weights(stack, gold) == (1 / 3,) * 3


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "log_loss"])
@pytest.mark.parametrize("of", ["probabilities", "logits"])
@pytest.mark.parametrize("models", [1, 2, 3, 6])
def test_chosen_weights_are_no_worse_than_equal_ones_or_any_member(metric, of, models):
    random = np.random.default_rng(models)
    gold = random.integers(3, size=120)
    stack = np.stack([expert(gold, random.random(120) < 0.6) + random.normal(size=(120, 3)) for _ in range(models)])
    chosen = choose_weights(stack, gold, of=of, metric=metric)
    assert chosen == choose_weights(stack, gold, of=of, metric=metric)
    rivals = [None, *np.eye(models).tolist()]
    assert all(
        value(combine(stack, chosen, of=of), gold, metric) >= value(combine(stack, rival, of=of), gold, metric) - 1e-9
        for rival in rivals
    )


def value(p, gold, metric):
    guess = p.argmax(axis=1)
    match metric:
        case "accuracy":
            return (guess == gold).mean()
        case "macro_f1":
            from sklearn.metrics import f1_score

            return f1_score(gold, guess, average="macro")
        case _:
            return np.log(p[np.arange(len(gold)), gold]).mean()


def test_errors_say_what_was_expected():
    with pytest.raises(DataError, match="expected 2 weights"):
        combine(TWO, [1])
    with pytest.raises(DataError, match="none negative"):
        combine(TWO, [1, -1])
    with pytest.raises(DataError, match="not all zero"):
        combine(TWO, [0, 0])
    with pytest.raises(DataError, match=r"\[models, n, classes\]"):
        combine(TWO[0])
    with pytest.raises(DataError, match="for 2 rows"):
        choose_weights(TWO, np.array([0, 1]))


def test_models_that_say_the_same_are_not_diverse():
    said = np.array([["a", "b", "a", "b"]] * 2)
    right = np.array([[True, True, False, False]] * 2)
    found = diversity(said, right)
    assert (found.disagreement, found.double_fault, found.q, found.oracle) == (0.0, 0.5, 1.0, 0.5)


def test_models_that_err_on_other_rows_could_be_perfect_together():
    said = np.array([["a", "a", "a", "b"], ["b", "b", "a", "a"]])
    right = np.array([[True, True, False, False], [False, False, True, True]])
    found = diversity(said, right)
    assert (found.disagreement, found.double_fault, found.q, found.oracle) == (0.75, 0.0, -1.0, 1.0)


def test_unrelated_mistakes_have_the_double_faults_that_are_expected():
    draw = np.random.default_rng(0)
    right = draw.random((2, 200_000)) < 0.8
    found = diversity(right.astype(int), right)
    assert found.double_fault == pytest.approx(found.expected_double_fault, abs=0.003)
    assert found.q == pytest.approx(0, abs=0.05)


def test_it_is_a_mean_over_pairs_and_has_no_q_where_nobody_errs():
    found = diversity(np.zeros((3, 5)), np.ones((3, 5), bool))
    assert found.q is None
    assert found.oracle == 1.0


@pytest.mark.parametrize("shape", [(1, 5), (2, 0), (5,)])
def test_two_models_and_a_row_are_needed(shape):
    with pytest.raises(DataError, match="two or more models"):
        diversity(np.zeros(shape), np.zeros(shape, bool))
