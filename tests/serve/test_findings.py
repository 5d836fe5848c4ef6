from dataclasses import replace

import pyarrow.csv
import pytest
from starlette.testclient import TestClient

import tunewright as tw
from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import Rules
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.verbs.explore.explorer import Explorer

QUICK = TrainConfig(epochs=1, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A project with a tiny trained model, its embeddings, and a client."""
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(60, noise=0.1), folder / "reviews.csv")
    tw.init(str(folder / "reviews.csv"), folder, model=toy_model(folder / "tiny"))
    project = replace(tw.open_project(folder), train=QUICK)
    run = tw.train(project)
    tw.verbs.similar(project, run, texts=["a good film"], k=3)
    tw.verbs.evaluate(project, run)
    app = explorer_app(Explorer(project), rules=Rules(token="t", port=80))
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}) as client:
        yield project, run, client


def test_issues_are_those_of_the_command(workspace):
    project, run, client = workspace
    answer = client.get(f"/api/runs/{run.id}/issues")
    assert answer.status_code == 200
    assert answer.json() == tw.verbs.issues(project, run).to_json()


def test_a_selection_is_measured(workspace):
    _, run, client = workspace
    found = client.post(f"/api/runs/{run.id}/measure", json={"rows": [0, 1, 2, 3, 4]}).json()
    assert found["rows"] == 5
    assert found["sentence"]


@pytest.mark.parametrize("rows", [[-1], [10**6], ["a"], None])
def test_rows_that_are_none_are_refused(workspace, rows):
    _, run, client = workspace
    assert client.post(f"/api/runs/{run.id}/measure", json={"rows": rows}).status_code == 422


def test_neighbours_of_a_row_are_without_itself(workspace):
    _, run, client = workspace
    found = client.get(f"/api/runs/{run.id}/neighbours?row=2&k=4").json()["neighbours"]
    assert len(found) == 4
    assert 2 not in [one["row"] for one in found]
    similarity = [one["similarity"] for one in found]
    assert similarity == sorted(similarity, reverse=True)


def test_a_text_finds_rows_of_the_run(workspace):
    _, run, client = workspace
    rows = client.get(f"/api/runs/{run.id}/rows?at=5").json()["rows"]
    found = client.post(f"/api/runs/{run.id}/near", json={"text": rows[0]["values"]["text"], "k": 3}).json()
    assert all(one["row"] >= 0 for one in found["neighbours"])
    assert found["neighbours"][0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_two_runs_are_compared(workspace):
    _, run, client = workspace
    found = client.get(f"/api/compare?a={run.id}&b={run.id}").json()
    assert "nothing to compare" in found["sentence"]
    assert found["metrics"][0]["verdict"] == "cannot tell"
    labels = found["confusion"]["a"]["labels"]
    cell = {"run": found["a"], "split": found["split"], "gold": labels[0], "predicted": labels[0]}
    ids = client.post("/api/compare/cell", json=cell).json()["ids"]
    assert len(ids) == found["confusion"]["a"]["counts"][0][0]


def test_views_are_kept_and_forgotten(workspace):
    project, _, client = workspace
    saved = client.post("/api/views", json={"name": "hard ones", "query": "color=label"}).json()
    assert saved == client.get("/api/views").json() == {"views": [{"name": "hard ones", "query": "color=label"}]}
    assert (project.folder / "views.json").exists()
    assert client.post("/api/views/forget", json={"name": "hard"}).status_code == 422
    assert client.post("/api/views/forget", json={"name": "hard ones"}).json() == {"views": []}


@pytest.mark.parametrize("path", ["issues", "neighbours?row=0", "monitor"])
def test_a_run_that_is_not_there_is_said(workspace, path):
    *_, client = workspace
    answer = client.get(f"/api/runs/none/{path}")
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]
