from __future__ import annotations

import pytest

from tunewright.files import whole


def test_the_file_is_there_when_the_block_ends(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    with whole(path) as part:
        part.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), whole(path) as part:
        part.write_text(b"not text")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it(tmp_path):
    with whole(tmp_path / "a.txt") as part:
        part.write_text("")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
