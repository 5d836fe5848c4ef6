from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import tunewright as tw
from tunewright.errors import DataError
from tunewright.verbs.explore.views import View, forget_view, save_view, views


@pytest.fixture
def kept(tmp_path):
    project = tw.Project(name="any", source="any.csv", task=tw.Classification(text="text", labels=("a", "b")))
    return replace(project, folder=tmp_path)


def test_views_are_kept_by_name(kept):
    assert views(kept).views == ()
    save_view(kept, "hard", "color=label")
    save_view(kept, "easy", "x=1")
    assert save_view(kept, "hard", "color=loss").views == (
        View(name="easy", query="x=1"),
        View(name="hard", query="color=loss"),
    )
    assert forget_view(kept, "easy").views == views(kept).views == (View(name="hard", query="color=loss"),)


@pytest.mark.parametrize("name", ["", " hard", "a\nb", "x" * 81, "nul\0"])
def test_a_name_that_cannot_be_read_is_refused(kept, name):
    with pytest.raises(DataError, match="expected a name"):
        save_view(kept, name, "")


def test_a_view_that_is_not_there_cannot_be_forgotten(kept):
    save_view(kept, "hard", "")
    with pytest.raises(DataError, match="did you mean 'hard'"):
        forget_view(kept, "hrd")


def test_no_view_of_two_writers_gets_lost(kept):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: save_view(kept, f"view {number}", str(number)), range(40)))
    assert len(views(kept).views) == 40


def test_a_broken_file_is_one_clear_error(kept):
    (kept.folder / "views.json").write_text("[]")
    with pytest.raises(DataError, match="expected a list of views"):
        views(kept)
