"""``edit``: act on suspects, on a rule, or on a list that a person has reviewed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tunewright.curate import Action, from_reviews, from_rule, from_suspects
from tunewright.data.allowed import GUARDED, require_changeable
from tunewright.data.applying import splits_touched
from tunewright.data.reviewed import read_reviewed
from tunewright.errors import EditError, RunError
from tunewright.project import Project, find_run, open_dataset
from tunewright.table import left_join
from tunewright.verbs.dynamics import learnt
from tunewright.verbs.history import Change, NetDifference, net_difference, told
from tunewright.verbs.results import Result
from tunewright.verbs.signing import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tunewright.data.dataset import Dataset
    from tunewright.data.edits import Edit, Evidence
    from tunewright.data.reviews import Review
    from tunewright.run import Run

__all__ = ["Edited", "edit"]

_TOP = re.compile(r"(?:top:)?(\d+(?:\.\d+)?)(%?)")
_ALL = 100  # percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(Result):
    """What was done to which version, or would be: see ``written``.

    ``name`` is the name that points to ``version`` now; ``reviews`` are how many decisions were kept, rejections among
    them; ``outdated`` are rows the run knows by another label than they have now, which its suspicion is not about.
    ``test_rows`` says whether rows of the test split change.
    """

    written: bool
    name: str
    parent: str
    version: str
    changes: tuple[Change, ...]
    net: NetDifference
    reviews: int
    outdated: int
    test_rows: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Edits to make, decisions to keep, and the number of rows whose label is no longer the one the run knew."""

    edits: Sequence[Edit]
    reviews: Sequence[Review] = ()
    outdated: int = 0


def edit(
    project: Project,
    file: str | Path | None = None,
    *,
    suspects: str | int | None = None,
    rule: str | None = None,
    action: Action | None = None,
    weight: float | None = None,
    run: Run | str | None = None,
    on: str = "main",
    name: str | None = None,
    reason: str = "",
    allow_test: bool = False,
    dry_run: bool = False,
) -> Edited:
    """Relabel, drop, reweight or keep rows: those of a reviewed list, the most suspicious ones, or those a rule finds.

    What was done is kept with its reason, the rule and the ids it resolved to, the run, the author and the time.

    Args:
        project: whose dataset it is.
        file: a reviewed list (CSV; see `tunewright.data.reviewed`). Its decisions are kept, rejections too.
        suspects: ``top:200``, ``200`` or ``top:5%`` of the training rows the run knows, from the most suspicious one.
        rule: a condition over the rows and the run's columns, such as ``suspicion > 0.95 and variability < 0.2``.
        action: relabel, drop or reweight; of a rule also keep. Suspects are relabelled unless it says otherwise.
        weight: for ``reweight``, which needs one; 0 does not count.
        run: whose columns are meant; by default the last training run. Of a reviewed list, where it does not say.
        on: name or id of the version to edit.
        name: the new version gets this name. None: the name in ``on`` moves to it.
        reason: in words.
        allow_test: whether rows of the test split may change; models are then scored on both test sets.
        dry_run: check everything and say what would change, but write nothing.

    Raises:
        DataError: if there is no such file.
        EditError: if the edit does not fit, there is nothing to do, or it changes the test split unasked.
        RunError: if there is no such run, or it has no dynamics.
    """
    if sum(given is not None for given in (file, suspects, rule)) != 1:
        raise EditError("expected one of a reviewed list, suspects and a rule", fix="give FILE, --suspects or --rule")
    _require_weight(action, weight)
    dataset = open_dataset(project)
    parent = dataset.resolve(on)
    before = dataset.table(parent)
    if file is not None:
        if action is not None:
            raise EditError("a reviewed list says itself what to do", fix="leave --action out")
        asked = _reviewed(project, dataset, before, Path(file), run=run, version=parent, reason=reason)
    elif suspects is not None:
        action = _possible(action or "relabel", dataset)
        asked = _suspected(project, before, suspects, action, weight or 0.0, run=run, reason=reason)
    else:
        action = action and _possible(action, dataset)
        asked = _ruled(project, before, str(rule), action, weight or 0.0, run=run, reason=reason)
    return _carried_out(dataset, before, asked, on=on, name=name, allow_test=allow_test, dry_run=dry_run)


def _require_weight(action: Action | None, weight: float | None) -> None:
    if weight is not None and action != "reweight":
        raise EditError(
            f"expected a weight for rows that are reweighted, found {weight:g} for others",
            fix="add --action reweight, or leave --weight out",
        )
    if weight is None and action == "reweight":
        raise EditError(
            "expected a weight for rows that are reweighted, found none",
            fix="add --weight 0.3, or another share of a full row; 0 does not count, as with --action drop",
        )


def _possible(action: Action, dataset: Dataset) -> Action:
    """The action, refused before any row is looked for where no row can have it."""
    if action == "relabel":
        require_changeable("label", dataset.fields)
    return action


def _carried_out(
    dataset: Dataset, before: pa.Table, asked: _Asked, *, on: str, name: str | None, allow_test: bool, dry_run: bool
) -> Edited:
    parent = dataset.resolve(on)
    after = dataset.tried(asked.edits, on=parent, allow_test=allow_test)
    version = parent
    if not dry_run and (asked.edits or name is not None):
        version = dataset.apply(asked.edits, on=on, name=name, allow_test=allow_test, reviews=asked.reviews)
    elif not dry_run:
        dataset.review(asked.reviews)
    recipes = dataset.recipes(parent).num_rows
    return Edited(
        written=not dry_run,
        name=name or on,
        parent=parent,
        version=version,
        changes=tuple(map(told, asked.edits)),
        net=net_difference(dataset, before, after, recipes=(recipes, recipes)),
        reviews=len(asked.reviews),
        outdated=asked.outdated,
        test_rows=any(GUARDED in splits_touched(before, each) for each in asked.edits),
    )


def _reviewed(
    project: Project,
    dataset: Dataset,
    table: pa.Table,
    file: Path,
    *,
    run: Run | str | None,
    version: str,
    reason: str,
) -> _Asked:
    named = "" if run is None else find_run(project, run).id  # a list that names no run may be of none
    why = signed(run=named, analysis="suspects", rule=f"reviewed list {file.name}")
    found = read_reviewed(file, table, labels=dataset.label_names if dataset.fields.label else None)
    if not found:
        raise EditError(f"{file.name}: no line has a decision", fix="write accept, reject, relabel, drop or keep")
    reviews = [_signed(review, why, version=version) for review in found]
    return _Asked(from_reviews(reviews, reason=reason, evidence=why), reviews)


def _signed(review: Review, why: Evidence, *, version: str) -> Review:
    return replace(
        review, version=version, run=review.run or why.run, author=review.author or why.author, time=why.time
    )


def _suspected(
    project: Project,
    table: pa.Table,
    suspects: str | int,
    action: Action,
    weight: float,
    *,
    run: Run | str | None,
    reason: str,
) -> _Asked:
    source = find_run(project, run)
    fresh = _fresh(source, table)
    known = learnt(source)
    trained = pc.and_(pc.equal(fresh["split"], "train"), pc.is_in(fresh["id"], known["id"].combine_chunks()))
    rows = left_join(fresh.filter(trained), known)
    why = signed(run=source.id, analysis="suspects")
    made = from_suspects(rows, action, _top(suspects, rows.num_rows), weight, reason=reason, evidence=why)
    return _Asked([made], outdated=table.num_rows - fresh.num_rows)


def _ruled(
    project: Project,
    table: pa.Table,
    rule: str,
    action: Action | None,
    weight: float,
    *,
    run: Run | str | None,
    reason: str,
) -> _Asked:
    if action is None:
        raise EditError("a rule finds rows; what is to be done with them?", fix="add --action drop, or another")
    if run is None and not _has_run(project):  # a rule may be about the data alone
        return _Asked([from_rule(table, rule, action, weight, reason=reason, evidence=signed())])
    source = find_run(project, run)
    fresh = _fresh(source, table)
    rows = left_join(table, source.widened(left_join(fresh, learnt(source))))
    made = from_rule(rows, rule, action, weight, reason=reason, evidence=signed(run=source.id, analysis="columns"))
    return _Asked([made], outdated=table.num_rows - fresh.num_rows)


def _fresh(run: Run, table: pa.Table) -> pa.Table:
    """Rows but those whose label is another than the run knew: what it says of them is about the old one."""
    then = run.table("examples", ["id", "label"])
    rows = pc.index_in(table["id"].combine_chunks(), value_set=then["id"].combine_chunks())
    knew, now = then["label"].combine_chunks().take(rows), table["label"].combine_chunks()
    same = pc.or_(pc.fill_null(pc.equal(knew, now), False), pc.and_(knew.is_null(), now.is_null()))
    return table.filter(pc.or_(same, rows.is_null()))


def _top(suspects: str | int, known: int) -> int:
    """How many rows ``top:200``, ``200`` or ``top:5%`` are, of those known; of a share at least one."""
    found = _TOP.fullmatch(str(suspects).strip())
    if found is None or (not found[2] and "." in found[1]) or (found[2] and not 0 < float(found[1]) <= _ALL):
        raise EditError(
            f"expected suspects as top:200 or top:5%, found {str(suspects)!r}", fix="--suspects top:200, or top:5%"
        )
    return max(1, round(float(found[1]) / 100 * known)) if found[2] else int(found[1])


def _has_run(project: Project) -> bool:
    """Whether anything has been trained yet."""
    try:
        find_run(project, None)
    except RunError:
        return False
    return True
