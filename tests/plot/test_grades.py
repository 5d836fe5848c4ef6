from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.plot.grades import SHOWN, figure, save

SCORES = {"exact_match": np.array([0, 1, 1, np.nan]), "f1": np.array([0.2, 1, 1, np.nan])}
BARS = [(f"title = {number}", 20, 1.0 - number / 20, (0.5, 1.5)) for number in range(15)]


def test_each_score_has_a_histogram_with_its_mean():
    sheet = figure(SCORES, BARS)
    assert sheet.axes[0].get_title(loc="left") == "exact_match: mean 0.667"
    assert sum(bar.get_height() for bar in sheet.axes[1].patches) == 3
    assert len(sheet.axes[1].patches) == 20


def test_a_score_of_zeros_and_ones_is_two_bars():
    bars = figure(SCORES).axes[0]
    assert [bar.get_height() for bar in bars.patches] == [1, 2]
    assert [text.get_text() for text in bars.get_xticklabels()] == ["0: 33.3%", "1: 66.7%"]


def test_the_line_of_facts_is_about_labelled_rows():
    sheet = figure(SCORES, BARS)
    assert "3 labelled rows" in sheet.texts[1].get_text()


def test_the_worst_slices_come_first_from_the_top():
    axes = figure(SCORES, BARS).axes[-1]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert len(names) == SHOWN
    assert names[0] == "title = 0 (20)"
    assert axes.patches[0].get_y() > axes.patches[1].get_y()


def test_no_slices_have_no_panel_and_are_said_to_be_none():
    sheet = figure(SCORES, tested=7)
    assert len(sheet.axes) == len(SCORES)
    assert sheet.texts[-1].get_text() == "None of 7 slices has a higher loss."


def test_nothing_scored_is_refused():
    with pytest.raises(DataError, match="found none"):
        figure({"f1": np.full(3, np.nan)})


def test_it_can_be_saved(tmp_path):
    assert save(figure(SCORES, [("$x", 20, 1.0, (0.5, 1.5))]), tmp_path / "a.svg").stat().st_size > 1000
