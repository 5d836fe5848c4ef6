"""``monitor serve``: production rows over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import Folder, opened, say
from tunewright.cli.latent import progress
from tunewright.cli.serving import Host, Names, Port, TokenFile, warn_if_open

if TYPE_CHECKING:
    from tunewright.serve.service import Address
    from tunewright.verbs.receiver import Receiver

__all__ = ["serve"]


def serve(
    *,
    name: Annotated[str, typer.Option(help="Name of the monitor, a folder among the runs.")] = "production",
    run: Annotated[
        str | None, typer.Option(help="Run whose model predicts; the one that is watched, at first the last training.")
    ] = None,
    predict: Annotated[
        bool, typer.Option("--predict/--no-predict", help="Ask the model about rows that come without a prediction.")
    ] = True,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    allow_host: Names = None,
    token_file: TokenFile = None,
    queue: Annotated[int, typer.Option(help="Requests that may wait; more are told to come again.", min=1)] = 64,
    most: Annotated[int, typer.Option(help="Megabytes of a request.", min=1)] = 64,
    window: Annotated[
        int | None, typer.Option(help="Rows that are compared together; as before, at first 500.", min=10)
    ] = None,
    budget: Annotated[int | None, typer.Option(help="Rows to collect; as before, at first 2000.", min=1)] = None,
    batch_size: Annotated[int, typer.Option(help="Inputs per forward pass.", min=1)] = 64,
    project: Folder = Path(),
) -> None:
    """Take rows and labels over HTTP, and answer with figures, until Ctrl-C."""
    from tunewright import verbs
    from tunewright.serve.service import serve_monitor
    from tunewright.serve.tokens import given_token

    receiving = partial(
        verbs.receiving,
        opened(project),
        run=run,
        name=name,
        window=window,
        budget=budget,
        batch_size=batch_size,
        predicts=predict,
    )
    serve_monitor(
        partial(_opening, receiving),
        host=host,
        port=port,
        token=given_token(token_file),
        names=allow_host or (),
        most=queue,
        most_bytes=most << 20,
        ready=_say_where,
    )
    say("Stopped. Every row that was acknowledged is on the disk.")


@contextmanager
def _opening(receiving: Callable[..., AbstractContextManager[Receiver]]) -> Iterator[Receiver]:
    """With a bar for as long as it takes to open."""
    with ExitStack() as stack:
        with progress() as advance:
            receiver = stack.enter_context(receiving(advance=advance))
        yield receiver


def _say_where(at: Address) -> None:
    warn_if_open(at)
    say(f"Listening: {at.url('/report')}", "Ctrl-C stops it.")
