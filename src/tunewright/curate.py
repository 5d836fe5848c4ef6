"""From findings to edits: what suspects, rules and reviewed lists ask to be done, and the same at random rows.

Pure functions: they return edits, and `Dataset.apply` decides whether they fit. A rule is stored with the ids it
resolved to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import Add, Drop, Edit, Evidence, Keep, Mix, Note, Relabel, Reweight, Tag
from tunewright.data.reviewed import read_reviewed
from tunewright.data.reviews import Review
from tunewright.errors import EditError, RunError, did_you_mean
from tunewright.table import query

__all__ = [
    "ACTIONS",
    "Action",
    "from_csv",
    "from_reviews",
    "from_rule",
    "from_suspects",
    "fulfilling",
    "random_control",
]

Action = Literal["relabel", "drop", "reweight", "keep"]
ACTIONS: tuple[Action, ...] = get_args(Action)
"""What can be done with rows that were found: take the suggested label, drop, weigh, or keep no other training row."""
_NOTHING = Evidence()
_Key = TypeVar("_Key", bound=Hashable)


def from_suspects(
    rows: pa.Table,
    action: Action,
    top: int,
    weight: float = 0.0,
    *,
    reason: str = "",
    evidence: Evidence = _NOTHING,
) -> Edit:
    """Act on the most suspicious rows.

    Args:
        rows: columns id, label and suspicion (more is worse; rows with null or NaN are left out), for ``relabel`` also
            suggested.
        action: what to do. ``relabel`` leaves out rows without a suggestion, before it counts.
        top: how many rows, from the most suspicious one; fewer, where there are no more.
        weight: for ``reweight``.
        reason: in words.
        evidence: where the list is from; its rule is filled in.

    Raises:
        EditError: if a column is missing, or no row is left.
    """
    _require(rows, ("id", "label", "suspicion"))
    if action == "keep":
        raise EditError(
            "expected suspects to be relabelled, dropped or reweighted, found 'keep'",
            fix="drop them, or keep by a rule",
        )
    if top < 1:
        raise EditError(f"expected to act on one row or more, found top:{top}")
    suspicion = rows["suspicion"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64)
    known = _with_suggestion(rows.filter(pa.array(~np.isnan(suspicion))), action)
    first = known.sort_by([("suspicion", "descending"), ("id", "ascending")]).slice(0, top)
    return _act(first, action, weight, reason, replace(evidence, rule=f"top:{top} by suspicion"))


def from_rule(
    rows: pa.Table,
    rule: str,
    action: Action,
    weight: float = 0.0,
    *,
    reason: str = "",
    evidence: Evidence = _NOTHING,
) -> Edit:
    """Act on the rows for which a rule is true.

    Args:
        rows: columns id, label, split and those that the rule names; it sees them as the read-only view ``examples``.
        rule: a condition in DuckDB's SQL, such as ``suspicion > 0.95 and variability < 0.2``; NaN is null.
        action: what to do. ``relabel`` takes the column ``suggested``, and leaves out rows without a suggestion;
            ``keep`` is about training rows.
        weight: for ``reweight``.
        reason: in words.
        evidence: where the columns are from; its rule is filled in.

    Raises:
        EditError: if the rule is no condition, a column is missing, or no row is left.
    """
    _require(rows, ("id", "label", "split"))
    named = fulfilling(rows, rule)
    found = rows.filter(pc.is_in(rows["id"], value_set=named))
    if action == "keep":
        found = found.filter(pc.equal(found["split"], "train"))
    return _act(_with_suggestion(found, action), action, weight, reason, replace(evidence, rule=rule))


def fulfilling(rows: pa.Table, rule: str) -> pa.Array:
    """Ids of the rows for which a rule is true, see `from_rule`.

    Raises:
        EditError: if the rule is no condition, or a column is missing.
    """
    try:
        asked = f"SELECT id FROM examples WHERE (\n{rule}\n)"  # noqa: S608  a query reads these rows, and nothing else
        return query(asked, {"examples": _without_nan(rows)})["id"].combine_chunks()
    except RunError as error:
        raise EditError(
            f"the rule {rule!r} cannot be followed: {error.message}",
            fix=f"write a condition over columns of the rows: {', '.join(rows.column_names)}",
        ) from error


def from_csv(
    path: str | Path,
    table: pa.Table,
    *,
    labels: Sequence[str] | None = None,
    reason: str = "",
    evidence: Evidence = _NOTHING,
) -> list[Edit]:
    """The edits of a reviewed list (see `tunewright.data.reviewed`); rows that are kept as they are need none.

    Args:
        path: of the CSV.
        table: the rows it is about: columns id and label.
        labels: the labels there are; none: any text is one; None: those in the table.
        reason: in words.
        evidence: where the list is from; authors and runs are those of its lines, where they name them.

    Raises:
        DataError: if there is no such file, or it cannot be read.
        EditError: if a line is wrong; all of them are listed.
    """
    return from_reviews(read_reviewed(path, table, labels=labels), reason=reason, evidence=evidence)


def from_reviews(reviews: Iterable[Review], *, reason: str = "", evidence: Evidence = _NOTHING) -> list[Edit]:
    """The edits that decisions ask for: of each author and run one that relabels and one that drops, where there are any."""
    by_source: dict[tuple[str, str], list[Review]] = {}
    for review in reviews:
        by_source.setdefault((review.author or evidence.author, review.run or evidence.run), []).append(review)
    made: list[Edit] = []
    for (author, run), own in by_source.items():
        why: dict[str, Any] = {"reason": reason, "evidence": replace(evidence, author=author, run=run)}
        changes = [(each.id, each.label, _new_label(each)) for each in own if each.decision in ("accept", "relabel")]
        dropped = [each.id for each in own if each.decision == "drop"]
        made += [Relabel(changes=tuple(changes), **why)] if changes else []
        made += [Drop(ids=tuple(dropped), **why)] if dropped else []
    return made


def random_control(edit: Edit, table: pa.Table, *, seed: int) -> Edit:
    """The same kind and number of edits at random rows of the same splits: what an edit must beat to be worth it.

    ``Relabel`` gives random other labels to rows that are labelled (or unlabelled) as the edit's are; ``Reweight`` deals
    the same weights to random rows; ``Mix`` pairs random labelled training rows with the same shares and layer.

    Args:
        edit: what was decided.
        table: the rows it is applied to.
        seed: of the draw.

    Raises:
        EditError: if there is no such thing (`Add`), or there are too few rows to draw from.
    """
    random = np.random.default_rng(seed)
    why: dict[str, Any] = {
        "reason": f"random control (seed {seed})" + (f": {edit.reason}" if edit.reason else ""),
        "evidence": replace(edit.evidence, rule=f"random rows (seed {seed})"),
    }
    match edit:
        case Keep(ids=ids, split=split):
            return Keep(ids=tuple(_drawn(random, _ids(table, split), len(ids))), split=split, **why)
        case Drop(ids=ids):
            drawn = _alike(random, _splits(table, ids), lambda split: _ids(table, split))
            return Drop(ids=tuple(drawn), **why)
        case Reweight(weights=weights):
            drawn = _alike(random, _splits(table, [name for name, _ in weights]), lambda split: _ids(table, split))
            shuffled = random.permutation([weight for _, weight in weights])
            return Reweight(weights=tuple(zip(drawn, shuffled.tolist(), strict=True)), **why)
        case Relabel():
            return Relabel(changes=_relabelled(random, table, edit), field=edit.field, **why)
        case Mix(recipes=recipes, layer=layer):
            parents = _ids(table, "train", table["label"].is_valid())
            pairs = [_drawn(random, parents, 2) for _ in recipes]
            mixed = ((name, *pair, share) for (name, _, _, share), pair in zip(recipes, pairs, strict=True))
            return Mix(recipes=tuple(mixed), layer=layer, **why)  # type: ignore[arg-type]  # pairs are of two
        case Add():
            raise EditError(
                "new rows have no random counterpart", fix="compare them with rows that you collect at random"
            )
        case Tag() | Note():
            raise EditError("tags and notes teach nothing, and have no random counterpart", fix="leave them out")


def _require(rows: pa.Table, names: Iterable[str]) -> None:
    for name in names:
        if name not in rows.column_names:
            raise EditError(f"expected a column {name!r}, found {rows.column_names}")


def _without_nan(rows: pa.Table) -> pa.Table:
    """With null for NaN, which DuckDB takes for larger than any number: what is unknown fulfils no condition."""
    for position, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            column = rows[field.name]
            known = pc.if_else(pc.is_nan(column), pa.scalar(None, field.type), column)
            rows = rows.set_column(position, field.name, known)
    return rows


def _with_suggestion(rows: pa.Table, action: Action) -> pa.Table:
    """For ``relabel``, rows whose suggested label is another than theirs."""
    if action != "relabel":
        return rows
    _require(rows, ("suggested",))
    other = pc.or_kleene(pc.not_equal(rows["suggested"], rows["label"]), rows["label"].is_null())
    return rows.filter(pc.fill_null(pc.and_kleene(rows["suggested"].is_valid(), other), False))


def _act(rows: pa.Table, action: Action, weight: float, reason: str, evidence: Evidence) -> Edit:
    why: dict[str, Any] = {"reason": reason, "evidence": evidence}
    if rows.num_rows == 0:
        what = "with another suggested label " if action == "relabel" else ""
        raise EditError(f"no row {what}is found by {evidence.rule!r}, so there is nothing to do", fix="loosen the rule")
    ids = rows["id"].to_pylist()
    match action:
        case "relabel":
            new = rows["suggested"].to_pylist()
            return Relabel(changes=tuple(zip(ids, rows["label"].to_pylist(), new, strict=True)), **why)
        case "drop":
            return Drop(ids=tuple(ids), **why)
        case "reweight":
            return Reweight(weights=tuple((name, weight) for name in ids), **why)
        case "keep":
            return Keep(ids=tuple(ids), **why)
        case _:
            raise EditError(f"{action!r} is no action", fix=did_you_mean(str(action), ACTIONS))


def _new_label(review: Review) -> str | None:
    return review.suggested if review.decision == "accept" else review.new_label


def _ids(table: pa.Table, split: str, among: pa.ChunkedArray | None = None) -> list[str]:
    rows = pc.equal(table["split"], split)
    found: list[str] = table["id"].filter(rows if among is None else pc.and_(rows, among)).to_pylist()
    return found


def _drawn(random: np.random.Generator, ids: Sequence[str], count: int) -> list[str]:
    if len(ids) < count:
        raise EditError(f"expected {count} rows to draw at random from, found {len(ids)}")
    return [ids[position] for position in random.choice(len(ids), count, replace=False).tolist()]


def _splits(table: pa.Table, ids: Sequence[str]) -> list[str]:
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    found: list[str] = table["split"].take(rows).to_pylist()
    return found


def _alike(random: np.random.Generator, keys: Sequence[_Key], candidates: Callable[[_Key], list[str]]) -> list[str]:
    """For each key a random row among its candidates, each row once."""
    drawn = {key: iter(_drawn(random, candidates(key), keys.count(key))) for key in dict.fromkeys(keys)}
    return [next(drawn[key]) for key in keys]


def _relabelled(
    random: np.random.Generator, table: pa.Table, edit: Relabel
) -> tuple[tuple[str, str | None, str | None], ...]:
    """Random rows of the same splits, labelled where the edit's are, and random other labels for them."""
    values = table[edit.field]
    names = sorted({name for name in (*values.to_pylist(), *(new for _, _, new in edit.changes)) if name is not None})
    splits = _splits(table, [name for name, _, _ in edit.changes])
    keys = [(split, old is not None) for split, (_, old, _) in zip(splits, edit.changes, strict=True)]
    drawn = _alike(random, keys, lambda key: _ids(table, key[0], pc.equal(values.is_valid(), key[1])))
    rows = pc.index_in(pa.array(drawn, pa.string()), value_set=table["id"].combine_chunks())
    olds = values.take(rows).to_pylist()
    news = [
        None if new is None else _other(random, names, old) for old, (_, _, new) in zip(olds, edit.changes, strict=True)
    ]
    return tuple(zip(drawn, olds, news, strict=True))


def _other(random: np.random.Generator, names: Sequence[str], old: str | None) -> str:
    others = [name for name in names if name != old]
    if not others:
        raise EditError(f"expected two labels or more to draw from, found {list(names)}")
    return others[int(random.integers(len(others)))]
