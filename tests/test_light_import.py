from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = (
    "accelerate",
    "datasets",
    "duckdb",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
)
REPORT = f"; import sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"


def loaded_by(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code + REPORT], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import tunewright") == ""


@pytest.mark.skipif(find_spec("tunewright.cli") is None, reason="there is no command line yet")
@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["map", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        f"import sys; sys.argv = ['tunewright', *{arguments!r}]\n"
        "from tunewright.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "0"
    )
    assert loaded_by(code) == ""
