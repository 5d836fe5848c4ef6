"""What a page finds out without a model: issues, what a selection scores, two runs, neighbours of a row, production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field
from starlette.responses import Response  # noqa: TC002  FastAPI reads it

from tunewright.serve.answers import answer
from tunewright.serve.reading import Name
from tunewright.verbs.alerting import standing_alerts
from tunewright.verbs.explore.comparing import Cell, ComparedRuns, cell, compare_stored
from tunewright.verbs.explore.issues import Issues, KeptIssues
from tunewright.verbs.explore.measuring import Measured, measure
from tunewright.verbs.explore.near import Near, Neighbours
from tunewright.verbs.explore.production import CollectedRows, collected_rows
from tunewright.verbs.monitored import monitor_report
from tunewright.verbs.monitoring import find_monitor

if TYPE_CHECKING:
    from tunewright.verbs.explore.explorer import Explorer

__all__ = ["routes"]

_Text = Annotated[str, Body(max_length=1_000)]
_Run = Annotated[str, Query(max_length=200)]
_At = Annotated[int, Field(ge=0, le=2**31)]
_OBJECT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
_MOST_ROWS = 2_000_000


def routes(explorer: Explorer, near: Near) -> APIRouter:
    """The routes of what is stored."""
    router = APIRouter(prefix="/api")
    project, known = explorer.project, KeptIssues(explorer.project)

    def named(run: str) -> str:
        return str(explorer.find(run).meta["name"])

    @router.get("/runs/{run}/issues", response_model=Issues)
    def issues(run: Name) -> Response:
        """What is wrong with the rows, worst first, as `tunewright issues --json` prints it."""
        return answer(known.of(explorer.snapshot(run)).to_json())

    @router.post("/runs/{run}/measure", response_model=Measured)
    def measured(run: Name, rows: Annotated[list[_At], Body(embed=True, max_length=_MOST_ROWS)]) -> Response:
        """How well the model does on these rows, against the others of the same splits."""
        return answer(measure(project, explorer.snapshot(run), rows).to_json())

    @router.get("/runs/{run}/neighbours", response_model=Neighbours)
    def neighbours(
        run: Name, row: Annotated[int, Query(ge=0, le=2**31)], k: Annotated[int, Query(ge=1, le=500)] = 10
    ) -> Response:
        """The rows most like one, by the embeddings that the run has stored."""
        return answer(near.of_row(explorer.snapshot(run), row, k=k).to_json())

    @router.get("/runs/{run}/monitor", responses=_OBJECT)
    def monitor(run: Name) -> Response:
        """What a monitor knows, as `tunewright monitor report --json` prints it."""
        return answer(monitor_report(project, named(run)).to_json())

    @router.get("/runs/{run}/alerts", responses=_OBJECT)
    def alerts(run: Name) -> Response:
        """Where every alert of a monitor stands, as `tunewright monitor alerts --json` prints it; it sends nothing."""
        return answer(standing_alerts(project, named(run)).to_json())

    @router.get("/runs/{run}/collected", response_model=CollectedRows)
    def collected(run: Name) -> Response:
        """The rows of production that a monitor collected to be labelled, by reason."""
        return answer(collected_rows(project, find_monitor(project, named(run))).to_json())

    @router.get("/compare", response_model=ComparedRuns)
    def compare(a: _Run, b: _Run, split: Annotated[str | None, Query(max_length=200)] = None) -> Response:
        """Two runs by their stored predictions; positive differences mean that the second is better."""
        return answer(compare_stored(project, explorer.find(a), explorer.find(b), split=split).to_json())

    @router.post("/compare/cell", response_model=Cell)
    def compared_cell(run: _Text, split: _Text, gold: _Text, predicted: _Text) -> Response:
        """The rows of one cell of a confusion matrix."""
        return answer(cell(project, explorer.find(run), split=split, gold=gold, predicted=predicted).to_json())

    return router
