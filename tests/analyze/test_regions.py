from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunewright.analyze.regions import bounded, name_regions, sample, select
from tunewright.errors import ColumnError, DataError

COLUMNS = {
    "id": np.array(["a", "b", "c", "d", "e", "f"]),
    "confidence": np.array([0.9, 0.1, 0.5, 0.95, 0.2, np.nan]),
    "variability": np.array([0.05, 0.1, 0.4, 0.02, 0.3, np.nan]),
}


def ids(mask, columns=COLUMNS):
    return set(columns["id"][mask].tolist())


def columns_of(n, seed=0):
    random = np.random.default_rng(seed)
    return {
        "id": np.array([f"row-{number}" for number in range(n)]),
        "confidence": random.choice([0.1, 0.5, 0.9], n),
        "variability": random.choice([0.0, 0.2, 0.4], n),
    }


@pytest.mark.parametrize(
    ("region", "expected"), [("ambiguous", {"c", "e"}), ("hard", {"b", "e"}), ("easy", {"a", "d"})]
)
def test_regions_are_the_extremes_of_their_column(region, expected):
    assert ids(select(COLUMNS, region=region, fraction=0.4)) == expected


def test_the_fraction_is_exact_and_of_the_rows_seen():
    """The published selection keeps one row too many."""
    assert select(COLUMNS, region="easy", fraction=0.2).sum() == 1
    assert select(COLUMNS, region="easy", fraction=1.0).sum() == 5


def test_excluded_rows_leave_before_the_third_is_taken():
    suspects = COLUMNS["id"] == "c"
    assert ids(select(COLUMNS, region="ambiguous", fraction=0.5, exclude=suspects)) == {"e", "b"}


def test_bounds_are_inclusive_below_and_exclusive_above():
    assert ids(bounded(COLUMNS, {"variability": (0.1, 0.4)})) == {"b", "e"}
    assert ids(bounded(COLUMNS, {"variability": (0.1, None), "confidence": (None, 0.5)})) == {"b", "e"}
    assert ids(bounded(COLUMNS, {})) == set("abcdef")


def test_bounds_without_a_region_keep_all_rows_within():
    assert ids(select(COLUMNS, bounds={"variability": (0.25, None)})) == {"c", "e"}


def test_a_region_ranks_within_the_bounds():
    kept = select(COLUMNS, region="ambiguous", bounds={"confidence": (None, 0.5)}, fraction=0.5)
    assert ids(kept) == {"e"}


def test_region_names_put_ambiguous_first():
    names = name_regions(COLUMNS, fraction=0.4)
    assert dict(zip(COLUMNS["id"].tolist(), names.tolist(), strict=True)) == {
        "a": "easy",
        "b": "hard",
        "c": "ambiguous",
        "d": "easy",
        "e": "ambiguous",
        "f": "",
    }


def test_region_names_by_threshold_cover_every_row_seen():
    names = name_regions(COLUMNS, by="threshold")
    assert names.tolist() == ["easy", "hard", "ambiguous", "easy", "ambiguous", ""]


@given(st.integers(1, 60), st.integers(0, 5), st.sampled_from(["easy", "ambiguous", "hard"]))
def test_the_order_of_rows_does_not_matter_even_with_ties(n, seed, region):
    columns = columns_of(n, seed)
    order = np.random.default_rng(seed + 1).permutation(n)
    shuffled = {name: values[order] for name, values in columns.items()}
    assert ids(select(columns, region=region), columns) == ids(select(shuffled, region=region), shuffled)
    assert ids(sample(columns, n // 2), columns) == ids(sample(shuffled, n // 2), shuffled)


def test_ties_are_not_broken_by_an_order_hidden_in_the_ids():
    """A file may hold all rows of one class first."""
    n = 1000
    columns = {"id": np.array([f"{number:04d}" for number in range(n)]), "variability": np.zeros(n)}
    kept = select(columns, region="ambiguous", fraction=0.5)
    assert 200 < kept[: n // 2].sum() < 300


def test_a_sample_has_the_size_asked_for_and_depends_on_the_seed():
    columns = columns_of(100)
    suspects = np.arange(100) < 10
    kept = sample(columns, 30, exclude=suspects, seed=1)
    assert kept.sum() == 30
    assert not (kept & suspects).any()
    assert (kept != sample(columns, 30, exclude=suspects, seed=2)).any()
    assert sample(columns, 1000).all()


def test_errors_say_what_is_there():
    with pytest.raises(ColumnError, match="variability"):
        select({"id": COLUMNS["id"]}, region="ambiguous")
    with pytest.raises(DataError, match="ambigous"):
        select(COLUMNS, region="ambigous")
    with pytest.raises(DataError, match=r"fraction in \(0, 1\]"):
        select(COLUMNS, region="easy", fraction=33)


def test_the_ambiguous_third_of_a_published_map(shared_data):
    with gzip.open(shared_data / "cartography" / "winogrande_roberta_map.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    columns = {
        "id": np.array([str(row["guid"]) for row in rows]),
        "variability": np.array([row["variability"] for row in rows]),
    }
    kept = select(columns, region="ambiguous")
    assert kept.sum() == round(40398 / 3)
    assert columns["variability"][kept].min() == pytest.approx(0.190, abs=0.0005)


def test_the_control_of_equal_rows_is_not_the_selection_itself():
    """Both once ranked ties by the same hash: after one epoch, the random control was the subset."""
    columns = {"id": np.array([f"r{row}" for row in range(200)]), "variability": np.zeros(200)}
    chosen = select(columns, region="ambiguous", fraction=0.5)
    control = sample(columns, 100)
    assert 30 < (chosen & control).sum() < 70
