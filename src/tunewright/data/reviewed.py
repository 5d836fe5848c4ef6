"""Reviewed lists: a CSV in which a person has written a decision beside each row; read whole or not at all.

Columns, in any order: ``id`` and ``decision``; ``label`` (what the row was labelled when the list was made),
``suggested``, ``new_label``, ``note``, ``author`` and ``run`` (that made the suggestions) where they are there; others are
not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.data.labels import describe_unknown
from tunewright.data.problems import Flaw, count
from tunewright.data.reviews import Decision, Review
from tunewright.data.textfiles import decode, read_cells
from tunewright.errors import DataError, EditError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_reviewed"]

_SPELLED: dict[Decision, str] = {
    "accept": "accept accepted a yes y ok okay true agree agreed",
    "reject": "reject rejected r no n false disagree disagreed",
    "relabel": "relabel relabeled relabelled change changed",
    "drop": "drop dropped d delete deleted remove removed",
    "keep": "keep kept k",
}
_DECISIONS = {word: decision for decision, words in _SPELLED.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class _Known:
    """Labels by id, and label names by their spellings; None: any text is a label."""

    label: Mapping[str, str | None]
    names: Mapping[str, str] | None
    spelled: tuple[str, ...]


def read_reviewed(path: str | Path, table: pa.Table, *, labels: Sequence[str] | None = None) -> list[Review]:
    """The decisions of a file, checked against the rows they are about; lines without one are left out.

    Decisions and labels may be spelled as people do: ``Yes``, ``accepted``, ``REMOVE``, a label in other case.

    Args:
        path: a CSV as ``tunewright suspects --csv`` writes it, or one with at least the columns id and decision;
            separated by commas, semicolons or tabs.
        table: columns id and label.
        labels: the labels there are; none: any text is one; None: those in the table.

    Returns:
        reviews with everything but version and time; author and run are those of the file.

    Raises:
        DataError: if there is no such file, or it cannot be read.
        EditError: if a line is wrong; all of them are listed.
    """
    if not Path(path).is_file():
        raise DataError(
            f"expected a reviewed list at {path}, found no file",
            fix="write one: tunewright suspects --csv FILE, and fill in 'decision'",
        )
    header, records, flaws = read_cells(decode(Path(path)))
    names = [re.sub(r"\s+", "_", name.strip().lower()) for name in header]
    if not {"id", "decision"} <= set(names):
        raise EditError(
            f"{Path(path).name}: expected the columns 'id' and 'decision', found {names}",
            fix="write the list with `tunewright suspects --csv FILE`, and fill in 'decision'",
        )
    known = _known(table, labels)
    found: dict[str, tuple[int, Review]] = {}
    lines = len(records) + len(flaws)
    for line, record in records:
        match _review(dict(zip(names, record, strict=True)), known):
            case Review(id=name) as review if name in found:
                flaws.append(("a row that an earlier line has", f"line {line} {review.id!r} (line {found[name][0]})"))
            case Review() as review:
                found[review.id] = (line, review)
            case (reason, detail):
                flaws.append((reason, f"line {line}{detail}"))
    _refuse(flaws, Path(path).name, lines=lines)
    return [review for _, review in found.values()]


def _known(table: pa.Table, labels: Sequence[str] | None) -> _Known:
    by_id = dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))
    spelled = tuple(sorted({label for label in by_id.values() if label is not None}) if labels is None else labels)
    if labels is not None and not spelled:
        return _Known(by_id, None, ())
    folded = [name.strip().casefold() for name in spelled]
    alike = {key: name for key, name in zip(folded, spelled, strict=True) if folded.count(key) == 1}
    return _Known(by_id, alike | {name: name for name in spelled}, spelled)


def _refuse(flaws: Sequence[Flaw], name: str, *, lines: int) -> None:
    if flaws:
        listed = "".join(f"\n  {problem}" for problem in count(flaws))
        raise EditError(
            f"{name}: {len(flaws)} of {lines} lines cannot be used, and nothing was changed{listed}",
            fix="mend these lines; a line without a decision is left as it is",
        )


def _review(row: Mapping[str, str], known: _Known) -> Review | Flaw | None:
    """The review of a line, None without a decision, or (reason, what the line says)."""
    word = re.sub(r"[^a-z]+", " ", row["decision"].casefold()).strip()
    new = row.get("new_label", "").strip()
    if not row["decision"].strip():
        return ("a new label without a decision", f" {new!r} (write relabel)") if new else None
    if word not in _DECISIONS:
        return "unknown decision", f" {describe_unknown(row['decision'], list(_SPELLED))}"
    name = _first(known.label, _spellings(row["id"]))
    if name is None:
        return "unknown id", f" {row['id']!r}"
    label = known.label[name]
    if "label" in row and not _is(row["label"], label, known):
        return "a label that is no longer the one in the list", f" {row['label']!r} (now {label or 'unlabelled'!r})"
    flaw = _given(_DECISIONS[word], row, label, known)
    if isinstance(flaw, tuple):
        return flaw
    return Review(
        id=name,
        version="",
        label=label,
        suggested=_named(row.get("suggested", ""), known) or None,
        decision=_DECISIONS[word],
        run=row.get("run", "").strip(),
        new_label=flaw,
        author=row.get("author", "").strip(),
        note=row.get("note", "").strip(),
    )


def _given(decision: Decision, row: Mapping[str, str], label: str | None, known: _Known) -> str | Flaw | None:
    """The new label of a ``relabel``, None of another decision, or a flaw."""
    new, suggested = row.get("new_label", "").strip(), row.get("suggested", "").strip()
    if decision not in ("accept", "relabel"):
        return (f"{decision}, and a new label all the same", f" {new!r}") if new else None
    asked = suggested if decision == "accept" else new
    if not asked:
        return f"{decision}, and no {'suggestion' if decision == 'accept' else 'new label'}", ""
    found = _named(asked, known)
    if found is None:
        return "unknown label", f" {describe_unknown(asked, known.spelled)}"
    if found == label:
        return "the label that the row has already", f" {asked!r}"
    if decision == "accept":
        other = new and _named(new, known) != found
        return ("accept, and another new label", f" {new!r} (write relabel)") if other else None
    return found


def _is(cell: str, label: str | None, known: _Known) -> bool:
    return (label or "") in _spellings(cell) or (bool(cell.strip()) and _named(cell, known) == label)


def _named(cell: str, known: _Known) -> str | None:
    """The label that a cell means, None if it is none; of open labels, the text as it stands."""
    if known.names is None:
        return _spellings(cell)[-1]
    found = _first(known.names, [*_spellings(cell), *(each.casefold() for each in _spellings(cell))])
    return None if found is None else known.names[found]


def _spellings(cell: str) -> list[str]:
    """A cell as it stands, without blanks around it, and without the apostrophe that protects spreadsheets."""
    stripped = cell.strip()
    return [cell, stripped, re.sub(r"^'(?=[=+\-@\t\r\n])", "", stripped)]


def _first(known: Mapping[str, object], candidates: Iterable[str]) -> str | None:
    return next((each for each in candidates if each in known), None)
