"""Every read route: what `web/src/api.ts` promises, whatever the texts are, whatever is asked."""

from __future__ import annotations

import csv
import io
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

import tunewright as tw
from tunewright.run import Run
from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import ARROW, LOOPBACK, Rules
from tunewright.toy import toy_run
from tunewright.verbs.explore.explorer import Explorer

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "closed": "</script><img src=x onerror=alert(1)>",
    "nul": "before\0after",
    "rtl": "\u202eשלום עולם",
    "emoji": "👩‍👩‍👧 family 😀",
    "formula": '=HYPERLINK("http://x")',
    "long": "word " * 20_000,
    "empty": "",
}
KINDS = ("csv", "jsonl", "parquet")


def opened(project, static=None):
    rules = Rules(token=TOKEN, port=8000, hosts=LOOPBACK | {"testserver"})
    return explorer_app(Explorer(project), rules=rules, static=static)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a run of 300 rows, and one whose texts mean harm."""
    folder = tmp_path_factory.mktemp("project")
    task = tw.Classification(labels=("neg", "pos"))
    project = tw.Project(name="toy", source="none.csv", task=task, folder=folder)
    toy_run(project.runs_folder, 300)
    rows = {"id": [*HOSTILE], "split": ["train"] * len(HOSTILE), "text": [*HOSTILE.values()]}
    labels = [None, *["pos"] * (len(HOSTILE) - 1)]
    Run.create(
        project.runs_folder, kind="eval", name="hostile", config={}, examples=pa.table({**rows, "label": labels})
    )
    return project


@pytest.fixture(scope="module")
def client(project):
    with TestClient(opened(project), headers=BEARER) as client:
        yield client


@pytest.fixture(scope="module")
def api(client):
    """GET a route of the run ``toy``, or of another."""

    def get(path, run="toy", **options):
        return client.get(f"/api/runs/{run}{path}", **options)

    return get


def table(response):
    assert response.headers["content-type"] == ARROW
    return pa.ipc.open_stream(response.content).read_all()


def names(root, interface):
    """Fields of an interface of the page's contract."""
    source = (root / "web/src/api.ts").read_text()
    block = source.split(f"export interface {interface} {{")[1].split("\n}")[0]
    return {
        line.split("?")[0].split(":")[0].split()[-1] for line in block.splitlines() if line.startswith("  readonly")
    }


def test_answers_have_the_fields_that_the_page_reads(root, client, api):
    workspace = client.get("/api/workspace").json()
    assert set(workspace) == names(root, "Workspace")
    assert set(workspace["runs"][0]) == names(root, "RunSummary")
    run = api("").json()
    assert set(run) == names(root, "RunInfo")
    assert set(run["columns"][0]) == names(root, "ColumnInfo")
    assert set(run["layouts"][0]) == names(root, "Layout")
    rows = api("/rows?at=4,2").json()["rows"]
    assert set(rows[0]) == names(root, "Row")
    assert [row["row"] for row in rows] == [4, 2]
    example = api("/examples/4").json()
    assert set(example) == names(root, "Example")
    assert set(example["epochs"][0]) == names(root, "Epoch")
    assert set(example["probabilities"][0]) == names(root, "Probability")
    assert set(api("/search?q=good").json()) == {"rows", "total", "ms"}


def test_the_run_to_open_is_the_last_training(client):
    workspace = client.get("/api/workspace").json()
    assert [run["id"] for run in workspace["runs"] if run["kind"] == "train"] == [workspace["run"]]


def test_columns_come_as_one_batch_of_numbers_without_nulls(api):
    run, points = api("").json(), table(api("/points"))
    columns = {column["name"]: column for column in run["columns"]}
    assert {name for name, column in columns.items() if column["base"]} == set(points.column_names)
    assert points.num_rows == run["examples"] == 300
    kinds = {"number": pa.float32(), "flag": pa.uint8(), "category": pa.uint8()}
    for name in points.column_names:
        assert points[name].type == kinds[columns[name]["kind"]]
        assert (points[name].num_chunks, points[name].null_count) == (1, 0)
    alone = table(api("/columns/epochs_seen"))
    assert alone["epochs_seen"].to_pylist() == [3.0] * 300
    assert table(api("/epochs")).column_names == ["p1", "c1", "p2", "c2", "p3", "c3"]


def test_a_column_that_was_read_is_not_sent_again(api):
    first = api("/points")
    again = api("/points", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert api("/points", headers={"If-None-Match": '"other"'}).status_code == 200
    assert json.loads(api("").text)["etag"] in first.headers["etag"]


def test_ids_are_found(client):
    asked = client.post("/api/runs/toy/locate", json={"ids": ["toy-7", "none", "toy-0"]})
    assert asked.json() == {"rows": [7, -1, 0]}


def test_half_a_surrogate_pair_is_no_failure(client):
    kind = {"Content-Type": "application/json"}
    asked = client.post("/api/runs/toy/locate", content=b'{"ids": ["\\ud800"]}', headers=kind)
    assert (asked.status_code, asked.json()) == (200, {"rows": [-1]}) or asked.status_code == 422


def test_hostile_texts_are_texts(client):
    rows = client.get("/api/runs/hostile/rows?at=" + ",".join(map(str, range(len(HOSTILE))))).json()["rows"]
    assert len(rows[[*HOSTILE].index("long")]["values"]["text"]) == 300
    for number, text in enumerate(HOSTILE.values()):
        response = client.get(f"/api/runs/hostile/examples/{number}")
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.json()["blocks"][0]["text"] == text
    assert client.get("/api/runs/hostile/examples/3").json()["blocks"][0]["rtl"] is True


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("alert", ["script", "closed"]),
        ('"script alert"', ["script"]),
        ("alert -onerror", ["closed"]),
        ("alert OR good", []),
        ("fami*", ["emoji"]),
        ("שלום", ["rtl"]),
        ("after", ["nul"]),
        ("' OR 1=1 --", []),
        ('"', ["formula"]),
        ("*", []),
        ("\0", []),
    ],
)
def test_a_search_has_no_operators_but_quotes_and_beginnings(client, query, found):
    answer = client.get("/api/runs/hostile/search", params={"q": query})
    assert answer.status_code == 200
    assert [[*HOSTILE][row] for row in answer.json()["rows"]] == found


@pytest.mark.parametrize(
    "run", ["nope", "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc", "a%00b", "toy%2f..", "*", "x" * 201, "%ff"]
)
def test_no_other_run_and_no_path_is_opened(api, run):
    assert api("", run=run).status_code in {400, 404, 422}
    assert api("/points", run=run).status_code in {400, 404, 422}


def test_a_link_is_no_run(project, client, tmp_path):
    outside = toy_run(tmp_path, 5)
    link = project.runs_folder / outside.id
    link.symlink_to(outside.folder, target_is_directory=True)
    try:
        assert client.get(f"/api/runs/{outside.id}").status_code == 400
    finally:
        link.unlink()


@pytest.mark.parametrize(
    "path",
    [
        "/rows?at=300",
        "/rows?at=-1",
        "/rows?at=a",
        "/rows?at=1,,2",
        "/rows",
        "/rows?at=" + ",".join(["1"] * 501),
        "/examples/300",
        "/examples/-1",
        "/examples/x",
        "/search?q=" + "a" * 501,
        "/search",
        "/columns/text",
        "/columns/none",
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(api, path):
    response = api(path)
    assert response.status_code in {400, 422}
    assert set(response.json()["error"]) == {"kind", "message", "fix"}


def test_reading_changes_nothing(project, client, api):
    def state():
        return {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}

    before = state()
    for path in ("", "/points", "/epochs", "/rows?at=1", "/examples/1", "/search?q=good", "/columns/loss"):
        assert api(path).status_code == 200
    client.get("/api/workspace")
    assert state() == before


@pytest.mark.parametrize("path", ["/api/workspace", "/api/runs/toy/points", "/", "/app.js"])
def test_nothing_is_told_without_the_token(project, path):
    with TestClient(opened(project)) as stranger:
        assert stranger.get(path).status_code == 401


def test_a_selection_becomes_a_file(client):
    rows = [*range(len(HOSTILE))][::-1]
    files = {kind: client.post("/api/runs/hostile/export", json={"rows": rows, "format": kind}) for kind in KINDS}
    for kind, response in files.items():
        assert re.fullmatch(rf'attachment; filename="[\w-]+-8-rows\.{kind}"', response.headers["content-disposition"])
    lines = [*csv.DictReader(io.StringIO(files["csv"].text, newline=""))]
    assert [line["id"] for line in lines] == [*HOSTILE][::-1]
    told = {line["id"]: line["text"] for line in lines}
    assert told["formula"] == "'" + HOSTILE["formula"]
    assert told["long"] == HOSTILE["long"]
    records = [json.loads(line) for line in files["jsonl"].text.splitlines()]
    assert {one["id"]: one["text"] for one in records} == HOSTILE
    assert (
        dict(
            zip(
                *pq.read_table(io.BytesIO(files["parquet"].content)).select(["id", "text"]).to_pydict().values(),
                strict=True,
            )
        )
        == HOSTILE
    )


@pytest.mark.parametrize(
    "body", [{"rows": [300], "format": "csv"}, {"rows": [-1], "format": "csv"}, {"rows": [0], "format": "exe"}, {}]
)
def test_what_is_no_selection_is_no_file(client, body):
    assert client.post("/api/runs/toy/export", json=body).status_code == 422


def test_the_page_is_what_was_built_and_nothing_else(project, tmp_path):
    secret = tmp_path / "secret.js"
    secret.write_text("secret")
    static = tmp_path / "static"
    static.mkdir()
    for name in ("index.html", "app.js", "index.css"):
        (static / name).write_text(name)
    (static / "link.js").symlink_to(secret)
    (static / ".env").write_text("no")
    with TestClient(opened(project, static), headers=BEARER) as client:
        assert client.get("/").text == "index.html"
        assert client.get("/app.js").headers["content-type"].startswith("text/javascript")
        assert client.get("/index.css").headers["content-security-policy"].startswith("default-src 'none'")
        for path in ("/link.js", "/.env", "/../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js", "/none.js"):
            assert client.get(path).status_code == 404, path
        (static / "app.js").unlink()
        (static / "app.js").symlink_to(secret)
        assert client.get("/app.js").status_code == 404


def test_a_page_that_was_not_built_says_so(project, tmp_path):
    with TestClient(opened(project, tmp_path / "none"), headers=BEARER) as client:
        answer = client.get("/")
        assert (answer.status_code, "was not built" in answer.text) == (503, True)


def test_a_selection_of_nothing_is_an_empty_file(client):
    for kind in KINDS:
        assert client.post("/api/runs/toy/export", json={"rows": [], "format": kind}).status_code == 200
