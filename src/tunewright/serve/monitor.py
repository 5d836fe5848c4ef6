"""The routes of a monitor: rows and labels come in, figures and rows worth a label go out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tunewright.errors import DataError
from tunewright.serve.answers import answer
from tunewright.serve.desk import Desk
from tunewright.serve.guard import ARROW, is_known
from tunewright.verbs.receiver import Labelled, Received, Receiver

__all__ = ["PUBLIC", "routes"]

PUBLIC = frozenset({"/health"})
"""Paths that need no token."""

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_STREAM = {"schema": {"type": "string", "contentMediaType": ARROW}}
_OBJECT = {"content": {"application/json": {"schema": {"type": "object"}}}}


def routes(desk: Desk[Receiver]) -> APIRouter:
    """The routes of one monitor."""
    router = APIRouter()
    texts, truth = desk.held.texts, desk.held.truth

    @router.post("/log", response_model=Received, openapi_extra=_body(_of_rows(texts), arrow=True))
    async def log(request: Request) -> Response:
        """Take rows: a list of rows, columns, or an Arrow stream; once this answers, they are on the disk."""
        read = _reader(request.headers["content-type"], await request.body())
        return answer((await desk.do(lambda receiver: receiver.log(read()))).to_json())

    @router.post("/attach", response_model=Labelled, openapi_extra=_body(_of_labels(truth)))
    async def attach(request: Request) -> Response:
        """Attach ground truth to rows that were logged; labels that the task does not have are taken, and named."""
        ids, labels = _labels(_parsed(await request.body()))
        return answer((await desk.do(lambda receiver: receiver.attach(ids, labels))).to_json())

    @router.get("/report", responses={200: _OBJECT})
    async def report() -> Response:
        """What each check has found, as `tunewright monitor report --json` prints it."""
        return answer((await desk.do(Receiver.report)).to_json())

    @router.get("/collected", responses={200: _OBJECT})
    async def collected(reason: Annotated[str | None, Query(max_length=200)] = None) -> Response:
        """The rows worth a label, as `tunewright monitor collected --json` prints them."""
        return answer((await desk.do(lambda receiver: receiver.collected(reason))).to_json())

    @router.get("/alerts", responses={200: _OBJECT})
    async def alerts() -> Response:
        """Where every alert stands, as `tunewright monitor alerts --json` prints it."""
        return answer((await desk.do(Receiver.alerts)).to_json())

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(await desk.do(Receiver.metrics), media_type=_METRICS)

    @router.get("/health", responses={200: _OBJECT}, openapi_extra={"security": [{}, {"token": []}]})
    async def health(request: Request) -> Response:
        """Whether the service lives; with the token also what it watches, and how many requests wait."""
        return answer({"status": "ok", **(_details(desk) if is_known(request.scope) else {})})

    return router


def _details(desk: Desk[Receiver]) -> dict[str, Any]:
    held = desk.held
    told = {"monitor": held.name, "model": held.model, "acknowledged": held.acknowledged}
    return {**told, "waiting": desk.waiting, "most": desk.most}


def _of_rows(texts: Sequence[str]) -> dict[str, Any]:
    """Rows that have these texts, as a list of them or by column."""
    kinds = {**dict.fromkeys(("id", *texts, "predicted"), "string"), "probability": "number"}
    cells = {name: {"type": kind} for name, kind in kinds.items()}
    columns = {name: {"type": "array", "items": cell} for name, cell in cells.items()}
    row = {"type": "object", "required": [*texts], "properties": cells}
    return {
        "oneOf": [
            {"type": "array", "items": row, "title": "rows"},
            {"type": "object", "required": [*texts], "properties": columns, "title": "columns"},
        ]
    }


def _of_labels(truth: Sequence[str]) -> dict[str, Any]:
    """Ids, and at least one column of ground truth."""
    return {
        "type": "object",
        "required": ["ids"],
        "minProperties": 2,
        "properties": {
            "ids": {"type": "array", "items": {"type": "string"}},
            **{name: {"type": "array"} for name in truth},
        },
        "additionalProperties": False,
    }


def _body(schema: Mapping[str, Any], *, arrow: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}, **({ARROW: _STREAM} if arrow else {})}
    return {"requestBody": {"required": True, "content": content}}


def _reader(kind: str, body: bytes) -> Callable[[], Any]:
    """Reads rows in the thread that takes them, as large ones take a while."""
    return lambda: _table(body) if kind.partition(";")[0].strip().lower() == ARROW else _parsed(body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"expected JSON, found something else ({error})" if isinstance(error, json.JSONDecodeError) else _NO_JSON,
            fix='send [{"id": "1", "text": "..."}], or {"id": ["1"], "text": ["..."]}',
        ) from None


def _table(body: bytes) -> pa.Table:
    try:
        table = pa.ipc.open_stream(pa.py_buffer(body)).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"expected an Arrow IPC stream, found something else ({error})",
            fix="pyarrow.ipc.new_stream(sink, table.schema) writes one",
        ) from error
    return table


def _labels(content: Any) -> tuple[list[Any], dict[str, Any]]:
    match content:
        case {"ids": [*ids], **truth} if truth:
            return ids, {str(name): values for name, values in truth.items()}
    raise DataError(
        "expected ids and at least one column of ground truth", fix='send {"ids": ["1"], "label": ["positive"]}'
    )


_NO_JSON = "expected JSON, found something else"
