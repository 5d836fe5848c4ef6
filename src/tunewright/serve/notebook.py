"""The explorer in a notebook: a server in a thread of the kernel, and a frame that shows its page."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import Rules
from tunewright.serve.service import Address, address_of, bound, hosts_of, server_of
from tunewright.verbs.explore.explorer import Explorer

if TYPE_CHECKING:
    import socket

    from tunewright.project import Project

__all__ = ["Page", "explore"]

_SECONDS_TO_STOP = 10


class Page:
    """A page that a notebook shows as the value of a cell, served until `stop` or the end of the kernel."""

    def __init__(self, explorer: Explorer, run: str | None, *, host: str, port: int, height: int) -> None:
        self._height = height
        with ExitStack() as stack:
            listening = stack.enter_context(bound(host, port))
            at = address_of(listening, host, None)
            rules = Rules(token=at.token, port=at.port, hosts=hosts_of(host))
            self._server = server_of(explorer_app(explorer, rules=rules, in_frames=True))
            self._thread = threading.Thread(target=self._serve, args=(stack.pop_all(), listening), daemon=True)
        self._thread.start()
        self.url = _opening(at, run)

    def __repr__(self) -> str:
        return f"Open: {self.url}"

    def _repr_html_(self) -> str:
        """What a notebook shows; the link is for those that show no frames of other addresses."""
        url = escape(self.url, quote=True)
        return (
            f'<iframe src="{url}" title="Tunewright" width="100%" height="{self._height}" frameborder="0"></iframe>'
            f'<p><a href="{url}" target="_blank" rel="noopener">Open in a tab</a></p>'
        )

    def stop(self) -> None:
        """Stop serving; again, nothing."""
        self._server.should_exit = True
        self._thread.join(_SECONDS_TO_STOP)

    def _serve(self, held: ExitStack, listening: socket.socket) -> None:
        with held:
            self._server.run(sockets=[listening])


def explore(
    project: Project | str | Path = ".",
    run: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    height: int = 800,
) -> Page:
    """Serve a project from this process, and show the page.

    Pages of ``127.0.0.1`` and ``localhost``, at any port, may frame it. A browser sends the cookie only if the notebook is
    open under the same name: at ``http://localhost:8888`` give ``host="localhost"``.

    Args:
        project: itself, or its folder.
        run: to open first; by default the last training.
        host: to listen on.
        port: to listen on; 0 is any that is free.
        height: of the frame in pixels.

    Raises:
        ProjectError: if there is no project.
        RunError: if there is no such run.
    """
    from tunewright.project import open_project

    opened = open_project(project) if isinstance(project, str | Path) else project
    explorer = Explorer(opened)
    return Page(explorer, explorer.find(run).id if run else None, host=host, port=port, height=height)


def _opening(at: Address, run: str | None) -> str:
    return at.url() + (f"&run={quote(run)}" if run else "")
