from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.plot.latent import figure, save


def embed(n: int, names: list[str]) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "pc1": generator.normal(0, 3, n),
        "pc2": generator.normal(0, 1, n),
        "probability": generator.uniform(0.5, 1, n),
        "label": np.array([names[i % len(names)] for i in range(n)], dtype=object),
        "correct": np.arange(n) % 10 != 0,
    }


def legend(sheet) -> list[str]:
    return [text.get_text() for text in sheet.axes[0].get_legend().get_texts()]


def test_two_labels_make_three_groups():
    assert legend(figure(embed(200, ["neg", "pos"]))) == ["correct, pos (100)", "correct, neg (80)", "incorrect (20)"]


def test_the_second_of_two_labels_is_the_positive_one():
    assert legend(figure(embed(200, ["neg", "pos"]), labels=("pos", "neg")))[0] == "correct, neg (80)"


def test_a_few_labels_have_a_colour_each_and_a_cross_where_wrong():
    names = legend(figure(embed(300, ["a", "b", "c"])))
    assert names[:2] == ["a, correct (90)", "a, incorrect (10)"]
    assert len(names) == 6


def test_many_labels_are_correct_or_incorrect():
    assert legend(figure(embed(200, [f"l{i}" for i in range(20)]))) == ["correct (180)", "incorrect (20)"]


def test_unlabelled_examples_are_neither_right_nor_wrong():
    columns = embed(200, ["neg", "pos"])
    columns["label"][:5] = None
    assert legend(figure(columns))[-1] == "unlabelled (5)"


def test_opacity_follows_confidence():
    columns = embed(2, ["neg", "pos"]) | {"probability": np.array([0.2, 0.9]), "correct": np.array([True, True])}
    sure, unsure = (points.get_alpha()[0] for points in figure(columns).axes[0].collections)
    assert {round(unsure / sure, 3), round(sure / unsure, 3)} & {round(0.9 / 0.2, 3)}


def test_both_axes_have_the_same_unit():
    assert figure(embed(50, ["neg", "pos"])).axes[0].get_aspect() == 1


def test_axes_name_their_share_of_the_variance():
    axes = figure(embed(50, ["neg", "pos"]), explained=(0.314, 0.1)).axes[0]
    assert axes.get_xlabel() == "principal component 1 (31% of variance)"


def test_rows_without_an_embedding_are_counted():
    columns = embed(200, ["neg", "pos"])
    columns["pc1"][:4] = np.nan
    assert "n = 196 (4 not embedded)" in figure(columns).texts[1].get_text()
    with pytest.raises(DataError, match="none of the 200"):
        figure(columns | {"pc2": np.full(200, np.nan)})


def test_a_missing_column_is_named():
    with pytest.raises(ColumnError, match="pc2"):
        figure({"pc1": np.zeros(3)})


def test_label_names_are_not_read_as_mathematics(tmp_path):
    save(figure(embed(20, ["$\\frac{", "漢字"])), tmp_path / "a.svg")
