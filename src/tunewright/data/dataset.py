"""A dataset: an immutable base table and an append-only log of edits.

<folder>/
    dataset.json     fields, label names, seed, source, the id of the base version, what was skipped at import
    base.parquet     the rows as they were imported
    edits.jsonl      the log (see `tunewright.data.log`)
    reviews.jsonl    what people decided about rows (see `tunewright.data.reviews`)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright import table as tables
from tunewright.data.allowed import require_allowed
from tunewright.data.applying import apply
from tunewright.data.edits import Edit, Mix, version_after
from tunewright.data.fields import Fields
from tunewright.data.intake import Intake, take_in
from tunewright.data.labels import LabelNames
from tunewright.data.log import Difference, Entry, History, Log, edit_line, name_line
from tunewright.data.problems import OnBad, Problem, problem_from_json, problem_to_json
from tunewright.data.provenance import provenance
from tunewright.data.recipes import RECIPES, recipes, require_new_ids
from tunewright.data.reviews import Review, append_reviews, read_reviews, require_known
from tunewright.errors import ConflictError, DataError, EditError, did_you_mean
from tunewright.files import write_json

__all__ = ["Dataset", "Difference", "Fields"]

_NAME, _ID = re.compile(r"\w[\w.-]*"), re.compile(r"[0-9a-f]{12}")
_META, _TABLE, _LOG, _REVIEWS = "dataset.json", "base.parquet", "edits.jsonl", "reviews.jsonl"


class Dataset:
    """One dataset folder. Tables and versions are read when asked for, so other processes' edits are seen."""

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        self.folder = folder
        self.name = folder.name
        self.meta = meta
        fields = meta["fields"]
        self.fields = Fields(
            tuple(fields["text"]), fields["label"], tuple(fields["metadata"]), tuple(fields.get("target", ()))
        )
        self.label_names: tuple[str, ...] = tuple(meta["label_names"])
        self._log = Log(folder / _LOG, meta["base"])

    def __repr__(self) -> str:
        return f"Dataset({str(self.folder)!r})"

    @classmethod
    def create(
        cls,
        folder: str | Path,
        table: pa.Table,
        *,
        fields: Fields,
        label_names: LabelNames | None = None,
        on_bad: OnBad = "error",
        splits: Mapping[str, float] | None = None,
        seed: int = 0,
        source: str = "",
        called: str | None = None,
        id: str | None = "id",
        split: str | None = "split",
        longest: int = 100_000,
    ) -> Dataset:
        """Import a table into a new folder, which appears complete or not at all.

        Args:
            folder: must not exist yet, or be empty.
            table: rows as `read_rows` gives them.
            fields: which columns are what.
            label_names: names in the order of the codes, or a mapping from values to names. None: what the table's
                notes say, else the values themselves. Empty: labels are open, any text is one.
            on_bad: ``error`` raises one error that lists all bad rows; ``skip`` leaves them out and keeps the list.
            splits: split -> share, to make splits afresh. None: those given; where there are none but train, 80 %
                train, 10 % validation and 10 % test; where only validation is missing, 10 % of train. Rows with equal
                texts, or with targets in an equal passage, share a split that is made.
            seed: of splits that are made.
            source: where the rows come from, for people.
            called: what an error about the rows calls them; None: the source, else the folder's name.
            id: column of unique ids; where it is None or missing, ids are made of split and row number (``train-000012``).
            split: column of split names; ``dev``, ``val`` and the like are read as ``validation``. None: there are none.
            longest: texts with more characters are bad rows.

        Raises:
            DataError: if the folder is taken, a column is missing, or rows are bad and ``on_bad`` is ``error``.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(
                f"there is something at {folder} already", fix="open it, remove it or choose another folder"
            )
        intake = take_in(
            table,
            fields=fields,
            label_names=label_names,
            on_bad=on_bad,
            splits=splits,
            seed=seed,
            id=id,
            split=split,
            longest=longest,
            name=called or source or folder.name,
        )
        _write(folder, intake, fields, {"source": source, "seed": seed, "splits": splits and dict(splits)})
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Dataset:
        """Open an existing dataset folder.

        Raises:
            DataError: if the folder is not a dataset.
        """
        path = Path(folder) / _META
        try:
            return cls(Path(folder), json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(f"expected a dataset at {folder}, found no {_META} there") from None
        except (ValueError, KeyError) as error:
            raise DataError(f"expected the description of a dataset in {path}, found something else") from error

    @property
    def versions(self) -> dict[str, str]:
        """Version ids by name; ``base`` is what was imported, ``main`` is where edits go by default."""
        return dict(self._log.read().names)

    @property
    def has_log(self) -> bool:
        """Whether the dataset was ever edited or reviewed; edits that were undone count, for the log still has them."""
        logs = (self.folder / name for name in (_LOG, _REVIEWS))
        return any(path.exists() and path.stat().st_size > 0 for path in logs)

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """Why rows were left out at import, how many, and where the first ones were."""
        return tuple(problem_from_json(problem) for problem in self.meta["skipped"])

    def resolve(self, version: str) -> str:
        """The id of a version by its name or id.

        Raises:
            EditError: if there is no such version.
        """
        return self._log.read().resolve(version)

    def table(self, version: str = "main") -> pa.Table:
        """The rows of a version.

        Columns: id, content, split, the text fields, the targets, label (null: unlabelled), weight, metadata.
        """
        history = self._log.read()
        return self._replay(history, history.resolve(version))

    def recipes(self, version: str = "main") -> pa.Table:
        """The synthetic rows of a version: recipes whose parents are both still labelled training rows.

        Columns: id, a, b, weight (the share of ``a`` in [0, 1]), layer.
        """
        history = self._log.read()
        resolved = history.resolve(version)
        edits = [entry.edit for entry in history.path(resolved)]
        if not any(isinstance(edit, Mix) for edit in edits):
            return RECIPES.empty_table()
        return recipes(edits, self._replay(history, resolved))

    def apply(
        self,
        edits: Sequence[Edit],
        *,
        on: str = "main",
        name: str | None = None,
        allow_test: bool = False,
        reviews: Sequence[Review] = (),
        expecting: str | None = None,
    ) -> str:
        """Append edits to the log, all or none.

        Args:
            edits: what to do, in order.
            on: name or id of the version to edit.
            name: the new version gets this name, a branch. None: the name in ``on`` moves to the new version.
            allow_test: whether rows of the test split may change.
            reviews: the decisions that the edits come from, kept as `review` keeps them.
            expecting: id that ``on`` must have, so that nobody's edits come between.

        Returns:
            The id of the new version.

        Raises:
            EditError: if an edit is stale, changes the test split unasked, or has an unknown label; or as of `review`.
            ConflictError: if ``on`` has another id than was expected.
        """
        moved = on if name is None else _free_name(name)
        with self._log.appending() as (history, lines):
            version = history.resolve(on)
            if expecting not in {None, version}:
                raise ConflictError(
                    f"version {on} is no longer {expecting}", fix="make the edits again from this version"
                )
            if moved == "base" or moved not in {*history.names, name}:
                raise EditError(f"version {on} has no name that could move", fix="give the new version a name")
            for entry, _ in self._steps(history, version, edits, allow_test=allow_test):
                lines.append(edit_line(entry))
                version = entry.version
            lines.append(name_line(moved, version))
            self.review(reviews)  # before the edits: if a crash comes between, the same list can be applied again
        return version

    def tried(self, edits: Sequence[Edit], *, on: str = "main", allow_test: bool = False) -> pa.Table:
        """The rows that a version would have after edits; nothing is written.

        Raises:
            EditError: as `apply` does.
        """
        history = self._log.read()
        version = history.resolve(on)
        steps = list(self._steps(history, version, edits, allow_test=allow_test))
        return steps[-1][1] if steps else self._replay(history, version)

    def undo(self, name: str = "main", *, steps: int = 1) -> str:
        """Move a name to its version's parent, ``steps`` times; nothing is lost.

        Raises:
            EditError: if there are fewer edits to undo.
        """
        if name == "base":
            raise EditError(
                "base is the rows as they were imported, and has no edit to undo", fix="undo another version"
            )
        with self._log.appending() as (history, lines):
            if name not in history.names:
                raise EditError(f"no version is called {name!r}", fix=did_you_mean(name, history.names))
            path = history.path(history.names[name])
            if not 1 <= steps <= len(path):
                raise EditError(
                    f"expected from 1 edit to the {len(path)} of {name} to undo, found {steps}"
                    if path
                    else f"{name} has no edit to undo: its rows are as they were imported",
                    fix="see what was done: tunewright edit log",
                )
            version = path[-steps].parent
            lines.append(name_line(name, version))
        return version

    def diff(self, a: str, b: str) -> Difference:
        """The edits between two versions, by way of the last one they have in common."""
        history = self._log.read()
        return history.between(history.resolve(a), history.resolve(b))

    def log(self, version: str = "main") -> list[Entry]:
        """The edits that lead from the base to a version, oldest first."""
        history = self._log.read()
        return history.path(history.resolve(version))

    def provenance(self, version: str = "main") -> pa.Table:
        """Every edit that touched a row on the way to a version, oldest first; rows that went away have theirs, too.

        Columns: id, version (that the edit made), kind, field, old, new (as text; null: nothing), reason, rule, run,
        author, time. A row that goes or comes changes its ``split`` to or from null.
        """
        history = self._log.read()
        base = tables.read(self.folder / _TABLE)
        return provenance(base, history.path(history.resolve(version)), text=self.fields.text)

    def reviews(self) -> pa.Table:
        """What people decided about rows, oldest first.

        Columns: id, version, run, label, suggested, decision, author, time, new_label, note (see `Review`).
        """
        return read_reviews(self.folder / _REVIEWS)

    def review(self, reviews: Sequence[Review]) -> None:
        """Append to what people decided, all or none; no row changes.

        Raises:
            EditError: if a row is in no version that the review names, or there is no such version.
        """
        history = self._log.read()
        for version in {review.version for review in reviews}:
            known = self._replay(history, history.resolve(version))["id"].combine_chunks()
            require_known([review.id for review in reviews if review.version == version], known)
        append_reviews(self.folder / _REVIEWS, reviews)

    def fingerprint(self, split: str, version: str = "main", *, after: Sequence[Edit] = ()) -> str:
        """Hash of id, content, label and targets of a split's rows, in any order: are two test sets the same?

        ``after`` are edits of the version that nobody has stored.
        """
        table = self.tried(after, on=version)
        rows = table.filter(pc.equal(table["split"], split))
        return _fingerprint(rows, ("id", "content", "label", *self.fields.target))

    def describe(self, version: str = "main") -> dict[str, Any]:
        """What a person wants to know first, as JSON values.

        Returns:
            name, folder, source, version, rows (by split), labels (by split and name; none if they are open), unlabelled
            (by split), skipped (reason, count, first), versions (id by name), torn_lines (numbers of lines in the log
            that a crash has cut).
        """
        history = self._log.read()
        table = self._replay(history, history.resolve(version))
        splits, labels = table["split"].to_pylist(), table["label"].to_pylist()
        counts = Counter(zip(splits, labels, strict=True))
        rows = dict(Counter(splits))
        return {
            "name": self.name,
            "folder": str(self.folder),
            "source": self.meta["source"],
            "version": history.resolve(version),
            "rows": rows,
            "labels": {part: {name: counts[part, name] for name in self.label_names} for part in rows},
            "unlabelled": {part: counts[part, None] for part in rows},
            "skipped": list(self.meta["skipped"]),
            "versions": dict(history.names),
            "torn_lines": list(history.torn),
        }

    def _steps(
        self, history: History, version: str, edits: Iterable[Edit], *, allow_test: bool
    ) -> Iterator[tuple[Entry, pa.Table]]:
        """Each edit as an entry on top of a version, with the rows after it.

        Raises:
            EditError: if an edit does not fit, or the dataset does not take it.
        """
        table = self._replay(history, version)
        done = [entry.edit for entry in history.path(version)]
        for edit in edits:
            require_allowed(table, edit, fields=self.fields, label_names=self.label_names, allow_test=allow_test)
            require_new_ids(edit, done)
            table = apply(table, edit, text=self.fields.text)
            done.append(edit)
            entry = Entry(version_after(version, edit), version, edit)
            version = entry.version
            yield entry, table

    def _replay(self, history: History, version: str) -> pa.Table:
        table = tables.read(self.folder / _TABLE)
        for entry in history.path(version):
            table = apply(table, entry.edit, text=self.fields.text)
        return table


def _free_name(name: str) -> str:
    if name == "base" or not _NAME.fullmatch(name) or _ID.fullmatch(name):
        raise EditError(
            f"a version cannot be called {name!r}",
            fix="give it another name: letters, digits, '_', '-' and '.', and not the id of a version",
        )
    return name


def _fingerprint(table: pa.Table, columns: Sequence[str]) -> str:
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    digest = hashlib.blake2b(digest_size=6)
    for row in sorted(rows, key=lambda row: row[0]):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _write(folder: Path, intake: Intake, fields: Fields, more: Mapping[str, Any]) -> None:
    """Write into a folder beside the target, then rename."""
    meta = {
        "format": 1,
        "base": _fingerprint(intake.table, ("id", "content", "split", "label", *fields.target)),
        "fields": asdict(fields.stored),
        "label_names": list(intake.label_names),
        **more,
        "skipped": [problem_to_json(problem) for problem in intake.skipped],
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        tables.write(temporary / _TABLE, intake.table)
        write_json(temporary / _META, meta)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
