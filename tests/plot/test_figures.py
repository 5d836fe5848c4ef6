from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tunewright.errors import DataError
from tunewright.plot.figures import blank, heading, plain, point_style, save


def sheet():
    figure = blank(3, 2)
    heading(figure, "a title with $maths_1$ & <tags> \x00 漢字", ["one", "", "two"])
    return figure


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    first, second = (save(sheet(), tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second


def test_an_svg_of_hostile_text_is_well_formed_and_has_no_date(tmp_path):
    path = save(sheet(), tmp_path / "a.svg")
    ET.parse(path)
    assert "date>" not in path.read_text(encoding="utf-8")


def test_empty_facts_leave_no_separator():
    assert [text.get_text() for text in sheet().texts][1] == "one · two"


def test_another_suffix_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match=r"found 'a\.gif'"):
        save(sheet(), tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_control_and_direction_characters_are_replaced_and_long_text_is_cut():
    assert plain("a\nb\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"
    assert plain("x" * 50) == "x" * 39 + "…"


def test_more_points_are_smaller_and_fainter_and_one_image():
    few, many = point_style(50), point_style(100_000)
    assert few[0] > many[0]
    assert few[1] > many[1]
    assert (few[2], many[2]) == (False, True)
