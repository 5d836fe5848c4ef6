from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import tunewright

SOURCE = Path(tunewright.__file__).parent
MODULES = sorted(
    path
    for path in SOURCE.rglob("*.py")
    if path.name != "__main__.py" and not (path.name == "__init__.py" and not path.stat().st_size)
)


def dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=value) | ast.AnnAssign(
                ast.Name("__all__"), value=value
            ):
                return ast.literal_eval(value)
    return None


def constants_then_classes_then_the_rest(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def is_only_docstring(tree: ast.Module) -> bool:
    return all(isinstance(node, ast.Expr | ast.ImportFrom) for node in tree.body) and len(tree.body) <= 1


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_each_module_says_what_it_exports_in_sorted_order(path):
    tree = ast.parse(path.read_text())
    names = exported(tree)
    if names is None:
        assert is_only_docstring(tree), f"{path.name} defines things but has no __all__"
        return
    assert names == sorted(names, key=constants_then_classes_then_the_rest)
    module = import_module(dotted(path))
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_names_of_modules_say_what_is_in_them():
    vague = {"utils", "util", "helpers", "common", "misc", "legacy", "v2", "base"}
    assert [
        dotted(path) for path in SOURCE.rglob("*.py") if vague & set(path.relative_to(SOURCE).with_suffix("").parts)
    ] == []


def test_the_public_surface_is_small_and_complete():
    assert sorted(tunewright._HOMES) == tunewright.__all__
    assert len(tunewright.__all__) <= 36  # the monitor has seven: what it is made of, and the words of its signals
    assert set(tunewright.__all__) <= set(dir(tunewright))


@pytest.mark.parametrize("name", tunewright.__all__)
def test_public_name_resolves(name):
    found = getattr(tunewright, name)
    assert callable(found) or isinstance(found, ModuleType)  # `text`, `emb` and `metric` are namespaces


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        tunewright.trian  # noqa: B018 - the look-up is the test


def test_importing_the_package_of_training_does_not_hide_the_verb():
    code = "import tunewright, tunewright.train.loop; assert tunewright.train.__module__.startswith('tunewright.verbs')"
    subprocess.run([sys.executable, "-c", code], check=True)
