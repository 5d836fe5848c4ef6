"""A run as one file, opened from the disk: the page that the service shows, with no service."""

from __future__ import annotations

import pytest
from page_scenario import CHROMIUM, HOSTILE, SLOW, project_of

from tunewright.verbs.explore.standalone import BUILT, save_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    if not (BUILT / "index.html").is_file():
        pytest.skip("the page is not built")
    return project_of(tmp_path_factory.mktemp("file"), rows=600)


@pytest.fixture
def opened(project, tmp_path):
    """A function that saves a run and opens the file at what follows the hash."""
    api = pytest.importorskip("playwright.sync_api")
    complaints, asked = [], []
    with api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))

        def open_(run, query=""):
            saved = save_page(project, run, path=tmp_path / f"{run}.html")
            page.goto(f"{saved.file.as_uri()}#{query}&renderer=cpu")
            return page

        yield open_
        browser.close()
    assert not complaints
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def test_rows_of_every_part_can_be_read(opened):
    page = opened("toy", "view=table&row=599")
    page.get_by_role("article", name="Example toy-599").wait_for()
    page.get_by_role("grid").wait_for()
    assert page.get_by_role("tab", name="Curate").count() == 0


def test_texts_are_searched_in_the_file(opened):
    page = opened("hostile", "view=table&q=family")
    page.get_by_role("row").filter(has_text="family").wait_for()
    page.get_by_text("1 of 5").first.wait_for()


@pytest.mark.parametrize("row", range(len(HOSTILE)), ids=[*HOSTILE])
def test_texts_that_mean_harm_are_texts(opened, row):
    page = opened("hostile", f"view=table&row={row}")
    text = page.locator(".card .text").first
    text.wait_for()
    assert [*HOSTILE.values()][row].replace("\0", "␀")[:100] in text.inner_text()
    assert page.evaluate("window.hurt === undefined")
