"""What a page asks a model: one is kept loaded, and asked one question at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response  # noqa: TC002  FastAPI reads it

from tunewright.serve.answers import answer
from tunewright.serve.desk import Busy
from tunewright.serve.reading import Name
from tunewright.verbs.explore.asking import Asker, Heat, Predicted
from tunewright.verbs.explore.near import Near, Neighbours

if TYPE_CHECKING:
    from tunewright.verbs.explore.explorer import Explorer

__all__ = ["routes"]

_Method = Literal["integrated_gradients", "gradient_x_input"]
_Field = Annotated[str, Field(max_length=200)]
_Text = Annotated[str, Field(max_length=100_000)]
_Fields = Annotated[dict[_Field, _Text], Body(embed=True, max_length=20)]
_PATIENCE = 10.0  # seconds until who waits for the model is told that it is busy


def routes(explorer: Explorer, near: Near, *, patience: float = _PATIENCE) -> APIRouter:
    """The routes that ask a model.

    Args:
        explorer: of the project.
        near: searches its embeddings.
        patience: seconds for which a question waits for its turn.
    """
    router = APIRouter(prefix="/api")
    asker, turn = Asker(explorer.project), threading.Lock()

    @contextmanager
    def asked() -> Iterator[Asker]:
        if not turn.acquire(timeout=patience):
            raise Busy
        try:
            yield asker
        finally:
            turn.release()

    @router.post("/runs/{run}/explain", response_model=Heat)
    def explain(run: Name, row: Annotated[int, Body(ge=0, le=2**31)], method: Annotated[_Method, Body()]) -> Response:
        """Which words of a row drive its loss."""
        shot = explorer.snapshot(run)
        with asked() as model:
            return answer(model.explain(shot, row, method).to_json())

    @router.post("/runs/{run}/predict", response_model=Predicted)
    def predict(run: Name, fields: _Fields) -> Response:
        """What the model says of texts that somebody wrote: one for each text field."""
        found = explorer.snapshot(run).run
        with asked() as model:
            return answer(model.predict(found, fields).to_json())

    @router.post("/runs/{run}/near", response_model=Neighbours)
    def near_text(run: Name, text: Annotated[_Text, Body()], k: Annotated[int, Body(ge=1, le=10_000)] = 50) -> Response:
        """The rows most like a text, by the embeddings that the run has stored."""
        shot = explorer.snapshot(run)
        with asked() as model:
            return answer(near.of_text(shot, _as_fields(explorer, text), model, k=k).to_json())

    return router


def _as_fields(explorer: Explorer, text: str) -> Mapping[str, str]:
    """A text in place of every text field: of a pair, whichever a row resembles."""
    return dict.fromkeys(explorer.project.task.text_fields, text)
