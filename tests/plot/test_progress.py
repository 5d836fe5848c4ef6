from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.plot.progress import figure, save


def learnt(n: int = 90, epochs: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = np.repeat([0.1, 0.5, 0.9], n // 3)[:, None]
    probability = np.clip(start + 0.02 * np.arange(epochs) + np.linspace(-0.05, 0.05, n)[:, None], 0.01, 0.99)
    return probability, -np.log(probability), np.repeat(np.array(["hard", "ambiguous", "easy"], object), n // 3)


def test_each_group_has_a_line_of_means_and_a_band():
    probability, loss, groups = learnt()
    sheet = figure(probability, loss, groups=groups, by="region")
    left, right = sheet.axes
    assert [axes.get_ylabel() for axes in sheet.axes] == ["gold probability", "loss (nats)"]
    assert len(left.lines) == len(right.lines) == len(left.collections) == 3
    ambiguous = left.lines[0].get_ydata()
    assert ambiguous == pytest.approx(probability[groups == "ambiguous"].mean(axis=0))
    assert [text.get_text() for text in sheet.legends[0].get_texts()] == ["ambiguous (30)", "easy (30)", "hard (30)"]


def test_the_legend_lies_on_the_sheet():
    probability, loss, _ = learnt(1200)
    sheet = figure(probability, loss, groups=np.arange(200001.0, 201201.0), by="month")
    assert "200241 to 200481 (240)" in {text.get_text() for text in sheet.legends[0].get_texts()}
    box, page = sheet.legends[0].get_window_extent(), sheet.bbox
    assert sheet.axes[1].get_window_extent().x1 < box.x0 < box.x1 < page.x1


def test_rows_that_were_not_seen_do_not_count():
    probability, loss, groups = learnt()
    probability[:, 2], loss[:, 2] = np.nan, np.nan
    probability[groups == "easy"], loss[groups == "easy"] = np.nan, np.nan
    lines = figure(probability, loss, groups=groups, by="region").axes[0].lines
    assert len(lines) == 2
    assert np.isnan(lines[0].get_ydata()).tolist() == [False, False, True, False]


def test_nothing_seen_is_refused():
    with pytest.raises(DataError, match="rows that were seen"):
        figure(np.full((3, 2), np.nan), np.zeros((3, 2)), groups=np.zeros(3), by="x")
    with pytest.raises(DataError, match="shapes"):
        figure(np.zeros((3, 2)), np.zeros((3, 2)), groups=np.zeros(2), by="x")


def test_it_can_be_saved(tmp_path):
    probability, loss, groups = learnt()
    assert save(figure(probability, loss, groups=groups, by="$x"), tmp_path / "a.svg").stat().st_size > 1000
