from __future__ import annotations

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from tunewright.plot.report import Bar, Chart, Command, Fold, Note, Rows, Section, Side, Table, write_report
from tunewright.plot.report_charts import histogram, lines, scatter

HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "style": "</style><img src=x onerror=alert(1)>",
    "attribute": '" onload="alert(1)',
    "template": "${alert(1)} {{alert(1)}} $data",
    "nul": "before\x00after",
    "direction": "gpj.\u202eexe\u200f",
    "surrogate": "half \ud83d pair",
    "emoji": "👩‍👩‍👧 🎉",
    "hebrew": "שלום",
}
SHOWN = HOSTILE | {
    "nul": "before␀after",
    "direction": "gpj.⟨U+202E⟩exe⟨U+200F⟩",
    "surrogate": "half \ufffd pair",
}


class Read(HTMLParser):
    """The elements, their attributes and all texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


def section(text: str) -> Section:
    points = np.array([[0.0, 0.0], [1.0, 2.0]])
    series = {text: (np.array([1, 2]), np.array([0.5, 0.6]))}
    return Section(
        text,
        [
            Note(text, kind="alarm"),
            Side([Table(text, (text, "rows"), [(text, 3), (text, 0.5)]), Rows(text, [(text, text)])]),
            Fold(text, [Command(text, text)], opened=True),
            Chart(text, lines(text, series, below=text, limit=(text, 0.55)), {"s0": text}),
            Chart(text, histogram(text, [0, 1, 2], [3, 4], marks={text: 1.5})),
            Chart(text, scatter(text, [(text, points), ("none", points[:0])]), {"g0": text}),
            Table("bars", ("what", "rows"), [(text, Bar(text, 0.5))]),
        ],
    )


@pytest.fixture
def page(tmp_path):
    sections = [section(text) for text in HOSTILE.values()]
    path = write_report(
        tmp_path / "r.html", title=HOSTILE["script"], facts=[(t, t) for t in HOSTILE.values()], sections=sections
    )
    return path.read_text(encoding="utf-8")


def test_texts_of_a_dataset_are_never_markup(page):
    read = Read(page)
    assert {"script", "img", "iframe", "link", "base"} & set(read.tags) == set()
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in {"style", "src"}]
    for shown in SHOWN.values():
        assert shown in read.texts
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u200f\ud800-\udfff]", page.replace("\n", ""))


def test_the_policy_admits_the_style_and_nothing_else(page):
    (style,) = re.findall("<style>(.*?)</style>", page, flags=re.DOTALL)
    policy = re.search('Content-Security-Policy" content="([^"]*)"', page)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "http://" not in page
    assert "https://" not in page


def test_headings_tables_and_charts_have_names(page):
    read = Read(page)
    assert read.tags.count("h1") == 1
    assert read.tags.count("caption") == read.tags.count("table")
    assert all(dict([one])[one[0]] for one in read.attributes if one[0] == "aria-label")
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [value[1:] for name, value in read.attributes if name == "href"]
    assert set(targets) <= set(ids)
    assert re.search('<html lang="en">', page)
    svgs = re.findall("<svg [^>]*>", page)
    assert all("aria-label" in svg or "aria-hidden" in svg for svg in svgs)


def test_a_section_without_blocks_is_left_out(tmp_path):
    page = write_report(
        tmp_path / "r.html", title="t", facts=[], sections=[Section("Empty", []), Section("Full", [Note("x")])]
    )
    assert "Empty" not in page.read_text()


def test_charts_stay_in_their_frame():
    big = {"a": (np.arange(1, 200), np.geomspace(1e-9, 1e150, 199))}
    for svg in (
        lines("log", big, below="rows", log=True, least=1e-3, limit=("alarm", 20)),
        lines("one", {"a": (np.array([5]), np.array([0.5]))}, below="rows", percent=True),
        lines("below zero", {"a": (np.array([1, 2]), np.array([-0.2, 0.1]))}, below="rows"),
        histogram("equal", [0, 1], [7], marks={}),
        scatter("same", [("a", np.zeros((3, 2)))]),
    ):
        wide, tall = map(int, re.search('viewBox="0 0 (\\d+) (\\d+)"', svg).groups())
        places = [float(number) for number in re.findall(r'(?:x|cx)="(-?[\d.]+)"', svg)]
        heights = [float(number) for number in re.findall(r'(?:y|cy)="(-?[\d.]+)"', svg)]
        assert all(0 <= place <= wide for place in places)
        assert all(0 <= place <= tall for place in heights)
        assert "nan" not in svg


@pytest.mark.browser
@pytest.mark.parametrize(("wide", "scheme"), [(1440, "light"), (1440, "dark"), (700, "light")])
def test_the_page_does_nothing_but_stand_there(page, tmp_path, wide, scheme):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium here")
    with playwright.sync_playwright() as session:
        options = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
        browser = session.chromium.launch(executable_path=chromium, args=options)
        visit = browser.new_page(viewport={"width": wide, "height": 900}, color_scheme=scheme)
        seen = []
        visit.on("console", lambda message: seen.append(message.text))
        visit.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        visit.on("request", lambda request: seen.append(request.url) if not request.url.startswith("file:") else None)
        visit.goto((tmp_path / "r.html").as_uri())
        assert seen == []
        assert visit.evaluate("document.documentElement.scrollWidth") <= wide
        browser.close()
