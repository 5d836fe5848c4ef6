"""One example in a browser: its texts, dynamics, neighbours, and a pinned one beside it."""

from __future__ import annotations

import pytest
from page_scenario import HOSTILE, browsed, project_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with browsed(project_of(tmp_path_factory.mktemp("detail"))) as opened:
        yield opened


def test_an_address_opens_one_example(opened):
    page = opened("run=toy&view=table&row=7")
    card = page.get_by_role("article", name="Example toy-7")
    card.wait_for()
    assert card.get_by_role("img").first.get_attribute("aria-label").startswith("Gold probability: epoch 1")
    assert card.get_by_role("heading", name="Prediction").is_visible()


def test_steps_follow_the_order_of_the_table(opened):
    page = opened("run=toy&view=table&row=7&sort=-confidence")
    page.get_by_role("article", name="Example toy-7").wait_for()
    place = page.locator(".card .place")
    before = int(place.inner_text().split()[0])
    page.get_by_role("button", name="Next example").click()
    page.get_by_text(f"{before % 300 + 1} of 300", exact=True).wait_for()


def test_a_pinned_example_stays_beside_the_next(opened):
    page = opened("run=toy&view=table&row=7")
    page.get_by_role("article", name="Example toy-7").get_by_role("button", name="Pin").click()
    page.get_by_role("button", name="Next example").click()
    left = page.get_by_role("article", name="Pinned example toy-7")
    right = page.get_by_role("article", name="Example toy-8")
    right.wait_for()
    assert left.bounding_box()["x"] + left.bounding_box()["width"] <= right.bounding_box()["x"] + 1
    page.wait_for_url(lambda url: "pinned=7" in url)


@pytest.mark.parametrize("row", range(len(HOSTILE)), ids=[*HOSTILE])
def test_texts_that_mean_harm_are_texts(opened, row):
    page = opened(f"run=hostile&view=table&row={row}")
    text = page.locator(".card .text").first
    text.wait_for()
    wanted = [*HOSTILE.values()][row].replace("\0", "␀")
    assert text.evaluate("element => element.textContent").startswith(wanted[:5_000])
    assert page.evaluate("() => window.hurt") is None
    assert page.locator(".card img, .card script").count() == 0


def test_a_long_text_is_cut_until_asked_for(opened):
    page = opened(f"run=hostile&view=table&row={[*HOSTILE].index('long')}")
    page.get_by_role("button", name="Show all 100,000 characters").click()
    page.get_by_role("button", name="Show less").wait_for()
    assert page.locator(".card .text").first.evaluate("element => element.textContent.length") == 100_000
