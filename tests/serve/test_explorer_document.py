"""Whatever the explorer's document allows, and much that it does not, is answered as it says, and never with a failure."""

from __future__ import annotations

import secrets
import subprocess
import sys
from functools import reduce

import pytest
import schemathesis
from explorer_scenario import BEARER, analysed, app_of
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from tunewright.verbs.explore import jobs
from tunewright.verbs.explore.curation import PendingEdits
from tunewright.verbs.explore.pending import RowChange

HEADERS = {**BEARER, "Host": "127.0.0.1:8000"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
OPERATIONS = [
    *(
        (f"/api{path}", "get")
        for path in (
            *("/workspace", "/pending", "/compare", "/views", "/jobs", "/events", "/runs/{run}"),
            *(
                f"/runs/{{run}}/{what}"
                for what in ("points", "losses", "columns/{name}", "epochs", "reference", "rows", "search")
            ),
            *(
                f"/runs/{{run}}/{what}"
                for what in ("examples/{row}", "issues", "neighbours", "monitor", "alerts", "collected")
            ),
        )
    ),
    *(
        (f"/api{path}", "post")
        for path in (
            *("/pending", "/pending/undo", "/pending/redo", "/pending/discard", "/pending/commit", "/compare/cell"),
            *("/views", "/views/forget", "/train", "/jobs/{job}/stop"),
            *(
                f"/runs/{{run}}/{what}"
                for what in ("locate", "export", "page", "measure", "explain", "predict", "near")
            ),
        )
    ),
]
KNOWN = {
    "version": "main",
    "name": "label",
    "method": "gradient_x_input",
    "fields": {"text": "good"},
    "format": "csv",
    "row": 3,
    "rows": [3, 1],
    "at": "3,1",
    "k": 5,
    "split": "validation",
    "skip": True,
    "reason": "",
}
"""What there is, in place of what nobody guesses."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return analysed(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def app(workspace):
    """The application, whose trainings are processes that end at once, and whose streams of events do so, too."""
    begun = subprocess.Popen

    def nothing(command, **options):
        assert "train" in command
        return begun([sys.executable, "-c", ""], **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs.subprocess, "Popen", nothing)
        app = app_of(workspace[0])
        app.stop()
        yield app


@pytest.fixture(scope="module")
def document(app):
    return schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)


@pytest.fixture(scope="module")
def known(app, workspace):
    """What there is whenever nothing is done to it: runs, a cell of their confusion matrix, a job, and a view."""
    client = TestClient(app, base_url="http://127.0.0.1:8000", headers=BEARER)
    run = workspace[1].id
    client.post("/api/views", json={"name": KNOWN["name"], "query": ""})
    label = client.get(f"/api/compare?a={run}&b={run}").json()["confusion"]["a"]["labels"][0]
    job = client.post("/api/train", json={"version": "main"}).json()["id"]
    return KNOWN | {"run": run, "a": run, "b": run, "gold": label, "predicted": label, "job": job}


def changes(project):
    """A change to undo and one to do again, their revision and key, and one more that could be made."""
    edits = PendingEdits(project, "main")
    made = [{"action": "tag", "ids": ["toy-0001"], "value": f"tag {secrets.token_hex(8)}"} for _ in range(3)]
    for one in made[:2]:
        edits.add([RowChange(**one)], revision=edits.read().revision)
    now = edits.undo(revision=edits.read().revision)
    return {"revision": now.revision, "keys": [now.changes[-1].key], "changes": [made[2]]}


def about(case, known):
    """The case, about what there is."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values |= {name: known[name] for name in values if name in known}
    return case


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_nothing_makes_the_service_fail(document, workspace, known, path, method, mode):
    statuses = set()
    at_hand = known | ({"run": "production"} if path.endswith(("/monitor", "/alerts", "/collected")) else {})

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(case=document[path][method].as_strategy(generation_mode=mode), is_there=strategies.booleans())
    def check(case, is_there):
        if is_there and mode is GenerationMode.POSITIVE:
            case = about(case, at_hand | (changes(workspace[0]) if "pending" in path else {}))
        statuses.add(case.call_and_validate(headers=HEADERS, checks=CHECKS).status_code)

    check()
    assert mode is GenerationMode.NEGATIVE or 200 in statuses


def test_no_operation_is_forgotten(document):
    found = [(operation.ok().path, operation.ok().method) for operation in document.get_all_operations()]
    assert sorted(found) == sorted(OPERATIONS)


def test_looking_changes_nothing(app, workspace):
    project, run = workspace

    def state():
        """Name, time and content of all files, but for the jobs of other tests, and what SQLite has beside a file it reads."""
        files = [path for path in sorted(project.folder.rglob("*")) if path.is_file() and "jobs" not in path.parts]
        there = [path for path in files if not path.name.endswith(("-shm", "-wal"))]
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in there}

    client = TestClient(app, base_url="http://127.0.0.1:8000", headers=BEARER)
    places, before = {"{name}": "label", "{row}": "3"}, state()
    query = {"version": "main", "a": run.id, "b": run.id, "at": "3,1", "q": "good", "row": 3, "k": 5}
    statuses = {}
    for path in (path for path, method in OPERATIONS if method == "get"):
        for name in (run.id, "production"):
            asked = reduce(lambda text, it: text.replace(*it), {**places, "{run}": name}.items(), path)
            statuses[asked] = client.get(asked, params=query).status_code
    assert state() == before
    assert sum(status == 200 for status in statuses.values()) > 24
    assert max(statuses.values()) < 500
