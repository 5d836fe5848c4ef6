"""Whatever the page does is also a command, a Python call and a route, and says the same: the table of the guide is true."""

from __future__ import annotations

import json
import re
from functools import reduce
from importlib import import_module

import pytest
import typer.main
from explorer_scenario import BEARER, analysed, app_of
from starlette.testclient import TestClient
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app

HEAD = "| in the page | in a shell | in Python | route |"


@pytest.fixture(scope="module")
def table(root):
    """Rows of the table: what is done, and the commands, calls and routes in backticks."""
    text = (root / "docs" / "guide" / "explore.md").read_text(encoding="utf-8")
    lines = text.partition(HEAD)[2].partition("\n\n")[0].strip().splitlines()[1:]
    cells = [line.strip("|").split("|") for line in lines]
    assert cells
    return [(cell[0].strip(), *(re.findall(r"`([^`]+)`", one) for one in cell[1:])) for cell in cells]


@pytest.fixture(scope="module")
def operations(tmp_path_factory):
    """Method and path of every operation of the explorer's document."""
    task = tw.Classification(labels=("neg", "pos"))
    project = tw.Project(name="a", source="a.csv", task=task, folder=tmp_path_factory.mktemp("a"))
    client = TestClient(app_of(project), base_url="http://127.0.0.1:8000", headers=BEARER)
    paths = client.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def command(words):
    """The command that words begin with."""
    found = typer.main.get_command(app)
    for word in words:
        if word not in getattr(found, "commands", {}):
            break
        found = found.commands[word]
    return found


def test_every_route_is_in_the_table_and_every_route_of_the_table_is_there(table, operations):
    assert {route for *_, routes in table for route in routes} == operations


def test_every_action_has_a_command_with_these_options(table):
    for action, commands, _, _ in table:
        assert commands, action
        for line in commands:
            first, *words = line.split()
            assert first == "tunewright"
            found = command(words)
            assert not hasattr(found, "commands"), line
            known = {name for each in found.params for name in (*each.opts, *each.secondary_opts)}
            assert {word for word in words if word.startswith("--")} <= known, line


def test_every_action_has_a_call(table):
    for action, _, calls, _ in table:
        assert calls, action
        for call in calls:
            module, names = call.rsplit(".", 1)[0], [call.rsplit(".", 1)[1]]
            if module.rsplit(".", 1)[1][0].isupper():  # a method
                module, name = module.rsplit(".", 1)
                names.insert(0, name)
            assert callable(reduce(getattr, names, import_module(module))), call


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    project, run = analysed(tmp_path_factory.mktemp("workspace"))
    with TestClient(app_of(project), base_url="http://127.0.0.1:8000", headers=BEARER) as client:
        yield project, run, client


@pytest.fixture(scope="module")
def told(workspace):
    """What a command prints with ``--json``."""

    def tell(*words):
        done = CliRunner().invoke(app, [*words, "--json", "--project", str(workspace[0].folder)])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return tell


@pytest.mark.slow
def test_json_and_routes_say_the_same(workspace, told):
    _, run, client = workspace

    def api(path):
        return client.get(f"/api/{path}").json()

    assert told("issues", run.id) == api(f"runs/{run.id}/issues")
    assert told("runs")["runs"] == api("workspace")["runs"]
    assert told("edit", "pending") == api("pending?version=main")
    assert told("views") == api("views")
    assert told("monitor", "alerts") == api("runs/production/alerts")
    assert told("monitor", "report") == api("runs/production/monitor")
    some = told("rows", run.id, "--id", "toy-0002", "--details", "--measure")
    (row,) = some["rows"]
    assert {"rows": [row]} == api(f"runs/{run.id}/rows?at={row['row']}")
    assert some["examples"] == [api(f"runs/{run.id}/examples/{row['row']}")]
    measured = client.post(f"/api/runs/{run.id}/measure", json={"rows": [row["row"]]}).json()
    assert some["measured"] == measured


@pytest.mark.slow
def test_commands_that_say_more_say_what_the_routes_say(workspace, told):
    _, run, client = workspace
    page = client.get(f"/api/compare?a={run.id}&b={run.id}&split=test").json()
    shell = told("compare", run.id, run.id)
    assert page.items() <= shell.items()
    assert {"comparison", "scores", "verdict"} <= shell.keys()
    row = {"row": client.post(f"/api/runs/{run.id}/locate", json={"ids": ["toy-0002"]}).json()["rows"][0]}
    heat = client.post(f"/api/runs/{run.id}/explain", json={**row, "method": "gradient_x_input"}).json()
    shell = told("explain", run.id, "toy-0002", "--method", "gradient_x_input")
    assert [one["text"] for one in shell["tokens"]] == [one["text"] for one in heat["tokens"]]
    assert heat.keys() <= shell.keys()
    assert shell["loss"] == pytest.approx(heat["loss"], abs=1e-4)
