from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tunewright.errors import DataError
from tunewright.plot.heatmap import ScoredWord, Span, write_heatmap

HOSTILE = '</p><script>alert(1)</script> <img src=x onerror="alert(1)"> $style ${policy} &lt; \x00 \u202e \ud83d ok'


class Reader(HTMLParser):
    """What a browser would make of a page: its tags, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)

    def classes(self, kind: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if kind in (attributes.get("class") or "").split()]


def read(path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def word(start, end, score, field="text", **more):
    return ScoredWord(field=field, start=start, end=end, score=score, **more)


def test_words_are_shaded_by_sign_and_size(tmp_path):
    words = [word(0, 4, 1.0, strong=True), word(5, 9, -0.35), word(10, 14, 0.001), word(15, 19, 0.0)]
    page = read(write_heatmap(tmp_path / "a.html", texts={"text": "good film here then"}, words=words))
    shown = [a for a in page.classes("word") if "title" in a]
    assert [a["class"] for a in shown] == ["word up5 strong plus", "word down2", "word", "word"]
    assert [a["title"] for a in shown] == ["+1.0000", "-0.3500", "+0.0010", "+0.0000"]


def test_a_heatmap_of_zeros_has_no_shade(tmp_path):
    page = read(write_heatmap(tmp_path / "a.html", texts={"text": "good"}, words=[word(0, 4, 0.0)]))
    assert [a["class"] for a in page.classes("word") if "title" in a] == ["word"]


def test_text_of_the_dataset_is_never_markup(tmp_path):
    words = [word(0, 6, 1.0), word(len(HOSTILE) - 2, len(HOSTILE), 0.5)]
    texts = {"text": HOSTILE, "<b>": "<i>x</i>"}
    page = read(
        write_heatmap(
            tmp_path / "a.html",
            texts=texts,
            words=words,
            title=HOSTILE,
            facts=[HOSTILE],
            answers={HOSTILE: HOSTILE},
            evidence={HOSTILE: HOSTILE},
            target=[HOSTILE],
            token=0,
        )
    )
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "b", "i"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert HOSTILE.replace("\x00", "\ufffd").replace("\u202e", "⟨U+202E⟩").replace("\ud83d", "\ufffd") in "".join(
        page.said
    )


def test_the_page_needs_nothing_and_runs_nothing(tmp_path):
    page = write_heatmap(tmp_path / "a.html", texts={"text": "a"}, words=[word(0, 1, 1.0)]).read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|<script|<link|style=", page)


def test_answers_are_underlined_and_their_overlap_doubly(tmp_path):
    text = "the red house"
    words = [word(0, 3, 0.1), word(4, 7, 1.0), word(8, 13, -0.2)]
    spans = [Span(kind="gold", field="text", start=4, end=13), Span(kind="predicted", field="text", start=4, end=7)]
    page = read(write_heatmap(tmp_path / "a.html", texts={"text": text}, words=words, spans=spans))
    shown = [a["class"] for a in page.classes("gold") if a["class"] not in {"gold", "gold predicted"}]
    assert shown == ["word up5 gold predicted", "word down1 gold"]
    assert {"gold answer", "predicted answer", "both"} <= set(page.said)


def test_an_answer_may_end_inside_of_a_word(tmp_path):
    span = Span(kind="gold", field="text", start=0, end=2)
    page = read(write_heatmap(tmp_path / "a.html", texts={"text": "house"}, words=[word(0, 5, 1.0)], spans=[span]))
    assert [a["class"] for a in page.classes("up5")][1:] == ["word up5 gold", "word up5"]


def test_what_was_not_read_is_faint(tmp_path):
    page = read(write_heatmap(tmp_path / "a.html", texts={"text": "a b c", "b": "z"}, words=[word(2, 3, 1.0)]))
    assert [a["class"] for a in page.classes("unread")] == ["unread"] * 4


def test_the_explained_token_is_outlined(tmp_path):
    path = write_heatmap(tmp_path / "a.html", texts={"t": "a"}, words=[], target=["one", "two"], token=1)
    assert [a["title"] for a in read(path).classes("chosen")] == ["token 1"]


@pytest.mark.parametrize(
    "words",
    [[word(0, 9, 1.0)], [word(0, 1, 1.0, "other")], [word(0, 1, float("nan"))], [word(-1, 1, 1.0)]],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, words):
    with pytest.raises(DataError, match="expected"):
        write_heatmap(tmp_path / "a.html", texts={"text": "a"}, words=words)
    assert not list(tmp_path.iterdir())
