"""The page of the explorer is built when the package is, by whatever Node there is, and once."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHERE = ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py")
MOST = 250_000  # bytes of the script, uncompressed


@pytest.fixture
def hook(root: Path):
    spec = importlib.util.spec_from_file_location("hatch_build", root / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(root: Path, tmp_path: Path) -> Path:
    """The sources of the page without what was installed or built."""
    folder = tmp_path / "sources"
    ignore = shutil.ignore_patterns("node_modules")
    shutil.copytree(root / "web", folder / "web", ignore=ignore)
    shutil.copy(root / "hatch_build.py", folder)
    return folder


def pretend(hook, folder: Path) -> None:
    hook.static(folder).mkdir(parents=True)
    (hook.static(folder) / "fingerprint").write_text(hook.fingerprint(folder))


def test_a_page_of_the_same_sources_is_taken_as_it_is(hook, sources):
    assert hook.is_needed(sources)
    pretend(hook, sources)
    assert not hook.is_needed(sources)
    (sources / "web" / "index.html").write_text("<!doctype html>other")
    assert hook.is_needed(sources)


def test_tests_of_the_page_do_not_make_it_another_page(hook, sources):
    pretend(hook, sources)
    (sources / "web" / "test").mkdir(exist_ok=True)
    (sources / "web" / "test" / "new.test.ts").write_text("")
    assert not hook.is_needed(sources)


def test_the_page_is_soon_there(hook, root):
    script = hook.static(root) / "app.js"
    if not script.is_file():
        pytest.skip("the page is not built")
    assert script.stat().st_size < MOST


def test_nothing_is_built_where_it_is_unwanted_or_without_sources(hook, sources, tmp_path, monkeypatch):
    assert not hook.is_needed(tmp_path)
    monkeypatch.setenv("TUNEWRIGHT_SKIP_WEB", "1")
    assert not hook.is_needed(sources)


def test_the_wheel_of_node_is_asked_for_only_where_it_is_needed(hook, sources, monkeypatch):
    monkeypatch.setattr(hook, "ROOT", sources)
    asked = hook.PageHook.dependencies
    monkeypatch.setattr(hook, "system_node", lambda: None)
    assert asked(None) == [hook.NODE_WHEEL]
    monkeypatch.setattr(hook, "system_node", lambda: Path("/usr/bin/node"))
    assert asked(None) == []
    pretend(hook, sources)
    monkeypatch.setattr(hook, "system_node", lambda: None)
    assert asked(None) == []


def test_without_node_one_message_says_what_to_do(hook, monkeypatch):
    monkeypatch.setattr(hook, "system_node", lambda: None)
    monkeypatch.setattr(hook, "wheel_node", lambda: None)
    with pytest.raises(SystemExit, match=r"(?s)needs Node.*TUNEWRIGHT_SKIP_WEB=1"):
        hook.find_node()


@pytest.mark.slow
def test_the_node_of_pypi_alone_builds_the_page(hook, sources, tmp_path):
    node = tmp_path / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed = subprocess.run([*pip, "--target", str(node), hook.NODE_WHEEL], capture_output=True, check=False)
    if installed.returncode:
        pytest.skip("the package index does not answer")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("npm_")}
    bare |= {"PATH": str(tmp_path / "empty"), "PYTHONPATH": str(node)}
    build = [sys.executable, "hatch_build.py"]
    done = subprocess.run(build, cwd=sources, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (hook.static(sources) / "app.js").stat().st_size > 10_000
    assert hook.is_built(sources)


def test_the_wheel_of_the_package_carries_the_page(hook, root, tmp_path):
    if not hook.is_built(root):
        pytest.skip("the page is not built: run `make page`")
    copy = tmp_path / "copy"
    for name in WHERE:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, copy / name)
    shutil.copytree(root / "web", copy / "web", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(root / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    build = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--skip-dependency-check",
        "--outdir",
        str(tmp_path / "dist"),
    ]
    subprocess.run([*build, "--sdist", "--wheel", str(copy)], check=True, capture_output=True)
    wheel = next((tmp_path / "dist").glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert "tunewright/serve/static/app.js" in names
    assert not any("node_modules" in name for name in names)
