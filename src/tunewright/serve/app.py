"""The application that every service starts from: routes behind a guard, one schema of errors, an OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from tunewright.errors import TunewrightError
from tunewright.serve.answers import FAILED, RETRY, Problem, Refusal, of_error, refused
from tunewright.serve.desk import Busy
from tunewright.serve.guard import Guard, Rules

if TYPE_CHECKING:
    from starlette.responses import Response

__all__ = ["create_app"]

_REFUSALS = {
    400: "The request, or a setting of the project, is wrong.",
    401: "The token is missing or wrong.",
    403: "A page of another origin asks.",
    404: "There is no such address.",
    408: "The body did not arrive in time.",
    409: "The monitor cannot do this.",
    413: "The body is too large.",
    415: "The content type is another one.",
    421: "The host is another one.",
    422: "The content is not what is expected.",
    503: "Busy, or the disk could not be written: send it again.",
}


def create_app(
    title: str, routers: Sequence[APIRouter], *, rules: Rules, version: str, close: Callable[[], None] | None = None
) -> Guard:
    """A guarded application.

    Args:
        title: in the OpenAPI document, which is at ``/openapi.json``.
        routers: what it serves.
        rules: what the guard lets pass.
        version: of the application.
        close: called once no request is left.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if close is not None:
            close()

    # the pages that show the document would load scripts of other hosts
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={status: {"model": Refusal, "description": told} for status, told in _REFUSALS.items()},
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(TunewrightError, _of_library)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_values)
    app.add_exception_handler(Busy, _of_queue)
    app.add_exception_handler(Exception, _of_anything)
    return Guard(_documented(app), rules=rules)


def _documented(app: FastAPI) -> FastAPI:
    """The application, whose document says that a token is needed."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer"}
        document["security"] = [{"token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it
    return app


async def _of_library(_: Request, error: Exception) -> Response:
    assert isinstance(error, TunewrightError)
    return of_error(error)


async def _of_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    fix = "GET /openapi.json says what there is"
    headers = dict(error.headers or {})
    return refused(error.status_code, Problem("request", str(error.detail), fix), headers)


async def _of_values(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return refused(422, Problem("request", told, "GET /openapi.json says what is expected"))


async def _of_queue(_: Request, __: Exception) -> Response:
    problem = Problem("busy", "too many requests are waiting", "wait, then send it again; or send larger batches")
    return refused(503, problem, RETRY)


async def _of_anything(_: Request, __: Exception) -> Response:
    """The exception goes on to the guard, which logs where it came from."""
    return refused(500, FAILED)
