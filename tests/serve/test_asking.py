import threading
from dataclasses import replace

import pyarrow.csv
import pytest
from starlette.testclient import TestClient

import tunewright as tw
from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import Rules
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.verbs.explore import asking
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.near import Near

QUICK = TrainConfig(epochs=1, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A project with a tiny trained model, and a client."""
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(60, noise=0.1), folder / "reviews.csv")
    tw.init(str(folder / "reviews.csv"), folder, model=toy_model(folder / "tiny"))
    project = replace(tw.open_project(folder), train=QUICK)
    run = tw.train(project)
    app = explorer_app(Explorer(project), rules=Rules(token="t", port=80))
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}) as client:
        yield project, run, client


def test_a_text_of_ones_own_is_predicted(workspace):
    project, run, client = workspace
    found = client.post(f"/api/runs/{run.id}/predict", json={"fields": {"text": "a good film"}}).json()
    verb = tw.predict(project, run, "a good film", repeats=1)
    assert found["predicted"] == verb.label
    assert found["probabilities"][0]["probability"] == pytest.approx(verb.probability, abs=1e-6)
    assert sum(one["probability"] for one in found["probabilities"]) == pytest.approx(1)
    assert found["blocks"][0]["text"] == "a good film"
    assert found["ms"] > 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": " \n"}, "text: expected a text"),
        ({}, "text: expected a text"),
        ({"text": "a", "txt": "b"}, "no text is called 'txt'"),
    ],
)
def test_a_text_that_is_missing_is_refused_in_words(workspace, fields, said):
    _, run, client = workspace
    answer = client.post(f"/api/runs/{run.id}/predict", json={"fields": fields})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_x_input"])
def test_words_are_where_they_are_said_to_be(workspace, method):
    _, run, client = workspace
    found = client.post(f"/api/runs/{run.id}/explain", json={"row": 3, "method": method}).json()
    text = client.get(f"/api/runs/{run.id}/examples/3").json()["blocks"][0]["text"]
    assert found["tokens"]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in found["tokens"])
    assert found["faithfulness"]["n"] >= 1
    assert "deletion test" in found["evidence"]


@pytest.mark.parametrize("asked", [{"row": 10**6, "method": "gradient_x_input"}, {"row": 0, "method": "magic"}])
def test_what_cannot_be_explained_is_refused(workspace, asked):
    _, run, client = workspace
    assert client.post(f"/api/runs/{run.id}/explain", json=asked).status_code == 422


def test_without_embeddings_the_command_that_makes_them_is_told(workspace):
    _, run, client = workspace
    answer = client.get(f"/api/runs/{run.id}/neighbours?row=0")
    assert answer.status_code == 400
    assert f"tunewright analyze {run.id}" in answer.json()["error"]["fix"]


def test_a_second_question_is_told_that_the_model_is_busy(workspace, monkeypatch):
    from tunewright.serve.app import create_app
    from tunewright.serve.asking import routes
    from tunewright.serve.guard import Rules

    project, run, _ = workspace
    started, go_on = threading.Event(), threading.Event()

    def slow(self, run, fields):
        started.set()
        assert go_on.wait(30)
        return asking.Predicted(predicted="pos", probabilities=(), blocks=(), ms=1.0)

    monkeypatch.setattr(asking.Asker, "predict", slow)
    explorer = Explorer(project)
    app = create_app(
        "test", [routes(explorer, Near(project), patience=0.05)], rules=Rules(token="t", port=80), version="0"
    )
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}) as client:
        ask = lambda: client.post(f"/api/runs/{run.id}/predict", json={"fields": {"text": "a"}}).status_code  # noqa: E731
        first: list[int] = []
        thread = threading.Thread(target=lambda: first.append(ask()))
        thread.start()
        assert started.wait(30)
        assert ask() == 503
        go_on.set()
        thread.join(30)
        assert first == [200]


def test_one_model_is_kept(workspace, monkeypatch):
    project, run, _ = workspace
    loads = []
    monkeypatch.setattr(asking, "load", lambda project, run: (loads.append(run.id), None))
    asker = asking.Asker(project)
    asker.loaded(run)
    asker.loaded(run)
    assert loads == [run.id]


def test_the_methods_are_those_of_the_library():
    from typing import get_args

    from tunewright.observe.attribute import Method
    from tunewright.verbs.explore.notes import METHODS

    assert set(METHODS) == set(get_args(Method))
