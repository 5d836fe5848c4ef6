"""The data map as one HTML file: points to look at, records to read, nothing fetched.

All text of the dataset is embedded as compressed base64 JSON, so no character of it can end a tag; the page's script
inserts it with ``textContent`` only, and a content security policy admits this one script and style by their hashes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Literal

import numpy as np

from tunewright.errors import DataError
from tunewright.files import whole
from tunewright.plot.datamap import map_captions, map_facts, variability_limit
from tunewright.plot.groups import Groups, categories, correctness_bins
from tunewright.plot.inputs import Columns, MapPoints, map_points, take

__all__ = ["write_page"]

GROUPINGS = ("label", "predicted", "split", "suspect", "region")
"""Fields that points can be coloured by, besides correctness."""

NUMBERS = ("correctness", "confidence", "variability")


def write_page(
    path: str | Path,
    *,
    columns: Columns,
    records: Iterable[Mapping[str, Any]] = (),
    title: str = "Data map",
    model: str = "",
    dataset: str = "",
    coverage: float | None = None,
    when: Literal["train", "epoch_end", "both", "held_out"] | None = None,
    max_chars: int = 2000,
) -> Path:
    """Write the map of all examples that were seen; the file appears whole or not at all.

    Args:
        path: the HTML file.
        columns: ``id`` string [n], unique; ``confidence``, ``variability``, ``correctness`` float [n] (NaN: not seen);
            any further columns [n] are shown with the record, and ``label``, ``predicted``, ``split``, ``suspect``,
            ``region`` can also be coloured by.
        records: the rows to read, each with its ``id`` and any fields (premise, hypothesis, metadata ...); matched by
            id, rows without a point are left out.
        title: heading of the page.
        model: name of the model.
        dataset: name and version of the dataset.
        coverage: share 0 .. 1 of the expected (example, epoch) records there are.
        when: which pass was recorded.
        max_chars: longer texts are cut to so many characters, and say so.

    Raises:
        ColumnError: if a column is missing.
        DataError: if lengths differ, an id occurs twice, a value is out of range, or nothing was seen.
    """
    points = map_points(columns)
    fields = _fields(columns, points, records)
    shown = {name: [_value(value, max_chars) for value in values] for name, values in fields.items()}
    trimmed = sum(isinstance(value, dict) for values in shown.values() for value in values)
    payload = {
        "title": title,
        "facts": [
            fact for fact in map_facts(points, model=model, dataset=dataset, coverage=coverage, when=when) if fact
        ],
        "note": f"Texts beyond {max_chars:,} characters are cut in this file ({trimmed:,})." if trimmed else "",
        "limit": variability_limit(points),
        "captions": [{"text": place.text, "x": place.x, "y": place.y} for place in map_captions(points)],
        "groupings": _groupings(points, fields),
        "fields": list(shown.items()),
    }
    path = Path(path)
    with whole(path) as part:
        part.write_text(_html(payload), encoding="utf-8", newline="\n")
    return path


def _fields(columns: Columns, points: MapPoints, records: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Every field of every seen example, in reading order: id, the record, then the columns."""
    seen = {name: take(columns, "id", name)[1][points.seen].tolist() for name in columns}
    ids = [str(key) for key in seen["id"]]
    rows = _rows(ids, records)
    names = dict.fromkeys(name for row in rows for name in row if name not in columns)
    read = {name: [row.get(name) for row in rows] for name in names}
    return {"id": ids} | read | {name: seen[name] for name in _columns_last(columns)}


def _columns_last(columns: Columns) -> list[str]:
    """All columns but the id, the three of the map at the end."""
    return [name for name in columns if name not in ("id", *NUMBERS)] + list(NUMBERS)


def _rows(ids: Sequence[str], records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The record of each id, empty where there is none.

    Raises:
        DataError: if an id occurs twice, or a record has none.
    """
    if len(set(ids)) != len(ids):
        raise DataError(f"ids are unique, found {len(ids) - len(set(ids))} repeated", fix="join the columns by id")
    wanted = set(ids)
    rows: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if "id" not in record:
            raise DataError(f"a record has an 'id', found the fields {sorted(record)}", fix="add the id to each record")
        key = str(record["id"])
        if key in rows:
            raise DataError(f"ids are unique, found two records of {key!r}", fix="give one record per id")
        if key in wanted:
            rows[key] = record
    return [rows.get(key, {}) for key in ids]


def _value(value: Any, most: int) -> Any:
    """A value as JSON has it; a long text becomes its beginning and its length."""
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int():
            return value
        case float():
            return float(f"{value:.6g}") if math.isfinite(value) else None
        case _:
            text = str(value)
            return text if len(text) <= most else {"text": text[:most], "length": len(text)}


def _groupings(points: MapPoints, fields: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """What points can be coloured by: correctness first."""
    named = {"correctness": correctness_bins(points.correctness)}
    for name in GROUPINGS:
        if name in fields:
            named[name] = categories(np.array([_spoken(name, value) for value in fields[name]], dtype=object))
    return [_grouping(name, groups) for name, groups in named.items()]


def _spoken(name: str, value: Any) -> Any:
    """A flag in words, any other value as it is."""
    return (name if value else f"not {name}") if isinstance(value, bool) else value


def _grouping(name: str, groups: Groups) -> dict[str, Any]:
    return {
        "name": name,
        "names": groups.names,
        "codes": groups.codes.tolist(),
        "counts": groups.counts.tolist(),
        "light": groups.light,
        "dark": groups.dark,
        "markers": groups.markers,
    }


def _html(payload: Mapping[str, Any]) -> str:
    """The page around its data; the template is filled once, so nothing that is filled in is read again."""
    resources = files("tunewright.plot")
    page, style, *scripts = (
        resources.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "page_map.js", "page.js")
    )
    script = "\n".join(scripts)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    data = base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)).decode("ascii")
    return Template(page).substitute(policy=policy, style=style, script=script, data=data)


def _hash(text: str) -> str:
    """The source expression of a content security policy that admits exactly this inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
