"""Views that people keep: the query of a page's address under a name, in the project's folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.errors import DataError, did_you_mean
from tunewright.files import claimed, write_json
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.project import Project

__all__ = ["View", "Views", "forget_view", "save_view", "views"]

_FILE = "views.json"
_LONGEST_NAME, _LONGEST_QUERY, _MOST = 80, 8_000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A name and the query of an address."""

    name: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Views(Result):
    """All views of a project, by name."""

    views: tuple[View, ...]


def views(project: Project) -> Views:
    """The views of a project.

    Raises:
        DataError: if the file is no list of views.
    """
    return Views(views=_read(project.folder / _FILE))


def save_view(project: Project, name: str, query: str) -> Views:
    """Keep a view; one of the same name is replaced.

    Args:
        project: which keeps it.
        name: 1 to 80 letters that can be printed, not blank at either end.
        query: of an address, without the question mark; at most 8,000 letters.

    Raises:
        DataError: if the name or the query is another, or there are 200 views already.
    """
    _require(name, query)
    return _changed(project, lambda known: {**known, name: query})


def forget_view(project: Project, name: str) -> Views:
    """Remove a view.

    Raises:
        DataError: if there is none of this name.
    """

    def without(known: dict[str, str]) -> dict[str, str]:
        if name not in known:
            raise DataError(f"no view is called {name!r}", fix=did_you_mean(name, known))
        return {other: query for other, query in known.items() if other != name}

    return _changed(project, without)


def _changed(project: Project, change: Callable[[dict[str, str]], dict[str, str]]) -> Views:
    """Read, change and write, while nobody else does."""
    path = project.folder / _FILE
    with claimed(path.with_name(f".{_FILE}.lock"), wait=True):
        found = change({one.name: one.query for one in _read(path)})
        if len(found) > _MOST:
            raise DataError(f"expected at most {_MOST} views, found {len(found)}", fix="forget some first")
        write_json(path, {"views": [{"name": name, "query": found[name]} for name in sorted(found)]})
        return Views(views=_read(path))


def _read(path: Path) -> tuple[View, ...]:
    if not path.exists():
        return ()
    try:
        match json.loads(path.read_text(encoding="utf-8")):
            case {"views": [*found]}:
                return tuple(View(name=str(one["name"]), query=str(one["query"])) for one in found)
    except (ValueError, KeyError, TypeError):
        pass
    raise DataError(f"expected a list of views in {path}, found something else", fix=f"mend or remove {path}")


def _require(name: str, query: str) -> None:
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise DataError(f"expected a name of 1 to {_LONGEST_NAME} letters for a view, found {name!r}")
    if len(query) > _LONGEST_QUERY or not query.isprintable():
        raise DataError(f"expected the query of an address, at most {_LONGEST_QUERY} letters, found {len(query)}")
