"""A run as one file, opened from the disk: the page that the service shows, with no service."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from page_scenario import CHROMIUM, HOSTILE, SLOW, project_of

from tunewright.run import Run
from tunewright.verbs.explore.standalone import BUILT, save_page

pytestmark = pytest.mark.browser

HARM = HOSTILE["script"]
SVG = "{http://www.w3.org/2000/svg}"


def harmful(project):
    """The run ``harm``, whose ids, labels and names of columns mean harm too, with a data map of two rows."""
    texts = {"id": [HARM, "other"], "split": ["train"] * 2, "text": [HARM, HOSTILE["rtl"]], "label": [HARM, "pos"]}
    examples = pa.table({**texts, HARM: [HARM, "a"]})
    run = Run.create(
        project.runs_folder, kind="train", name="harm", config={}, examples=examples, version_name=HARM, labels=[HARM]
    )
    drawn = {"confidence": [0.5, 1.0], "variability": [0.2, 0.0], "correctness": [0.5, 1.0]}
    run.write("columns/data_map", pa.table({"id": texts["id"], **drawn}))
    run.update(
        status="finished", history=[{"step": 1, "epoch": 0.5, "loss": 0.7}, {"step": 2, "epoch": 1.0, "loss": 0.3}]
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    if not (BUILT / "index.html").is_file():
        pytest.skip("the page is not built")
    project = project_of(tmp_path_factory.mktemp("file"), rows=600)
    harmful(project)
    return project


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

        def open_(run, query="", *, view=""):
            saved = save_page(project, run, path=tmp_path / f"{run}.html", view=view)
            page.goto(f"{saved.file.as_uri()}#{query}&renderer=cpu" if query else saved.file.as_uri())
            return page

        yield open_
        browser.close()
    assert not complaints
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def spot(page, *, x, y):
    """Where in the window the map has the values of two labels of its axes."""
    label = page.locator(".sheet text.axis")
    along = label.and_(page.locator('[text-anchor="middle"]')).get_by_text(x, exact=True).bounding_box()
    up = label.and_(page.locator('[text-anchor="end"]')).get_by_text(y, exact=True).bounding_box()
    return along["x"] + along["width"] / 2, up["y"] + up["height"] / 2


def test_it_opens_at_the_data_map_and_says_how_it_was_made(opened):
    page = opened("toy")
    page.get_by_role("button", name="Data map", pressed=True).wait_for()
    page.get_by_text("variability over the epochs").wait_for()
    page.get_by_role("region", name="The run").get_by_text("recorded in the training pass, with dropout on").wait_for()
    page.get_by_text("Coverage 100 %.").wait_for()


@pytest.mark.parametrize(("query", "pressed"), [("", "UMAP"), ("layout=map", "Data map")])
def test_it_opens_at_a_view_unless_its_address_says_another(opened, query, pressed):
    page = opened("toy", query, view="layout=umap&colour=predicted")
    page.get_by_role("button", name=pressed, pressed=True).wait_for()


def test_rows_of_every_part_can_be_read(opened):
    page = opened("toy", "view=table&row=599")
    page.get_by_role("article", name="Example toy-599").wait_for()
    page.get_by_role("grid").wait_for()
    assert page.get_by_role("tab", name="Curate").count() == 0


def test_it_offers_what_a_file_can_do_and_nothing_else(opened):
    page = opened("toy", "row=7")
    page.get_by_role("article", name="Example toy-7").wait_for()
    assert page.get_by_role("tab").all_inner_texts() == ["Example", "Issues", "Training", "Export"]
    for name in ("Neighbours", "Loss heatmap", "What if"):
        assert page.get_by_role("heading", name=name).count() == 0
    assert page.get_by_role("combobox", name="Search by").count() == 0
    assert page.get_by_role("button", name="Saved views").count() == 0


def test_the_losses_are_those_that_were_logged(opened):
    page = opened("harm")
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("table", name="Loss by epoch").get_by_role("cell", name="0.500").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the curve as SVG").click()
    drawn = ET.parse(download.value.path()).getroot()
    assert [one.text for one in drawn.iter(f"{SVG}text")][-2:] == ["step 1", "2"]
    assert "training.svg" in download.value.suggested_filename


def test_rows_that_are_shown_are_written_to_a_file(opened):
    page = opened("hostile", "view=table&q=family")
    page.get_by_text("1 of 5").first.wait_for()
    page.get_by_role("tab", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save 1 row").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert row["text"] == HOSTILE["emoji"]
    assert download.value.suggested_filename.endswith("-1-rows.csv")


def test_the_map_is_saved_as_a_picture(opened):
    page = opened("toy", "layout=map")
    page.get_by_text("variability over the epochs").wait_for()
    page.get_by_role("tab", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("<svg")


def test_a_column_of_the_filters_is_saved_as_a_picture(opened):
    page = opened("harm", "layout=map&colour=label&open=label")
    page.locator(".legend").get_by_text(HARM).wait_for()
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("combobox", name="Picture of").select_option("label")
    for kind in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {kind}").click()
        data = Path(download.value.path()).read_bytes()
        if kind == "PNG":
            assert data.startswith(b"\x89PNG")
        else:
            drawn = ET.fromstring(data)
            texts = [one.text for one in drawn.iter(f"{SVG}text")]
            assert texts == ["label", HARM, "1", "pos", "1"]
    assert page.evaluate("window.hurt === undefined")


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


def test_pointing_shows_the_row_and_leaving_hides_it(opened):
    page = opened("harm", "layout=map&colour=label")
    page.mouse.move(*spot(page, x="0.2", y="0.5"))
    tip = page.locator(".tip")
    tip.get_by_text(HARM).first.wait_for()
    page.mouse.move(5, 5)
    tip.wait_for(state="detached")


def test_names_that_mean_harm_are_texts_too(opened):
    page = opened("harm", "layout=map&colour=label&row=0")
    page.locator(".legend").get_by_text(HARM).wait_for()
    page.get_by_role("article").get_by_role("heading", name=HARM).first.wait_for()
    assert page.get_by_role("navigation", name="Filters").get_by_text(HARM).count() > 0
    assert page.locator("img").count() == 0
    assert page.locator("script:not(.archive)").count() == 1
    assert page.evaluate("window.hurt === undefined")


def test_it_follows_the_light_of_the_system(opened):
    page = opened("toy")
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 28)"]
