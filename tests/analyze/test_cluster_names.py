from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.cluster_names import name_clusters, terms
from tunewright.errors import DataError

CITIES = [f"what is the capital city of the country {number}" for number in range(30)]
YEARS = [f"in what year was the treaty number {number} signed" for number in range(30)]
OTHERS = [f"what is the thing {number} of it" for number in range(60)]
CODE = np.repeat([0, 1, -1], [30, 30, 60])
TEXTS = CITIES + YEARS + OTHERS


def test_words_that_set_apart_make_the_name_and_frequent_ones_do_not():
    first, second = name_clusters(CODE, TEXTS)
    assert {"capital", "city"} & set(first.replace(",", "").split())
    assert {"treaty", "year", "signed"} & set(second.replace(",", "").split())
    assert not {"the", "is", "of"} & set(f"{first} {second}".replace(",", "").split())


def test_a_name_is_short_and_repeats_no_word():
    for name in name_clusters(CODE, TEXTS):
        found = name.replace(",", "").split()
        assert len(found) <= 4
        assert len(set(found)) == len(found)


def test_metadata_that_describes_a_cluster_is_added():
    kind = np.where(CODE == 0, "LOC", "NUM").tolist()
    names = name_clusters(CODE, TEXTS, {"kind": kind, "id": list(range(len(CODE))), "same": ["x"] * len(CODE)})
    assert names[0].endswith(" (kind=LOC)")
    assert "(" not in names[1]  # NUM is the rule outside, too


def test_a_name_says_something_beside_metadata_and_function_words():
    as_a = [f"as a matter {number % 7} of it" for number in range(20)] + [f"so {number % 7}" for number in range(20)]
    code = np.repeat([0, -1], 20)
    assert "matter" in name_clusters(code, as_a)[0]
    assert not {"as a", "as", "a"} & set(name_clusters(code, as_a)[0].split(", "))
    bare = ["and the river"] * 3 + ["with that"] * 17 + ["and the river"] + ["with it"] * 19
    kind = ["x"] * 20 + ["y"] * 20
    assert name_clusters(code, bare, {"kind": kind}) == ("river (kind=x)",)
    assert name_clusters(code, ["with that"] * 40, {"kind": kind}) == ("cluster 0 (kind=x)",)


def test_questions_are_known_by_the_words_that_ask():
    asked = [f"how many {number % 7}" for number in range(20)] + [f"is it {number % 7}" for number in range(20)]
    assert "how" in name_clusters(np.repeat([0, -1], 20), asked)[0]


def test_missing_metadata_names_nothing():
    assert all("(" not in name for name in name_clusters(CODE, TEXTS, {"kind": [None] * len(CODE)}))


def test_names_are_unique_also_of_clusters_that_are_alike():
    names = name_clusters(np.array([0, 1, 2] * 20), ["the same words"] * 60)
    assert names == ("cluster 0", "cluster 1", "cluster 2")
    halves = name_clusters(np.repeat([0, 1, -1], [20, 20, 80]), ["green apple pie recipe"] * 40 + ["else"] * 80)
    assert len(set(halves)) == 2


def test_order_of_rows_does_not_matter():
    order = np.random.default_rng(0).permutation(len(CODE))
    assert name_clusters(CODE[order], [TEXTS[row] for row in order]) == name_clusters(CODE, TEXTS)


def test_scripts_without_blanks():
    texts = [f"首都在哪里{number}号" for number in "一二三四五六七八九十"] * 2 + [f"几年发生{n}" for n in range(20)]
    found = terms(np.repeat([0, 1], 20), texts)
    assert "首都" in found[0]


@pytest.mark.parametrize("texts", [["", "", ""], ["a", "b", "c"], ["\x00", "\u202e x", "((("]])
def test_texts_that_say_nothing(texts):
    assert name_clusters(np.array([0, 0, 1]), texts) == ("cluster 0", "cluster 1")


def test_no_clusters_have_no_names():
    assert name_clusters(np.array([-1, -1]), ["a", "b"]) == ()
    assert name_clusters(np.array([], dtype=np.int64), []) == ()


def test_lengths_that_differ_are_an_error():
    with pytest.raises(DataError, match="expected 2 texts"):
        name_clusters(np.array([0, 0]), ["a"])
    with pytest.raises(DataError, match="expected 2 texts"):
        name_clusters(np.array([0, 0]), ["a", "b"], {"kind": ["x"]})
