"""What every service answers: JSON, headers that keep a browser to itself, and one schema of errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tunewright.errors import ConflictError, DataError, MonitorError, TunewrightError

__all__ = ["FAILED", "HEADERS", "RETRY", "Problem", "Refusal", "answer", "of_error", "refused"]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every response; a route may set another ``Cache-Control``."""

RETRY = {"Retry-After": "1"}  # seconds


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: a kind for programs, a message for people, and what to do about it."""

    kind: str
    message: str
    fix: str = ""


FAILED = Problem("internal", "the service failed; its log says where", "send it again; nothing acknowledged is lost")
"""All that is told of a failure that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The content of every response with a status of 400 or more."""

    error: Problem


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON values as a response."""
    # in ASCII: half a surrogate pair, which a client may have sent, has no UTF-8
    return Response(json.dumps(content, allow_nan=False), status, headers, "application/json")


def refused(status: int, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """An error as a response."""
    told = {"kind": problem.kind, "message": problem.message, "fix": problem.fix}
    return answer({"error": told}, status, headers)


def of_error(error: TunewrightError) -> Response:
    """An error of the library: 422 for data, 409 for a monitor that cannot do it, 503 if a disk could not be written."""
    problem = Problem(type(error).__name__, error.message, error.fix)
    match error:
        case ConflictError():
            told = {"kind": problem.kind, "message": problem.message, "fix": problem.fix}
            return answer({"error": told, "state": _told(error.state)}, 409)
        case MonitorError() if isinstance(error.__cause__, OSError):
            return refused(503, problem, RETRY)
        case MonitorError():
            return refused(409, problem)
        case DataError():
            return refused(422, problem)
    return refused(400, problem)


def _told(state: object) -> Any:
    to_json = getattr(state, "to_json", None)  # a result; to import its class takes as long as all verbs do
    return None if to_json is None else to_json()
