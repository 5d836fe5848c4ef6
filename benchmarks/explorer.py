"""How fast the explorer answers in a browser with 10,000, 100,000 and a million examples.

The command serves a synthetic run from a process of its own, and headless Chromium opens the page, pans, draws a lasso, ticks a
filter and searches. First: a run that this server was never asked for, whose columns it must still lay out. Then: the same
address again. A frame is what its callback takes. Lasso, filter and search end with the last change of the page that they
cause, drawing or text, whatever it is.

    python benchmarks/explorer.py            # writes benchmarks/results/explorer.json
    python benchmarks/explorer.py --quick    # 10,000 examples; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import common
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = (10_000, 100_000, 1_000_000)
TARGETS = {
    (1_000_000, "first_render_ms"): 3000,
    (1_000_000, "lasso_ms"): 600,
    (1_000_000, "filter_ms"): 150,
    (100_000, "frame_ms"): 30,
    (1_000_000, "server_mb"): 1000,
}
TIMES = 5
LONGEST = 120_000  # milliseconds
PROJECT = """import tunewright as tw

project = tw.Project(name="toy", source="no.csv", task=tw.Classification(labels=("neg", "pos")))
"""
MAKE = "import sys; from pathlib import Path; from tunewright.toy import toy_run; toy_run(Path(sys.argv[1]), int(sys.argv[2]))"

WATCH = """(() => {
  const seen = (window.__seen = { frames: [], drawn: [], changed: 0, began: 0 });
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) =>
    ask((now) => {
      const from = performance.now();
      work(now);
      seen.frames.push(performance.now() - from);
    });
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
    put.call(this, image, ...rest);
    if (!seen.first) {
      let inked = 0;
      for (let k = 3; k < image.data.length; k += 4) if (image.data[k] > 60) inked++;
      if (inked > 500) seen.first = performance.now();
    }
    seen.drawn.push(performance.now());
    seen.changed = performance.now();
  };
  new MutationObserver(() => (seen.changed = performance.now())).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  for (const name of ["pointerup", "click", "input"])
    document.addEventListener(name, () => (seen.began = performance.now()), { capture: true });
})()"""


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    sizes = SIZES[:1] if arguments.quick else SIZES
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        measured = [measure(Path(folder) / str(rows), rows, browser) for rows in sizes]
    judged = [
        {"rows": row["rows"], "what": what, "measured": row[what], "target": limit, "holds": row[what] <= limit}
        for row in measured
        for (rows, what), limit in TARGETS.items()
        if rows == row["rows"]
    ]
    common.write("explorer", arguments, {"sizes": measured, "targets": judged})
    for row in measured:
        print(", ".join(f"{name} {value:,.0f}" for name, value in row.items() if not isinstance(value, str)))
    for one in judged:
        verdict = "holds" if one["holds"] else "does not hold"
        print(f"{one['what']} of {one['rows']:,}: {one['measured']:,.0f}, target {one['target']:,}: {verdict}")


def chromium() -> str:
    """The browser of the system."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        sys.exit("expected chromium on the PATH, found none: install it, for example by `make browser`")
    return found


def measure(folder: Path, rows: int, browser: Browser) -> dict[str, Any]:
    """All figures of a run of so many examples; times in milliseconds, sizes in megabytes."""
    folder.mkdir(parents=True)
    (folder / "project.py").write_text(PROJECT)
    subprocess.run([sys.executable, "-c", MAKE, str(folder / "runs"), str(rows)], check=True)
    with served(folder) as (address, process):
        cold, _ = opened(browser, address)
        cold_ms = first_render(cold)
        cold.context.close()
        page, received = opened(browser, address)
        found = {
            "rows": rows,
            "renderer": page.locator(".sheet").get_attribute("data-renderer"),
            "first_open_ms": cold_ms,
            "first_render_ms": first_render(page),
            "transfer_mb": sum(received) / 1e6,
        }
        settle(page)
        found["frame_ms"] = frame(page)
        found |= typical("lasso", [lasso(page, number) for number in range(TIMES)])
        page.keyboard.press("Escape")
        found |= typical("filter", [ticked(page) for _ in range(TIMES)])
        found |= searched(page)
        found |= memory(process.pid)
        page.context.close()
    shutil.rmtree(folder)
    return found


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The explorer of a project: its address, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tunewright", "explore", "--no-open", "--project", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        address = next(line for line in process.stdout if line.startswith("Open: "))
        yield address.removeprefix("Open: ").strip(), process
    finally:
        process.terminate()
        process.wait()


def opened(browser: Browser, address: str) -> tuple[Page, list[int]]:
    """The page, and the bytes of each answer that it got."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
    page.set_default_timeout(LONGEST)
    page.add_init_script(WATCH)
    received: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(f"{address}&renderer=cpu" if "?" in address else f"{address}?renderer=cpu")
    return page, received


def first_render(page: Page) -> float:
    """From the navigation to the first picture that shows points."""
    return waited(page, "window.__seen.first")


def settle(page: Page) -> None:
    """Wait until nothing has changed for a second."""
    ended = monotonic() + LONGEST / 1000
    while page.evaluate("performance.now() - window.__seen.changed") < 1000:
        assert monotonic() < ended, "the page does not come to rest"
        sleep(0.2)


def waited(page: Page, value: str) -> float:
    ended = monotonic() + LONGEST / 1000
    while not (found := page.evaluate(value)):
        assert monotonic() < ended, f"{value} did not come"
        sleep(0.1)
    return float(found)


def frame(page: Page) -> float:
    """Median over the frames that draw while the map is moved."""
    box = canvas(page)
    page.evaluate("window.__seen.frames = []")
    page.keyboard.press("v")
    page.mouse.move(*at(box, 0.5, 0.5))
    page.mouse.down()
    for number in range(30):
        page.mouse.move(*at(box, 0.5 + 0.002 * number, 0.5))
        sleep(0.03)
    page.mouse.up()
    page.wait_for_timeout(300)
    page.keyboard.press("0")
    settle(page)
    return float(median(sorted(page.evaluate("window.__seen.frames"))[-20:]))


def lasso(page: Page, number: int) -> float:
    """From the end of a lasso to the last change that it causes in any view."""
    box = canvas(page)
    low = 0.2 + 0.02 * number
    page.keyboard.press("l")
    page.mouse.move(*at(box, low, low))
    page.mouse.down()
    for x, y in [(0.5, low), (0.8, low), (0.8, 0.5), (0.7, 0.8), (0.4, 0.75), (low, 0.6)]:
        page.mouse.move(*at(box, x, y), steps=3)
    page.mouse.up()
    settle(page)
    return took(page)


def ticked(page: Page) -> float:
    """From a tick at a category to the last change that it causes in any view."""
    page.locator(".category input[type=checkbox]").first.click()
    settle(page)
    return took(page)


def searched(page: Page) -> dict[str, float]:
    """From the last key of a query, with its rest in typing, to the last change, for the first query and for later ones."""
    field = page.get_by_role("searchbox", name="Search the texts")
    times = []
    for query in ("awful", "great", "dull story", "love*", "film again"):
        field.fill("")
        settle(page)
        field.fill(query)
        waited(page, "Number(document.querySelector('.search [role=status]').textContent.includes(' in '))")
        settle(page)
        times.append(took(page))
    return {"first_search_ms": times[0], "search_ms": median(times[1:])}


def typical(what: str, times: list[float]) -> dict[str, float]:
    return {f"{what}_ms": median(times), f"{what}_worst_ms": max(times)}


def took(page: Page) -> float:
    return float(page.evaluate("window.__seen.changed - window.__seen.began"))


def canvas(page: Page) -> dict[str, float]:
    box = page.locator(".sheet > canvas").bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def at(box: dict[str, float], x: float, y: float) -> tuple[float, float]:
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def memory(process: int) -> dict[str, float]:
    """Megabytes that the server holds, at most and at the end, and those of them that no file backs."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    held = {
        name: int(value.split()[0]) / 1000
        for name, _, value in (line.partition(":") for line in lines)
        if "kB" in value
    }
    return {"server_mb": held["VmHWM"], "server_end_mb": held["VmRSS"], "server_own_mb": held["RssAnon"]}


if __name__ == "__main__":
    main()
