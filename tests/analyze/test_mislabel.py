from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from tunewright.analyze.mislabel import mislabelled, suspects

LABELS = ("neg", "pos", "other")


def given_columns(margin, other=1, labels=LABELS):
    margin = np.atleast_2d(np.array(margin, dtype=float))
    other = np.broadcast_to(np.array(other, dtype=float), margin.shape).copy()
    other[np.isnan(margin)] = np.nan
    return suspects(margin=margin, gold_probability=1 / (1 + np.exp(-margin)), other=other, labels=list(labels))


def simulated(n, classes, rate, seed):
    """Margins of n rows over 4 epochs; flipped rows lose against their true class as surely as others win."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=n)
    flipped = np.zeros(n, dtype=bool)
    flipped[random.permutation(n)[: round(rate * n)]] = True
    label = np.where(flipped, (truth + 1) % classes, truth)
    margin = random.normal(np.where(flipped, -2, 2)[:, None], 1.5, (n, 4))
    other = np.where(flipped, truth, (label + 1) % classes)[:, None].repeat(4, axis=1).astype(float)
    return margin, other, truth, flipped


def test_a_row_that_training_argues_against_is_flagged_with_the_class_it_argues_for():
    columns = given_columns([[0, -2, -3], [1, 2, 3]], other=2)
    assert columns["suspect"].tolist() == [True, False]
    assert columns["suggested"].tolist() == ["other", None]
    assert columns["suspicion"].tolist() == [0.75, 0.25]


def test_the_first_epoch_counts_only_when_there_are_fewer_than_three():
    assert given_columns([[-9, 1, 1]])["suspect"].tolist() == [False]
    assert given_columns([[-9, 1]])["suspect"].tolist() == [True]


def test_with_changing_rivals_a_negative_margin_is_not_enough():
    columns = given_columns([[0, -1, -1, -1], [0, -1, -1, -1]], other=[[0, 0, 1, 2], [0, 1, 1, 2]])
    assert columns["suspect"].tolist() == [False, True]


def test_the_suggestion_is_the_most_frequent_rival_then_the_stronger_then_the_first():
    columns = given_columns(
        [[0, -1, -1, -9], [0, -1, -2, 5], [0, -1, -1, 5]],
        other=[[0, 1, 1, 2], [0, 1, 2, 2], [0, 2, 1, 0]],
    )
    assert columns["suggested"].tolist() == ["pos", "other", "pos"]


def test_without_a_known_rival_every_epoch_must_argue_against_the_label():
    columns = given_columns([[0, -9, 1, -9], [0, -1, -1, -1]], other=-1)
    assert columns["suspect"].tolist() == [False, True]
    assert columns["suggested"].tolist() == [None, None]


def test_codes_stand_for_themselves_without_names():
    assert given_columns([[-1, -1]], other=7, labels=())["suggested"].tolist() == ["7"]


def test_a_row_never_seen_is_no_suspect():
    columns = given_columns([[np.nan] * 3, [-1, -1, -1], [1, 1, 1]])
    assert np.isnan(columns["suspicion"][0])
    assert columns["suspect"].tolist() == [False, True, False]
    assert columns["suggested"][0] is None


def test_nothing_at_all_is_no_error():
    columns = given_columns(np.zeros((0, 3)))
    assert [len(values) for values in columns.values()] == [0, 0, 0]


def test_a_class_with_many_wrong_labels_does_not_hide_them():
    margin = np.array([[3.0]] * 10 + [[2.0]] * 4 + [[-2.0]] * 6)  # two classes of ten
    assert (given_columns(margin)["suspicion"][-6:] > 0.7).all()


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_planted_flips_rank_high_and_the_flags_count_about_right(classes):
    margin, other, truth, flipped = simulated(2000, classes, 0.08, seed=classes)
    labels = tuple(map(str, range(classes)))
    columns = given_columns(margin, other=other, labels=labels)
    ranks = rankdata(columns["suspicion"])
    auroc = (ranks[flipped].mean() - (flipped.sum() + 1) / 2) / (~flipped).sum()
    assert auroc > 0.95
    assert 0.8 < columns["suspect"].sum() / flipped.sum() < 1.3
    assert (columns["suggested"][flipped & columns["suspect"]] == truth[flipped & columns["suspect"]].astype(str)).all()


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 9))
def test_suspicion_is_a_rank_score_and_follows_the_rows(n, epochs, seed):
    random = np.random.default_rng(seed)
    margin = random.normal(size=(n, epochs))
    order = random.permutation(n)
    one = given_columns(margin)
    other = given_columns(margin[order])
    assert ((one["suspicion"] > 0) & (one["suspicion"] < 1)).all()
    assert one["suspicion"].mean() == pytest.approx(0.5)
    np.testing.assert_allclose(one["suspicion"][order], other["suspicion"])
    assert one["suspect"][order].tolist() == other["suspect"].tolist()


def conflicting(n=300, classes=3, rate=0.1, seed=0):
    """Evidence of every kind about n labels, each with noise of its own, of which `rate` are flipped."""
    random = np.random.default_rng(seed)
    margin, other, truth, wrong = simulated(n, classes, rate, seed)
    margin = margin + random.normal(0, 2, (n, 1))
    centres = 2 * np.eye(classes, 6)
    label = np.where(wrong, (truth + 1) % classes, truth)
    passes = random.normal(np.where(wrong, -2, 2)[:, None], 3, (n, 2))
    spaces = [centres[truth] + random.normal(0, noise, (n, 6)) for noise in (0.9, 1.1)]
    return (
        {
            "label": label,
            "labels": [f"class {code}" for code in range(classes)],
            "margin": margin,
            "gold_probability": 1 / (1 + np.exp(-margin)),
            "other": other,
            "passes_margin": passes,
            "passes_other": other[:, :2],
            "features": spaces[0],
            "frozen": spaces[1],
        },
        wrong,
        truth,
    )


PARTS = (
    ("margin", "gold_probability", "other"),
    ("passes_margin", "passes_other"),
    ("features",),
    ("frozen",),
)


def only(evidence, *names):
    return mislabelled(label=evidence["label"], labels=evidence["labels"], **{name: evidence[name] for name in names})


@pytest.mark.parametrize("seed", range(3))
def test_all_the_evidence_finds_errors_better_than_any_part_of_it(seed):
    evidence, wrong, truth = conflicting(seed=seed)
    together = mislabelled(**evidence)
    parts = [roc_auc_score(wrong, only(evidence, *names)["suspicion"]) for names in PARTS]
    assert roc_auc_score(wrong, together["suspicion"]) >= max(parts)
    assert 0.75 <= together["suspect"].sum() / wrong.sum() <= 1.25
    right = together["suggested"][wrong] == np.array(evidence["labels"], object)[truth[wrong]]
    assert right.mean() > 0.9
    assert together["votes"][wrong].mean() > 3
    assert together["votes"][~wrong].mean() < 1


def test_votes_are_those_of_the_detectors_there_are():
    evidence, _, _ = conflicting()
    names = {"vote_training", "vote_passes", "vote_features", "vote_frozen", "vote_folds"}
    for asked, expected in zip(
        PARTS,
        ({"vote_training"}, {"vote_passes"}, {"vote_features", "vote_folds"}, {"vote_frozen", "vote_folds"}),
        strict=True,
    ):
        found = only(evidence, *asked)
        assert {name for name in names if found[name].any()} == expected
        assert found["votes"].tolist() == sum(found[name].astype(int) for name in names).tolist()


def test_without_evidence_nothing_is_suspected():
    found = mislabelled(label=np.array([0, 1]), labels=["no", "yes"])
    assert np.isnan(found["suspicion"]).all()
    assert not found["suspect"].any()
    assert found["suggested"].tolist() == [None, None]
    assert np.isnan(found["suggested_probability"]).all()
    assert found["votes"].tolist() == [0, 0]


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10_000))
def test_rows_without_a_label_are_left_out_and_change_nothing(seed):
    evidence, _, _ = conflicting(n=90, seed=seed)
    soft = np.random.default_rng(seed).random(90) < 0.2
    label = np.where(soft, -1, evidence["label"])
    found = mislabelled(**evidence | {"label": label})
    alone = mislabelled(**{name: values if name == "labels" else values[~soft] for name, values in evidence.items()})
    for name, values in found.items():
        if values.dtype == object:
            assert values[~soft].tolist() == alone[name].tolist()
        else:
            assert np.allclose(values[~soft].astype(float), alone[name].astype(float), atol=2e-3, equal_nan=True)
    assert np.isnan(found["suspicion"][soft]).all()
    assert np.isnan(found["suggested_probability"][soft]).all()
    assert not found["suspect"][soft].any()
    assert not found["votes"][soft].any()


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_and_of_classes_does_not_matter(seed):
    evidence, _, _ = conflicting(n=90, seed=seed)
    random = np.random.default_rng(seed)
    rows, code = random.permutation(90), random.permutation(3)
    moved = {name: values if name == "labels" else values[rows] for name, values in evidence.items()}
    moved["labels"] = [evidence["labels"][place] for place in np.argsort(code)]
    moved |= {name: code[moved[name].astype(int)] for name in ("label", "other", "passes_other")}
    plain, found = mislabelled(**evidence), mislabelled(**moved)
    assert np.allclose(found["suspicion"], plain["suspicion"][rows], atol=5e-3)
    clear = abs(plain["suspicion"][rows] - 0.5) > 5e-3
    assert (found["suspect"] == plain["suspect"][rows])[clear].all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_scores_stay_in_their_ranges_whatever_is_missing(seed, epochs):
    random = np.random.default_rng(seed)
    margin = random.normal(0, 30, (25, epochs))
    margin[random.random((25, epochs)) < 0.3] = np.nan
    features = random.normal(size=(25, 3))
    features[random.random(25) < 0.1] = np.nan
    other = np.where(np.isnan(margin), np.nan, random.integers(-1, 4, (25, epochs)))
    found = mislabelled(
        label=random.integers(-1, 4, 25), labels=list("abcd"), margin=margin, other=other, features=features
    )
    known = ~np.isnan(found["suspicion"])
    assert ((found["suspicion"][known] >= 0) & (found["suspicion"][known] <= 1)).all()
    assert (found["suspect"] == (np.nan_to_num(found["suspicion"]) > 0.5)).all()
    chance = found["suggested_probability"]
    assert ((chance >= 0) & (chance <= 1))[~np.isnan(chance)].all()
    assert [name is None for name in found["suggested"]] == np.isnan(chance).tolist()


def test_a_frequent_label_needs_more_support_than_a_rare_one():
    label = np.array([0] * 80 + [1] * 20)
    found = mislabelled(label=label, labels=["often", "seldom"], margin=np.ones((100, 1)), other=1 - label[:, None])
    assert found["suspicion"][0] > found["suspicion"][-1]
    unknown = mislabelled(label=label, labels=["often", "seldom"], margin=np.ones((100, 1)))
    assert len(set(unknown["suspicion"])) == 1
