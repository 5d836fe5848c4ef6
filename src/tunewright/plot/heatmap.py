"""A text whose words are shaded by their scores, as one HTML file without scripts that fetches nothing.

Every character of the dataset is escaped, colours are classes of an embedded style, and a content security policy
admits that style by its hash and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from string import Template

from tunewright.errors import DataError
from tunewright.files import write_text

__all__ = ["ScoredWord", "Span", "write_heatmap"]

SHADES = 5
"""Shades of each colour."""

FAINTEST = 0.04
"""Share of the largest score below which a word is not shaded."""

LISTED = 20
"""Words in the table of the strongest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredWord:
    """Characters start to before end of a field; ``strong`` words are also marked by a sign."""

    field: str
    start: int
    end: int
    score: float
    strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters that are underlined: ``gold`` solid, ``predicted`` dashed, both double."""

    kind: str
    field: str
    start: int
    end: int


def write_heatmap(
    path: str | Path,
    *,
    texts: Mapping[str, str],
    words: Sequence[ScoredWord],
    spans: Sequence[Span] = (),
    title: str = "Loss heatmap",
    facts: Sequence[str] = (),
    answers: Mapping[str, str] | None = None,
    evidence: Mapping[str, str] | None = None,
    shown: Mapping[str, str] | None = None,
    target: Sequence[str] = (),
    token: int | None = None,
) -> Path:
    """Write the texts with every word shaded by its score; the file appears whole or not at all.

    Args:
        path: the HTML file.
        texts: the text fields, in reading order.
        words: what has a score; positive scores are orange, negative ones blue.
        spans: what is underlined.
        title: heading of the page.
        facts: one line below it.
        answers: what is right and what the model says, by name.
        evidence: figures that say how far to believe the scores, by name.
        shown: further texts about the row, by name.
        target: tokens of a written target; empty if there is none.
        token: the one of them that is explained.

    Raises:
        DataError: if a word or span lies outside of its text, or a score is not finite.
    """
    _validate(texts, words, spans)
    resources = files("tunewright.plot")
    page, style = (resources.joinpath(f"heatmap.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    largest = max((abs(word.score) for word in words), default=0.0)
    sections = [_section(field, _marked(field, text, words, spans, largest)) for field, text in texts.items()]
    sections += [_target(target, token)] if target else []
    sections += [_section(name, _escaped(said)) for name, said in (shown or {}).items()]
    text = Template(page).substitute(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=style,
        title=_escaped(title),
        facts=" · ".join(map(_escaped, facts)),
        legend=_legend(spans),
        texts="\n".join(sections),
        answers=_pairs(answers or {}),
        evidence=_pairs(evidence or {}),
        rows="\n".join(_row(texts, word) for word in sorted(words, key=lambda word: -abs(word.score))[:LISTED]),
    )
    write_text(path, text)
    return Path(path)


def _validate(texts: Mapping[str, str], words: Sequence[ScoredWord], spans: Sequence[Span]) -> None:
    items: list[ScoredWord | Span] = [*words, *spans]
    for item in items:
        if item.field not in texts or not 0 <= item.start <= item.end <= len(texts[item.field]):
            raise DataError(f"expected a place in one of the texts {list(texts)}, found {item}")
    if not all(math.isfinite(word.score) for word in words):
        raise DataError("expected finite scores, found others", fix="look at the loss of the row: is it finite?")


def _section(name: str, pieces: str) -> str:
    """A text under its heading; its pieces are HTML."""
    return f'  <section>\n    <h2>{_escaped(name)}</h2>\n    <p class="text" dir="auto">{pieces}</p>\n  </section>'


def _marked(field: str, text: str, words: Sequence[ScoredWord], spans: Sequence[Span], largest: float) -> str:
    own = [word for word in words if word.field == field]
    marked = [span for span in spans if span.field == field]
    return "".join(_piece(text, edges, own, marked, largest) for edges in _edges(len(text), own, marked))


def _edges(length: int, words: Sequence[ScoredWord], spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """The text in pieces, none of which begins or ends inside of a word or span and the other way round."""
    items: list[ScoredWord | Span] = [*words, *spans]
    cuts = {0, length} | {edge for item in items for edge in (item.start, item.end)}
    return pairwise(sorted(cuts))


def _piece(
    text: str, edges: tuple[int, int], words: Sequence[ScoredWord], spans: Sequence[Span], largest: float
) -> str:
    """One piece of a text, in a span element if there is anything to say about it."""
    start, end = edges
    word = next((word for word in words if word.start <= start and end <= word.end), None)
    kinds = sorted({span.kind for span in spans if span.start <= start and end <= span.end})
    classes = [*_shade(word, start, largest), *(kind for kind in kinds if kind in {"gold", "predicted"})]
    if not words or end <= words[0].start or start >= words[-1].end:
        classes.append("unread")
    escaped = _escaped(text[start:end])
    if not classes:
        return escaped
    hint = f' title="{word.score:+.4f}"' if word else ""
    return f'<span class="{" ".join(classes)}"{hint}>{escaped}</span>'


def _shade(word: ScoredWord | None, start: int, largest: float) -> list[str]:
    """Classes of a word's colour; a strong one has its sign where it begins."""
    if word is None:
        return []
    share = abs(word.score) / largest if largest else 0.0
    shade = [f"{'up' if word.score > 0 else 'down'}{math.ceil(share * SHADES)}"] if share >= FAINTEST else []
    sign = ["plus" if word.score > 0 else "minus"] if word.strong and start == word.start else []
    return ["word", *shade, *(["strong"] if word.strong else []), *sign]


def _target(target: Sequence[str], token: int | None) -> str:
    """The written target, token by token; numbers are what ``token`` counts."""
    pieces = (
        f'<span class="{"chosen" if place == token else "word"}" title="token {place}">{_escaped(piece)}</span>'
        for place, piece in enumerate(target)
    )
    what = "the outlined token is explained" if token is not None else "all of it is explained"
    return _section(f"gold target ({what})", " ".join(pieces))


def _legend(spans: Sequence[Span]) -> str:
    kinds = {span.kind for span in spans}
    entries = [
        '<span class="word up5 strong plus">drives the loss up</span>',
        '<span class="word down5 strong minus">holds the loss down</span>',
        "bold with a sign: the strongest fifth of the words",
    ]
    underlined = {"gold": "gold answer", "predicted": "predicted answer", "gold predicted": "both"}
    entries += [f'<span class="{name}">{said}</span>' for name, said in underlined.items() if kinds >= {*name.split()}]
    return "\n    ".join([*entries, '<span class="unread">not read by the model here</span>'])


def _pairs(named: Mapping[str, str]) -> str:
    return "".join(f"<dt>{_escaped(name)}</dt><dd>{_escaped(said)}</dd>" for name, said in named.items())


def _row(texts: Mapping[str, str], word: ScoredWord) -> str:
    said = _escaped(texts[word.field][word.start : word.end])
    number = f'<td class="number">{word.score:+.4f}</td>'
    return f"        <tr><td>{said}</td><td>{_escaped(word.field)}</td>{number}</tr>"


def _escaped(text: str) -> str:
    """Text as HTML; control characters and those that turn the direction of reading are shown, not obeyed."""
    return html.escape("".join(map(_visible, text)))


def _visible(letter: str) -> str:
    match unicodedata.category(letter):
        case "Cs":
            return "\ufffd"
        case "Cc" if letter not in "\n\t":
            return "\ufffd"
        case "Cf" if letter not in "\u200c\u200d":  # joiners belong to the spelling of some scripts
            return f"⟨U+{ord(letter):04X}⟩"
        case _:
            return letter
