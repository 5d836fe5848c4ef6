"""A service from its options to its end: the socket, the token, the address to open, and a stop that loses nothing."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from tunewright.errors import DataError
from tunewright.serve.guard import LOOPBACK, Guard, Rules
from tunewright.serve.tokens import new_token

if TYPE_CHECKING:
    import uvicorn

    from tunewright.verbs.receiver import Receiver

__all__ = ["Address", "address_of", "bound", "hosts_of", "run_until_stopped", "serve_monitor", "server_of"]

_SECONDS_TO_STOP = 30
_MOST_CONNECTIONS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a service listens, and what opens it.

    Attributes:
        host: name or address.
        port: number.
        token: secret.
        was_given: whether somebody has the token already; else the address tells it.
        is_open: whether other machines can reach it.
    """

    host: str
    port: int
    token: str = field(repr=False)
    was_given: bool
    is_open: bool

    def url(self, path: str = "/") -> str:
        """The address of a page; with the token, if nobody has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{path}" + ("" if self.was_given else f"?token={self.token}")


def serve_monitor(
    opened: Callable[[], AbstractContextManager[Receiver]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    names: Iterable[str] = (),
    most: int = 64,
    most_bytes: int = 64 << 20,
    ready: Callable[[Address], None],
) -> None:
    """Serve a monitor until the process is told to stop; then finish what waits, and close it.

    Args:
        opened: gives the monitor.
        host: to listen on; the loopback interface unless others shall reach it.
        port: to listen on; 0 is any that is free.
        token: secret that opens the service; None: a random one.
        names: further names under which it is asked.
        most: requests that wait for the monitor; above, they are told to come again.
        most_bytes: of a body.
        ready: called with the address once the monitor is open.

    Raises:
        DataError: if the host is unknown, or the port is taken.
        MonitorError: if another process writes to the monitor.
    """
    from tunewright.serve.app import create_app
    from tunewright.serve.desk import Desk
    from tunewright.serve.monitor import PUBLIC, routes

    with bound(host, port) as listening:
        at = address_of(listening, host, token)
        rules = Rules(token=at.token, port=at.port, hosts=hosts_of(host, names), public=PUBLIC, most_bytes=most_bytes)
        desk = Desk(opened, most=most)
        try:
            ready(at)
            app = create_app(
                "Tunewright monitor", [routes(desk)], rules=rules, version=version("tunewright"), close=desk.close
            )
            run_until_stopped(app, listening)
        finally:
            desk.close()


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens, for the block.

    Raises:
        DataError: if the host is unknown, or the port is taken.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family, backlog=_MOST_CONNECTIONS)
    except (OSError, OverflowError) as error:
        raise DataError(
            f"{host}:{port} cannot be listened on ({error})", fix="give another --port or --host"
        ) from error
    with listening:
        yield listening


def address_of(listening: socket.socket, host: str, token: str | None) -> Address:
    """Where a socket listens; without a token, one is made at random."""
    address, port = listening.getsockname()[:2]
    return Address(
        host="127.0.0.1" if address == "0.0.0.0" else "::1" if address == "::" else host,  # noqa: S104
        port=port,
        token=token or new_token(),
        was_given=token is not None,
        is_open=not ipaddress.ip_address(address).is_loopback,
    )


def hosts_of(host: str, names: Iterable[str] = ()) -> frozenset[str]:
    """Names under which a service may be asked."""
    return LOOPBACK | {name.lower() for name in (host, *names)}


def run_until_stopped(app: Guard, listening: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; then finish what was begun, and return."""
    with _calm():
        server_of(app).run(sockets=[listening])


def server_of(app: Guard) -> uvicorn.Server:
    """The server of an application, quiet: its log would tell the token of the address."""
    import uvicorn

    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_STOP,
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.stop()
            await super().shutdown(sockets)

    return Server(config)


@contextmanager
def _calm() -> Iterator[None]:
    """A signal that stopped the server, which it raises again once it has stopped, does not end the process."""
    asked = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: None) for one in asked}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
