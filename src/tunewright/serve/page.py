"""The page of the explorer: files that were there when the service started, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tunewright.serve.answers import HEADERS

__all__ = ["BUILT", "MISSING", "is_built", "routes"]

BUILT = Path(__file__).with_name("static")
"""Where the build puts the page."""

MISSING = ("the page was not built", "run `make page`, or install a wheel of tunewright")
"""What is wrong with a folder that has none, and what to do."""

_INDEX = "index.html"
_POLICY = "Content-Security-Policy"
_FRAMED = HEADERS[_POLICY].replace(
    "frame-ancestors 'none'", "frame-ancestors http://127.0.0.1:* http://localhost:* https://localhost:*"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_MISSING = (
    "<!doctype html><meta charset=utf-8><title>Tunewright</title><h1>The page was not built</h1>"
    "<p>The service runs, and <code>/api</code> answers. To build the page: <code>make page</code>, or install a wheel."
)


def routes(folder: Path, *, in_frames: bool = False) -> APIRouter:
    """The page of a folder; one that says how to build it, where there is none.

    Args:
        folder: where the page was built.
        in_frames: whether pages of this machine, such as notebooks, may frame it.
    """
    router = APIRouter(include_in_schema=False)
    known = _known(folder)
    headers = {_POLICY: _FRAMED} if in_frames else {}

    @router.get("/")
    def index() -> Response:
        if _INDEX not in known:
            return Response(_MISSING, 503, headers, _TYPES[".html"])
        return _file(known[_INDEX], headers)

    @router.get("/{name}")
    def file(name: str) -> Response:
        if name not in known:
            raise HTTPException(404, "there is no such file")
        return _file(known[name], headers)

    return router


def is_built(folder: Path) -> bool:
    """Whether a folder has the page."""
    return _INDEX in _known(folder)


def _known(folder: Path) -> Mapping[str, Path]:
    """Files of a folder by name; no links, which could lead elsewhere."""
    there = folder.iterdir() if folder.is_dir() else ()
    return {path.name: path for path in there if path.suffix in _TYPES and path.is_file() and not path.is_symlink()}


def _file(path: Path, headers: Mapping[str, str]) -> Response:
    if path.is_symlink() or not path.is_file():
        raise HTTPException(404, "there is no such file any more")
    return Response(path.read_bytes(), 200, headers, _TYPES[path.suffix])
