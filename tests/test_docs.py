"""Documents are tested like code: they name every command, compile, link to what exists, and are current."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)!?\[[^\]`]*\]\(([^)\s]+)\)")
HAS_CLI = importlib.util.find_spec("tunewright.cli") is not None
needs_cli = pytest.mark.skipif(not HAS_CLI, reason="there is no command line yet")


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "recipes").rglob("*.md")]
    return sorted(found)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fenced(path: Path, language: str) -> list[str]:
    return [code for found, code in FENCE.findall(path.read_text(encoding="utf-8")) if found == language]


def used(path: Path) -> list[tuple[str, str]]:
    """Commands in the shell examples of a document, of a group both words, and what follows them."""
    groups = {name.split()[0] for name in generator().commands() if " " in name}
    found = []
    for code in fenced(path, "sh"):
        for first, rest in re.findall(r"^tunewright ([a-z-]+)(.*)$", code, re.MULTILINE):
            second = re.match(r" ([a-z-]+)", rest) if first in groups else None
            found.append((first + second[0], rest[second.end() :]) if second else (first, rest))
    return found


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", documents(), ids=named)
def test_links_lead_somewhere(path):
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, fragment = link.partition("#")
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), f"{named(path)} links to {link}"
        if fragment and there.suffix == ".md":
            assert fragment in anchors(there), f"{named(path)} links to {link}"


@pytest.mark.parametrize("path", documents(), ids=named)
def test_python_in_documents_compiles_and_names_what_exists(path):
    import tunewright

    for code in fenced(path, "python"):
        if ">>>" in code or path.parent.name == "reference":
            continue
        compile(code, named(path), "exec")
        for names in re.findall(r"^from tunewright import (.+)$", code, re.MULTILINE):
            assert {name.strip(" ()") for name in names.split(",")} <= set(tunewright.__all__)


@pytest.mark.parametrize("page", ["coming-from.md", "signals.md"])
def test_examples_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    defined: dict[str, object] = {}
    for code in fenced(DOCS / "guide" / page, "python"):
        exec(compile(code, "<example>", "exec"), defined)


@needs_cli
def test_the_reference_is_current():
    assert generator().stale() == [], "run `make docs`"


@needs_cli
def test_every_command_has_help_and_is_in_the_guide():
    guide = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "guide").glob("*.md"))
    commands = {name: command for name, command in generator().commands().items() if not command.hidden}
    assert commands
    assert [name for name in commands if f"tunewright {name}" not in guide] == []
    assert [name for name, command in commands.items() if not (command.help or "").strip()] == []


@needs_cli
def test_every_option_has_help():
    silent = [
        f"{name} {option.opts[0]}"
        for name, command in generator().commands().items()
        for option in command.params
        if not (getattr(option, "help", "") or "").strip() and option.name != "help"
    ]
    assert silent == []


@needs_cli
@pytest.mark.parametrize("path", documents(), ids=named)
def test_commands_in_documents_exist(path):
    assert {name for name, _ in used(path)} <= set(generator().commands())


@needs_cli
@pytest.mark.parametrize("path", documents(), ids=named)
def test_options_in_documents_exist(path):
    commands = generator().commands()
    for name, rest in used(path):
        known = {opt for each in commands[name].params for opt in [*each.opts, *each.secondary_opts]} | {"--help"}
        given = set(re.findall(r"(?<=\s)--[a-z][a-z-]*", rest.partition("  #")[0]))
        assert given <= known, f"{named(path)}: tunewright {name}{rest}"


def test_decisions_are_numbered_without_gaps_and_say_why():
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{path.name} lacks {part!r}"
        assert len(text.splitlines()) < 60, f"{path.name} is longer than a page"


def test_the_changelog_has_a_place_for_what_is_new():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_target_of_the_makefile_says_what_it_does():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    said = set(re.findall(r"^([a-z]+):.*## .+$", text, re.MULTILINE))
    assert {"bench", "check", "clean", "demo", "docs", "help", "test"} <= said


def test_nothing_built_is_committed():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    built = re.compile(r"(^|/)(\.venv|build|dist|demo|__pycache__|static)/|\.(pyc|parquet|safetensors)$")
    assert [name for name in done.stdout.splitlines() if built.search(name)] == []
