"""``mix``: draw pairs of training rows, look at what they teach, and keep them as an edit of the dataset."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from tunewright.analyze.mixing import Audit, audit, draw_pairs
from tunewright.data.applying import apply
from tunewright.data.edits import Mix
from tunewright.errors import EditError, ProjectError, RunError
from tunewright.project import Project, find_run, open_dataset
from tunewright.verbs.results import Result
from tunewright.verbs.signing import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["Mixed", "mix", "mixed"]

_VECTORS = ("frozen", "embeddings")
"""Tables of a run with a vector for each row, the one that no label has touched first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed(Result):
    """Recipes of synthetic rows, what the audit says of them, and the version they were written to, if they were.

    ``of`` is the number of labelled training rows to choose parents from.
    """

    name: str
    version: str | None
    parent: str
    rule: str
    of: int
    audit: Audit


def mix(
    project: Project,
    *,
    count: int,
    alpha: float = 0.9,
    layer: str = "embeddings",
    seed: int | None = None,
    on: str = "main",
    name: str = "mixed",
    run: Run | str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Mixed:
    """Mix pairs of training rows into synthetic ones (MixUp, Zhang et al. 2018).

    The pairs are an edit of the dataset: recipes of which a training makes rows in its forward pass, with labels mixed
    in the same shares. Parents are labelled training rows with a weight above 0.

    Args:
        project: whose dataset it is.
        count: number of synthetic rows.
        alpha: of the Beta(alpha, alpha) that the share of the first parent is drawn from; by default that of the recipe
            rotten_tomatoes_mixup. Zhang et al. 2018 mix images at 0.1 to 0.4, which makes more near copies.
        layer: where vectors are mixed: ``embeddings``, ``hidden:K`` or ``pooled``.
        seed: of the pairs and their shares; by default the project's.
        on: name or id of the version to edit.
        name: of the new version.
        run: whose embeddings say how far mixtures are from their parents; None leaves that out.
        reason: in words.
        dry_run: audit the pairs, and write nothing.

    Raises:
        DataError: if there are fewer than two rows to mix, or a number is out of range.
        EditError: if the name is taken, or there is no such layer.
        ProjectError: if the task has no list of labels.
        RunError: if the run has no embeddings of these rows.
    """
    if not project.task.labels:
        raise ProjectError("MixUp expects a task with a list of labels, found one without", fix="mix classifications")
    dataset = open_dataset(project)
    if not dry_run and name in dataset.versions:
        raise EditError(f"there is a version called {name!r} already", fix="choose another --name")
    parent = dataset.resolve(on)
    table = dataset.table(parent)
    seed = project.seed if seed is None else seed
    edit = mixed(table, count=count, alpha=alpha, layer=layer, seed=seed, reason=reason)
    apply(table, edit, text=dataset.fields.text)  # refuses what does not fit, also when nothing is to be written
    rows = _parents(table)
    vectors = None if run is None else _vectors(find_run(project, run), rows)
    found = _audited(edit, rows, vectors, seed=seed)
    version = None if dry_run else dataset.apply([edit], on=parent, name=name)
    return Mixed(name=name, version=version, parent=parent, rule=edit.evidence.rule, of=rows.num_rows, audit=found)


def mixed(table: pa.Table, *, count: int, alpha: float, layer: str, seed: int, reason: str = "") -> Mix:
    """The edit that adds synthetic rows of random pairs, signed with its rule.

    Args:
        table: columns id, content, split, label and weight.
        count: number of pairs.
        alpha: see `mix`.
        layer: see `mix`.
        seed: of the pairs and their shares.
        reason: in words.

    Raises:
        DataError: if there are fewer than two rows to mix, or a number is out of range.
    """
    rows = _parents(table)
    pairs, share = draw_pairs(rows.num_rows, count, alpha=alpha, seed=seed)
    rule = f"mixup alpha={alpha:g} layer={layer} count={count} seed={seed}"
    ids: list[str] = rows["id"].to_pylist()
    prefix = _prefix(rule, ids)
    recipes = (
        (f"{prefix}-{number:05d}", ids[a], ids[b], round(weight, 6))
        for number, ((a, b), weight) in enumerate(zip(pairs.tolist(), share.tolist(), strict=True))
    )
    evidence = signed(analysis="mixing", rule=rule)
    return Mix(recipes=tuple(recipes), layer=layer, reason=reason, evidence=evidence)


def _prefix(rule: str, ids: Sequence[str]) -> str:
    """What recipes are called: alike for the same rule on the same rows, and different from any other's."""
    digest = hashlib.blake2b("\n".join([rule, *ids]).encode(errors="surrogatepass"), digest_size=3).hexdigest()
    return f"mix-{digest}"


def _parents(table: pa.Table) -> pa.Table:
    """Rows that are trained on: columns id, label, content."""
    usable = pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"]))
    return table.filter(pc.and_(usable, pc.greater(table["weight"], 0))).select(["id", "label", "content"])


def _audited(edit: Mix, rows: pa.Table, vectors: NDArray[np.float32] | None, *, seed: int) -> Audit:
    place = {name: row for row, name in enumerate(rows["id"].to_pylist())}
    return audit(
        np.array([(place[a], place[b]) for _, a, b, _ in edit.recipes], np.int64),
        np.array([weight for *_, weight in edit.recipes]),
        labels=rows["label"].to_pylist(),
        texts=rows["content"].to_pylist(),
        vectors=vectors,
        seed=seed,
    )


def _vectors(run: Run, rows: pa.Table) -> NDArray[np.float32]:
    """[rows, dimensions] embeddings of the rows."""
    for name in _VECTORS:
        if run.has(name):
            table = run.table(name, ["id", "vector"])
            at = pc.index_in(rows["id"], value_set=table["id"].combine_chunks())
            if at.null_count == 0:
                flat = table["vector"].combine_chunks().take(at.combine_chunks()).flatten()
                vectors: NDArray[np.float32] = np.asarray(flat.to_numpy(zero_copy_only=False), np.float32)
                return vectors.reshape(rows.num_rows, -1)
    raise RunError(
        f"expected embeddings of all {rows.num_rows} training rows in run {run.id}, found none",
        fix="run `tunewright analyze` on it first, or leave --run out",
    )
