from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tunewright.plot.page import write_page

pytestmark = pytest.mark.browser

HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "template": "${alert(1)} {{alert(1)}} $data",
    "nul": "before\x00after",
    "direction": "gpj.\u202eexe\u200f",
    "surrogate": "half \ud83d pair",
    "emoji": "👩‍👩‍👧 🎉",
    "hebrew": "שלום",
    "entity": "&lt;b&gt; &amp;",
    "long": "word " * 100_000,
}
SHOWN = HOSTILE | {
    "nul": "before␀after",
    "direction": "gpj.⟨U+202E⟩exe⟨U+200F⟩",
    "surrogate": "half \ufffd pair",
    "long": ("word " * 400) + "… cut: the text has 500,000 characters",
}
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as session:
        opened = session.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        opened.close()


class Visit:
    """A page in the browser, with all that it did besides being looked at."""

    def __init__(self, browser, path: Path, **options) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 800}, **options)
        self.dialogs, self.errors, self.requests = [], [], []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    def spot(self, index: int) -> tuple[float, float]:
        """Where a point is in the window."""
        box = self.page.locator("#map").bounding_box()
        px, py = self.page.evaluate(f"[toX(x[{index}]), toY(y[{index}])]")
        return box["x"] + px, box["y"] + py

    def ink(self) -> int:
        """How many pixels of the canvas are painted."""
        self.page.wait_for_timeout(250)
        return self.page.evaluate(
            "context.getImageData(0, 0, canvas.width, canvas.height).data.filter((v, i) => i % 4 === 3 && v > 0).length"
        )


@pytest.fixture
def visit(browser, columns, tmp_path):
    columns["confidence"][:2], columns["variability"][:2], columns["correctness"][:2] = [0.5, 0.6], 0.44, [0.4, 0.6]
    columns["label"] = np.array([HOSTILE["script"], HOSTILE["image"]] * 100)
    path = write_page(
        tmp_path / "a page.html",
        columns=columns,
        records=[{"id": "row-0", **HOSTILE, HOSTILE["image"]: "a hostile name"}, {"id": "row-1", "script": "harmless"}],
        title=HOSTILE["image"],
        model=HOSTILE["script"],
    )
    visit = Visit(browser, path)
    yield visit
    assert (visit.dialogs, visit.errors, visit.requests) == ([], [], [path.as_uri()])
    visit.page.close()


def test_hostile_texts_are_shown_as_text(visit):
    visit.page.mouse.click(*visit.spot(0))
    record = visit.page.locator("#record")
    names = [term.lower() for term in record.locator("dt").all_text_contents()]
    found = dict(zip(names, record.locator("dd").all_text_contents(), strict=True))
    for name, text in SHOWN.items():
        assert found[name] == text
    assert found[HOSTILE["image"]] == "a hostile name"
    assert visit.page.locator("#title").text_content() == HOSTILE["image"]
    assert visit.page.title() == HOSTILE["image"]
    assert HOSTILE["script"] in visit.page.locator("#facts").text_content()
    assert visit.page.locator("img").count() == 0
    assert visit.page.locator("script").count() == 2


def test_pointing_shows_the_record_and_leaving_hides_it(visit):
    tip = visit.page.locator("#tip")
    assert tip.is_hidden()
    visit.page.mouse.move(*visit.spot(1))
    assert tip.is_visible()
    assert "row-1" in tip.text_content()
    assert "harmless" in tip.text_content()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["y"] + box["height"] <= 800
    visit.page.mouse.move(5, 5)
    assert tip.is_hidden()


def test_long_texts_are_shorter_in_the_tooltip(visit):
    visit.page.mouse.move(*visit.spot(0))
    assert len(visit.page.locator("#tip").text_content()) < 2500


def test_the_legend_hides_and_shows_a_group(visit):
    before = visit.ink()
    entry = visit.page.locator("#legend button").last
    entry.click()
    assert entry.get_attribute("aria-pressed") == "false"
    hidden = visit.ink()
    assert hidden < before
    entry.click()
    assert entry.get_attribute("aria-pressed") == "true"
    assert visit.ink() == before


def test_shift_shows_a_group_alone(visit):
    entries = visit.page.locator("#legend button")
    entries.first.click(modifiers=["Shift"])
    pressed = [entry.get_attribute("aria-pressed") for entry in entries.all()]
    assert pressed == ["true"] + ["false"] * (len(pressed) - 1)


def test_colouring_by_label_lists_the_labels_as_text(visit):
    visit.page.select_option("#colour", "label")
    texts = visit.page.locator("#legend button").all_text_contents()
    assert texts == [f"{HOSTILE['script']}100", f"{HOSTILE['image']}100"]


def test_the_wheel_zooms_and_reset_returns(visit):
    visit.page.mouse.move(*visit.spot(0))
    visit.page.mouse.wheel(0, -600)
    visit.page.wait_for_function("magnification() > 2")
    visit.page.locator("#home").click()
    visit.page.wait_for_function("magnification() === 1")


def test_dragging_pans_once_zoomed_and_does_not_pin(visit):
    visit.page.locator("#in").click()
    before = visit.page.evaluate("state.view.left")
    x, y = 400, 400
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x - 80, y - 20, steps=4)
    visit.page.mouse.up()
    assert visit.page.evaluate("state.view.left") > before
    assert visit.page.evaluate("state.pinned") == -1


def test_the_keyboard_reaches_and_pins_points(visit):
    visit.page.locator("#map").focus()
    visit.page.keyboard.press("ArrowUp")
    assert visit.page.locator("#tip").is_visible()
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("Enter")
    assert "Pinned record" in visit.page.locator("#record").text_content()
    visit.page.keyboard.press("Escape")
    assert visit.page.locator("#record").text_content() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_light_of_the_system(browser, columns, tmp_path, scheme):
    visit = Visit(browser, write_page(tmp_path / "a.html", columns=columns), color_scheme=scheme)
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    assert visit.errors == []
    visit.page.close()


def test_a_hundred_thousand_points_answer_at_once(browser, many, tmp_path):
    visit = Visit(browser, write_page(tmp_path / "a.html", columns=many))
    millis = visit.page.evaluate("""() => {
        const start = performance.now();
        for (let k = 0; k < 50; k += 1) nearest(90 + k, 40);
        return (performance.now() - start) / 50;
    }""")
    assert millis < 16
    visit.page.close()
