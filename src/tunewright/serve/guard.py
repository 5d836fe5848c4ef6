"""Who may ask, from where, and how much: the outermost layer of every service, whatever it serves.

A request passes, in this order, if it names an allowed host, comes from no foreign page, brings the token (once in the
address or by the form of `tunewright.serve.entry`, then as a cookie, or as ``Authorization: Bearer``), has a content type
that no form can send, and a body of limited size. Only then the application sees it. Neither tokens nor bodies nor
messages of exceptions are logged.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response

from tunewright.serve import entry
from tunewright.serve.answers import FAILED, HEADERS, RETRY, Problem, refused
from tunewright.serve.tokens import cookie_of, same

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ARROW", "EVENTS", "LOOPBACK", "Guard", "Rules", "is_known", "is_stopping"]

ARROW = "application/vnd.apache.arrow.stream"
EVENTS = "text/event-stream"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_CONTENT_TYPES = frozenset({"application/json", ARROW})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_KNOWN = "tunewright.known"
_STOPPING = "tunewright.stopping"
_DIGITS = 15  # of a length; thousands of them are no number in Python
_LOG = logging.getLogger("tunewright.serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a guard lets pass.

    Attributes:
        token: secret that opens the service.
        port: that it listens on; part of the cookie's name, so that services of one machine do not meet.
        hosts: names and addresses under which it may be asked, in lower case, without ports.
        public: paths that need no token.
        most_bytes: of a body.
        patience: seconds in which a body must arrive, and in which it must be answered; a stream of events only has to
            begin in this time.
    """

    token: str = field(repr=False)
    port: int
    hosts: frozenset[str] = LOOPBACK
    public: frozenset[str] = frozenset()
    most_bytes: int = 64 << 20
    patience: float = 60.0

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"tunewright-{self.port}"


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, *, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._is_stopping = False

    def stop(self) -> None:
        """Let streams of events end, for which the server would wait."""
        self._is_stopping = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "lifespan":
                await self._app(scope, receive, send)
            case "http":
                await self._guarded(scope, receive, _Sender(scope, send))
            case _:  # there are no web sockets
                await send({"type": "websocket.close", "code": 1008})

    async def _guarded(self, scope: Scope, receive: Receive, send: _Sender) -> None:
        headers = Headers(scope=scope)
        scope[_STOPPING] = lambda: self._is_stopping
        refusal = _stranger(headers, self._rules)
        if refusal is None and entry.is_sent(scope, headers):
            refusal = await self._entered(scope, headers, receive)
        refusal = refusal or self._opened(scope, headers) or _of_form(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._rules.patience):
                body = await _body(headers, receive, self._rules.most_bytes)
        except TimeoutError:
            await refused(408, _SLOW)(scope, receive, send)
            return
        if body is None:
            await refused(413, _too_large(self._rules.most_bytes))(scope, receive, send)
            return
        await self._answered(scope, _Replay(body, receive), send)

    async def _answered(self, scope: Scope, receive: Receive, send: _Sender) -> None:
        try:
            async with asyncio.timeout(self._rules.patience) as send.limit:
                await self._app(scope, receive, send)
        except TimeoutError:
            problem = refused(503, _UNANSWERED, RETRY)
        except Exception as error:  # noqa: BLE001 - the last layer; a traceback with its message would tell texts
            _LOG.error("%s %s: %s", scope["method"], quote(scope["path"]), _trace(error))
            problem = refused(500, FAILED)
        else:
            return
        if not send.began:
            await problem(scope, receive, send)

    async def _entered(self, scope: Scope, headers: Headers, receive: Receive) -> Response:
        """What the form gets: the cookie, or the form again."""
        try:
            async with asyncio.timeout(self._rules.patience):
                body = await _body(headers, receive, entry.MOST_BYTES)
        except TimeoutError:
            return refused(408, _SLOW)
        if same(entry.token_of(body or b""), self._rules.token):
            return _exchanged(scope, self._rules)
        return entry.page(was_wrong=True)

    def _opened(self, scope: Scope, headers: Headers) -> Response | None:
        """None if the request brings the token; else a redirect that sets the cookie, or 401."""
        rules, is_open = self._rules, _is_authorised(headers, self._rules)
        given = [value for name, value in _query(scope) if name == "token"]
        if given and scope["method"] in _READS and same(given[0], rules.token):
            return _exchanged(scope, rules)
        scope[_KNOWN] = is_open
        if is_open or scope["path"] in rules.public:
            return None
        if scope["path"] == entry.STYLE and scope["method"] in _READS:
            return entry.style()
        if entry.is_opened(scope, headers):
            return entry.page(was_wrong=bool(given))
        return refused(401, _UNKNOWN, {"WWW-Authenticate": "Bearer"})


def is_known(scope: Scope) -> bool:
    """Whether a request that a guard let pass brought the token."""
    return bool(scope.get(_KNOWN))


def is_stopping(scope: Scope) -> bool:
    """Whether the server of a request that a guard let pass wants to stop."""
    asked: Callable[[], bool] = scope[_STOPPING]
    return asked()


class _Sender:
    """``send`` with the headers of every response; knows whether a response began, and when it must have ended."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.began = False
        self.limit: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.began = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self.limit is not None and headers.get("content-type", "").startswith(EVENTS):
                self.limit.reschedule(None)
            _LOG.info("%s %s %s", self._scope["method"], quote(self._scope["path"]), message["status"])
        await self._send(message)


class _Replay:
    """``receive`` of a body that was read."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _stranger(headers: Headers, rules: Rules) -> Response | None:
    """A refusal of a request that was meant for another host, or that a foreign page made."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name(hosts[0]) not in rules.hosts:
        return refused(421, Problem("host", "this service has another name", "ask it under the name that it was given"))
    origins = headers.getlist("origin")
    is_foreign = any(origin not in {f"http://{hosts[0]}", f"https://{hosts[0]}"} for origin in origins)
    if is_foreign or headers.get("sec-fetch-site") == "cross-site":
        return refused(403, Problem("origin", "pages of other origins may not ask", "open the address of the service"))
    return None


def _name(host: str) -> str:
    """The name in a ``Host`` header; empty if there is none.

    >>> _name("LOCALHOST:8000"), _name("[::1]:8000"), _name("a@localhost"), _name("[")
    ('localhost', '::1', '', '')
    """
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""


def _is_authorised(headers: Headers, rules: Rules) -> bool:
    kind, _, given = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and same(given.strip(), rules.token):
        return True
    expected = cookie_of(rules.token, rules.port)
    return any(same(value, expected) for value in _cookies(headers, rules.cookie))


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    for line in headers.getlist("cookie"):
        try:
            cookies = SimpleCookie(line)
        except CookieError:
            continue
        if name in cookies:
            yield cookies[name].value


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _exchanged(scope: Scope, rules: Rules) -> Response:
    """The cookie, and the way to the same address without the token."""
    path = "/" + scope["path"].lstrip("/\\")  # two slashes would be another host
    query = [pair for pair in _query(scope) if pair[0] != "token"]
    response = RedirectResponse(quote(path) + (f"?{urlencode(query)}" if query else ""), 303)
    response.set_cookie(rules.cookie, cookie_of(rules.token, rules.port), httponly=True, samesite="strict", path="/")
    return response


def _of_form(scope: Scope, headers: Headers) -> Response | None:
    """A refusal of a change whose content a form of a foreign page could have sent."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if scope["method"] in _READS or kind in _CONTENT_TYPES:
        return None
    return refused(415, Problem("content type", f"expected {' or '.join(sorted(_CONTENT_TYPES))}, found another one"))


async def _body(headers: Headers, receive: Receive, most: int) -> bytes | None:
    """The whole body; None as soon as it is known to be too large."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > _DIGITS or int(length) > most:
        return None
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= most:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    return None if size > most else b"".join(parts)


def _too_large(most: int) -> Problem:
    return Problem("size", f"expected a body of at most {most:,} bytes, found more", "send smaller batches")


def _trace(error: BaseException) -> str:
    """Where an exception came from, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + "".join(f" < {Path(it.filename).name}:{it.lineno}" for it in reversed(frames))


_UNKNOWN = Problem("token", "the token is missing or wrong", "send Authorization: Bearer TOKEN, or open ?token=TOKEN")
_SLOW = Problem("slow", "the body did not arrive in time", "send smaller batches")
_UNANSWERED = Problem("busy", "there was no answer in time; it may come to pass all the same", "send it again")
