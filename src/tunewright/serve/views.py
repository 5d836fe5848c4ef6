"""The routes of views that people keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response  # noqa: TC002  FastAPI reads it

from tunewright.serve.answers import answer
from tunewright.verbs.explore.views import Views, forget_view, save_view, views

if TYPE_CHECKING:
    from tunewright.verbs.explore.explorer import Explorer

__all__ = ["routes"]

_Name = Annotated[str, Body(min_length=1, max_length=80)]


def routes(explorer: Explorer) -> APIRouter:
    """The routes of views."""
    router = APIRouter(prefix="/api")
    project = explorer.project

    @router.get("/views", response_model=Views)
    def known() -> Response:
        """All views of the project."""
        return answer(views(project).to_json())

    @router.post("/views", response_model=Views)
    def save(name: _Name, query: Annotated[str, Body(max_length=8_000)]) -> Response:
        """Keep a view; one of the same name is replaced."""
        return answer(save_view(project, name, query).to_json())

    @router.post("/views/forget", response_model=Views)
    def forget(name: Annotated[_Name, Body(embed=True)]) -> Response:
        """Remove a view."""
        return answer(forget_view(project, name).to_json())

    return router
