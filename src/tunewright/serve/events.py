"""Server-sent events: what happens in a project, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from tunewright.serve.desk import Busy
from tunewright.serve.guard import EVENTS, is_stopping
from tunewright.verbs.explore.watching import Happened, Watcher

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from tunewright.project import Project
    from tunewright.verbs.explore.jobs import Jobs

__all__ = ["routes"]

_MOST = 16  # listeners
_PAUSE = 1.0  # seconds between two looks
_HEARTBEAT = 15.0  # seconds of silence, after which a comment says that the stream lives
_SCHEMA: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {"schema": {"type": "string"}}}}}


def routes(project: Project, jobs: Jobs, *, most: int = _MOST, pause: float = _PAUSE) -> APIRouter:
    """The stream of a project's events.

    Args:
        project: that is watched.
        jobs: its trainings.
        most: listeners; one more is told to come again.
        pause: seconds between two looks.
    """
    router = APIRouter(prefix="/api")
    listening: set[_Stream] = set()

    @router.get("/events", response_class=Response, responses=_SCHEMA)
    async def events(request: Request) -> Response:
        """Tell of trainings, losses, runs that grow, and pending changes, as server-sent events."""
        if len(listening) >= most:
            raise Busy
        return _Stream(_told(Watcher(project, jobs), request, pause), listening)

    return router


class _Stream(StreamingResponse):
    """A stream that is counted for as long as it is sent."""

    def __init__(self, content: AsyncIterator[str], listening: set[_Stream]) -> None:
        super().__init__(content, media_type=EVENTS)
        self._listening = listening

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._listening.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listening.discard(self)


async def _told(watcher: Watcher, request: Request, pause: float) -> AsyncIterator[str]:
    yield ": listening\n\n"
    clock = asyncio.get_running_loop().time
    last = clock()
    while not is_stopping(request.scope):
        happened = await run_in_threadpool(watcher.look)
        if happened:
            yield "".join(map(_written, happened))
            last = clock()
        elif clock() - last >= _HEARTBEAT:
            yield ": still here\n\n"
            last = clock()
        await asyncio.sleep(pause)


def _written(one: Happened) -> str:
    return f"event: {one.event}\ndata: {json.dumps(one.data.to_json(), allow_nan=False)}\n\n"
