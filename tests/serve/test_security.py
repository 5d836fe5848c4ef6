"""What the explorer promises about who may ask what: each promise is kept by the whole application, not by its parts."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import re
import time

import pytest
from fastapi.routing import APIRoute
from page_scenario import HOSTILE, project_of
from starlette.testclient import TestClient

from tunewright.serve import tokens
from tunewright.serve.answers import HEADERS
from tunewright.serve.explorer import explorer_app, routers
from tunewright.serve.guard import ARROW, Rules
from tunewright.serve.service import Address, address_of, bound, hosts_of
from tunewright.serve.tokens import cookie_of
from tunewright.toy import toy_run
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.jobs import Jobs

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ADDRESS = "http://127.0.0.1:8000"
PLACES = {"{run}": "toy", "{name}": "loss", "{row}": "1", "{job}": "none"}
QUERIES = {
    "/api/pending": "?version=main",
    "/api/compare": "?a=toy&b=toy",
    **{f"/api/runs/{{run}}/{name}": f"?{query}" for name, query in (("rows", "at=1,2"), ("search", "q=good"))},
    "/api/runs/{run}/neighbours": "?row=1&k=3",
}
SCRIPTS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|\bnew Function\b"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return project_of(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    for name in ("index.html", "app.js", "index.css"):
        (folder / name).write_text(name)
    return folder


def opened(project, static, **rules):
    app = explorer_app(Explorer(project), rules=Rules(token=TOKEN, port=8000, **rules), static=static)
    app.stop()  # streams of events end at once
    return TestClient(app, base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def client(project, static):
    return opened(project, static)


def routes(project, method):
    """Addresses of the routes of a method, with what there is in the places of their parameters."""
    found = [
        route
        for router in routers(Explorer(project), Jobs(project))
        for route in router.routes
        if isinstance(route, APIRoute) and method in route.methods
    ]
    return [re.sub(r"{\w+}", lambda it: PLACES[it[0]], it.path) + QUERIES.get(it.path, "") for it in found]


def state(folder):
    """Name, content and time of every file of a folder."""
    return {
        path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_only_this_machine_is_listened_to_unless_asked():
    with bound("127.0.0.1", 0) as listening:
        at = address_of(listening, "127.0.0.1", None)
        assert (listening.getsockname()[0], at.is_open) == ("127.0.0.1", False)
        assert hosts_of("127.0.0.1") == {"127.0.0.1", "localhost", "::1"}
    with bound("0.0.0.0", 0) as listening:
        assert address_of(listening, "0.0.0.0", None).is_open


def test_a_token_is_made_at_random_and_told_in_the_address_alone():
    with bound("127.0.0.1", 0) as listening:
        first, second = (address_of(listening, "127.0.0.1", None) for _ in range(2))
    assert first.token != second.token
    assert len(first.token) >= 43
    assert f"?token={first.token}" in first.url()
    assert first.token not in repr(first)
    assert Address(host="a", port=1, token=TOKEN, was_given=True, is_open=False).url() == "http://a:1/"


def test_the_token_is_exchanged_once_for_a_cookie_of_this_port(client):
    found = client.get(f"/?run=toy&token={TOKEN}")
    assert (found.status_code, found.headers["location"]) == (303, "/?run=toy")
    name, _, rest = found.headers["set-cookie"].partition("=")
    assert name == "tunewright-8000"
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in rest.split(";")}
    assert TOKEN not in found.headers["set-cookie"]
    assert client.get("/api/workspace").status_code == 200
    client.cookies.clear()
    client.cookies.set("tunewright-8000", TOKEN)
    assert client.get("/api/workspace").status_code == 401


def test_nothing_is_told_to_strangers(project, client):
    for path in (*routes(project, "GET"), "/", "/app.js", "/openapi.json", "/nothing"):
        assert client.get(path).status_code == 401, path
        assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401, path
    for path in routes(project, "POST"):
        assert client.post(path, json={}).status_code == 401, path


def test_a_browser_of_a_stranger_is_told_no_more_than_how_to_enter(project, client):
    browser = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    told = {client.get(path, headers=browser).text for path in (*routes(project, "GET"), "/", "/app.js", "/nothing")}
    assert len(told) == 1
    assert "<form" in told.pop()
    before = state(project.folder)
    form = browser | {"Origin": ADDRESS, "Content-Type": "application/x-www-form-urlencoded"}
    for path in routes(project, "POST"):
        assert client.post(path, headers=form | BEARER, content=b"version=main&token=wrong").status_code == 401, path
        assert client.post(path, headers=form, content=f"token={TOKEN}").status_code == 303, path
        client.cookies.clear()
    assert state(project.folder) == before


def test_secrets_are_compared_in_constant_time(client, monkeypatch):
    compared = []
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *pair: compared.append(pair) or pair[0] == pair[1])
    assert client.get("/api/workspace", headers=BEARER).status_code == 200
    client.cookies.set("tunewright-8000", cookie_of(TOKEN, 8000))
    assert client.get("/api/workspace").status_code == 200
    assert len(compared) >= 2


def test_no_other_host_no_other_page_and_no_other_site_may_ask(project, client):
    for method in ("GET", "POST"):
        for path in (*routes(project, method), "/"):
            for status, header in (
                (421, {"Host": "evil.example"}),
                (403, {"Origin": "https://evil.example"}),
                (403, {"Origin": "null"}),
                (403, {"Sec-Fetch-Site": "cross-site"}),
            ):
                found = client.request(method, path, headers=BEARER | header, json={})
                assert found.status_code == status, (method, path, header)


def test_nothing_is_shared_with_other_origins(project, client):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in (*routes(project, "POST"), *routes(project, "GET"), "/"):
        for found in (client.options(path, headers=asked | BEARER), client.get(path, headers=BEARER)):
            assert not [name for name in found.headers if name.startswith("access-control")], path


def test_looking_changes_nothing(project, client):
    before = state(project.folder)
    statuses = {path: client.get(path, headers=BEARER).status_code for path in routes(project, "GET")}
    assert sum(status == 200 for status in statuses.values()) >= 12, statuses
    assert not [path for path, status in statuses.items() if status >= 500]
    for path in (*routes(project, "GET"), "/", "/app.js", "/nothing"):
        client.head(path, headers=BEARER)
    assert state(project.folder) == before


def test_what_changes_is_a_post_with_json(project, client):
    before = state(project.folder)
    for path in routes(project, "POST"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            found = client.post(path, headers=BEARER | {"Content-Type": kind}, content=b'{"version": "main"}')
            assert found.status_code == 415, (path, kind)
        assert client.get(path, headers=BEARER).status_code in {200, 404, 405, 422}, path
        for method in ("PUT", "PATCH", "DELETE"):
            assert client.request(method, path, headers=BEARER, json={}).status_code == 405, (method, path)
    assert state(project.folder) == before


def test_every_response_has_the_headers(project, client, monkeypatch):
    policy = HEADERS["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    etag = client.get("/api/runs/toy/points", headers=BEARER).headers["etag"]
    found = [client.get(path, headers=BEARER) for path in (*routes(project, "GET"), "/", "/app.js", "/index.css")]
    found += [client.post(path, headers=BEARER, json={}) for path in routes(project, "POST")]
    found += [
        client.get("/nothing", headers=BEARER),
        client.get("/"),
        client.get(f"/?token={TOKEN}"),
        client.get("/", headers={"Host": "evil.example"}),
        client.get("/", headers={"Origin": "null"}),
        client.delete("/api/views", headers=BEARER | {"Content-Type": "application/json"}),
        client.post("/api/views", headers=BEARER, content=b"x"),
        client.head("/", headers=BEARER),
        client.get("/api/runs/toy/points", headers=BEARER | {"If-None-Match": etag}),
        client.post("/api/runs/toy/export", headers=BEARER, json={"rows": [0], "format": "csv"}),
    ]
    monkeypatch.setattr(Explorer, "workspace", lambda _: 1 / 0)
    found.append(client.get("/api/workspace", headers=BEARER))
    assert {200, 303, 304, 400, 401, 403, 404, 405, 415, 421, 422, 500} <= {one.status_code for one in found}
    for one in found:
        told = {name: one.headers.get(name) for name in HEADERS if name != "Cache-Control"}
        assert {**told, "Cache-Control": HEADERS["Cache-Control"]} == HEADERS, one.request.url
        assert one.headers["cache-control"] in {"no-store", "private, no-cache"}, one.request.url


def test_the_page_makes_no_markup_of_texts_and_no_code_of_strings(root):
    sources = [path for path in (root / "web" / "src").rglob("*.ts*") if SCRIPTS.search(path.read_text("utf-8"))]
    assert not sources
    assert "<script>" not in (root / "web" / "index.html").read_text("utf-8")


def test_answers_say_what_they_are_so_that_no_browser_guesses(client):
    for row in range(len(HOSTILE)):
        found = client.get(f"/api/runs/hostile/examples/{row}", headers=BEARER)
        assert found.headers["content-type"] == "application/json"
        assert found.json()["blocks"][0]["text"] == [*HOSTILE.values()][row]
    saved = client.post("/api/runs/hostile/export", headers=BEARER, json={"rows": [0], "format": "csv"})
    assert saved.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("name", ["..", "../toy", "toy/..", "/etc", "runs/toy", "a\0b", ".", "toy\\..", "C:\\", "*"])
def test_runs_versions_jobs_and_views_are_names_and_no_paths(project, client, name):
    before = state(project.folder.parent)
    for path in (
        "",
        "/points",
        "/rows?at=0",
        "/examples/0",
        "/search?q=a",
        "/issues",
        "/monitor",
        "/alerts",
        "/losses",
    ):
        found = client.get(f"/api/runs/{name.replace('/', '%2f').replace(chr(0), '%00')}{path}", headers=BEARER)
        assert 400 <= found.status_code < 500, path
    asked = [("/api/train", {"version": name}), ("/api/pending/undo", {"version": name, "revision": 0})]
    asked += [("/api/compare/cell", {"run": name, "split": "train", "gold": "neg", "predicted": "neg"})]
    for path, body in asked:
        assert 400 <= client.post(path, headers=BEARER, json=body).status_code < 500, path
    stopped = client.post(f"/api/jobs/{name.replace('/', '%2f').replace(chr(0), '%00')}/stop", headers=BEARER, json={})
    assert 400 <= stopped.status_code < 500
    assert state(project.folder.parent) == before


def test_a_run_that_is_a_link_is_refused(project, client, tmp_path):
    outside = toy_run(tmp_path, 5)
    link = project.runs_folder / outside.id
    link.symlink_to(outside.folder, target_is_directory=True)

    def refused(found):
        assert (found.status_code, "is a link" in found.text) == (400, True), found.request.url

    try:
        for path in ("", "/points", "/rows?at=0", "/issues", "/losses", "/monitor", "/alerts"):
            refused(client.get(f"/api/runs/{outside.id}{path}", headers=BEARER))
        refused(client.get(f"/api/compare?a={outside.id}&b=hostile", headers=BEARER))
        for path, body in (("/export", {"rows": [0], "format": "csv"}), ("/page", {}), ("/locate", {"ids": ["toy-1"]})):
            refused(client.post(f"/api/runs/{outside.id}{path}", headers=BEARER, json=body))
        body = {"run": outside.id, "split": "train", "gold": "neg", "predicted": "neg"}
        refused(client.post("/api/compare/cell", headers=BEARER, json=body))
    finally:
        link.unlink()


def test_nothing_that_a_browser_sends_is_run(root):
    forbidden = {"eval", "exec", "compile", "__import__"}
    modules = {"pickle", "duckdb", "shelve", "marshal", "dill", "joblib"}
    folders = [root / "src/tunewright/serve", root / "src/tunewright/verbs/explore"]
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        called = {it.func.id for it in ast.walk(tree) if isinstance(it, ast.Call) and isinstance(it.func, ast.Name)}
        imported = {
            name.name.partition(".")[0] for it in ast.walk(tree) if isinstance(it, ast.Import) for name in it.names
        }
        imported |= {(it.module or "").partition(".")[0] for it in ast.walk(tree) if isinstance(it, ast.ImportFrom)}
        assert not called & forbidden, path
        assert not imported & modules, path
        assert "tunewright.table import query" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/runs/toy/rows?at=" + ",".join(["1"] * 501), None),
        ("/api/runs/toy/search?q=" + "a" * 501, None),
        ("/api/runs/toy/neighbours?row=0&k=501", None),
        ("/api/runs/toy/neighbours?row=0&k=0", None),
        (f"/api/runs/{'x' * 201}", None),
        (f"/api/runs/toy/columns/{'x' * 201}", None),
        (f"/api/pending?version={'x' * 201}", None),
        (f"/api/compare?a={'x' * 201}&b=toy", None),
        ("/api/runs/toy/locate", {"ids": ["a"] * 100_001}),
        ("/api/runs/toy/export", {"rows": [0] * 2_000_001, "format": "csv"}),
        ("/api/runs/toy/measure", {"rows": [0] * 2_000_001}),
        ("/api/runs/toy/near", {"text": "a", "k": 10_001}),
        ("/api/runs/toy/near", {"text": "a" * 100_001, "k": 1}),
        ("/api/runs/toy/predict", {"fields": {"text": "a" * 100_001}}),
        ("/api/runs/toy/predict", {"fields": {str(number): "" for number in range(21)}}),
        ("/api/views", {"name": "a" * 81, "query": ""}),
        ("/api/views", {"name": "a", "query": "a" * 8_001}),
        ("/api/train", {"version": "a" * 201}),
        ("/api/pending/discard", {"version": "main", "revision": 0, "keys": ["a"] * 100_001}),
        ("/api/pending", {"version": "main", "revision": 0, "changes": [{"action": "drop", "ids": ["a"] * 500_001}]}),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_nobody_asks_for_more_than_there_is_room_for(client, path, body):
    found = client.get(path, headers=BEARER) if body is None else client.post(path, headers=BEARER, json=body)
    assert found.status_code == 422
    assert len(found.content) < 10_000


def test_a_body_that_is_too_large_is_not_read(project, static):
    client = opened(project, static, most_bytes=1_000)
    found = client.post("/api/runs/toy/locate", headers=BEARER, json={"ids": ["a" * 1_000]})
    assert (found.status_code, found.json()["error"]["kind"]) == (413, "size")


def test_an_answer_that_takes_too_long_is_not_waited_for(project, static, monkeypatch):
    monkeypatch.setattr(Explorer, "workspace", lambda _: time.sleep(5))
    began = time.monotonic()
    found = opened(project, static, patience=0.2).get("/api/workspace", headers=BEARER)
    assert (found.status_code, found.json()["error"]["kind"]) == (503, "busy")
    assert time.monotonic() - began < 4


def test_neither_tokens_nor_texts_are_logged(project, client, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    client.get(f"/?token={TOKEN}")
    client.get("/api/runs/toy/search?q=secretquery", headers=BEARER)
    client.post("/api/runs/toy/locate", headers=BEARER, json={"ids": ["secretid"]})
    client.post("/api/views", headers=BEARER, content=json.dumps({"name": "secretname"}))
    monkeypatch.setattr(Explorer, "search", lambda *_: {}["secretmessage"])
    client.get("/api/runs/toy/search?q=secretquery", headers=BEARER)
    logged = "\n".join(
        record.getMessage() + str(record.exc_info) for record in caplog.records if "httpx" not in record.name
    )
    assert "GET /api/runs/toy/search 500: KeyError <" in logged or "KeyError <" in logged
    assert not [word for word in (TOKEN, "secret", cookie_of(TOKEN, 8000)) if word in logged]


def test_an_arrow_body_is_no_json(client):
    found = client.post("/api/train", headers=BEARER | {"Content-Type": ARROW}, content=b"x")
    assert found.status_code == 422
