"""``explore``: the workspace of a project as a page in the browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from tunewright.cli.app import Folder, opened, say
from tunewright.cli.numbers import counted
from tunewright.cli.serving import Host, Names, Port, TokenFile, warn_if_open

if TYPE_CHECKING:
    from tunewright.serve.service import Address

__all__ = ["explore"]


def explore(
    run: Annotated[str | None, typer.Argument(help="Run to open first; by default the last training.")] = None,
    *,
    host: Host = "127.0.0.1",
    port: Port = 0,
    allow_host: Names = None,
    token_file: TokenFile = None,
    open: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open a browser; by default where there is a display.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the run as one HTML file to be read without a service, and stop.")
    ] = None,
    static: Annotated[Path | None, typer.Option(help="Folder of another build of the page.", hidden=True)] = None,
    project: Folder = Path(),
) -> None:
    """See, question and fix runs in a page in the browser, until Ctrl-C."""
    from tunewright.project import find_run
    from tunewright.serve.explorer import serve_explorer
    from tunewright.serve.tokens import given_token
    from tunewright.verbs.explore.explorer import Explorer
    from tunewright.verbs.explore.standalone import save_page

    workspace = opened(project)
    if save is not None:
        written = save_page(workspace, run, path=save)
        say(f"{counted(written.examples, 'example')} of {written.run} in {written.file}, {written.size / 1e6:.1f} MB")
        return
    first = find_run(workspace, run).id if run else None

    def ready(at: Address) -> None:
        url = _opening(at, first)
        _warn_if_missing(static)
        _say_where(at, url)
        if has_display() if open is None else open:
            webbrowser.open(url)

    serve_explorer(
        Explorer(workspace),
        host=host,
        port=port,
        token=given_token(token_file),
        names=allow_host or (),
        static=static,
        ready=ready,
    )
    say("Stopped.")


def has_display() -> bool:
    """Whether a browser that is opened here is likely seen by whoever sits there."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _opening(at: Address, run: str | None) -> str:
    url = at.url()
    return url if run is None else f"{url}{'&' if '?' in url else '?'}run={quote(run)}"


def _warn_if_missing(static: Path | None) -> None:
    """Say on standard error that there is no page to open."""
    from tunewright.serve.page import BUILT, MISSING, is_built

    if not is_built(static or BUILT):
        problem, fix = MISSING
        typer.echo(f"warning: {problem}, and only /api answers; {fix}", err=True)


def _say_where(at: Address, url: str) -> None:
    warn_if_open(at)
    say(f"Open: {url}")
    if at.was_given:
        say("It asks once for the token, which was given.")
    if not has_display() and not at.is_open:
        say(f"From another machine, first: ssh -N -L {at.port}:127.0.0.1:{at.port} THIS-MACHINE")
    say("Ctrl-C stops it.")
