from __future__ import annotations

from dataclasses import replace

import pytest
from transformers import TrainerCallback

import tunewright as tw
from tunewright.errors import EditError, RunError, TrainError
from tunewright.project import open_dataset
from tunewright.tasks.answer import QuestionAnswering
from tunewright.verbs.learn import resumable


class Stop(TrainerCallback):
    """As Ctrl-C does, in the middle of the second epoch."""

    def on_step_end(self, args, state, control, **trainer):
        if state.global_step == 12:
            raise KeyboardInterrupt


def test_a_run_says_what_it_was_trained_on(project, first):
    dataset = open_dataset(project)
    assert first.meta["status"] == "finished"
    assert (first.meta["dataset"], first.meta["version"]) == ("reviews", dataset.resolve("main"))
    assert first.meta["version_name"] == "main"
    assert first.meta["seconds"] > 0
    assert set(first.table("examples")["split"].to_pylist()) == {"train", "validation"}
    assert [epoch["seen"] for epoch in first.meta["coverage"]] == [60, 60, 60]


def test_changes_are_those_of_the_configuration(new):
    run = tw.train(new, epochs=1, record="none")
    assert run.meta["config"]["epochs"] == 1
    with pytest.raises(TrainError, match="no field 'epoch'") as caught:
        tw.train(new, epoch=1)
    assert "'epochs'" in caught.value.fix


def test_an_unknown_version_is_refused_before_anything_is_made(new):
    with pytest.raises(EditError, match="'mian'") as caught:
        tw.train(new, version="mian")
    assert "did you mean 'main'" in caught.value.fix
    assert not new.runs_folder.exists()


def test_training_goes_on_from_another_run(project, first):
    run = tw.train(project, from_run=first, epochs=1, name="third")
    assert run.meta["parent"] == first.id
    assert run.meta["config"]["model"] == str(first.model_folder)


def test_a_run_without_a_model_is_no_start(new):
    with pytest.raises(KeyboardInterrupt):
        tw.train(new, callbacks=[Stop()])
    with pytest.raises(RunError, match="no model"):
        tw.train(new, from_run="last")


def test_a_run_of_another_task_is_no_start(project, first):
    with pytest.raises(RunError, match="learnt the task Classification, the project's is QuestionAnswering"):
        tw.train(replace(project, task=QuestionAnswering(question="text", context="text")), from_run=first)


def test_an_interrupted_run_goes_on(new, same_as):
    whole = tw.train(new, name="whole")
    with pytest.raises(KeyboardInterrupt):
        tw.train(new, name="cut", callbacks=[Stop()])
    assert resumable(new).meta["status"] == "interrupted"
    resumed = tw.train(new, resume=True)
    assert resumed.meta["name"] == "cut"
    assert resumed.meta["status"] == "finished"
    same_as(whole, resumed)
    assert tw.show(new, resumed).speed is None, "the time before the interruption is not known"
    with pytest.raises(TrainError, match="found none"):
        tw.train(new, resume=True)


def test_a_resumed_run_cannot_be_changed(new):
    with pytest.raises(KeyboardInterrupt):
        tw.train(new, callbacks=[Stop()])
    with pytest.raises(TrainError, match="configuration it began with"):
        tw.train(new, resume=True, epochs=9)


def test_the_map_is_logged_while_the_tracker_is_open(new, monkeypatch):
    from tunewright.train import trackers

    seen = []
    monkeypatch.setattr(trackers, "log_image", lambda names, path, *, run: seen.append((names, path.name)))
    monkeypatch.setattr(trackers, "finish", lambda names: seen.append(("finished", names)))
    pytest.importorskip("tensorboard")
    tw.train(new, epochs=1, trackers=("tensorboard",))
    assert seen == [(("tensorboard",), "map.png"), ("finished", ("tensorboard",))]


def test_the_projects_own_loss_is_trained_on(new):
    called = []

    def loss(outputs, targets):
        called.append(outputs.logits.shape)
        return outputs.logits.logsumexp(-1) - outputs.logits.gather(1, targets[:, None])[:, 0]

    run = tw.train(replace(new, loss=loss), epochs=1)
    assert len(called) >= run.meta["steps"]
