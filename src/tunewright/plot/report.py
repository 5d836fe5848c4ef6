"""A report as one HTML file: tables, charts and rows, nothing fetched and nothing run.

The page has no script. Texts are escaped where they are written, and a content security policy admits one style by its
hash, so that no text of a dataset is ever more than text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

from tunewright.files import whole
from tunewright.plot.report_text import escaped, shortened, spoken

__all__ = ["Bar", "Block", "Chart", "Command", "Fold", "Note", "Rows", "Section", "Side", "Table", "write_report"]

_MOST = 600
"""Characters of a text of the dataset that are shown."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A number in a table with a bar behind it, as long as its share in [0, 1] of the largest."""

    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; ``kind`` "alarm" is one that must be seen."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under heads; the first value of a row names it. ``caption`` says what they are."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of `tunewright.plot.report_charts` under a title; ``legend`` names groups by their class."""

    title: str
    svg: str
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts of the dataset: a line about each, and the text."""

    caption: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Command:
    """What to type; one click selects it."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that open when they are asked for."""

    title: str
    blocks: Sequence[Block]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """Blocks beside each other, where there is room."""

    blocks: Sequence[Block]


Block: TypeAlias = Note | Table | Chart | Rows | Command | Fold | Side


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    title: str
    blocks: Sequence[Block]


def write_report(
    path: str | Path, *, title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]
) -> Path:
    """Write a page; the file appears whole or not at all.

    Args:
        path: the HTML file.
        title: its heading.
        facts: names and values below.
        sections: those without blocks are left out.
    """
    style = files("tunewright.plot").joinpath("report.css").read_text(encoding="utf-8")
    admitted = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{admitted}'; base-uri 'none'; form-action 'none'"
    shown = [section for section in sections if section.blocks]
    links = "".join(f'<li><a href="#s{place}">{escaped(one.title)}</a></li>' for place, one in enumerate(shown))
    told = "".join(f"<div><dt>{escaped(name)}</dt><dd>{_own(value)}</dd></div>" for name, value in facts if value)
    body = "\n".join(_section(place, one) for place, one in enumerate(shown))
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{_own(title)}</h1><dl>{told}</dl></header>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )
    path = Path(path)
    with whole(path) as part:
        part.write_text(page, encoding="utf-8", newline="\n")
    return path


def _section(place: int, one: Section) -> str:
    blocks = "\n".join(_block(block) for block in one.blocks)
    return f'<section id="s{place}" aria-labelledby="h{place}">\n<h2 id="h{place}">{escaped(one.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block) -> str:  # noqa: PLR0911  one line per kind of block
    match block:
        case Note(text, kind):
            return f'<p class="{"alarm" if kind == "alarm" else "note"}">{_own(text)}</p>'
        case Table():
            return _table(block)
        case Chart(title, svg, legend):
            keys = "".join(f'<li class="{kind}">{escaped(name)}</li>' for kind, name in legend.items())
            keys = f'<ul class="legend">{keys}</ul>' if keys else ""
            wide = ' class="wide"' if keys and "dots" in svg else ""
            return f"<figure{wide}><figcaption>{_own(title)}</figcaption>{keys}{svg}</figure>"
        case Rows(caption, rows):
            items = "".join(f"<dt>{_own(name)}</dt><dd>{_own(shortened(text, _MOST))}</dd>" for name, text in rows)
            return f'<p class="caption">{_own(caption)}</p><dl class="rows">{items}</dl>'
        case Command(label, text):
            return f'<p class="command"><span>{escaped(label)}</span> <code dir="ltr">{escaped(text)}</code></p>'
        case Fold(title, blocks, opened):
            inside = "\n".join(_block(one) for one in blocks)
            return f"<details{' open' if opened else ''}><summary>{_own(title)}</summary>\n{inside}\n</details>"
        case Side(blocks):
            return f'<div class="side">{"".join(f"<div>{_block(one)}</div>" for one in blocks)}</div>'


def _table(table: Table) -> str:
    numeric = [all(_is_number(row[place]) for row in table.rows) for place in range(len(table.heads))]
    kinds = [' class="number"' if right else "" for right in numeric]
    heads = "".join(
        f'<th scope="col"{kind}>{escaped(head)}</th>' for head, kind in zip(table.heads, kinds, strict=True)
    )
    rows = []
    for first, *others in table.rows:
        cells = "".join(f"<td{kind}>{_cell(value)}</td>" for value, kind in zip(others, kinds[1:], strict=True))
        rows.append(f'<tr><th scope="row"{kinds[0]}>{_cell(first)}</th>{cells}</tr>')
    caption = f"<caption>{_own(table.caption)}</caption>"
    body = f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escaped(table.caption)}">{body}</div>'


def _cell(value: Any) -> str:
    if isinstance(value, Bar):
        width = max(0.0, min(1.0, value.share)) * 100
        bar = f'<svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="s0 bar" width="{width:.1f}" height="10"/></svg>'
        return f"{bar}<span>{escaped(value.text)}</span>"
    return _own(shortened(spoken(value), _MOST))


def _is_number(value: Any) -> bool:
    share = isinstance(value, str) and value.endswith("%")
    return value is None or share or (isinstance(value, int | float) and not isinstance(value, bool))


def _own(text: str) -> str:
    """A text that has a direction of its own, and turns nothing beside it."""
    return f'<bdi dir="auto">{escaped(text)}</bdi>'
