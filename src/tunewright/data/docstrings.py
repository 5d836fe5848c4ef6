"""Docstrings of installed packages as text: found with `ast`, never imported, cleaned of markup and of names."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tunewright.errors import DataError

__all__ = ["MASK", "Docstring", "clean", "collect", "mask", "rank"]

MASK = "LIBRARY"
_FILES = 480  # parsed per package: a sample is plenty, and the largest packages have thousands
_LARGEST = 400_000  # bytes; larger files are tables that a program wrote
_SHORTEST, _LONGEST = 7, 60  # words, both inclusive; shorter ones could come from anywhere
_PROSE = 0.75  # of the words are plain words; below, the text is code or a formula

_NOT_OURS = re.compile(
    r"(^|/)(tests?|testing|_testing|conftest\.py|test_\w+\.py|\w+_test\.py|examples?|modular_\w+\.py|externals?|_vendor|vendored"
    r"|third_party|array_api_compat|array_api_extra|_external)(/|$)"
)
_ALIASES = {
    "numpy": ("numpy", r"\bnp\b"),
    "scipy": ("scipy", r"\bsp\b"),
    "sklearn": ("sklearn", r"scikits?(?:[- ]?learn)?"),
    "torch": ("torch", "caffe2", r"\baten\b"),
    "transformers": (r"transformers(?![a-z])", r"hugging[ _-]?face", r"\bhf\w*", "🤗"),
}
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)"), r"\1"),  # [text](address)
    (re.compile(r":math:`[^`]*[\\^_{][^`]*`"), ""),
    (re.compile(r":[a-z]+(?::[a-z]+)*:(?=`)"), ""),  # :class:`...`
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`_{0,2}"), r"\1"),  # `text <address>`_
    (re.compile(r"\[`([^\]`]+)`\]"), r"\1"),  # [`Name`]
    (re.compile(r"\s*\[[#\w-]+\]_"), ""),  # [1]_
    (re.compile(r"`+"), ""),
    (re.compile(r"(?<!\w)[|*]{1,2}(\w[^|*]*)[|*]{1,2}(?!\w)"), r"\1"),  # *emphasis*, |substitution|
    (re.compile(r"</?\w[^<>\s]*>|\bhttps?://\S+|\\[a-zA-Z]*"), ""),
    (re.compile(r"(?<!\w)~(?=\w)|%\(\w+\)s"), ""),  # ~short.name, %(template)s
    (re.compile(r"(?<!\w)([A-Za-z][A-Za-z0-9-]*)_{1,2}(?!\w)"), r"\1"),  # reference_, but not __init__
)
_PATH = re.compile(r"\b(?:[A-Za-z_]\w+\.)+(?=[A-Za-z_]\w{2})")  # of a dotted name; not of "e.g.", nor of "setup.py"
_END = re.compile(
    r"\s*(>>>|\.\. |:\w+[^:`]*:\s|@\w+|[`*\w]+ \(.*\)\s*:"  # doctest, directive, field, `name (type):`
    r"|(args?|arguments?|parameters?|params?|returns?|yields?|raises?|examples?|notes?|usage)\s*:?\s*$)",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\W*$")
_WORD = re.compile(r"[A-Za-z][a-z]*(?:['’-][A-Za-z]+)*|[A-Z]{2,5}s?")
_JUNK = re.compile(
    r"copyright|licen[sc]e|all rights reserved|auto-?generated|do not edit|deprecated|>>>|noqa|\btodo\b|fixme"
    r"|see (the )?(base|parent|super)\s?class|(\w+: .*){3}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Docstring:
    """The first paragraph of one docstring.

    Attributes:
        id: path in the package and qualified name, as in ``"numpy/linalg/_linalg.py:svd"``; unique in a package.
        text: one line of prose.
        library: import name of the package.
        module: dotted name of the module.
        kind: ``"module"``, ``"class"``, ``"method"`` or ``"function"``.
    """

    id: str
    text: str
    library: str
    module: str
    kind: str

    @property
    def length(self) -> int:
        """Number of words."""
        return len(self.text.split())


_Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def collect(package: str, *, masked: Sequence[str], seed: int = 0) -> list[Docstring]:
    """Usable docstrings of an installed package, by id; the package is read, not imported.

    Args:
        package: import name of a top-level package.
        masked: import names of the libraries whose names are hidden in the texts.
        seed: which files are read, where there are many.

    Raises:
        DataError: if the package is not installed.
    """
    root = _folder(package)
    files = (path.relative_to(root.parent).as_posix() for path in root.rglob("*.py"))
    ours = sorted((name for name in files if not _NOT_OURS.search(name)), key=lambda name: rank(name, seed))
    found: dict[str, Docstring] = {}
    for name in sorted(ours[:_FILES]):
        for docstring in _read(root.parent, name, masked):
            found.setdefault(docstring.id, docstring)
    return list(found.values())


def rank(name: str, seed: int) -> bytes:
    """A key that sorts names in a random order, the same on every machine."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"no installed package is called {package!r}", fix=f"install {package}, or name other packages")
    return Path(next(iter(spec.submodule_search_locations)))


def _read(folder: Path, name: str, masked: Sequence[str]) -> Iterator[Docstring]:
    """Docstrings of one file; one that cannot be read or parsed has none."""
    module = ".".join(PurePosixPath(name).with_suffix("").parts).removesuffix(".__init__")
    for qualified, kind, node in _definitions(_parse(folder / name)):
        text = mask(clean(ast.get_docstring(node) or ""), masked)
        if _usable(text):
            yield Docstring(f"{name}:{qualified}".removesuffix(":"), text, name.partition("/")[0], module, kind)


def _parse(path: Path) -> ast.Module:
    empty = ast.Module(body=[], type_ignores=[])
    try:
        source = path.read_bytes()
        with warnings.catch_warnings(action="ignore"):  # about invalid escapes in other people's strings
            return ast.parse(source) if len(source) <= _LARGEST else empty
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return empty


def _definitions(module: ast.Module) -> Iterator[tuple[str, str, _Definition]]:
    """(qualified name, kind, node) of a module and of the public definitions in it, not of those in functions."""
    yield "", "module", module
    waiting: list[tuple[str, str, ast.AST]] = [("", "function", module)]
    while waiting:
        prefix, kind, parent = waiting.pop()
        for node in ast.iter_child_nodes(parent):
            match node:
                case ast.ClassDef(name=name) if not name.startswith("_"):
                    yield prefix + name, "class", node
                    waiting.append((f"{prefix}{name}.", "method", node))
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if not name.startswith("_"):
                    yield prefix + name, kind, node
                case ast.If() | ast.Try() | ast.With():
                    waiting.append((prefix, kind, node))


def clean(docstring: str) -> str:
    r"""The first paragraph as one line, without headings, doctests, field lists and markup.

    >>> clean("Solve ``a x = b`` for :class:`~numpy.ndarray` input,\nfast.\n\nParameters\n----------")
    'Solve a x = b for ndarray input, fast.'
    """
    text = " ".join(_paragraph(docstring.splitlines()))
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    text = _PATH.sub("", text)
    return re.sub(r"\s+(?=[,.;:)])", "", " ".join(text.split()))


def _paragraph(lines: Sequence[str]) -> Iterator[str]:
    """Lines up to the first blank one, or to where prose ends."""
    started = False
    for line in lines:
        if (started and not line.strip()) or _END.match(line):
            return
        if not _RULE.match(line):
            started = True
            yield line.strip()


def mask(text: str, packages: Sequence[str]) -> str:
    """Hide every word that contains the name or a usual alias of one of the packages.

    >>> mask("Convert a NumPy array to a PyTorch tensor with np.asarray.", ["numpy", "torch"])
    'Convert a LIBRARY array to a LIBRARY tensor with LIBRARY.'
    """
    return _names(tuple(packages)).sub(MASK, text)


def _names(packages: tuple[str, ...]) -> re.Pattern[str]:
    names = [alias for package in packages for alias in _ALIASES.get(package, (re.escape(package),))]
    return re.compile(rf"[\w./-]*(?:{'|'.join(names)})(?:[\w./-]*\w)?", re.IGNORECASE)


def _usable(text: str) -> bool:
    words = text.split()
    if not _SHORTEST <= len(words) <= _LONGEST or _JUNK.search(text):
        return False
    plain = sum(bool(_WORD.fullmatch(word.strip(".,;:!?()\"'"))) for word in words)
    return plain >= _PROSE * len(words)
