"""The page in a browser: filters, search, address, views, keys, and what it owes to every reader."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_scenario import HOSTILE, browsed, project_of

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PANELS = ("detail", "issues", "curate", "compare", "live", "export")
_VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 120)).join(' | '))"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with browsed(project_of(tmp_path_factory.mktemp("page"))) as opened:
        yield opened


@pytest.fixture
def page(opened):
    page = opened("run=toy")
    page.locator(".filters .total").wait_for()
    return page


def total(page):
    return page.locator(".filters .total strong")


def column(page, name):
    return page.locator(f'[data-column="{name}"]')


def test_a_filter_changes_the_counts_of_the_other_columns(page):
    shown = column(page, "predicted").locator(".category .number").first
    before = shown.inner_text()
    column(page, "label").locator(".category input").last.check()
    page.locator(".used-filter").wait_for()
    assert total(page).inner_text() != "300"
    assert shown.inner_text() != before
    page.get_by_role("button", name="Clear the filter on label").click()
    page.locator(".used-filter").wait_for(state="detached")
    assert total(page).inner_text() == "300"


def test_a_range_is_moved_with_keys(page):
    page.get_by_label("Find a column").fill("confidence")
    if not column(page, "confidence").locator(".plot").count():
        column(page, "confidence").locator(".name").click()
    column(page, "confidence").get_by_role("slider", name="Least confidence").press("PageUp")
    page.locator(".used-filter").wait_for()
    assert 0 < int(total(page).inner_text()) < 300


def test_a_search_says_how_many_it_found(page):
    page.keyboard.press("/")
    page.keyboard.type("zzzz")
    page.locator(".search .answer", has_text="0 in").wait_for()
    assert total(page).inner_text() == "0"


def test_an_address_opens_the_same_view_in_a_new_tab(page):
    column(page, "label").locator(".category input").first.check()
    page.get_by_role("tab", name="Export").click()
    page.wait_for_url("**panel=export**")
    rows = total(page).inner_text()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator(".used-filter").wait_for()
    assert total(other).inner_text() == rows
    assert other.get_by_role("tab", name="Export").get_attribute("aria-selected") == "true"
    other.close()
    page.go_back()
    page.locator('#tab-detail[aria-selected="true"]').wait_for()


def test_a_view_is_saved_opened_and_deleted(page):
    column(page, "label").locator(".category input").first.check()
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of the view").fill("<b>mine</b>")
    page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("button", name="<b>mine</b>", exact=True)
    saved.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear the filter on label").click()
    page.get_by_role("button", name="Views").click()
    saved.click()
    page.locator(".used-filter").wait_for()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Delete the view").click()
    saved.wait_for(state="detached")


def test_the_map_and_the_table_are_one_key_away(page):
    page.locator("canvas").first.wait_for()
    page.locator("#tab-detail").focus()
    page.keyboard.press("m")
    page.locator("canvas:focus").wait_for()
    page.keyboard.press("t")
    page.locator('.grid [tabindex="0"]:focus').wait_for()
    page.keyboard.press("ArrowDown")
    page.wait_for_url(lambda url: "row=" in url)


def test_the_first_tabs_lead_past_the_filters(page):
    page.locator("canvas").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    skip = page.get_by_role("button", name="Go to the map")
    assert skip.bounding_box()["x"] >= 0
    skip.press("Enter")
    page.locator("canvas:focus").wait_for()
    page.get_by_role("button", name="Go to the details").press("Enter")
    page.locator("#panel:focus").wait_for()


def test_the_map_is_zoomed_by_keys_from_everywhere(page):
    page.locator(".sheet text.axis").first.wait_for()
    axes = page.locator(".sheet text.axis").all_inner_texts()
    page.locator("#tab-detail").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert page.locator(".sheet text.axis").all_inner_texts() != axes
    page.keyboard.press("0")
    page.wait_for_timeout(200)
    assert page.locator(".sheet text.axis").all_inner_texts() == axes


def test_keys_work_and_not_inside_inputs(page):
    page.keyboard.press("t")
    page.get_by_role("grid").wait_for()
    page.keyboard.press("m")
    page.locator("canvas").first.wait_for()
    page.keyboard.press("2")
    page.locator('#tab-issues[aria-selected="true"]').wait_for()
    page.locator("#tab-issues").press("ArrowRight")
    page.locator("#tab-curate:focus").wait_for()
    page.locator("#search").fill("t2")
    assert not page.get_by_role("grid").count()
    page.locator("#search").fill("")
    page.locator("#tab-curate").focus()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page, theme):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.evaluate(AXE.read_text("utf-8"))
    found = {}
    for name in PANELS:
        page.locator(f"#tab-{name}").click()
        page.locator(f'#tab-{name}[aria-selected="true"]').wait_for()
        page.wait_for_timeout(500)
        if violations := page.evaluate(_VIOLATIONS):
            found[name] = violations
    assert not found


def test_nothing_is_asked_of_another_machine(opened):
    asked = []
    page = opened("run=toy&view=table&panel=issues")
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.locator(".filters .total").wait_for()
    assert asked
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}


def test_a_text_that_means_harm_is_text(opened):
    page = opened("run=hostile&view=table")
    page.get_by_role("grid").wait_for()
    page.locator("#search").fill("hurt")
    page.locator(".search .answer", has_text="in").wait_for()
    assert page.evaluate("() => window.hurt") is None
    assert not page.locator("img").count()
    page.get_by_role("grid").get_by_text(HOSTILE["script"][:20]).first.wait_for()
