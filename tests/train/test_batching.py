from __future__ import annotations

import random

from hypothesis import given, strategies as st

from tunewright.train.batching import LengthGrouped, padding_ratio


def features(lengths):
    return [{"id": f"{number}", "length": length} for number, length in enumerate(lengths)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=300), st.integers(1, 16), st.integers(0, 5))
def test_an_epoch_is_a_permutation(lengths, batch_size, epoch):
    order = LengthGrouped(features(lengths), batch_size=batch_size, seed=3)
    order.set_epoch(epoch)
    assert sorted(order[position]["id"] for position in range(len(order))) == sorted(order.ids)


def test_order_depends_on_seed_and_epoch_alone():
    lengths = [random.Random(1).randint(3, 60) for _ in range(500)]
    one, two, other = (LengthGrouped(features(lengths), batch_size=8, seed=seed) for seed in (0, 0, 1))
    assert one.order == two.order != other.order
    first = list(one.order)
    one.set_epoch(1)
    assert one.order != first
    one.set_epoch(0)
    assert one.order == first


def test_padding_is_within_five_percent_on_lengths_like_those_of_sentences():
    draw = random.Random(0)
    lengths = [min(max(int(draw.lognormvariate(3.2, 0.5)), 5), 128) for _ in range(4000)]
    order = LengthGrouped(features(lengths), batch_size=32, seed=0)
    seen = [order[position]["length"] for position in range(len(order))]
    assert padding_ratio(seen, 32) <= 1.05
    shuffled = draw.sample(lengths, len(lengths))
    assert padding_ratio(shuffled, 32) > 1.5


def test_incomplete_batches_come_last():
    order = LengthGrouped(features([5] * 35), batch_size=8, seed=0)
    assert len(order.order) == 35


def test_lengths_are_not_sorted_over_the_epoch():
    """Batches are shuffled: an epoch must not run from long to short."""
    order = LengthGrouped(features(list(range(1, 801))), batch_size=8, seed=0)
    starts = [order[position]["length"] for position in range(0, 800, 8)]
    assert starts not in (sorted(starts), sorted(starts, reverse=True))
