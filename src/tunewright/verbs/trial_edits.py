"""What the parts of a decision do to the data: edits, found on training rows and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.regions import select
from tunewright.curate import from_csv, from_rule, from_suspects, random_control
from tunewright.data.applying import apply, splits_touched
from tunewright.data.edits import Add, Keep, Note, Tag
from tunewright.errors import EditError
from tunewright.run import none_yet
from tunewright.table import left_join
from tunewright.trial.decisions import (
    Decision,
    Ensembled,
    Focused,
    Mixed,
    Part,
    Reviewed,
    Ruled,
    Setting,
    Suspected,
    Version,
)
from tunewright.verbs.dynamics import arrays, learnt
from tunewright.verbs.lineage import COLLECTED, collected_edits
from tunewright.verbs.mixing import mixed
from tunewright.verbs.trial_production import at_random

if TYPE_CHECKING:
    from tunewright.data.edits import Edit
    from tunewright.run import Run
    from tunewright.verbs.trial_base import Base

__all__ = ["aimed_at", "collected_adds", "control", "edited", "edits_of", "settings_of"]

_MORE_OFTEN = 1.5


def edits_of(base: Base, decision: Decision) -> tuple[Edit, ...]:
    """The edits of a decision, each made from what those before it leave.

    Raises:
        EditError: if an edit does not fit, changes test rows, or there is nothing to do.
        RunError: if a part rests on a run, and there is none.
    """
    table = base.rows
    made: list[Edit] = []
    for part, text in zip(decision.parts, decision.texts, strict=True):
        for edit in _edits(base, part, table):
            if {base.split, base.beside} & splits_touched(table, edit):
                raise EditError(
                    f"{text} changes rows of split {base.beside or base.split!r}, by which it would be judged",
                    fix="leave these rows out of the edit; correct the test rows first, and then begin a trial",
                )
            table = apply(table, edit, text=base.dataset.fields.text)
            made.append(edit)
    return tuple(made)


def aimed_at(before: pa.Table, after: pa.Table) -> tuple[str, ...]:
    """Labels whose training rows edits touch at least half as often again as training rows at large; often none.

    A row is touched if it is gone or has another label or weight; what counts is the label that it had.

    Args:
        before: columns id, split, label and weight.
        after: the same, edited.
    """
    training = arrays(before.filter(pc.equal(before["split"], "train")).select(["id", "label", "weight"]))
    kept = arrays(after.filter(pc.equal(after["split"], "train")).select(["id", "label", "weight"]))
    now = dict(zip(kept["id"], zip(kept["label"], kept["weight"], strict=True), strict=True))
    was = zip(training["id"], training["label"], training["weight"], strict=True)
    touched = np.array([now.get(row) != (label, weight) for row, label, weight in was], dtype=bool)
    if not touched.any():
        return ()
    names = [name for name in dict.fromkeys(training["label"]) if name is not None]
    share = {name: touched[training["label"] == name].mean() for name in names}
    return tuple(sorted(str(name) for name in names if share[name] >= _MORE_OFTEN * touched.mean()))


def settings_of(decision: Decision) -> dict[str, Any]:
    """Fields of `TrainConfig` that a decision changes.

    Raises:
        TrainError: if there is no such field, or the value is not of its type.
    """
    from tunewright.verbs.settings import parse

    return parse([part.text for part in decision.parts if isinstance(part, Setting)])


def control(base: Base, edits: Sequence[Edit], *, seed: int) -> tuple[Edit, ...]:
    """As many edits of the same kinds at random rows.

    Raises:
        EditError: if there is no such thing as doing this at random.
    """
    table = base.rows
    drawn: list[Edit] = []
    for position, edit in enumerate(edits):
        made = _at_random(base, edit, table, seed=seed * len(edits) + position)
        table = apply(table, made, text=base.dataset.fields.text)
        drawn.append(made)
    return tuple(drawn)


def edited(base: Base, edits: Sequence[Edit]) -> pa.Table:
    """The rows after edits, which nobody has stored."""
    table = base.rows
    for edit in edits:
        table = apply(table, edit, text=base.dataset.fields.text)
    return table


def _edits(base: Base, part: Part, table: pa.Table) -> Sequence[Edit]:  # noqa: PLR0911  one line per kind of part
    match part:
        case Version(name):
            return _version(base, name)
        case Suspected(action, count, share, weight):
            rows = _known(base, table)
            top = count if count is not None else max(1, round((share or 0) * rows.num_rows))
            return [from_suspects(rows, action, top, weight)]
        case Ruled(action, rule, weight):
            return [from_rule(_known(base, table), rule, action, weight)]
        case Reviewed(file):
            return from_csv(Path(file), table)
        case Focused(region, share):
            return [_focus(base, table, region, share)]
        case Mixed(count, alpha, layer):
            return [mixed(table, count=count, alpha=alpha, layer=layer, seed=base.project.seed)]
        case Setting() | Ensembled():
            return []


def collected_adds(base: Base, decision: Decision) -> list[Add]:
    """The edits of a decision that add rows which a monitor collected; only versions have such."""
    named = [part.name for part in decision.parts if isinstance(part, Version)]
    return collected_edits(edit for name in named for edit in _version(base, name))


def _at_random(base: Base, edit: Edit, table: pa.Table, *, seed: int) -> Edit:
    if isinstance(edit, Add) and edit.evidence.analysis == COLLECTED and base.pool is not None:
        return at_random(base.pool, edit, table, seed=seed)
    return random_control(edit, table, seed=seed)


def _version(base: Base, name: str) -> Sequence[Edit]:
    way = base.dataset.diff(base.version, name)
    if way.undone:
        raise EditError(
            f"version {name!r} was not made from {base.version_name!r}, which the trial starts from",
            fix="name a --run that was trained on the version it was made from",
        )
    return [edit for edit in way.applied if not isinstance(edit, Tag | Note)]  # which teach nothing


def _run(base: Base) -> Run:
    if base.run is None:
        raise none_yet(base.project.runs_folder)
    return base.run


def _known(base: Base, table: pa.Table) -> pa.Table:
    """Training rows of a table that the run knows, with all that is known of them."""
    training = table.filter(pc.equal(table["split"], "train"))
    known = learnt(_run(base))
    joined = left_join(training, known)
    return joined.filter(pc.is_in(joined["id"], known["id"].combine_chunks()))


def _focus(base: Base, table: pa.Table, region: str, share: float) -> Keep:
    """Without suspects: among the rows that waver most are many with a wrong label."""
    columns = arrays(_known(base, table))
    suspect = np.equal(columns["suspect"], True)
    chosen = select(columns, region=region, fraction=share, exclude=suspect, seed=base.project.seed)  # type: ignore[arg-type]
    if not chosen.any():
        raise EditError(f"focus:{region}:{share:g} keeps no row")
    return Keep(ids=tuple(columns["id"][chosen].tolist()), reason=f"{share:.3g} most {region}, without suspects")
