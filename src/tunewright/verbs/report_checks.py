"""What the checks of a monitor say, as sections of its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import TunewrightError
from tunewright.monitor.drift_causes import DriftCauses, drift_causes
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.plot.report import Bar, Block, Chart, Fold, Note, Rows, Section, Side, Table
from tunewright.plot.report_charts import histogram, lines
from tunewright.plot.report_text import shortened, spoken

if TYPE_CHECKING:
    from tunewright.monitor.watch import Monitor

__all__ = ["check_sections"]

Report = Mapping[str, Any]

_WORDS, _EXAMPLES, _SNIPPET, _WINDOWS, _VALUES = 20, 6, 160, 60, 50
_SMALLEST = 1e-6
_CLASSES = 60


def check_sections(watch: Monitor, found: Report, rows: pa.Table, texts: Mapping[str, str]) -> list[Section]:
    """Edge cases, coverage, drift, lengths, and the numbers of all other checks.

    Args:
        watch: the monitor.
        found: its report.
        rows: all of production.
        texts: by id, what a row says.
    """
    checks = found["checks"]
    edges = {name: one for name, one in checks.items() if "marked" in one}
    folds = {name: one for name, one in checks.items() if "marked" not in one}
    words = {name: one for name, one in folds.items() if "coverage" in one}
    looked = {name: one for name, one in folds.items() if "looks" in one}
    bins = {name: one for name, one in folds.items() if "bins" in one and one["bins"].num_rows}
    others = {name: one for name, one in folds.items() if not {name} & {*words, *looked, *bins}}
    return [
        Section("Edge cases", _edges(edges, found["rows"])),
        Section("Vocabulary", _coverage(words, texts)),
        Section("Drift", [block for name, one in looked.items() for block in _drift(watch, name, one, rows, texts)]),
        Section("Lengths", [Side(_lengths(name, one)) for name, one in bins.items()]),
        Section("Other checks", [_numbers(others)] if others else []),
    ]


def _edges(edges: Mapping[str, Report], rows: int) -> list[Block]:
    if not edges:
        return []
    most = max([one["marked"] for one in edges.values()] + [1])
    ranked = sorted(edges.items(), key=lambda item: (-item[1]["marked"], item[0]))
    table = Table(
        "Rows that an edge marked",
        ("edge case", "rows", "of all", "no value", "errors"),
        [
            (
                name,
                Bar(spoken(one["marked"]), one["marked"] / most),
                _share(one["marked"], rows),
                one["nulls"],
                one["errors"],
            )
            for name, one in ranked
        ],
    )
    return [table]


def _coverage(words: Mapping[str, Report], texts: Mapping[str, str]) -> list[Block]:
    """Of checks in windows the lines, then of those of all rows the words."""
    windows = {name: one["windows"] for name, one in words.items() if isinstance(one.get("windows"), pa.Table)}
    legend = {"s0": "as written", "s1": "normalised"}
    charts = [
        Chart(f"Words that the training set has: {name}", _coverage_lines(name, table), legend)
        for name, table in windows.items()
        if table.num_rows and table["coverage"].null_count < table.num_rows
    ]
    told = [block for name, one in words.items() if name not in windows for block in _vocabulary(name, one, texts)]
    return [*([Side(charts)] if charts else []), *told]


def _coverage_lines(name: str, windows: pa.Table) -> str:
    series = {}
    for column, said in (("coverage", "as written"), ("normal_coverage", "normalised")):
        known = windows.filter(pc.is_valid(windows[column]))
        if known.num_rows:
            series[said] = (known["end"].to_numpy(), known[column].to_numpy())
    return lines(f"Coverage of {name} by window", series, below="production rows", percent=True)


def _vocabulary(name: str, one: Report, texts: Mapping[str, str]) -> list[Block]:
    said = (
        f"{name}: a text has {_percent(one['coverage'])} of its words from the training set, normalised "
        f"{_percent(one['normal_coverage'])}; {one['unknown_words']:,} different words are not in it."
    )
    raw, normal = one["unknown"].to_pylist()[:_WORDS], one["normal_unknown"].to_pylist()[:_WORDS]
    blocks: list[Block] = [Note(said)]
    if raw:
        blocks.append(Side([_words("As written", raw, one["texts"]), _words("Normalised", normal, one["texts"])]))
    if examples := [(row["word"], row["ids"][0]) for row in normal[:_EXAMPLES] if row["ids"]]:
        shown = [(f"{word} · {id}", shortened(texts.get(id, ""), 2 * _SNIPPET)) for word, id in examples]
        blocks.append(Fold("Rows with the most frequent of these words", [Rows("One row for each word", shown)]))
    return blocks


def _words(title: str, words: Sequence[Mapping[str, Any]], texts: int) -> Table:
    most = max([word["texts"] for word in words] + [1])
    rows = [
        (word["word"], Bar(spoken(word["texts"]), word["texts"] / most), _share(word["texts"], texts)) for word in words
    ]
    return Table(f"Words that the training set lacks: {title.lower()}", ("word", "texts", "of all"), rows)


def _drift(watch: Monitor, name: str, one: Report, rows: pa.Table, texts: Mapping[str, str]) -> list[Block]:
    looks = one["looks"]
    alone = looks.filter(pc.equal(looks["length"], 1))
    window = int(getattr(watch.checks.folds[name], "window", 0))
    if alone.num_rows == 0:
        return [Note(f"{name}: no window of {window:,} rows is full yet.")]
    ends = (alone["last"].to_numpy() + 1) * window
    p, evidence = alone["p"].to_numpy(), alone["evidence"].to_numpy()
    series = {name: (ends, np.clip(evidence, _SMALLEST, 1 / _SMALLEST))}
    threshold = (f"alarm at {one['threshold']:g}", float(one["threshold"]))
    charts = [
        Chart(
            f"Evidence of {name} (e-value, drawn up to 10⁶)",
            lines(f"Evidence of {name}", series, below="production rows", log=True, least=1e-3, limit=threshold),
        ),
        Chart(
            f"Effect size of {name}, by window",
            lines(f"Effect of {name}", {name: (ends, alone["effect"].to_numpy())}, below="production rows"),
        ),
    ]
    windows = Table(
        f"Windows of {window:,} rows"
        + (f", the last {_WINDOWS} of {alone.num_rows:,}" if alone.num_rows > _WINDOWS else ""),
        ("rows until", "p", "effect size", "evidence", "alarm"),
        [
            (int(end), float(one_p), float(effect), float(told), float(told) >= one["threshold"])
            for end, one_p, effect, told in zip(ends, p, alone["effect"].to_numpy(), evidence, strict=True)
        ][-_WINDOWS:],
    )
    return [
        _verdict(name, one, window),
        Side(charts),
        Fold("All windows", [windows]),
        *_causes(watch, name, alone.num_rows * window, rows, texts),
    ]


def _verdict(name: str, one: Report, window: int) -> Note:
    p = "p below 10⁻⁶" if one["p"] < _SMALLEST else f"p {spoken(one['p'])}"
    evidence = "beyond 10⁶" if one["evidence"] > 1 / _SMALLEST else spoken(one["evidence"])
    now = f"{p}, effect size {spoken(one['effect'])}; the evidence is {evidence}, and {one['threshold']:g} is an alarm"
    if one["first_alarm"] is None:
        return Note(f"{name}: no alarm in {one['windows']:,} windows. Of the last one {now}.")
    since = f"alarm after {(one['first_alarm'] + 1) * window:,} rows (window {one['first_alarm'] + 1:,})"
    still = "" if one["alarm"] else "; the evidence is below the threshold now"
    return Note(f"{name}: {since}{still}. Of the last window {now}.", kind="alarm")


def _causes(watch: Monitor, name: str, until: int, rows: pa.Table, texts: Mapping[str, str]) -> list[Block]:
    """Rows, words and slices of the last window; nothing where there is no vector or no window."""
    fold = watch.checks.folds[name]
    if not isinstance(fold, EmbeddingDrift) or watch.reference is None:
        return []
    inside = rows.filter(rows[fold.column].is_valid()).slice(max(0, until - fold.window), fold.window)
    text = next((it for it in _of_texts(inside) if watch.reference.has(it)), None)
    inside = (
        inside.set_column(inside.column_names.index(text), text, pc.fill_null(inside[text], "")) if text else inside
    )
    try:
        found = drift_causes(fold, watch.state(name), inside, watch.reference, text=text, metadata=_explaining(inside))
    except TunewrightError as error:
        return [Note(f"Why {name} drifted cannot be said: {error}")]
    return _explained(found, dict(zip(inside["id"].to_pylist(), found.score, strict=True)), texts)


def _explained(found: DriftCauses, scores: Mapping[str, float], texts: Mapping[str, str]) -> list[Block]:
    seen = found.witnesses
    told = f"In the last window, {seen.share:.1%} of the rows are more foreign than 99% of the reference (1% if nothing drifted)."
    if found.domain is not None:
        told += f" A classifier tells them from the reference with an AUC of {found.domain.auc:.2f} ({found.domain.low:.2f} to {found.domain.high:.2f}; .5 is guessing)."
    tables: list[Block] = []
    if seen.words:
        rows = [(it.word, f"{it.first:.1%}", f"{it.second:.1%}", it.z) for it in seen.words[:10]]
        tables.append(Table("Words of the foreign rows", ("word", "of these texts", "of the reference", "z"), rows))
    if sliced := [it for it in seen.slices if it.p < 0.05 and it.value is not None][:10]:
        shares = [(f"{it.column} = {it.value}", _percent(it.second), _percent(it.first), it.p) for it in sliced]
        tables.append(Table("Slices of the foreign rows", ("slice", "of the foreign", "of the others", "p"), shares))
    top = [(f"{id} · score {spoken(scores[id])}", shortened(texts.get(id, ""), 2 * _SNIPPET)) for id in found.ids[:10]]
    return [
        Note(told),
        *([Side(tables)] if len(tables) > 1 else tables),
        Fold("The most foreign rows", [Rows("Most foreign first", top)]),
    ]


def _lengths(name: str, one: Report) -> list[Block]:
    """Bars with the cut-off and quantiles, and these as a table."""
    middles, counts, cut = one["bins"]["middle"].to_numpy(), one["bins"]["rows"].to_numpy(), one["cut"]
    ends = (min(0.0, middles.min()), max(middles.max(), 1))
    drawn, edges = np.histogram(middles, bins=_CLASSES, range=ends, weights=counts)
    quantiles = {
        f"{float(key[1:]):g}%": value for key, value in one.items() if key.startswith("q") and value is not None
    }
    marks = {"suggested cut-off": float(cut)} if cut is not None else {}
    marks |= {label: quantiles[label] for label in ("50%", "95%", "99%") if label in quantiles}
    title = f"{name[:1].upper()}{name[1:]}"
    rows = [(f"{label} of the rows are not longer than", spoken(value)) for label, value in quantiles.items()]
    if cut is not None:
        suggested = f"suggested cut-off: the elbow of the reference, {_percent(one['beyond'])} of the rows beyond"
        rows.append((suggested, spoken(float(cut))))
    bars = histogram(f"Histogram of {name}", edges.tolist(), drawn.astype(int).tolist(), marks=marks)
    return [Chart(title, bars), Table(f"{title}: quantiles and cut-off", ("what", "length"), rows)]


def _numbers(folds: Mapping[str, Report]) -> Table:
    """Every number of the checks that have no section of their own."""
    rows = [
        (name, key.replace("_", " "), spoken(value))
        for name, one in folds.items()
        for key, value in one.items()
        if isinstance(value, bool | int | float | str) and key != "since" and not (key == "errors" and not value)
    ]
    return Table("Numbers of further checks", ("check", "number", "value"), rows)


def _of_texts(rows: pa.Table) -> Iterable[str]:
    return (item.name for item in rows.schema if pa.types.is_string(item.type) and item.name != "id")


def _explaining(rows: pa.Table) -> list[str]:
    """Columns of texts with few different values, which may be a reason."""
    return [name for name in _of_texts(rows) if 1 < len(pc.unique(rows[name])) <= _VALUES]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
