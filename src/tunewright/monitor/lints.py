"""What to rule out before production is blamed: artifacts of how its rows were made, named and checked."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.lint_rows import Lint
from tunewright.errors import listed
from tunewright.monitor.evaluation import evaluate
from tunewright.monitor.text_signals import READINGS, truncated

if TYPE_CHECKING:
    from tunewright.monitor.expressions import Signal
    from tunewright.monitor.watch import Monitor

__all__ = ["OUTPUTS", "collisions", "cut_outputs", "lints", "markup", "never_labelled", "silent_words"]

OUTPUTS = ("output", "predicted")
"""Columns that hold what a model said."""

_CUT_SHARE = 0.1
_FREQUENT = 20
_ANYWHERE = 0.55  # of texts that a limit cut it is .65 or more; of headlines, labels and questions .50 at most
_FEWEST_WORDS = 4
_FEWEST_ROWS = 20
_LEADING = 10
_ALIKE = 0.8
_NAMED = 5


def lints(monitor: Monitor, *, outputs: Collection[str] = OUTPUTS) -> list[Lint]:
    """Look for artifacts in what a monitor logged: warnings first, then notes.

    Args:
        monitor: an open one.
        outputs: columns that hold what the model said.
    """
    report = monitor.report()
    wanted = [column for edge in monitor.checks.edges.values() for column, _, _ in _lists(edge.signal)]
    rows = monitor.rows()
    rows = rows.select(["id", *(name for name in rows.column_names if name in {*wanted, *outputs, "stop_reason"})])
    signals = {name: edge.signal for name, edge in monitor.checks.edges.items()}
    steps = [] if monitor.collector is None else monitor.collected()["step"].to_pylist()
    found = [
        *collisions(report["conflicts"]),
        *(one for name in outputs if name in rows.column_names for one in cut_outputs(rows, name)),
        *markup(report["checks"]),
        *silent_words(rows, signals),
        *never_labelled(steps),
    ]
    return sorted(found, key=lambda one: one.severity == "note")


def collisions(count: int) -> Iterator[Lint]:
    """Ids that came again with another content, of which no row was taken."""
    if count:
        yield Lint(
            "ids of several sources collide",
            "warning",
            count,
            f"{count:,} ids came again with another content since the monitor was opened; these rows were left out",
            (),
            "make ids unique: put the name of the source before the number",
        )


def cut_outputs(rows: pa.Table, column: str) -> Iterator[Lint]:
    """Outputs that a limit of new tokens ended: where generation said so, else those that end without punctuation.

    Without ``stop_reason``, a tenth of the outputs must end so, and as often in the middle of a sentence as texts do
    that are cut anywhere: headlines and labels end without punctuation as well.
    """
    asked = ["stop_reason"] if "stop_reason" in rows.column_names else []
    signal = truncated(column, **({"stop_reason": asked[0]} if asked else {}))
    found = evaluate({"cut": signal}, rows.select([column, *asked]))
    if found.errors or not rows.num_rows:
        return
    cut = pc.fill_null(found.values["cut"], False)
    count = pc.sum(cut).as_py() or 0
    known = bool(asked) and rows["stop_reason"].null_count < rows.num_rows
    if not count or not (known or _end_anywhere(rows[column].filter(cut).to_pylist(), rows.num_rows)):
        return
    why = "were ended by the limit of new tokens" if known else "end without punctuation, in the middle of a sentence"
    yield Lint(
        f"outputs in {column!r} are cut",
        "warning",
        count,
        f"{count:,} of {rows.num_rows:,} outputs {why}",
        tuple(rows["id"].filter(cut).to_pylist()),
        "raise max_new_tokens; until then lengths, ROUGE and embeddings are those of half sentences",
    )


def _end_anywhere(texts: Sequence[str], rows: int) -> bool:
    """Whether enough texts were cut, and their last words are frequent ones about as often as others are.

    The most frequent words of a language, such as articles and prepositions, seldom end what is complete.
    """
    pieces = [found for text in texts if len(found := text.casefold().split()) >= _FEWEST_WORDS]
    if len(pieces) < max(_FEWEST_ROWS, _CUT_SHARE * rows):
        return False
    inside = Counter(word for found in pieces for word in found[1:-1])
    frequent = dict(inside.most_common(_FREQUENT))
    usual = sum(frequent.values()) / inside.total()
    return sum(found[-1] in frequent for found in pieces) / len(pieces) >= _ANYWHERE * usual


def markup(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[Lint]:
    """Markup and numbers that lead a list of unknown words: they hide the words that are new."""
    of_words = {name: report for name, report in checks.items() if {"unknown", "normal_unknown"} <= report.keys()}
    of_all = {name: report for name, report in of_words.items() if not {"windows", "slices"} & report.keys()}
    for name, report in (of_all or of_words).items():
        normal = {word.casefold() for word in report["normal_unknown"]["word"].to_pylist()}
        leading = report["unknown"].slice(0, _LEADING).to_pylist()
        found = [row for row in leading if row["word"].strip("_").casefold() not in normal]
        if not found or found[0]["texts"] < leading[0]["texts"]:
            continue
        named = listed([f"{row['word']} ({row['texts']:,} texts)" for row in found[:_NAMED]])
        said = " and ".join(
            f"{report[key]:.1%} {what}"
            for key, what in (("coverage", "with it"), ("normal_coverage", "without"))
            if report[key] is not None
        )
        yield Lint(
            f"markup leads the unknown words of {name}",
            "warning",
            found[0]["texts"],
            f"{named} lead the list of {report['rows']:,} rows and are no words; coverage is {said}",
            tuple(found[0]["ids"]),
            "read normal_unknown and normal_coverage, or write the markup as the training set does before the model reads it",
        )


def silent_words(rows: pa.Table, signals: Mapping[str, Signal]) -> Iterator[Lint]:
    """Words of a ``has_any`` that occur in no row, with the word that was meant, if one is nearly the same."""
    seen: dict[tuple[str, str], set[str]] = {}
    for name, signal in signals.items():
        for column, wanted, read in _lists(signal):
            if column not in rows.column_names or not pa.types.is_string(rows.schema.field(column).type):
                continue
            if (column, read) not in seen:
                texts = rows[column].drop_null().to_pylist()
                seen[column, read] = set().union(*map(READINGS[read], texts))
            silent = sorted(set(wanted) - seen[column, read])
            if silent and rows.num_rows >= _FEWEST_ROWS:
                yield _silent(name, silent, rows.num_rows, seen[column, read])


def _silent(name: str, silent: list[str], rows: int, seen: set[str]) -> Lint:
    near = {word: difflib.get_close_matches(word, seen, n=1, cutoff=_ALIKE) for word in silent}
    meant = [f"{found[0]!r} for {word!r}" for word, found in near.items() if found]
    return Lint(
        f"words of {name} never match",
        "warning" if meant else "note",
        len(silent),
        f"{listed([repr(word) for word in silent])} in none of {rows:,} rows",
        (),
        f"did you mean {', '.join(meant)}? " * bool(meant) + "how texts are read is said in docs/guide/signals.md",
    )


def _lists(signal: Signal) -> Iterable[tuple[str, tuple[str, ...], str]]:
    """Column, words and reading of every ``has_any`` on a column in a signal."""
    if signal.op == "text.has_any" and signal.inputs[0].op == "col":
        yield str(signal.inputs[0].option("name")), signal.option("words"), signal.option("read")
    for part in signal.inputs:
        yield from _lists(part)


def never_labelled(steps: Collection[str]) -> Iterator[Lint]:
    """Rows that were collected, and none of which was sent, labelled or learnt from."""
    if steps and set(steps) == {"new"}:
        yield Lint(
            "collected and never used",
            "note",
            len(steps),
            f"{len(steps):,} rows were collected, and none of them was labelled or learnt from",
            (),
            "tunewright monitor collected --csv FILE, label them, attach them, and try a version with them",
        )
