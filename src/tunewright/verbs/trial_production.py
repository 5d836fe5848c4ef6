"""Production rows in a trial of collected rows: those that judge, and those that stand for collecting at random.

Both are chosen before any arm is made. The rows that judge are those that `monitor collected --add` never adds, as many
of them collected as in production at large: whether collecting helped is asked where the model is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import Add, Evidence
from tunewright.data.intake import content_of
from tunewright.errors import EditError, did_you_mean
from tunewright.monitor.retraining import HELD_OUT, NewRow, add_of, as_new_rows, drawn, held_out, thinned
from tunewright.verbs.collecting import has_truth
from tunewright.verbs.monitoring import find_monitor, seen

if TYPE_CHECKING:
    from tunewright.verbs.trial_base import Base

__all__ = ["SPLIT", "Control", "Pool", "at_random", "with_production"]

Control = Literal["rest", "whole", "none"]
"""Where random rows are drawn: from those that were not collected, from all, or nowhere."""

SPLIT = "production"
"""Name of the split of the production rows that judge."""
_FEWEST = 10
"""Rows that judge, at least; fewer could show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Labelled production rows from which a control is drawn, and what was found of them.

    Args:
        monitor: whose rows they are.
        control: which rows may be drawn.
        rows: in no order that matters; none where there is no control.
        needed: how many an arm draws at most.
        judges: how many other rows judge; 0 if there are too few, and the test rows do.
        unknown: rows left out, for their label is none of the dataset's.
    """

    monitor: str
    control: Control
    rows: tuple[NewRow, ...]
    needed: int
    judges: int
    unknown: int

    def sentence(self) -> str:
        """What is compared with what, in words."""
        judged = f"{self.judges:,} production rows that no arm learns from judge, the test rows beside them"
        if not self.judges:
            judged = f"fewer than {_FEWEST} labelled production rows are held out from all arms, so the test rows judge alone"
        drawn_from = {"rest": "labelled production rows that were not collected", "whole": "labelled production rows"}
        chance = f"{self.needed:,} of {len(self.rows):,} {drawn_from.get(self.control, '')} for each seed"
        left = f"; {self.unknown:,} rows have a label that the dataset does not know" if self.unknown else ""
        return f"{judged}; at random: {chance if self.control != 'none' else 'none were asked for'}{left}"


def with_production(base: Base, adds: Sequence[Sequence[Add]], control: str) -> Base:
    """The base with production rows that judge and that can be drawn, if a decision adds collected rows.

    Args:
        base: what the decisions are changes of.
        adds: by decision, the edits that add collected rows.
        control: see `Control`.

    Raises:
        EditError: if there are too few labelled rows for a control, or the rows are of several monitors.
        MonitorError: if the monitor is not there, or another process writes to it.
    """
    if control not in get_args(Control):
        raise EditError(f"no control is called {control!r}", fix=did_you_mean(control, get_args(Control)))
    edits = [edit for own in adds for edit in own]
    if not edits:
        return base
    names = sorted({edit.evidence.run for edit in edits})
    if len(names) > 1:
        raise EditError(
            f"expected collected rows of one monitor, found those of {', '.join(names)}", fix="try one each"
        )
    found = _Found.of(base, names[0], edits)
    judges = found.judges()
    pool = Pool(
        monitor=names[0],
        control=control,  # type: ignore[arg-type]  # it was looked up
        rows=found.pool(control),
        needed=max(sum(len(edit.rows) for edit in own) for own in adds),
        judges=len(judges),
        unknown=found.unknown,
    )
    _require_enough(pool, whole=len(found.pool("whole")))
    return _judged_by(base, pool, judges)


def at_random(pool: Pool, edit: Add, table: pa.Table, *, seed: int) -> Add:
    """As many production rows as an edit adds, drawn at random among those that a table does not have.

    Raises:
        EditError: if no control was asked for, or too few rows are left.
    """
    taken = set(table["id"].to_pylist())
    free = [row for row in pool.rows if row.values["id"] not in taken]
    if len(free) < len(edit.rows):
        raise EditError(f"expected {len(edit.rows)} production rows to draw at random from, found {len(free)}")
    evidence = Evidence(
        run=pool.monitor, analysis="monitor, at random", rule=f"random rows (seed {seed})", time=edit.evidence.time
    )
    return add_of(drawn(free, len(edit.rows), seed=seed), reason=f"random control (seed {seed})", evidence=evidence)


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows of production that a dataset does not have, and what of them was collected and is added."""

    fresh: tuple[NewRow, ...]
    labelled: tuple[NewRow, ...]
    collected: frozenset[str]
    added: frozenset[str]
    share: float
    unknown: int

    @classmethod
    def of(cls, base: Base, monitor: str, edits: Sequence[Add]) -> _Found:
        with seen(base.project, find_monitor(base.project, monitor)) as watch:
            production, chosen = watch.rows(), set(watch.collected()["id"].to_pylist())
        fields, labels = base.dataset.fields, set(base.project.task.labels)
        fresh, _ = as_new_rows(production, monitor=monitor, before=base.rows, fields=fields)
        told = [row for row in fresh if has_truth(base.project, row)]
        labelled = tuple(row for row in told if not labels or row.values["label"] in labels)
        rows = [row for edit in edits for row in edit.rows]
        added = frozenset(
            content_of(
                [pa.chunked_array([[row[name] for row in rows]], pa.string()) for name in fields.text]
            ).to_pylist()
        )
        collected = frozenset(row.content for row in fresh if row.production in chosen) | added
        share = max(float(edit.evidence.facts.get("held_out", HELD_OUT)) for edit in edits)
        return cls(fresh, labelled, collected, added, share, len(told) - len(labelled))

    def judges(self) -> tuple[NewRow, ...]:
        """Held-out rows that no arm learns from, with as many collected ones among them as production has."""
        rows = [row for row in self.labelled if row.content not in self.added]
        among = sum(row.content in self.collected for row in self.fresh)
        share = among / max(len(self.fresh), 1)
        kept = thinned(held_out(rows, self.share), lambda row: row.content in self.collected, share=share)
        return kept if len(kept) >= _FEWEST else ()

    def pool(self, control: str) -> tuple[NewRow, ...]:
        """Rows that a control may draw, none of which judges."""
        if control == "none":
            return ()
        rows = [row for row in self.labelled if row.place >= self.share]
        return tuple(row for row in rows if control == "whole" or row.content not in self.collected)


def _require_enough(pool: Pool, *, whole: int) -> None:
    missing = pool.needed - len(pool.rows)
    if pool.control == "none" or missing <= 0:
        return
    instead = f", or draw from all {whole:,} labelled ones (--control whole)" if whole >= pool.needed else ""
    raise EditError(
        f"a control of the same size adds {pool.needed:,} random production rows that were not collected; "
        f"{len(pool.rows):,} have a label, {missing:,} are missing",
        fix="list rows to label: tunewright monitor collected --control --csv random.csv, and attach them: tunewright "
        f"monitor attach random.csv{instead}, or do without (--control none)",
    )


def _judged_by(base: Base, pool: Pool, judges: Sequence[NewRow]) -> Base:
    """The base with the production rows that judge, if there are any, and the test rows beside them."""
    if not judges:
        return replace(base, pool=pool)
    if SPLIT in pc.unique(base.rows["split"]).to_pylist():
        raise EditError(f"the dataset has a split of its own that is called {SPLIT!r}", fix="rename it")
    evidence = Evidence(run=pool.monitor, analysis="monitor, held out", rule="hash of the texts")
    edit = add_of(judges, split=SPLIT, reason=f"{len(judges)} production rows that judge", evidence=evidence)
    fingerprint = base.dataset.fingerprint(SPLIT, base.version, after=[edit])
    return replace(base, pool=pool, held_out=edit, split=SPLIT, beside=base.split, fingerprint=fingerprint)
