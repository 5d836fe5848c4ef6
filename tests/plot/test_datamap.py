from __future__ import annotations

import sys

import numpy as np
import pytest

from tunewright.errors import ColumnError
from tunewright.plot.datamap import WHISKERS, figure, map_captions, save, variability_limit
from tunewright.plot.inputs import map_points


def offsets(axes) -> np.ndarray:
    return np.concatenate([np.asarray(points.get_offsets()) for points in axes.collections])


def facts(sheet) -> str:
    return sheet.texts[1].get_text()


def test_every_point_is_drawn(many):
    drawn = offsets(figure(many).axes[0])
    wanted = np.stack([many["variability"], many["confidence"]], axis=1)
    assert np.array_equal(drawn[np.lexsort(drawn.T)], wanted[np.lexsort(wanted.T)])


def test_no_global_state_of_pyplot_is_touched(columns):
    before = "matplotlib.pyplot" in sys.modules
    figure(columns)
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_the_rarest_bin_is_drawn_last(columns):
    sizes = [len(points.get_offsets()) for points in figure(columns).axes[0].collections]
    assert sizes == sorted(sizes, reverse=True)


def test_bins_differ_in_colour_and_marker(columns):
    collections = figure(columns).axes[0].collections
    assert len({tuple(points.get_facecolor()[0][:3]) for points in collections}) == len(collections)
    assert len({points.get_paths()[0].vertices.tobytes() for points in collections}) == len(collections)


def test_the_second_line_says_what_a_reader_must_know(columns):
    columns["confidence"][:2] = np.nan
    sheet = figure(columns, model="tiny", dataset="toy@main", coverage=0.9999, when="epoch_end")
    assert facts(sheet) == (
        "tiny · toy@main · n = 198 (2 never seen) · coverage 99.9 % · recorded in a pass after each epoch, dropout off"
    )


def test_complete_coverage_reads_as_such(columns):
    assert "coverage 100 %" in facts(figure(columns, coverage=1.0))


def test_the_legend_counts_the_examples(columns):
    [legend] = figure(columns).legends
    counts = [int(text.get_text().split("(")[1].rstrip(")")) for text in legend.get_texts()]
    assert sum(counts) == 200


def test_flagged_examples_are_ringed_and_counted(columns):
    columns["suspect"] = columns["confidence"] < 0.2
    sheet = figure(columns, ring="suspect")
    assert len(sheet.axes[0].collections[-1].get_offsets()) == columns["suspect"].sum()
    assert sheet.legends[0].get_texts()[-1].get_text() == f"suspect ({columns['suspect'].sum()})"


def test_a_missing_flag_column_is_an_error(columns):
    with pytest.raises(ColumnError, match="suspect"):
        figure(columns, ring="suspect")


def test_the_least_certain_examples_get_whiskers(columns):
    size = len(columns["confidence"])
    columns["along"] = np.linspace(0, 0.1, size)
    columns["across"] = np.full(size, 0.01)
    columns["along"][:3] = np.nan
    sheet = figure(columns, whiskers=("across", "along"))
    upright = [segment[:, 1] for segment in sheet.axes[0].containers[0].lines[2][1].get_segments()]
    assert len(upright) == WHISKERS
    assert min(top - bottom for bottom, top in upright) == pytest.approx(2 * columns["along"][-WHISKERS])
    assert "standard error" in sheet.legends[0].get_texts()[-1].get_text()


def test_the_margins_count_every_example(columns):
    for axes in figure(columns).axes[1:]:
        assert sum(bar.get_height() for bar in axes.patches) == 200


def test_captions_are_in_the_sheet_and_apart(published):
    names = [caption.text for caption in map_captions(map_points(published))]
    assert names == ["ambiguous", "hard-to-learn", "easy-to-learn"]


def test_captions_hide_hardly_any_point_of_the_published_map(published):
    points = map_points(published)
    x, y = points.variability / variability_limit(points), (points.confidence + 0.02) / 1.04
    for caption in map_captions(points):
        assert ((np.abs(x - caption.x) < 0.09) & (np.abs(y - caption.y) < 0.02)).sum() <= 3


def test_no_text_leaves_the_sheet_or_lies_on_another(published):
    sheet = figure(published, model="roberta-large", dataset="winogrande@main", coverage=1.0, when="train")
    sheet.canvas.draw()
    whole = sheet.bbox
    boxes = [text.get_window_extent() for text in (*sheet.texts, *sheet.axes[0].texts, *sheet.legends)]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= whole.x1 and box.y1 <= whole.y1 for box in boxes)
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_a_large_map_is_a_small_svg(published, tmp_path):
    assert save(figure(published), tmp_path / "map.svg").stat().st_size < 1_000_000


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_example_is_a_map_too(value, tmp_path):
    one = {"confidence": np.array([value]), "variability": np.array([0.0]), "correctness": np.array([value])}
    save(figure(one), tmp_path / "one.png")
