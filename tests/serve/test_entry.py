"""The page that asks a person for the token: who sees it, what it takes, and what it gives away."""

from __future__ import annotations

import asyncio
import logging
from html.parser import HTMLParser

import pytest
from explorer_scenario import TOKEN, served
from page_scenario import CHROMIUM, SLOW, project_of
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from tunewright.serve import entry, tokens
from tunewright.serve.answers import HEADERS
from tunewright.serve.guard import Guard, Rules
from tunewright.serve.tokens import cookie_of

RULES = Rules(token=TOKEN, port=8000, public=frozenset({"/health"}), patience=0.5)
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
FORM = BROWSER | {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}


class App:
    """Answers, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        await JSONResponse({})(scope, receive, send)


@pytest.fixture
def app():
    return App()


@pytest.fixture
def client(app):
    return TestClient(Guard(app, rules=RULES), base_url="http://127.0.0.1:8000", follow_redirects=False)


class Read(HTMLParser):
    """Tags of a page and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_a_browser_is_asked_for_the_token(client, app):
    found = client.get("/?run=toy", headers=BROWSER)
    assert (found.status_code, found.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert found.headers["www-authenticate"] == "Bearer"
    tags = Read(found.text).tags
    assert ("form", {"method": "post"}) in tags  # back to the address that was opened
    assert next(more for tag, more in tags if tag == "input")["name"] == "token"
    assert "alert" not in found.text
    assert app.asked == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "application/json"},
        {"Accept": "*/*"},
        {"Accept": "text/htmlx"},
        BROWSER | {"Sec-Fetch-Mode": "cors"},
        BROWSER | {"Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_scripts_get_json(client, headers):
    for path in ("/", "/api/workspace", "/?token=wrong"):
        found = client.get(path, headers=headers)
        assert (found.status_code, found.json()["error"]["kind"]) == (401, "token")
    assert client.post("/", headers=headers | {"Content-Type": "application/json"}, json={}).json()["error"]


def test_only_who_opens_an_address_is_asked(client):
    for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
        found = client.request(method, "/", headers=BROWSER)
        assert (found.status_code, found.headers["content-type"]) == (401, "application/json")


def test_the_token_is_exchanged_for_the_cookie(client, app):
    found = client.post("/map?run=a%20b&token=wrong", headers=FORM, data={"token": f" {TOKEN} "})
    assert (found.status_code, found.headers["location"]) == (303, "/map?run=a+b")
    name, _, rest = found.headers["set-cookie"].partition("=")
    assert name == RULES.cookie
    assert rest.startswith(cookie_of(TOKEN, 8000))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in rest.split(";")}
    assert app.asked == 0
    assert client.get("/map", headers=BROWSER).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"token=", b"token=wrong", b"tok=%ff", b"token=%ff%00", b"token=" + b"a" * 5000, b"\xff", b"&" * 4096]
)
def test_what_is_not_the_token_is_said_to_be_wrong(client, app, body):
    content = {"Content-Type": "application/x-www-form-urlencoded"}
    found = client.post("/", headers=FORM | content, content=body)
    assert found.status_code == 401
    assert 'role="alert"' in found.text
    assert "set-cookie" not in found.headers
    assert app.asked == 0


def test_a_wrong_token_of_the_address_is_said_to_be_wrong(client):
    found = client.get("/?token=wr%3Cong", headers=BROWSER)
    assert 'role="alert"' in found.text
    assert found.text == client.get("/?token=another", headers=BROWSER).text


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (403, {"Origin": "https://evil.example"}),
        (403, {"Origin": "null"}),
        (403, {"Sec-Fetch-Site": "cross-site"}),
        (421, {"Host": "evil.example"}),
    ],
)
def test_forms_of_other_pages_are_refused(client, status, header):
    assert client.post("/", headers=FORM | header, data={"token": TOKEN}).status_code == status


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example"])
def test_the_form_leads_to_no_other_host(path):
    async def ask():
        sent = []

        async def receive():
            return {"type": "http.request", "body": f"token={TOKEN}".encode()}

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"accept", b"text/html")]
        headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
        await Guard(App(), rules=RULES)(scope, receive, send)
        return dict(sent[0]["headers"])[b"location"].decode()

    location = asyncio.run(ask())
    assert location.startswith("/")
    assert location[1] not in "/\\"


def test_a_form_that_does_not_come_is_not_waited_for():
    async def ask():
        sent = []

        async def receive():
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"accept", b"text/html")]
        headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
        await Guard(App(), rules=RULES)(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(ask()) == 408


def test_who_has_the_cookie_changes_nothing_by_a_form(client, app):
    client.cookies.set(RULES.cookie, cookie_of(TOKEN, 8000))
    for headers, status in ((FORM, 401), ({}, 415)):
        assert client.post("/api/train", headers=headers, data={"version": "main"}).status_code == status
    assert app.asked == 0


def test_the_token_is_compared_in_constant_time(client, monkeypatch):
    compared = []
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *pair: compared.append(pair) or pair[0] == pair[1])
    client.post("/", headers=FORM, data={"token": TOKEN})
    assert compared == [(TOKEN.encode(), TOKEN.encode())]


def test_no_token_is_logged(client, caplog):
    caplog.set_level(logging.DEBUG, logger="tunewright")
    client.post("/?token=wrong-one", headers=FORM, data={"token": TOKEN})
    client.post("/", headers=FORM, data={"token": "wrong-two"})
    assert "POST / 303" in caplog.text
    assert not [word for word in (TOKEN, "wrong-", cookie_of(TOKEN, 8000)) if word in caplog.text]


def test_the_page_has_the_headers_and_runs_nothing(client):
    for found in (client.get("/", headers=BROWSER), client.get(entry.STYLE)):
        told = {name: found.headers[name] for name in HEADERS}
        assert told["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert told | {"Referrer-Policy": ""} == HEADERS | {"Referrer-Policy": ""}
    found = client.get("/", headers=BROWSER)
    assert found.headers["referrer-policy"] == "same-origin"  # else the form is sent with Origin: null
    for tag, more in Read(found.text).tags:
        assert tag not in {"script", "style"}
        assert not [name for name in more if name.startswith("on") or name == "style"]
    assert client.get(entry.STYLE).headers["content-type"] == "text/css; charset=utf-8"


def test_what_needs_no_token_does_not_ask_for_it(client):
    assert client.get("/health", headers=BROWSER).status_code == 200


@pytest.mark.browser
def test_a_person_enters_the_token(tmp_path):
    api = pytest.importorskip("playwright.sync_api")
    with served(project_of(tmp_path, rows=5)) as address, api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(SLOW)
        page.goto(f"{address}/?run=toy")
        assert page.evaluate("getComputedStyle(document.body).display") == "grid"  # its style came
        page.get_by_label("Token").fill("another-token-of-somebody")
        page.get_by_role("button", name="Open").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_label("Token").press("Enter")
        page.get_by_label("Token").wait_for(state="detached")
        assert page.context.request.get(f"{address}/api/workspace").status == 200
        assert "token" not in page.url
        browser.close()
