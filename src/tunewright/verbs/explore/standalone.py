"""The page with one run inside, as a single file that reads without a service.

It is the page that the service shows. Every answer that it would ask for is in the file: compressed, in base64, so that
no character of a text can end a tag. A content security policy admits this one script and style, by their hashes, and
no connection to anywhere.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tunewright.errors import DataError
from tunewright.files import write_text
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.issues import issues_of
from tunewright.verbs.explore.told import RunInfo, Workspace
from tunewright.verbs.results import Result, encode

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["BUILT", "MOST_EXAMPLES", "SavedPage", "save_page", "standalone"]

BUILT = Path(__file__).parents[2] / "serve" / "static"
"""Where the build puts the page."""

MOST_EXAMPLES = 50_000
"""Rows that one file may hold; a browser reads more of them from a service."""

_CHUNK = 500  # rows that are decompressed together
_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage(Result):
    """The file that was written, with how many examples of which run; ``size`` in bytes."""

    run: str
    file: Path
    examples: int
    size: int


def save_page(project: Project, run: Run | str | None = None, *, path: str | Path, view: str = "") -> SavedPage:
    """Write a run as one HTML file: map, table, details, issues; to be read, not to edit.

    Args:
        project: whose run it is.
        run: None is the last training.
        path: of the file, which appears whole or not at all.
        view: what it opens at, as the address of a page says it after its question mark; by default the data map.

    Raises:
        RunError: if there is no such run.
        DataError: if it has more than 50,000 rows, or the page was not built.
    """
    explorer = Explorer(project) if run is None or isinstance(run, str) else Explorer(project, elsewhere=[run])
    found = explorer.find(run if isinstance(run, str) else run.id if run else explorer.first() or "last")
    text = standalone(explorer, found.id, view=view)
    write_text(Path(path), text)
    examples = explorer.snapshot(found.id).rows.num_rows
    return SavedPage(run=found.id, file=Path(path), examples=examples, size=len(text))


def standalone(explorer: Explorer, run: str, *, view: str = "", static: Path | None = None) -> str:
    """The page of one run as HTML, in ASCII.

    Args:
        explorer: of the project.
        run: which run.
        view: what it opens at, see `save_page`.
        static: folder of the built page; by default `BUILT`.

    Raises:
        DataError: if the run has more than 50,000 rows, or there is no built page in ``static``.
    """
    info = explorer.run(run)
    if info.examples > MOST_EXAMPLES:
        raise DataError(
            f"a file holds at most {MOST_EXAMPLES:,} examples, and run {info.id} has {info.examples:,}",
            fix="look at it with `tunewright explore`, or export a selection",
        )
    script, style = _built(static or BUILT)
    answers = _answers(explorer, info) | {"view": view}
    packed = [_packed(answers), *(_packed(list(rows)) for rows in _chunks(explorer, info))]
    archive = "".join(f'<script type="text/plain" class="archive">{part}</script>' for part in packed)
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(info.id)} - Tunewright</title><style>{style}</style></head>"
        f'<body><div id="app"></div>{archive}<script type="module">{script}</script></body></html>\n'
    )


def stream(table: pa.Table) -> pa.Buffer:
    """A table as an Arrow stream of one batch, uncompressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _built(static: Path) -> tuple[str, str]:
    """Script and style of the page, such as may stand within their tags, in ASCII."""
    try:
        script = (static / "app.js").read_text(encoding="utf-8")
        style = (static / "index.css").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError("the page was not built", fix="run `make page`, or install a wheel of tunewright") from None
    escaped = "".join(letter if letter.isascii() else _escaped(letter) for letter in script)
    return escaped.replace("</", "<\\/"), style.encode("ascii", "backslashreplace").decode()


def _escaped(letter: str) -> str:
    """A letter as JavaScript writes it in strings and patterns, in UTF-16."""
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _answers(explorer: Explorer, info: RunInfo) -> dict[str, Any]:
    """What the page asks for, by path; columns in base64."""
    at, shot = f"runs/{info.id}", explorer.snapshot(info.id)
    told = {
        "workspace": _workspace(explorer.project, info),
        at: replace(info, methods=(), etag=""),
        f"{at}/losses": explorer.losses(info.id),
        f"{at}/issues": issues_of(explorer.project, shot),
    }
    tables = {f"{at}/points": explorer.points(info.id)}
    tables |= {
        f"{at}/columns/{one.name}": explorer.column(info.id, one.name)
        for one in info.columns
        if one.kind != "text" and not one.base
    }
    if info.epochs:
        tables[f"{at}/epochs"] = explorer.epochs(info.id)
    return {
        "run": info.id,
        "chunk": _CHUNK,
        "ids": shot.rows["id"].to_pylist(),
        "json": {path: encode(value) for path, value in told.items()},
        "bytes": {path: base64.b64encode(stream(table)).decode() for path, table in tables.items()},
    }


def _workspace(project: Project, info: RunInfo) -> Workspace:
    """The project with this run alone."""
    labels = project.task.labels
    return Workspace(
        project=project.name, labels=labels, author="", runs=(info.summary,), versions=(), run=info.id, read_only=True
    )


def _chunks(explorer: Explorer, info: RunInfo) -> Iterator[Iterator[dict[str, Any]]]:
    """Rows with all that is known about them, some at a time."""
    texts = [column.name for column in info.columns if column.kind == "text"]
    for start in range(0, info.examples, _CHUNK):
        found = explorer.examples(info.id, start, min(start + _CHUNK, info.examples))
        cells = explorer.snapshot(info.id).rows.select(texts).slice(start, _CHUNK).to_pylist()
        yield (_brief({"example": one.to_json(), "texts": text}) for one, text in zip(found, cells, strict=True))


def _brief(value: Any) -> Any:
    """JSON values with numbers of six digits: a page shows no more, and they are most of what a row takes."""
    match value:
        case float():
            return float(f"{value:.6g}")
        case dict():
            return {name: _brief(item) for name, item in value.items()}
        case list():
            return [_brief(item) for item in value]
    return value


def _packed(value: Any) -> str:
    """JSON, compressed (always to the same bytes), in base64."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
