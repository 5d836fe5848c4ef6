from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.errors import RunError
from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm
from tunewright.trial.folder import Trial, find, trials

ARM = Arm(name="unchanged", kind="unchanged", versions=("v0",))


def made(root, name="first"):
    return Trial.create(root, name=name, arms=(ARM,), config=TrainConfig(seed=3), seeds=[3, 4])


def test_a_trial_is_what_was_written(tmp_path):
    trial = Trial.open(made(tmp_path).folder)
    assert (trial.arms, trial.config, trial.seeds, trial.done) == ((ARM,), TrainConfig(seed=3), (3, 4), {})
    assert trial.meta["status"] == "planned"


def test_results_come_back(tmp_path):
    trial = made(tmp_path)
    with pytest.raises(RunError, match="no results yet"):
        trial.results()
    trial.write(pa.table({"arm": ["unchanged"], "seed": [3]}))
    assert trial.results().num_rows == 1


def test_a_trial_is_found_by_id_name_part_and_as_the_last(tmp_path):
    first, second = made(tmp_path), made(tmp_path, "Drop: top 5 %")
    assert "drop-top-5" in second.id
    for name in (None, "last", second.id, "Drop: top 5 %", "drop-top"):
        assert find(tmp_path, name).id == second.id
    assert [trial.id for trial in trials(tmp_path)] == [first.id, second.id]


def test_what_is_not_there_or_not_clear_is_refused(tmp_path):
    with pytest.raises(RunError, match="found none") as none:
        find(tmp_path)
    assert "tunewright trial plan drop:top:5%" in str(none.value.fix)
    both = [made(tmp_path).id, made(tmp_path).id]
    with pytest.raises(RunError, match="no trial") as unknown:
        find(tmp_path, "third")
    assert all(trial in str(unknown.value.fix) for trial in both)
    with pytest.raises(RunError, match="could be any of"):
        find(tmp_path, "first")
    with pytest.raises(RunError, match="expected a trial"):
        Trial.open(tmp_path)
