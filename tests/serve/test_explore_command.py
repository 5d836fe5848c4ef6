"""The command that serves the explorer: where it listens, what it says, and that it says nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.serve import explorer
from tunewright.serve.service import Address
from tunewright.toy import toy_run

PROJECT = """import tunewright as tw

project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")))
"""
TOKEN = "a-token-that-nobody-guesses"
WARNING = "warning: whoever reaches this port"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project.py").write_text(PROJECT)
    toy_run(tmp_path / "runs", 50)
    return tmp_path


@pytest.fixture
def served(folder):
    """The process of the command, and the address that it prints."""
    static = folder / "static"
    static.mkdir()
    (static / "index.html").write_text("<!doctype html>")
    command = [sys.executable, "-m", "tunewright", "explore", "--no-open", "-p", str(folder), "--static", str(static)]
    environment = {name: value for name, value in os.environ.items() if name not in {"TUNEWRIGHT_TOKEN", "DISPLAY"}}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        told = process.stdout.readline()
        assert told.startswith("Open: http://127.0.0.1:"), process.stderr.read()
        yield process, told.split()[1]
        process.kill()


def test_it_listens_to_this_machine_and_logs_nothing(served):
    process, url = served
    at = urlsplit(url)
    with httpx2.Client(base_url=f"http://{at.netloc}", timeout=60) as client:
        assert client.get("/api/workspace").status_code == 401
        opened = client.get(f"/?{at.query}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert client.get("/api/runs/toy/search", params={"q": "secretquery"}).json()["total"] == 0
        assert client.post("/api/runs/toy/locate", json={"ids": ["secretid"]}).json() == {"rows": [-1]}
        assert client.post("/api/train", json={"version": "secretversion"}).status_code == 422
        assert client.get("/api/workspace", headers={"Host": "evil.example"}).status_code == 421
    process.send_signal(signal.SIGINT)
    process.wait(60)
    out, errors = process.stdout.read(), process.stderr.read()  # with what came along with the first line
    assert (process.returncode, errors) == (0, "")
    assert "ssh -N -L" in out
    assert out.endswith("Stopped.\n")
    assert not [word for word in (at.query.partition("=")[2], "secret") if word in out]


@pytest.mark.parametrize(("is_open", "was_given"), [(False, False), (True, False), (True, True)])
def test_who_opens_it_to_others_is_warned(folder, monkeypatch, is_open, was_given):
    at = Address(host="127.0.0.1", port=80, token=TOKEN, was_given=was_given, is_open=is_open)
    monkeypatch.setattr(explorer, "serve_explorer", lambda *_, ready, **__: ready(at))
    found = CliRunner().invoke(app, ["explore", "toy", "--no-open", "--project", str(folder)])
    assert found.exit_code == 0, found.output
    assert (WARNING in found.stderr) is is_open
    assert (TOKEN in found.stdout) is not was_given
    assert "run=" in found.stdout
    assert ("asks once for the token" in found.stdout) is was_given


@pytest.mark.parametrize("is_built", [True, False])
def test_a_page_that_was_not_built_is_said(folder, monkeypatch, is_built):
    at = Address(host="127.0.0.1", port=80, token=TOKEN, was_given=False, is_open=False)
    monkeypatch.setattr(explorer, "serve_explorer", lambda *_, ready, **__: ready(at))
    if is_built:
        (folder / "index.html").write_text("<!doctype html>")
    found = CliRunner().invoke(app, ["explore", "--no-open", "--static", str(folder), "--project", str(folder)])
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("Open: ")
    assert ("warning: the page was not built" in found.stderr) is not is_built
    assert ("make page" in found.stderr) is not is_built


def test_a_run_that_is_not_there_is_said_before_anything_is_served(folder):
    found = CliRunner().invoke(app, ["explore", "nothing", "--no-open", "--project", str(folder)])
    assert (found.exit_code, "no run below" in found.stderr) == (2, True)
