"""The explorer as a service: the page, the routes under ``/api``, and a stop on Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.serve import asking, curation, events, findings, jobs, page, reading, views
from tunewright.serve.app import create_app
from tunewright.serve.guard import Guard, Rules
from tunewright.serve.service import Address, address_of, bound, hosts_of, run_until_stopped
from tunewright.verbs.explore.jobs import Jobs
from tunewright.verbs.explore.near import Near

if TYPE_CHECKING:
    from fastapi import APIRouter

    from tunewright.verbs.explore.explorer import Explorer

__all__ = ["explorer_app", "routers", "serve_explorer"]


def routers(explorer: Explorer, trainings: Jobs) -> list[APIRouter]:
    """All that is under ``/api``."""
    near = Near(explorer.project)
    return [
        reading.routes(explorer),
        curation.routes(explorer.project),
        findings.routes(explorer, near),
        asking.routes(explorer, near),
        views.routes(explorer),
        jobs.routes(trainings),
        events.routes(explorer.project, trainings),
    ]


def explorer_app(explorer: Explorer, *, rules: Rules, static: Path | None = None, in_frames: bool = False) -> Guard:
    """The guarded application: ``/api``, and the page from a folder, by default the one that was built.

    ``in_frames``: pages of this machine, such as notebooks, may frame it; else nobody may.
    """
    trainings = Jobs(explorer.project)
    return create_app(
        "Tunewright explorer",
        [*routers(explorer, trainings), page.routes(static or page.BUILT, in_frames=in_frames)],
        rules=rules,
        version=version("tunewright"),
        close=trainings.close,
    )


def serve_explorer(
    explorer: Explorer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    names: Iterable[str] = (),
    static: Path | None = None,
    ready: Callable[[Address], None],
) -> None:
    """Serve a workspace until the process is told to stop.

    Args:
        explorer: of the project.
        host: to listen on; the loopback interface unless others shall reach it.
        port: to listen on; 0 is any that is free.
        token: secret that opens the service; None: a random one.
        names: further names under which it is asked.
        static: folder of the built page.
        ready: called with the address once it listens.

    Raises:
        DataError: if the host is unknown, or the port is taken.
    """
    with bound(host, port) as listening:
        at = address_of(listening, host, token)
        rules = Rules(token=at.token, port=at.port, hosts=hosts_of(host, names))
        app = explorer_app(explorer, rules=rules, static=static)
        ready(at)
        run_until_stopped(app, listening)
