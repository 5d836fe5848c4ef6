"""What a page reads of a workspace: runs, their points as Arrow streams, rows, and what a search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query
from starlette.responses import Response, StreamingResponse

from tunewright.serve.answers import answer
from tunewright.serve.guard import ARROW
from tunewright.verbs.explore.detail import Example
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.exporting import Format
from tunewright.verbs.explore.losses import Losses
from tunewright.verbs.explore.standalone import standalone, stream
from tunewright.verbs.explore.told import Hits, Located, RowsAt, RunInfo, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

__all__ = ["Name", "Nothing", "Row", "routes"]

Name = Annotated[str, Path(max_length=200)]
"""Of a run or a column, in an address."""

Row = Annotated[int, Path(ge=0, le=2**31)]
"""Number of a row, in an address."""

Nothing = Annotated[dict[str, Any], Body(max_length=0)]
"""The body of a request that says all in its address: an empty object, which no form can send."""

_Like = Annotated[str | None, Query(min_length=1, max_length=200)]
_Unchanged = Annotated[str | None, Header(max_length=200)]
_STREAM: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"content": {ARROW: {"schema": {"type": "string", "contentMediaType": ARROW}}}},
        304: {"description": "What was read before is what there is."},
    },
}
_KINDS: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
_FILES: dict[str, Any] = {
    kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS.values()
}
_PAGE: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_MOST_IDS = 100_000
_MOST_ROWS = 5_000_000
_ROWS = r"^([0-9]{1,9}(,[0-9]{1,9})*)?$"


def routes(explorer: Explorer) -> APIRouter:
    """The routes that read."""
    router = APIRouter(prefix="/api")
    for add in (_add_runs, _add_columns, _add_rows, _add_files):
        add(router, explorer)
    return router


def _add_runs(router: APIRouter, explorer: Explorer) -> None:
    @router.get("/workspace", response_model=Workspace)
    def workspace() -> Response:
        """The project: its runs and versions, and the run to open first."""
        return answer(explorer.workspace().to_json())

    @router.get("/runs/{run}", response_model=RunInfo)
    def run(run: Name) -> Response:
        """One run: columns, layouts, and what can be asked of it."""
        explorer.prepare(run)
        return answer(explorer.run(run).to_json())


def _add_columns(router: APIRouter, explorer: Explorer) -> None:
    @router.get("/runs/{run}/points", **_STREAM)
    def points(run: Name, like: _Like = None, if_none_match: _Unchanged = None) -> Response:
        """Positions, labels, split and loss of every row; in the order of another run's rows, if asked."""
        etag = explorer.snapshot(run).etag + (f"-{explorer.snapshot(like).etag}" if like else "")
        return _stream(etag, if_none_match, lambda: explorer.points(run, like=like))

    @router.get("/runs/{run}/losses", response_model=Losses)
    def losses(run: Name) -> Response:
        """What the training of a run has logged so far."""
        return answer(explorer.losses(run).to_json())

    @router.get("/runs/{run}/columns/{name}", **_STREAM)
    def column(run: Name, name: Name, if_none_match: _Unchanged = None) -> Response:
        """One more column of every row."""
        return _stream(explorer.snapshot(run).etag, if_none_match, lambda: explorer.column(run, name))

    @router.get("/runs/{run}/epochs", **_STREAM)
    def epochs(run: Name, if_none_match: _Unchanged = None) -> Response:
        """Gold probability and correctness of every row in every epoch."""
        return _stream(explorer.snapshot(run).etag, if_none_match, lambda: explorer.epochs(run))

    @router.get("/runs/{run}/reference", **_STREAM)
    def reference(run: Name, if_none_match: _Unchanged = None) -> Response:
        """Where the rows of the reference lie on the map of a production run: `x` and `y`, empty without such a map."""
        return _stream(explorer.snapshot(run).etag, if_none_match, lambda: explorer.reference(run))


def _add_rows(router: APIRouter, explorer: Explorer) -> None:
    @router.get("/runs/{run}/rows", response_model=RowsAt)
    def rows(run: Name, at: Annotated[str, Query(max_length=5_000, pattern=_ROWS)]) -> Response:
        """Rows by number, at most 500, with texts cut to 300 characters."""
        return answer(explorer.rows(run, [int(row) for row in at.split(",") if row]).to_json())

    @router.get("/runs/{run}/examples/{row}", response_model=Example)
    def example(run: Name, row: Row) -> Response:
        """All about one row."""
        return answer(explorer.example(run, row).to_json())

    @router.post("/runs/{run}/locate", response_model=Located)
    def locate(run: Name, ids: Annotated[list[str], Body(embed=True, max_length=_MOST_IDS)]) -> Response:
        """Row numbers of ids, -1 where the run has none."""
        return answer(explorer.locate(run, ids).to_json())

    @router.get("/runs/{run}/search", response_model=Hits)
    def search(run: Name, q: str) -> Response:
        """Rows whose texts hold every word; words in double quotes stand together, `word*` is a beginning.

        A term without a letter or digit must be there as it is. At most 500 characters.
        """
        return answer(explorer.search(run, q).to_json())


def _add_files(router: APIRouter, explorer: Explorer) -> None:
    @router.post("/runs/{run}/export", response_class=Response, responses={200: {"content": _FILES}})
    def export(
        run: Name,
        rows: Annotated[list[int], Body(max_length=_MOST_ROWS)],
        format: Annotated[Format, Body()],
    ) -> Response:
        """Rows with all their columns, as a file."""
        name = f"{explorer.find(run).id}-{len(rows)}-rows.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        pieces = explorer.exported(run, rows, format)
        return StreamingResponse(pieces, media_type=_KINDS[format], headers=headers)

    @router.post("/runs/{run}/page", response_class=Response, responses={200: {"content": _PAGE}})
    def page(run: Name, _: Nothing) -> Response:
        """The page of one run as a single file, to be read without a service; of at most 50,000 examples."""
        headers = {"Content-Disposition": f'attachment; filename="{explorer.find(run).id}.html"'}
        return Response(standalone(explorer, run), headers=headers, media_type="text/html; charset=utf-8")


def _stream(etag: str, known: str | None, made: Callable[[], pa.Table]) -> Response:
    """A table as an Arrow stream of one batch, unless the asker has it."""
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
    if known is not None and f'"{etag}"' in known:
        return Response(status_code=304, headers=headers)
    return Response(memoryview(stream(made())), headers=headers, media_type=ARROW)
