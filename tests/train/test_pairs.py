"""Pairs of recipes and fresh ones: which they are, and that they do not depend on what was drawn before."""

from __future__ import annotations

import pyarrow as pa

from tunewright.train.batching import LengthGrouped
from tunewright.train.pairs import PARENTS, SHARE, Arranged, Marked, drawn, from_recipes, numbered

FEATURES = numbered([{"id": f"r{row}", "length": 3 + row % 4, "labels": row % 2} for row in range(12)])


def test_recipes_whose_parents_are_not_trained_on_are_left_out():
    rows = [("m1", "r0", "r5", 0.3), ("m2", "r0", "absent", 0.5), ("m3", "r7", "r7", 1.0)]
    recipes = pa.table(dict(zip(("id", "a", "b", "weight"), zip(*rows, strict=True), strict=True)))
    made = from_recipes(FEATURES, recipes)
    assert [(one["id"], one[SHARE], one["length"]) for one in made] == [("m1", 0.3, 4), ("m3", 1.0, 6)]
    assert [parent["id"] for parent in made[0][PARENTS]] == ["r0", "r5"]


def test_every_row_is_once_a_first_and_once_a_second_parent():
    made = drawn(FEATURES, alpha=0.4, seed="x")
    first, second = zip(*(one[PARENTS] for one in made), strict=True)
    everyone = sorted(feature["id"] for feature in FEATURES)
    assert sorted(one["id"] for one in first) == sorted(one["id"] for one in second) == everyone
    assert all(a["id"] != b["id"] for a, b in zip(first, second, strict=True))
    assert all(0 <= one[SHARE] <= 1 for one in made)
    assert drawn(FEATURES[:1], alpha=0.4, seed="x") == []


def batches(epochs, *, start=0, size=4):
    dataset = Marked(LengthGrouped(FEATURES, batch_size=size, seed=1))
    collate = Arranged(list, alpha=0.5, seed=3)
    found = []
    for epoch in epochs:
        dataset.set_epoch(epoch)
        places = [range(at, at + size) for at in range(0, len(dataset), size)]
        found += [collate([dataset[place] for place in batch]) for batch in places[start:]]
    return [[(one["id"], one.get(SHARE)) for one in batch] for batch in found]


def test_a_batch_draws_the_same_pairs_whatever_was_drawn_before():
    whole = batches([0, 1, 2])
    assert whole[3:] == batches([1, 2])
    assert whole[7:] == [*batches([2], start=1)]
    assert len({str(batch) for batch in whole}) == len(whole)
    assert all(len(batch) == 8 for batch in whole)


def test_rows_of_an_evaluation_draw_nothing():
    assert Arranged(len, alpha=0.5, seed=0)(FEATURES[:4]) == 4


def test_real_rows_come_first():
    synthetic = drawn(FEATURES[:2], alpha=1.0, seed="")
    arranged = Arranged(list, alpha=None, seed=0)([synthetic[0], FEATURES[3], synthetic[1], FEATURES[1]])
    assert [one["id"] for one in arranged[:2]] == ["r3", "r1"]
    assert arranged[2:] == synthetic
