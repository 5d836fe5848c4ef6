"""The command with a real model: rows come without predictions, as a sender that knows nothing sends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import httpx2
import pyarrow.csv
import pytest
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app
from tunewright.cli.serve import _say_where
from tunewright.serve.service import Address
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig

TOKEN = "a-token-that-nobody-guesses"
QUICK = TrainConfig(epochs=1, batch_size=16, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture
def folder(tmp_path):
    pyarrow.csv.write_csv(toy_texts(100, noise=0.1), tmp_path / "reviews.csv")
    tw.init(str(tmp_path / "reviews.csv"), tmp_path, model=toy_model(tmp_path / "tiny"))
    tw.train(replace(tw.open_project(tmp_path), train=QUICK), name="first")
    return tmp_path


@pytest.mark.slow
def test_rows_are_predicted_logged_and_there_for_the_commands(folder, request):
    command = [sys.executable, "-m", "tunewright", "monitor", "serve", "--port", "0", "-p", folder]
    service = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TUNEWRIGHT_TOKEN": TOKEN},
    )
    request.addfinalizer(service.kill)
    told = service.stdout.readline()
    assert told.startswith("Listening: http://127.0.0.1:"), service.stderr.read()
    assert TOKEN not in told
    host = told.split()[-1].removesuffix("/report")
    rows = toy_texts(30, seed=5).select(["id", "text"]).to_pylist()
    with httpx2.Client(base_url=host, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        sent = client.post("/log", json=rows[:20])
        assert sent.status_code == 200, sent.text
        assert sent.json()["acknowledged"] == 20
        again = client.post("/log", json=[*rows, rows[0], rows[1] | {"text": "another"}]).json()
        assert (again["acknowledged"], again["duplicates"]) == (10, 22)
        assert "1 ids came again with another content" in again["errors"]["id"]
        assert again["ids"] == [row["id"] for row in [*rows, *rows[:2]]]
        own = {"id": "own", "text": "a film", "predicted": "pos", "probability": 0.9}
        found = client.post("/log", json=[own])  # the model says logits, too, and half of what it says is refused
        assert (found.status_code, "'logits' is missing" in found.text) == (422, True), found.text
        assert client.post("/log", json=[own | {"logits": [0.1, 0.9]}]).json()["acknowledged"] == 1
        second = CliRunner().invoke(app, ["monitor", "run", str(folder / "reviews.csv"), "--project", str(folder)])
        assert second.exit_code == 2
        assert "another process writes" in second.output
    service.send_signal(signal.SIGTERM)
    told, errors = service.communicate(timeout=30)
    assert service.returncode == 0, errors
    assert "Stopped." in told
    found = CliRunner().invoke(app, ["monitor", "report", "--json", "--project", str(folder)])
    report = json.loads(found.stdout)
    assert report["rows"] == 31
    assert report["checks"]["vocabulary(text)"]["rows"] == 31


def test_who_opens_it_to_others_is_warned(capsys):
    at = {"host": "127.0.0.1", "port": 80, "token": TOKEN}
    _say_where(Address(**at, was_given=False, is_open=False))
    shown = capsys.readouterr()
    assert (f"http://127.0.0.1:80/report?token={TOKEN}" in shown.out, shown.err) == (True, "")
    _say_where(Address(**at, was_given=True, is_open=True))
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err
    assert "warning" in shown.err
    assert TOKEN not in repr(Address(**at, was_given=False, is_open=False))


def test_a_token_that_is_too_short_is_an_error_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("short")
    pyarrow.csv.write_csv(toy_texts(20), tmp_path / "reviews.csv")
    tw.init(str(tmp_path / "reviews.csv"), tmp_path)
    words = ["monitor", "serve", "--token-file", str(tmp_path / "token"), "--project", str(tmp_path)]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 2
    assert "16 to 512" in found.output
