"""The routes that train: start, list, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Path
from starlette.responses import Response  # noqa: TC002  FastAPI reads it

from tunewright.serve.answers import answer
from tunewright.serve.reading import Nothing
from tunewright.verbs.explore.jobs import Job, JobList

if TYPE_CHECKING:
    from tunewright.verbs.explore.jobs import Jobs

__all__ = ["routes"]

_Version = Annotated[str, Body(embed=True, min_length=1, max_length=200)]


def routes(jobs: Jobs) -> APIRouter:
    """The routes about trainings of a project."""
    router = APIRouter(prefix="/api")

    @router.post("/train", response_model=Job)
    def train(version: _Version) -> Response:
        """Train a version of the dataset, once no other job does."""
        return answer(jobs.start(version).to_json())

    @router.get("/jobs", response_model=JobList)
    def listed() -> Response:
        """Trainings that were asked for, and those that were started elsewhere and go on."""
        return answer(jobs.jobs().to_json())

    @router.post("/jobs/{job}/stop", response_model=Job)
    def stop(job: Annotated[str, Path(max_length=200)], _: Nothing) -> Response:
        """Stop a training in good order, so that it can be resumed."""
        return answer(jobs.stop(job).to_json())

    return router
