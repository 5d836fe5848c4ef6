from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.plot.errors import confusion, figure, save


def predict(n: int, names: list[str]) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    gold = generator.integers(0, len(names), n)
    guess = np.where(generator.random(n) < 0.8, gold, generator.integers(0, len(names), n))
    array = np.array(names, dtype=object)
    return {"label": array[gold], "predicted": array[guess]}


def test_rows_are_gold_and_columns_are_predictions():
    assert confusion(["a", "a", "b"], ["b", "b", "b"], labels=["a", "b"]).tolist() == [[0, 2], [0, 1]]


def test_unlabelled_rows_do_not_count():
    assert confusion(["a", None, float("nan")], ["a", "a", "a"], labels=["a"]).sum() == 1


def test_an_unknown_label_is_named():
    with pytest.raises(DataError, match=r"found \['c'\]"):
        confusion(["c"], ["a"], labels=["a", "b"])


def test_every_count_is_written():
    columns = predict(300, ["neg", "pos"])
    counts = [int(text.get_text()) for text in figure(columns).axes[0].texts]
    assert sum(counts) == 300


def test_the_second_line_says_how_many_are_right():
    columns = {"label": np.array(["a", "b", "b", "a"]), "predicted": np.array(["a", "b", "a", "a"])}
    assert figure(columns).texts[1].get_text() == "3 of 4 correct (75.0%)"


def test_a_thousand_labels_are_colour_alone(tmp_path):
    sheet = figure(predict(3000, [f"l{i:03}" for i in range(1000)]))
    assert len(sheet.axes[0].texts) == 0
    save(sheet, tmp_path / "a.png")


def test_label_names_are_not_read_as_mathematics(tmp_path):
    save(figure(predict(20, ["$\\frac{", "<b>\x00"])), tmp_path / "a.svg")


def test_nothing_labelled_is_an_error():
    with pytest.raises(DataError, match="none of the 2 rows"):
        figure({"label": np.array([None, None]), "predicted": np.array(["a", "b"])})
