"""What the commands share that serve something: where they listen, their token, and a warning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tunewright.serve.service import Address

__all__ = ["Host", "Names", "Port", "TokenFile", "warn_if_open"]

Host = Annotated[str, typer.Option(help="Where to listen; others than this machine reach it at 0.0.0.0.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 is any that is free.", min=0, max=65535)]
Names = Annotated[
    list[str] | None, typer.Option("--allow-host", help="Another name under which it is asked; may be repeated.")
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with the token, made if there is none; or set TUNEWRIGHT_TOKEN.")
]


def warn_if_open(at: Address) -> None:
    """Say on standard error what it means that other machines reach an address."""
    if at.is_open:
        typer.echo(
            "warning: whoever reaches this port can read what passes, and the token with it; "
            "put a proxy with TLS before it, or listen on 127.0.0.1",
            err=True,
        )
