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
    assert "3 labelled rows" in sheet.texts[1].get_text()


def test_the_worst_slices_come_first_from_the_top():
    axes = figure(SCORES, BARS).axes[-1]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert len(names) == SHOWN
    assert names[0] == "title = 0 (20)"
    assert axes.patches[0].get_y() > axes.patches[1].get_y()


def test_no_slices_are_said_to_be_none():
    assert figure(SCORES).axes[-1].texts[0].get_text() == "none found"


def test_nothing_scored_is_refused():
    with pytest.raises(DataError, match="found none"):
        figure({"f1": np.full(3, np.nan)})


def test_it_can_be_saved(tmp_path):
    assert save(figure(SCORES, [("$x", 20, 1.0, (0.5, 1.5))]), tmp_path / "a.svg").stat().st_size > 1000
