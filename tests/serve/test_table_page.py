"""The table in a browser: scrolled, sorted, walked through and selected."""

from __future__ import annotations

import pytest
from page_scenario import HOSTILE, browsed, project_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with browsed(project_of(tmp_path_factory.mktemp("table"))) as opened:
        yield opened


@pytest.fixture
def table(opened):
    page = opened("run=toy&view=table")
    page.get_by_role("grid").wait_for()
    return page


def line(page, at):
    return page.locator(f'.grid .body [data-at="{at}"]')


def selected(page):
    return page.locator(".table .count").inner_text()


def test_every_row_is_reached_and_few_are_drawn(table):
    grid = table.get_by_role("grid")
    assert grid.get_attribute("aria-rowcount") == "301"
    assert table.locator(".grid .body [role=row]").count() < 60
    line(table, 0).locator('[data-column="1"]').click()
    table.keyboard.press("End")
    line(table, 299).locator(".clamp").first.wait_for()
    assert line(table, 299).is_visible()
    table.keyboard.press("Home")
    line(table, 0).wait_for()
    table.wait_for_url(lambda url: "row=0" in url)


def test_the_focus_walks_from_cell_to_cell(table):
    line(table, 2).locator('[data-column="1"]').click()
    table.keyboard.press("ArrowDown")
    table.keyboard.press("ArrowRight")
    cell = line(table, 3).locator('[data-column="2"]:focus')
    cell.wait_for()
    assert line(table, 3).get_attribute("aria-current") == "true"


def test_a_click_on_a_name_orders_by_it(table):
    header = table.get_by_role("columnheader", name="confidence")
    header.get_by_role("button").click()
    table.locator('[role=columnheader][aria-sort="ascending"]').wait_for()
    table.wait_for_url(lambda url: "sort=confidence" in url)
    rows = [line(table, at).locator(".of-number .digits").first.inner_text() for at in range(5)]
    assert rows == sorted(rows)


def test_checkboxes_select_ranges_without_hiding_the_rest(table):
    line(table, 1).get_by_role("checkbox").click()
    line(table, 4).get_by_role("checkbox").click(modifiers=["Shift"])
    assert "300 examples" in selected(table)
    assert "4 selected" in selected(table)
    table.get_by_role("checkbox", name="selected only").check()
    table.locator('.grid[aria-rowcount="5"]').wait_for()


def test_texts_that_mean_harm_are_texts(opened):
    page = opened("run=hostile&view=table")
    page.get_by_text("window.hurt").first.wait_for()
    assert page.evaluate("() => window.hurt") is None
    assert page.locator(".grid img, .grid script").count() == 0
    assert page.get_by_text(HOSTILE["emoji"]).count()
