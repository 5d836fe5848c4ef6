from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.slices import slices
from tunewright.errors import DataError


def heavy(random, n):
    return random.lognormal(0, 2, n)


def column(values):
    return np.array(values, dtype=object)


def planted(n=2000, seed=0):
    """A column of names and one of numbers, with higher losses for name 3 and for numbers in [.3, .5)."""
    random = np.random.default_rng(seed)
    name, number = random.integers(0, 10, n), random.random(n)
    loss = heavy(random, n) * np.where(name == 3, 8, 1) * np.where((number >= 0.3) & (number < 0.5), 5, 1)
    return loss, {"title": column([f"t{code}" for code in name]), "position": number}


def test_a_planted_value_and_a_planted_range_are_found_and_nothing_else():
    loss, columns = planted()
    found = {one.column: one for one in slices(loss, columns).found}
    assert found.keys() == {"title", "position"}
    assert found["title"].description == "title = t3"
    assert found["title"].rows.tolist() == np.flatnonzero(columns["title"] == "t3").tolist()
    assert found["position"].low == pytest.approx(0.3, abs=0.03)
    assert found["position"].high == pytest.approx(0.5, abs=0.03)


def test_what_is_said_of_a_slice_is_true_of_its_rows():
    loss, columns = planted()
    for one in slices(loss, columns).found:
        outside = np.setdiff1d(np.arange(len(loss)), one.rows)
        assert one.n == len(one.rows)
        assert one.mean_loss == pytest.approx(loss[one.rows].mean())
        assert one.rest_loss == pytest.approx(loss[outside].mean())
        assert one.interval[0] < one.difference < one.interval[1]
        assert one.p <= one.p_corrected <= 0.05
    assert slices(loss, columns).tested == 10 + 2


def test_rows_of_a_range_are_those_its_description_names():
    loss, columns = planted()
    (one,) = [one for one in slices(loss, columns).found if one.column == "position"]
    assert one.description == f"position >= {one.low:g} and < {one.high:g}"
    assert (
        one.rows.tolist()
        == np.flatnonzero((columns["position"] >= one.low) & (columns["position"] < one.high)).tolist()
    )


def test_metadata_that_say_nothing_are_rarely_reported():
    random = np.random.default_rng(0)
    n, trials, hits = 400, 300, 0
    for _ in range(trials):
        columns = {
            "name": column([f"v{code}" for code in random.integers(0, 8, n)]),
            "flag": random.random(n) < 0.2,
            "length": random.lognormal(3, 1, n),
            "count": random.poisson(3, n),
        }
        hits += bool(slices(heavy(random, n), columns).found)
    assert hits / trials <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / trials)


def test_lower_loss_is_no_finding():
    random = np.random.default_rng(0)
    flag = random.random(1000) < 0.6
    found = slices(np.where(flag, 0.1, 1) * heavy(random, 1000), {"easy": flag}).found
    assert [one.value for one in found] == [False]


def test_a_slice_has_at_most_half_of_the_rows():
    random = np.random.default_rng(0)
    number = np.arange(1000)
    loss = heavy(random, 1000) * np.where(number >= 200, 20, 1)
    found = slices(loss, {"number": number, "flag": number >= 200})
    assert found.tested == 3
    assert all(one.n <= 500 for one in found.found)


def test_slices_with_nearly_the_same_rows_are_one():
    loss, columns = planted()
    twin = columns["title"].copy()
    twin[np.flatnonzero(columns["title"] == "t3")[:25]] = "t5"  # Jaccard .77, and neither lies within the other
    twin[np.flatnonzero(columns["title"] == "t5")[:25]] = "t3"
    found = slices(loss, {"title": columns["title"], "twin": twin}).found
    (said,) = found
    assert {said.description, *said.also} == {"title = t3", "twin = t3"}


def test_a_larger_slice_that_is_higher_only_by_a_smaller_one_is_folded_into_it():
    random = np.random.default_rng(1)
    inner = np.arange(2000) < 100
    outer = np.arange(2000) < 250
    loss = heavy(random, 2000) * np.where(inner, 50, 1)
    (one,) = slices(loss, {"inner": inner, "outer": outer}).found
    assert (one.description, one.also) == ("inner = True", ("outer = True",))


def test_a_larger_slice_with_a_loss_of_its_own_stays():
    random = np.random.default_rng(1)
    inner, outer = np.arange(2000) < 100, np.arange(2000) < 400
    loss = random.gamma(2, 1, 2000) + 5 * inner + 3 * outer
    found = slices(loss, {"inner": inner, "outer": outer}).found
    assert {one.description for one in found} == {"inner = True", "outer = True"}


@pytest.mark.parametrize("missing", [None, "", float("nan")])
def test_missing_values_are_a_value(missing):
    random = np.random.default_rng(0)
    names = column([missing if row < 60 else "known" for row in range(1000)])
    (one,) = slices(heavy(random, 1000) * np.where(np.arange(1000) < 60, 20, 1), {"source": names}).found
    assert (one.description, one.value, one.n) == ("source is missing", None, 60)


@pytest.mark.parametrize("dtype", [np.float64, object])
def test_missing_numbers_are_a_value(dtype):
    random = np.random.default_rng(0)
    numbers = random.random(1000).astype(dtype)
    numbers[:60] = np.nan
    (one,) = slices(heavy(random, 1000) * np.where(np.arange(1000) < 60, 20, 1), {"length": numbers}).found
    assert one.description == "length is missing"


def test_rows_that_have_a_number_are_told_from_those_that_have_none():
    random = np.random.default_rng(0)
    years = np.where(np.arange(200) < 120, np.nan, random.integers(1990, 2020, 200))
    (one,) = slices(random.gamma(2, 1, 200) + 3 * ~np.isnan(years), {"year": years}).found
    assert (one.description, one.given, one.n) == ("year is given", True, 80)
    assert (one.value, one.low, one.high) == (None, None, None)


def passages(random, *, n=30, size=10, alike=0.3):
    """Groups, and losses in them with that intraclass correlation."""
    group = np.repeat(np.arange(n), size)
    loss = np.sqrt(alike) * random.normal(size=n)[group] + np.sqrt(1 - alike) * random.normal(size=n * size)
    return group, np.exp(loss)


@pytest.mark.parametrize(("n", "size"), [(30, 10), (200, 5)])
def test_columns_of_passages_that_say_nothing_are_rarely_reported(n, size):
    hits, as_rows = 0, 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        group, loss = passages(random, n=n, size=size)
        of_group = {
            "title": column([f"t{code}" for code in random.integers(0, 6, n)]),
            "flag": random.random(n) < 0.3,
            "words": random.lognormal(3, 1, n),
        }
        columns = {name: values[group] for name, values in of_group.items()}
        hits += bool(slices(loss, columns, groups=group).found)
        as_rows += bool(slices(loss, columns).found)
    assert hits <= 14
    assert as_rows >= 60


def test_columns_within_passages_that_say_nothing_are_rarely_reported():
    hits = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        group, loss = passages(random)
        name = np.where(random.random(300) < 0.7, group % 5, random.integers(0, 5, 300))
        columns = {"asks": column([f"w{code}" for code in name]), "words": random.poisson(9, 300)}
        hits += bool(slices(loss, columns, groups=group).found)
    assert hits <= 14


def test_what_holds_for_many_passages_is_found():
    random = np.random.default_rng(0)
    group, loss = passages(random, n=300)
    hard, asks = random.random(300)[group] < 0.3, random.random(3000) < 0.2
    found = slices(loss * np.where(hard, 3, 1) * np.where(asks, 3, 1), {"hard": hard, "asks": asks}, groups=group).found
    assert {one.description for one in found} == {"hard = True", "asks = True"}
    (one,) = [one for one in found if one.column == "hard"]
    assert one.groups == len(np.unique(group[hard])) < one.n


def test_one_passage_is_no_evidence_about_its_title():
    group, loss = passages(np.random.default_rng(0), size=40)
    title = column([f"t{code}" for code in group])
    assert slices(np.where(group == 3, 50, 1) * loss, {"title": title}, groups=group).tested == 0


def test_the_interval_of_passages_holds_the_difference_as_often_as_it_says():
    held = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        group = np.repeat(np.arange(60), 8)
        hard = np.arange(60)[group] < 25
        loss = random.normal(size=60)[group] + random.normal(size=480) + 4 * hard
        (one,) = slices(loss, {"hard": hard}, groups=group).found
        held += one.interval[0] <= 4 <= one.interval[1]
    assert 0.91 <= held / 300 <= 0.98


def test_rows_that_are_each_a_group_are_independent():
    loss, columns = planted()
    assert slices(loss, columns, groups=np.arange(len(loss))) == slices(loss, columns)


def test_numbers_that_are_names_are_not_cut_into_ranges():
    loss, _ = planted()
    cluster = np.random.default_rng(0).permutation(np.arange(len(loss)) % 30)
    loss = loss * np.where(cluster == 17, 30, 1)
    assert [one.value for one in slices(loss, {"cluster": cluster}).found] == [17]
    (as_range,) = slices(loss, {"cluster": cluster}, nominal=()).found
    assert as_range.value is None


def test_both_ends_of_a_column_can_be_found():
    random = np.random.default_rng(0)
    number = random.random(3000)
    loss = heavy(random, 3000) * np.where((number < 0.1) | (number > 0.9), 20, 1)
    assert {one.description[:12] for one in slices(loss, {"position": number}).found} == {
        "position < 0",
        "position >= ",
    }


def split_apart(seed=0, n=1500):
    """Losses that differ between two splits and in nothing else, and columns that go along with the split."""
    random = np.random.default_rng(seed)
    split = np.where(np.arange(n) < 2 * n // 3, "train", "validation").astype(object)
    old = split == "train"
    columns = {
        "title": np.where(old, random.integers(0, 12, n), random.integers(6, 18, n)).astype(str).astype(object),
        "year": np.where(old, random.normal(2000, 5, n), random.normal(2010, 5, n)),
        "split": split,
    }
    return heavy(random, n) * np.where(old, 1, 10), columns, split


def test_what_goes_along_with_the_split_is_no_slice():
    trials, hits = 100, 0
    for seed in range(trials):
        loss, columns, split = split_apart(seed)
        found = slices(loss, columns, strata=split)
        assert found.tested > 15
        hits += bool(found.found)
    assert slices(loss, columns).found
    assert hits / trials <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / trials)


def test_a_slice_is_found_within_splits_and_compared_with_the_other_rows_of_each():
    loss, columns, split = split_apart()
    flag = np.random.default_rng(1).random(len(loss)) < np.where(split == "train", 0.02, 0.2)
    loss = loss * np.where(flag, 6, 1)
    (one,) = [one for one in slices(loss, {**columns, "flag": flag}, strata=split).found if one.column == "flag"]
    above = [
        loss[flag & (split == name)].mean() - loss[~flag & (split == name)].mean() for name in ("train", "validation")
    ]
    counts = [(flag & (split == name)).sum() for name in ("train", "validation")]
    assert one.difference == pytest.approx(np.average(above, weights=counts))
    assert one.mean_loss - one.rest_loss == pytest.approx(one.difference)
    assert one.mean_loss == pytest.approx(loss[flag].mean())
    assert one.interval[0] < one.difference < one.interval[1]


def test_the_interval_of_strata_holds_the_difference_as_often_as_it_says():
    trials, held = 300, 0
    split = np.repeat(np.array(["a", "b"], object), [300, 100])
    for seed in range(trials):
        random = np.random.default_rng(seed)
        flag = random.random(400) < np.where(split == "a", 0.1, 0.4)
        loss = random.gamma(2, 1, 400) * np.where(split == "a", 1, 3) + 3 * flag
        (one,) = [one for one in slices(loss, {"flag": flag}, strata=split, level=0.9).found if one.value]
        held += one.interval[0] <= 3 <= one.interval[1]
    assert 0.85 <= held / trials <= 0.95


@pytest.mark.parametrize("months", [[200001, 202012], [1.5e9, 1.5e9 + 4000], [1e-6, 9e-6]])
def test_bounds_of_numbers_far_from_zero_are_not_rounded_away(months):
    random = np.random.default_rng(0)
    numbers = random.uniform(*months, 2000)
    tenth = np.quantile(numbers, 0.9)
    (one,) = slices(heavy(random, 2000) * np.where(numbers >= tenth, 20, 1), {"month": numbers}).found
    assert one.n == pytest.approx(200, abs=3)
    assert one.low == float(one.description.removeprefix("month >= "))


def test_small_slices_and_unknown_losses_are_left_out():
    loss = np.r_[np.full(19, 100.0), np.full(10, np.nan), np.random.default_rng(0).random(200)]
    name = column(["few"] * 29 + ["many"] * 200)
    assert slices(loss, {"name": name}).found == ()
    (one,) = slices(loss, {"name": name}, smallest=19).found
    assert (one.n, one.rows.tolist()) == (19, list(range(19)))


def test_the_order_of_rows_does_not_matter():
    loss, columns = planted()
    order = np.random.default_rng(1).permutation(len(loss))
    again = slices(loss[order], {name: values[order] for name, values in columns.items()}).found
    assert [one.description for one in again] == [one.description for one in slices(loss, columns).found]


def test_no_more_than_the_limit():
    loss, columns = planted()
    assert len(slices(loss, columns, limit=1).found) == 1


@pytest.mark.parametrize("loss", [np.array([]), np.zeros(100), np.full(5, np.nan)])
def test_nothing_to_tell_apart(loss):
    assert slices(loss, {"name": column(["a", "b"] * (len(loss) // 2) + ["a"] * (len(loss) % 2))}).found == ()
    assert slices(loss, {"number": np.arange(len(loss))}).found == ()


def test_a_column_of_another_length_is_refused():
    with pytest.raises(DataError, match="expected 3 values of 'name', one per loss, found 2"):
        slices(np.zeros(3), {"name": column(["a", "b"])})


def test_slices_of_one_row_are_refused():
    with pytest.raises(DataError, match="expected slices of 2 rows or more"):
        slices(np.zeros(3), {}, smallest=1)


def test_rare_mistakes_among_few_rows_are_not_taken_for_a_slice():
    random = np.random.default_rng(0)
    trials, hits = 200, 0
    for _ in range(trials):
        names = column([f"v{code}" for code in random.integers(0, 8, 200)])
        hits += bool(slices((random.random(200) < 0.1).astype(float), {"name": names}).found)
    assert hits / trials <= 0.05


def test_many_rows_and_columns_take_seconds():
    from time import perf_counter

    random, n = np.random.default_rng(0), 100_000
    names = np.array([f"v{code}" for code in range(200)], dtype=object)
    columns = {f"number{k}": random.normal(size=n) for k in range(20)}
    columns |= {f"name{k}": names[random.integers(0, 200, n)] for k in range(20)}
    began = perf_counter()
    slices(heavy(random, n), columns, groups=random.integers(0, 20_000, n))
    assert perf_counter() - began < 20  # a second here; the machine may be busy


def test_answers_of_a_published_model_to_squad(shared_data):
    import pyarrow.parquet as pq

    from tunewright.analyze.readability import answer_statistics
    from tunewright.metrics.squad import f1

    rows = pq.read_table(shared_data / "squad_v1_dev.parquet").to_pydict()
    answers = pq.read_table(shared_data / "squad_v1_dev_predictions.parquet", columns=["id", "bert"]).to_pydict()
    said = dict(zip(answers["id"], answers["bert"], strict=True))
    loss = np.array([1 - f1(said[name], gold) for name, gold in zip(rows["id"], rows["answers_text"], strict=True)])
    assert 1 - loss.mean() == pytest.approx(0.922, abs=0.0005)  # as published
    columns = answer_statistics(rows["context"], rows["answers_text"], rows["answers_start"])
    found = {one.description for one in slices(loss, {"title": column(rows["title"]), **columns}).found}
    assert {"title = Civil_disobedience", "answer_words >= 6"} <= found
