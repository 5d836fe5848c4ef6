"""The map of the explorer in a browser. Pixels are those of the rasteriser, which are the same on every machine."""

from __future__ import annotations

import re
import shutil
import threading

import numpy as np
import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.run import Run
from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import Rules
from tunewright.serve.page import BUILT
from tunewright.serve.service import bound, server_of
from tunewright.toy import toy_run
from tunewright.verbs.explore.explorer import Explorer

pytestmark = pytest.mark.browser

TOKEN = "a-token-that-nobody-guesses"
ROWS = 300
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--enable-unsafe-swiftshader",
)
INKED = """canvas => {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let inked = 0;
  for (let k = 3; k < data.length; k += 4) if (data[k] > 60) inked++;
  return inked;
}"""
UNLIKE = """async (canvas, before) => {
  const image = new Image();
  image.src = before;
  await image.decode();
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  const pixels = () => copy.getImageData(0, 0, canvas.width, canvas.height).data;
  copy.drawImage(canvas, 0, 0);
  const now = pixels();
  copy.clearRect(0, 0, canvas.width, canvas.height);
  copy.drawImage(image, 0, 0);
  return pixels().filter((value, at) => Math.abs(value - now[at]) > 128).length / now.length;
}"""
LOSE = "canvas => canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
NO_WEBGL = """
const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...how) {
  return kind === 'webgl2' ? null : given.call(this, kind, ...how);
};"""
COUNT_READS = """
window.reads = 0;
const { readPixels } = WebGL2RenderingContext.prototype;
WebGL2RenderingContext.prototype.readPixels = function (...how) {
  window.reads++;
  return readPixels.apply(this, how);
};"""


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


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=folder)
    toy_run(project.runs_folder, ROWS)
    texts = pa.table({"id": ["a", "b"], "split": ["train"] * 2, "text": ["good", "bad"], "label": ["pos", "neg"]})
    Run.create(project.runs_folder, kind="train", name="early", config={}, examples=texts).update(status="running")
    return Explorer(project)


@pytest.fixture(scope="module")
def address(explorer):
    if not (BUILT / "index.html").is_file():
        pytest.skip("the page is not built")
    with bound("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        server = server_of(explorer_app(explorer, rules=Rules(token=TOKEN, port=port)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def visit(browser, address):
    """Open the map; whatever the page complains of fails the test."""
    pages = []
    said = []

    def opened(query="", before=""):
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.add_init_script(before)
        page.on("pageerror", lambda error: said.append(str(error)))
        pages.append(page)
        page.goto(f"{address}/?token={TOKEN}")
        page.goto(f"{address}/?run=toy&size=none&colour=label{query}")
        page.locator(".map .axis").first.wait_for(timeout=60_000)
        return page

    yield opened
    for page in pages:
        page.close()
    assert said == []


def canvas(page):
    return page.locator(".sheet > canvas")


def inked(page):
    """Pixels that points cover, once they are drawn."""
    for _ in range(100):
        found = canvas(page).evaluate(INKED)
        if found:
            return found
        page.wait_for_timeout(100)
    return 0


def ticks(page, name):
    """Values and places (CSS pixels in the canvas) of the labels of an axis."""
    anchor = "end" if name == "y" else "middle"
    found = page.locator(f'.sheet text.axis[text-anchor="{anchor}"]').evaluate_all(
        "nodes => nodes.map(node => [Number(node.textContent), Number(node.getAttribute('x')), Number(node.getAttribute('y'))])"
    )
    return [(value, x if name == "x" else y - 4) for value, x, y in found if name == "x" or np.isfinite(value)]


def place(page, *, x, y):
    """Where a point of the data map lies in the window."""
    box = canvas(page).bounding_box()
    across = np.polyfit(*zip(*ticks(page, "x"), strict=True), 1)
    down = np.polyfit(*zip(*ticks(page, "y"), strict=True), 1)
    return box["x"] + np.polyval(across, x), box["y"] + np.polyval(down, y)


def drag(page, corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()


def selected(page):
    text = page.locator(".map .count").inner_text()
    found = re.match(r"([\d,]+) selected", text)
    return int(found[1].replace(",", "")) if found else 0


def test_points_are_drawn_and_a_hidden_category_is_not(visit):
    page = visit("&renderer=cpu")
    whole = inked(page)
    entry = page.locator(".legend .entry").first
    entry.click()
    page.wait_for_timeout(300)
    rest = inked(page)
    assert entry.get_attribute("aria-pressed") == "false"
    assert 0 < rest < whole
    page.wait_for_timeout(600)  # else two clicks are a double click
    entry.click()
    page.wait_for_timeout(300)
    assert inked(page) == whole


def test_a_double_click_on_the_legend_shows_one_category_alone(visit):
    page = visit("&renderer=cpu")
    entries = page.locator(".legend .entry")
    entries.nth(1).dblclick()
    pressed = entries.evaluate_all("nodes => nodes.map(node => node.getAttribute('aria-pressed'))")
    assert pressed == ["true" if at == 1 else "false" for at in range(len(pressed))]


def test_a_lasso_selects_the_rows_inside(visit, explorer):
    page = visit("&renderer=cpu")
    inked(page)
    corners = [(-0.02, 0.45), (0.52, 0.45), (0.52, 1.02), (-0.02, 1.02)]
    drag(page, [place(page, x=x, y=y) for x, y in corners])
    page.wait_for_timeout(300)
    confidence = explorer.points("toy")["confidence"].to_numpy()
    expected = int((confidence > 0.45).sum())
    assert abs(selected(page) - expected) <= 2  # a pixel is 0.0015 of confidence
    page.wait_for_url(lambda url: "selection=lasso" in url)


def test_the_epoch_slider_moves_the_points_and_not_the_axes(visit):
    page = visit("&renderer=cpu")
    inked(page)
    before = canvas(page).evaluate("canvas => canvas.toDataURL()")
    axes = ticks(page, "x")
    page.get_by_role("slider", name="Epoch").fill("1")
    page.wait_for_timeout(1_000)
    assert canvas(page).evaluate("canvas => canvas.toDataURL()") != before
    assert ticks(page, "x") == axes
    page.wait_for_url(lambda url: "epoch=1" in url)


def test_keys_zoom_step_and_go_home(visit):
    page = visit("&renderer=cpu")
    inked(page)
    axes = ticks(page, "x")
    canvas(page).focus()
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert ticks(page, "x") != axes
    assert page.get_by_role("button", name="Whole map").is_visible()
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    assert ticks(page, "x") == axes
    assert not page.get_by_role("button", name="Whole map").is_visible()
    assert page.locator(".sheet .ring").count() == 1
    page.wait_for_url(lambda url: "row=" in url)


@pytest.mark.parametrize("layout", ["map", "umap"])
def test_a_reload_shows_the_same_part_of_the_map(visit, layout):
    page = visit("&renderer=cpu")
    page.get_by_role("group", name="Layout").locator("button").nth(0 if layout == "map" else 1).click()
    inked(page)
    canvas(page).hover(position={"x": 300, "y": 200})
    page.mouse.wheel(0, -500)
    page.wait_for_url(lambda url: "zoom=" in url)
    before, view = page.url, canvas(page).evaluate("canvas => canvas.toDataURL()")
    page.goto(f"{before}&renderer=cpu")
    inked(page)
    page.wait_for_timeout(500)
    assert page.url == before
    assert canvas(page).evaluate(UNLIKE, view) < 0.02  # it lies to a thousandth of what is shown where it was
    canvas(page).focus()
    page.keyboard.press("0")
    page.wait_for_url(lambda url: "zoom=" not in url)


def test_a_run_in_its_first_epoch_leaves_no_points_of_the_run_before(visit):
    page = visit("&renderer=cpu")
    assert inked(page)
    page.get_by_role("button", name="toy").first.click()
    page.get_by_role("button", name=re.compile("early")).click()
    page.get_by_text("The first epoch is under way").wait_for()
    page.wait_for_timeout(300)
    assert canvas(page).evaluate(INKED) == 0


def test_an_epoch_that_never_was_is_the_last(visit):
    page = visit("&renderer=cpu&epoch=77")
    assert inked(page)
    assert page.locator(".replay .number").inner_text() == "3 of 3"
    page.wait_for_url(lambda url: "epoch" not in url)


def test_webgl_draws_the_points_too(visit):
    page = visit("&renderer=gl")
    page.wait_for_timeout(500)
    if page.locator(".sheet").get_attribute("data-renderer") != "gl":
        pytest.skip("this browser has no WebGL2")
    bright = page.screenshot(clip=canvas(page).bounding_box())
    page.locator(".legend .entry").first.click()
    page.wait_for_timeout(500)
    assert page.screenshot(clip=canvas(page).bounding_box()) != bright


def test_a_lost_card_leaves_the_map_to_the_rasteriser(visit):
    page = visit("&renderer=gl")
    sheet = page.locator(".sheet")
    if sheet.get_attribute("data-renderer") != "gl":
        pytest.skip("this browser has no WebGL2")
    canvas(page).evaluate(LOSE)
    page.locator('.sheet[data-renderer="cpu"]').wait_for()
    left = inked(page)
    page.locator(".legend .entry").first.click()
    page.wait_for_timeout(300)
    assert 0 < inked(page) < left
    box = canvas(page).bounding_box()
    page.mouse.click(box["x"] + 1, box["y"] + 1)
    page.keyboard.press("ArrowRight")
    page.locator(".sheet .ring").wait_for()


def test_without_webgl_the_rasteriser_draws(visit):
    page = visit("&renderer=gl", NO_WEBGL)
    page.locator('.sheet[data-renderer="cpu"]').wait_for()
    assert inked(page)


def test_a_frame_of_webgl_reads_nothing_back(visit):
    page = visit("&renderer=gl&density=on", COUNT_READS)
    if page.locator(".sheet").get_attribute("data-renderer") != "gl":
        pytest.skip("this browser has no WebGL2")
    canvas(page).focus()
    page.keyboard.press("+")
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.reads") == 0
