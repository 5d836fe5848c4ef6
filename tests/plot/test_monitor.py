from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.plot.monitor import Drift, Lengths, figure, save

DRIFT = Drift(np.array([0.5, 0.2, 0.0]), np.array([1.0, 2.0, 400.0]), 20.0)
LENGTHS = Lengths(np.array([0.0, 10.0, 50.0]), np.array([1, 5, 2]), 30.0)


def titles(sheet):
    return [axes.get_title(loc="left") for axes in sheet.axes]


def words(sheet):
    return [text.get_text() for axes in sheet.axes for text in axes.texts]


def test_there_is_a_panel_for_each_thing_that_is_known():
    coverage = {"vocabulary(text)": (np.array([500, 1000]), np.array([0.97, 0.9]))}
    sheet = figure(
        coverage=coverage,
        marked={"low": 3, "long": 0},
        drift={"drift(vector)": DRIFT},
        lengths={"words": LENGTHS},
        rows=8,
    )
    assert titles(sheet) == [
        "Words that the training set has",
        "Rows by edge case",
        "Drift: p of each window",
        "Drift: evidence so far (e-value)",
        "Words",
    ]
    assert "alarm at 20" in words(sheet)
    assert any("cut-off 30" in text and "25.0% beyond" in text for text in words(sheet))
    assert " 3 (37.5%)" in words(sheet)


def test_the_threshold_is_in_sight_where_evidence_is_small():
    sheet = figure(drift={"drift(vector)": Drift(np.array([0.5]), np.array([0.0]), 20.0)})
    low, high = sheet.axes[1].get_ylim()
    assert low < 20 < high


def test_many_edges_are_cut_and_said_to_be():
    sheet = figure(marked={f"edge{number}": number for number in range(14)})
    assert titles(sheet) == ["Rows by edge case (first 10 of 14)"]
    assert "edge13" in words(sheet)


def test_names_of_users_are_never_mathematics(tmp_path):
    assert save(figure(marked={"$x_{$": 1}, drift={"drift($a)": DRIFT}), tmp_path / "a.png").is_file()


@pytest.mark.parametrize("nothing", [{}, {"coverage": {"a": (np.array([]), np.array([]))}, "marked": {}}])
def test_nothing_is_no_picture(nothing):
    with pytest.raises(DataError, match="found none"):
        figure(**nothing)


def test_the_same_figure_has_the_same_bytes(tmp_path):
    one, other = (save(figure(marked={"low": 3}), tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert one == other
