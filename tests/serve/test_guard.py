from __future__ import annotations

import asyncio
import json
import logging

import pytest
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tunewright.errors import DataError
from tunewright.serve import tokens
from tunewright.serve.answers import HEADERS
from tunewright.serve.guard import ARROW, EVENTS, Guard, Rules, is_stopping
from tunewright.serve.tokens import cookie_of, given_token, new_token

TOKEN = "a-token-that-nobody-guesses"
RULES = Rules(token=TOKEN, port=8000, public=frozenset({"/health"}), most_bytes=100, patience=0.5)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}


class App:
    """Answers what it was asked, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        if scope["path"] == "/fails":
            raise ValueError("the text of a row")
        if scope["path"] == "/hangs":
            await asyncio.sleep(60)
        body = (await receive())["body"]
        await JSONResponse({"path": scope["path"], "bytes": len(body)})(scope, receive, send)


@pytest.fixture
def app():
    return App()


@pytest.fixture
def client(app):
    return TestClient(Guard(app, rules=RULES), base_url="http://127.0.0.1:8000", follow_redirects=False)


def kind(response):
    """The kind of an error, whose content is what all errors are."""
    content = response.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"kind", "message", "fix"}
    return content["error"]["kind"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_without_the_token_there_is_nothing(client, app, headers):
    found = client.get("/report", headers=headers)
    assert (found.status_code, kind(found)) == (401, "token")
    assert found.headers["www-authenticate"] == "Bearer"
    assert client.post("/log", headers=JSON | headers, json=[]).status_code == 401
    assert app.asked == 0


def test_a_script_sends_the_token_as_bearer(client):
    assert client.get("/report", headers=BEARER).json()["path"] == "/report"
    assert client.get("/report", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_secrets_are_compared_in_constant_time(client, monkeypatch):
    compared = []
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *pair: compared.append(pair) or pair[0] == pair[1])
    client.get("/", headers=BEARER)
    client.get(f"/?token={TOKEN}")
    client.cookies.set("tunewright-8000", cookie_of(TOKEN, 8000))
    assert client.get("/").status_code == 200
    assert len(compared) >= 3


def test_the_token_of_the_address_is_exchanged_for_a_cookie(client, app):
    found = client.get(f"/map?colour=red%20one&token={TOKEN}&size=")
    assert found.status_code == 303
    assert found.headers["location"] == "/map?colour=red+one&size="
    name, _, rest = found.headers["set-cookie"].partition("=")
    assert name == "tunewright-8000"
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in rest.split(";")}
    assert TOKEN not in found.headers["set-cookie"]
    assert app.asked == 0
    assert client.get("/map").status_code == 200  # the client has the cookie now


def test_a_cookie_opens_one_port_and_is_not_the_token(client):
    for value in (TOKEN, cookie_of(TOKEN, 8001), cookie_of("another-token-of-20", 8000), ""):
        client.cookies.set("tunewright-8000", value)
        assert client.get("/").status_code == 401


def test_a_wrong_token_of_the_address_is_none(client):
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/?token=%ff%00").status_code == 401
    assert client.post(f"/log?token={TOKEN}", json=[]).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
def test_the_exchange_leads_to_no_other_host(client, path):
    async def ask():
        sent = []

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"localhost")]
        query = f"token={TOKEN}".encode()
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": query}
        await Guard(App(), rules=RULES)(scope, None, send)
        return dict(sent[0]["headers"])[b"location"].decode()

    location = asyncio.run(ask())
    assert location.startswith("/")
    assert location[1] not in "/\\"


def test_liveness_needs_no_token(client):
    assert client.get("/health").status_code == 200
    assert client.get("/health/more").status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost@evil.example", "[", "a b"]
)
def test_another_host_is_refused(client, app, host):
    found = client.get("/report", headers=BEARER | {"Host": host})
    assert (found.status_code, kind(found)) == (421, "host")
    assert client.get("/health", headers={"Host": host}).status_code == 421
    assert app.asked == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:1", "[::1]:8000"])
def test_a_forwarded_port_is_the_same_host(client, host):
    assert client.get("/report", headers=BEARER | {"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1:8001", "http://localhost:8000", "", "file://"]
)
def test_a_foreign_origin_is_refused(client, app, origin):
    for method in ("GET", "POST"):
        found = client.request(method, "/log", headers=BEARER | JSON | {"Origin": origin})
        assert (found.status_code, kind(found)) == (403, "origin")
    assert app.asked == 0


def test_its_own_origin_may_ask(client):
    own = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/log", headers=BEARER | own, json=[]).status_code == 200


def test_a_cross_site_request_is_refused(client, app):
    found = client.get(f"/?token={TOKEN}", headers={"Sec-Fetch-Site": "cross-site"})
    assert (found.status_code, kind(found)) == (403, "origin")
    assert app.asked == 0


def test_nothing_is_shared_with_other_origins(client):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for found in (client.options("/log", headers=asked), client.get("/", headers=BEARER)):
        assert not [name for name in found.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "content", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_can_send_changes_nothing(client, app, content):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        found = client.request(method, "/log", headers=BEARER | {"Content-Type": content})
        assert (found.status_code, kind(found)) == (415, "content type")
    assert app.asked == 0


@pytest.mark.parametrize("content", ["application/json", "Application/JSON; charset=utf-8", ARROW])
def test_json_and_arrow_are_taken(client, content):
    found = client.post("/log", headers=BEARER | {"Content-Type": content}, content=b"[1]")
    assert found.json() == {"path": "/log", "bytes": 3}


def test_every_response_has_the_headers(client):
    responses = [
        client.get("/report", headers=BEARER),
        client.get("/report"),
        client.get(f"/?token={TOKEN}"),
        client.get("/", headers={"Host": "evil.example"}),
        client.get("/", headers={"Origin": "null"}),
        client.get("/fails", headers=BEARER),
        client.post("/log", headers=BEARER),
        client.post("/log", headers=BEARER | JSON, content=b"x" * 101),
    ]
    assert [found.status_code for found in responses] == [200, 401, 303, 421, 403, 500, 415, 413]
    for found in responses:
        assert HEADERS.items() <= {name: found.headers.get(name) for name in HEADERS}.items()
    policy = HEADERS["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_a_body_that_is_too_large_is_refused(client, app):
    found = client.post("/log", headers=BEARER | JSON, content=b"x" * 101)
    assert (found.status_code, kind(found)) == (413, "size")
    for length in ("101", "-1", "many", "9" * 5000):
        assert client.post("/log", headers=BEARER | JSON | {"Content-Length": length}).status_code == 413
    assert app.asked == 0
    assert client.post("/log", headers=BEARER | JSON, content=b"x" * 100).json()["bytes"] == 100


def streamed(receive, headers=()):
    """Status and content that a body gets which arrives in parts, and of which nobody knows the length."""

    async def ask():
        sent = []

        async def send(message):
            sent.append(message)

        told = {b"host": b"localhost", b"authorization": BEARER["Authorization"].encode()}
        told |= {b"content-type": b"application/json", **dict(headers)}
        scope = {"type": "http", "method": "POST", "path": "/log", "headers": [*told.items()], "query_string": b""}
        await Guard(App(), rules=RULES)(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])

    return asyncio.run(ask())


def test_a_streamed_body_is_cut_off():
    parts = 0

    async def receive():
        nonlocal parts
        parts += 1
        return {"type": "http.request", "body": b"x" * 30, "more_body": True}

    status, content = streamed(receive)
    assert (status, content["error"]["kind"], parts) == (413, "size", 4)


def test_a_body_that_does_not_come_is_not_waited_for():
    async def receive():
        await asyncio.sleep(60)

    status, content = streamed(receive)
    assert (status, content["error"]["kind"]) == (408, "slow")


def test_an_answer_that_does_not_come_is_not_waited_for(client):
    found = client.get("/hangs", headers=BEARER)
    assert (found.status_code, kind(found)) == (503, "busy")
    assert found.headers["retry-after"]


def test_a_failure_tells_no_traceback_and_no_text(client, caplog):
    caplog.set_level(logging.DEBUG)
    found = client.get("/fails", headers=BEARER)
    assert (found.status_code, kind(found)) == (500, "internal")
    for told in (found.text, caplog.text):
        assert "the text of a row" not in told
        assert "Traceback" not in told
    assert "ValueError < test_guard.py" in caplog.text


def test_neither_tokens_nor_texts_are_logged(client, caplog):
    caplog.set_level(logging.DEBUG, logger="tunewright")
    client.get(f"/report?token={TOKEN}")
    client.get("/report?token=wrong-one&reason=a-secret-reason", headers=BEARER)
    client.post("/log", headers=BEARER | JSON, content=b'[{"text": "a secret text"}]')
    assert "GET /report 303" in caplog.text
    assert not [word for word in (TOKEN, "wrong-one", "secret", cookie_of(TOKEN, 8000)) if word in caplog.text]
    assert TOKEN not in repr(RULES)


def test_there_are_no_web_sockets(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live", headers=BEARER):
        pass


def test_a_token_of_a_file_is_made_for_its_owner_alone_and_stays(tmp_path):
    path = tmp_path / "token"
    made = given_token(path)
    assert len(made) == 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert given_token(path) == made
    assert new_token() != new_token()


def test_a_token_of_the_environment(monkeypatch):
    monkeypatch.delenv(tokens.VARIABLE, raising=False)
    assert given_token() is None
    monkeypatch.setenv(tokens.VARIABLE, f" {TOKEN}\n")
    assert given_token() == TOKEN


@pytest.mark.parametrize("token", ["", "short", "with a space in it", "x" * 513, "umlautsäöüäöüäöüäöü"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token, monkeypatch):
    monkeypatch.setenv(tokens.VARIABLE, token)
    with pytest.raises(DataError, match="16 to 512") as found:
        given_token()
    assert not token or token not in str(found.value)


async def streaming(scope, receive, send):
    """Events for longer than an answer may take; others are cut off."""
    kind = EVENTS if scope["path"] == "/events" else "text/plain"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})
    for _ in range(4):
        await asyncio.sleep(RULES.patience / 3)
        await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
    await send({"type": "http.response.body", "body": b"stops" if is_stopping(scope) else b"goes on"})


def test_a_stream_of_events_may_last(app):
    guard = Guard(streaming, rules=RULES)
    client = TestClient(guard, base_url="http://127.0.0.1:8000")
    assert client.get("/events", headers=BEARER).text == ": here\n\n" * 4 + "goes on"
    guard.stop()
    assert client.get("/events", headers=BEARER).text.endswith("stops")
    assert not client.get("/other", headers=BEARER).text.endswith("stops")
