from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tunewright.train.losses import Loss, MeasuredLoss, balanced

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3], [-1.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2, 0])


def outputs(logits=LOGITS):
    return {"logits": logits}


def test_without_options_it_is_cross_entropy():
    torch.testing.assert_close(Loss()(outputs(), TARGETS), functional.cross_entropy(LOGITS, TARGETS))


def test_label_smoothing_is_that_of_pytorch():
    expected = functional.cross_entropy(LOGITS, TARGETS, label_smoothing=0.1)
    torch.testing.assert_close(Loss(smoothing=0.1)(outputs(), TARGETS), expected)


def test_class_weights_are_those_of_pytorch():
    weights = (1.0, 2.0, 0.5)
    expected = functional.cross_entropy(LOGITS, TARGETS, weight=torch.tensor(weights), reduction="none")
    torch.testing.assert_close(Loss(weights=weights).per_example(LOGITS, TARGETS), expected)


def test_focal_loss_by_its_formula():
    """Lin et al. 2017, equation 5: -alpha_t (1 - p_t)^gamma log(p_t)."""
    alpha, gamma = (0.25, 0.5, 0.75), 2.0
    p = LOGITS.softmax(-1).gather(1, TARGETS.unsqueeze(1)).squeeze(1)
    expected = -torch.tensor(alpha)[TARGETS] * (1 - p) ** gamma * p.log()
    torch.testing.assert_close(Loss(gamma=gamma, weights=alpha).per_example(LOGITS, TARGETS), expected)


def test_soft_targets_carry_their_weight():
    soft = functional.one_hot(TARGETS, 3).float() * torch.tensor([[2.0], [1.0], [0.0]])
    expected = functional.cross_entropy(LOGITS, TARGETS, reduction="none") * torch.tensor([2.0, 1.0, 0.0])
    torch.testing.assert_close(Loss().per_example(LOGITS, soft), expected)


def test_accumulated_batches_count_once():
    """Two halves, each divided by the number of the whole, add up to the loss of the whole."""
    loss = Loss(gamma=1.0)
    whole = loss(outputs(), TARGETS)
    halves = sum(
        loss(outputs(LOGITS[part]), TARGETS[part], num_items_in_batch=3) for part in (slice(0, 1), slice(1, 3))
    )
    torch.testing.assert_close(whole, halves)
    soft = functional.one_hot(TARGETS, 3).float()
    torch.testing.assert_close(loss(outputs(), soft, num_items_in_batch=torch.tensor(9)), whole)


def test_unlabelled_rows_do_not_count():
    labels = torch.tensor([0, -100, 0])
    expected = functional.cross_entropy(LOGITS[[0, 2]], labels[[0, 2]])
    torch.testing.assert_close(Loss(gamma=0.0)(outputs(), labels), expected)


def cross_entropies(outputs, targets):
    return functional.cross_entropy(outputs["logits"], targets, reduction="none")


def test_a_loss_of_ones_own_gets_the_gold_classes_and_counts_as_weighted():
    soft = functional.one_hot(TARGETS, 3).float() * torch.tensor([[2.0], [1.0], [0.5]])
    own = MeasuredLoss(cross_entropies)
    torch.testing.assert_close(own(outputs(), soft), Loss()(outputs(), soft))
    torch.testing.assert_close(own(outputs(), soft, num_items_in_batch=torch.tensor(9)), Loss()(outputs(), soft))
    torch.testing.assert_close(own(outputs(), TARGETS, num_items_in_batch=3), Loss()(outputs(), TARGETS))


def test_a_mapping_of_targets_may_have_weights():
    targets = {"weight": torch.tensor([2.0, 1.0, 0.0])}
    assert MeasuredLoss(lambda outputs, _: outputs)(torch.tensor([1.0, 2.0, 3.0]), targets) == pytest.approx(4 / 3)


@pytest.mark.parametrize("targets", [TARGETS, functional.one_hot(TARGETS, 3).float()])
@pytest.mark.parametrize("loss", [Loss(), Loss(gamma=2.0), MeasuredLoss(cross_entropies)])
def test_a_loss_that_is_no_number_stays_none(loss, targets):
    assert loss(outputs(LOGITS * float("nan")), targets).isnan()
    assert loss(outputs(LOGITS * float("nan")), targets, num_items_in_batch=3).isnan()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_certain_right_answer_has_a_finite_gradient(gamma):
    logits = torch.tensor([[100.0, -100.0]], requires_grad=True)
    Loss(gamma=gamma)({"logits": logits}, torch.tensor([0])).backward()
    assert torch.isfinite(logits.grad).all()


def test_balanced_weights_have_mean_one_over_the_examples():
    labels = ["a"] * 6 + ["b"] * 3 + ["c"]
    by_name = dict(zip("abc", balanced(labels, "abc"), strict=True))
    assert sum(by_name[label] for label in labels) / len(labels) == pytest.approx(1)
