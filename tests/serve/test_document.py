"""Whatever the document allows, and much that it does not, is answered without a failure of the service."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tunewright.serve.app import create_app
from tunewright.serve.desk import Desk
from tunewright.serve.guard import ARROW, LOOPBACK, Rules
from tunewright.serve.monitor import PUBLIC, routes

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]

TAKES_SOMETHING = [("/log", "post"), ("/attach", "post"), ("/collected", "get")]
OPERATIONS = [*TAKES_SOMETHING, *((path, "get") for path in ("/alerts", "/health", "/metrics", "/report"))]


def stream(names):
    table = pa.table({name: ["a", "b"] for name in names})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


schemathesis.openapi.media_type(
    ARROW,
    strategies.binary(max_size=200)
    | strategies.lists(strategies.sampled_from(["id", "text", "predicted", "other"]), unique=True).map(stream),
)


@pytest.fixture(scope="module", params=["new", "used"])
def document(request, tmp_path_factory):
    path = Path(__file__).with_name("service_scenario.py")
    made = importlib.util.spec_from_file_location("service_scenario", path)
    scenario = importlib.util.module_from_spec(made)
    made.loader.exec_module(scenario)
    desk = Desk(partial(scenario.receiving, tmp_path_factory.mktemp("watch")))
    if request.param == "used":
        row = {"id": "a", "text": "a text", "predicted": "positive", "probability": 0.5}
        desk._thread.submit(desk.held.log, [row]).result()
    rules = Rules(token=TOKEN, port=8000, public=PUBLIC, hosts=LOOPBACK | {"testserver"})
    app = create_app("monitor", [routes(desk)], rules=rules, version="1")
    yield schemathesis.openapi.from_asgi("/openapi.json", app, headers=BEARER)
    desk.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "path", "method"),
    [
        *((GenerationMode.POSITIVE, *operation) for operation in OPERATIONS),
        *((GenerationMode.NEGATIVE, *operation) for operation in TAKES_SOMETHING),
    ],
)
def test_the_service_never_fails(document, mode, path, method):
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def check(case):
        case.call_and_validate(headers=BEARER, checks=CHECKS)

    check()


def test_no_operation_is_forgotten(document):
    found = [(operation.ok().path, operation.ok().method) for operation in document.get_all_operations()]
    assert sorted(found) == sorted(OPERATIONS)
