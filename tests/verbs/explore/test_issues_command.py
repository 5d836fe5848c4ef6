import importlib
import json

import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.verbs.explore.issues import issues


@pytest.fixture
def said(planted, monkeypatch):
    """A function that runs the command on the planted project, and returns what it prints."""
    module = importlib.import_module("tunewright.cli.issues")  # the package has a command of that name
    monkeypatch.setattr(module, "opened", lambda folder: planted)

    def run(*arguments):
        result = CliRunner().invoke(app, ["issues", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_the_list_is_printed_worst_first_with_commands(said, trained):
    run = trained()
    output = said(run.id)
    assert output.index("Copies across splits") < output.index("Copies", output.index("Copies across splits") + 20)
    assert "tunewright edit apply --action drop --rule" in output
    assert f"tunewright suspects {run.id}" in output


def test_the_json_is_the_verbs(said, trained, planted):
    run = trained()
    assert json.loads(said(run.id, "--json")) == issues(planted, run).to_json()
