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


def test_epochs_are_counted_from_one_as_in_training():
    probability, loss, groups = learnt()
    axes = figure(probability, loss, groups=groups, by="region").axes[0]
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3, 4]
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1, 2, 3, 4]


def test_of_one_epoch_it_is_said():
    probability, loss, groups = learnt(epochs=1)
    sheet = figure(probability, loss, groups=groups, by="region")
    low, high = sheet.axes[0].get_xlim()
    assert [tick for tick in sheet.axes[0].get_xticks() if low <= tick <= high] == [1]
    assert "one epoch only" in sheet.texts[1].get_text()


@pytest.mark.parametrize("scale", [0.00175, 0.0175, 3, 1750])
def test_labels_lie_on_the_sheet_and_beside_the_other_panel(scale):
    probability, _, groups = learnt()
    sheet = figure(probability * min(scale, 1), probability * scale, groups=groups, by="region")
    sheet.canvas.draw()
    left, right = sheet.axes
    assert left.get_tightbbox().x0 > 0
    assert right.get_tightbbox().x0 > left.get_window_extent().x1


def test_clusters_are_names():
    probability, loss, _ = learnt()
    names = np.array([None, *(f"c{number % 9}" for number in range(89))], object)
    sheet = figure(probability, loss, groups=names, by="cluster_name")
    assert [text.get_text() for text in sheet.legends[0].get_texts()][-2:] == ["1 others (9)", "in none (1)"]


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
