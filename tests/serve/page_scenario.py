"""The explorer in a real browser: a toy run of rows that mean harm among others, and a page that fails on any complaint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from explorer_scenario import TOKEN, served

import tunewright as tw
from tunewright.run import Run
from tunewright.serve.page import BUILT
from tunewright.toy import toy_run

CHROMIUM = "/usr/bin/chromium"
CUT_OFF = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # no other machine has an address
SLOW = 60_000  # milliseconds that a busy machine may take for one step
HOSTILE = {
    "script": "<script>window.hurt = 1</script></script><img src=x onerror='window.hurt = 1'>",
    "nul": "before\0after",
    "rtl": "\u202eשלום עולם",
    "emoji": "👩‍👩‍👧 family 😀",
    "long": "word " * 20_000,
}


def project_of(folder, *, rows=300):
    """A project with the run ``toy``, and ``hostile`` whose texts mean harm."""
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=folder)
    toy_run(project.runs_folder, rows)
    texts = {"id": [*HOSTILE], "split": ["train"] * len(HOSTILE), "text": [*HOSTILE.values()]}
    examples = pa.table({**texts, "label": ["pos"] * len(HOSTILE)})
    Run.create(project.runs_folder, kind="eval", name="hostile", config={}, examples=examples)
    return project


@contextmanager
def browsed(project, *, width=1440, height=900) -> Iterator:
    """A function that opens the page at a query, in a browser that finds no other machine.

    Leaving checks that the page had nothing to complain of, and that it asked no other machine for anything.
    """
    api = pytest.importorskip("playwright.sync_api")
    if not (BUILT / "index.html").is_file():
        pytest.skip("the page is not built")
    complaints, asked = [], set()
    with served(project) as address, api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", CUT_OFF])
        context = browser.new_context(viewport={"width": width, "height": height})
        context.on("request", lambda request: asked.add(urlsplit(request.url)))
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/?token={TOKEN}")

        def opened(query):
            page.goto(f"{address}/?{query}&renderer=cpu")
            return page

        yield opened
        browser.close()
    assert not complaints
    assert {url.hostname for url in asked if url.scheme not in {"data", "blob"}} == {"127.0.0.1"}
