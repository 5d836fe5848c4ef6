"""``analyze``: everything about the rows of a run that can be known, as columns of the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.clusters import Method, check
from tunewright.analyze.shift import NEEDED, Explanation, Shift, domain_auc, explain_shift
from tunewright.columns import numerals
from tunewright.errors import DataError
from tunewright.files import write_json
from tunewright.project import Project
from tunewright.verbs.described import found_duplicates, text_columns
from tunewright.verbs.evaluations import trained
from tunewright.verbs.grouping import NamedCluster, find_clusters, measured_clusters, place
from tunewright.verbs.models import Advance, Dtype, embeddings, predictions, vectors
from tunewright.verbs.population import population
from tunewright.verbs.results import Result
from tunewright.verbs.slicing import FEWEST, Sliced, named_clusters, slices, usual_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.observe.embed import Pooling
    from tunewright.run import Run
    from tunewright.tasks import Task

__all__ = ["Analyzed", "SplitShift", "analyze"]

_EXPLANATIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitShift:
    """How training and validation rows differ in latent space, and the metadata that explains it, most first.

    ``shift`` is None, and ``why_not`` says why, where there are too few rows to tell.
    """

    shift: Shift | None
    explanations: tuple[Explanation, ...]
    why_not: str

    @property
    def sentence(self) -> str:
        """For people."""
        if self.shift is None:
            return f"Train and validation were not compared: {self.why_not}"
        area = f"AUC {self.shift.auc:.3f} [{self.shift.low:.3f}, {self.shift.high:.3f}]"
        if self.shift.verdict == "cannot tell":
            return f"Train and validation cannot be told apart in latent space: {area}, .5 is guessing."
        if self.shift.verdict == "worse than guessing":
            return (
                f"Whether train and validation differ in latent space cannot be said: {area} is worse than guessing (.5), "
                f"as where rows of one resemble single rows of the other, such as near-duplicates."
            )
        named = ", ".join(_named(one) for one in self.explanations) or "no metadata that explains it"
        return f"Train and validation differ in latent space: {area}, .5 is guessing; {named}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzed(Result):
    """What `analyze` found; the columns themselves are in the run, see `tunewright.verbs.population`.

    ``splits`` counts rows; ``fitted`` is how many of them the UMAP was fitted on, 0 if so few differ that principal
    components stand for it; ``searched`` in how many clusters were looked for, the others were assigned;
    ``unclustered`` rows are in no cluster; ``duplicates`` have nearly the same text as an earlier row,
    ``across_splits`` one of another split.
    """

    run: str
    splits: Mapping[str, int]
    layer: int
    pooling: str
    dtype: Dtype
    dimensions: int
    fitted: int
    searched: int
    method: Method
    clusters: tuple[NamedCluster, ...]
    unclustered: int
    slices: Sliced
    shift: SplitShift
    duplicates: int
    across_splits: int
    seconds: float


def analyze(
    project: Project,
    run: Run | str | None = None,
    *,
    force: bool = False,
    method: Method = "hdbscan",
    clusters: int | None = None,
    layer: int = -1,
    pooling: Pooling = "task",
    dtype: Dtype = "float16",
    smallest: int = 20,
    seed: int = 0,
    advance: Advance | None = None,
) -> Analyzed:
    """Ask the final model about every row of the dataset version, and find the structure in what it sees and says.

    Predictions, embeddings, coordinates, clusters, neighbours, duplicates and text statistics become columns of the
    run, slices and clusters tables, the summary ``analysis.json``. What is there already is not computed again.

    Args:
        project: whose run it is.
        run: by default the last training run.
        force: compute everything again.
        method: of clustering: "hdbscan" finds dense groups and leaves rows over, "kmeans" cuts everything.
        clusters: how many, with "kmeans"; None finds out.
        layer: of the hidden states to embed with; -1 is the last.
        pooling: "task", "mean" or "cls", see `tunewright.observe.embed.Embedder`.
        dtype: of the stored vectors: "float16" or "float32".
        smallest: fewest rows of a slice.
        seed: of UMAP, clusters and samples.
        advance: told what is being done, how many rows are done, and how many there are.

    Raises:
        DataError: if a setting is impossible, or no row has a label.
        RunError: if there is no such run, it has no model or no such layer, or a vector does not fit the dtype.
    """
    started = time.perf_counter()
    check(method, clusters)
    if smallest < FEWEST:
        raise DataError(f"expected slices of {FEWEST} rows or more, found smallest={smallest}")
    run = trained(project, run)
    step = _steps(advance)
    # first, because it refuses an impossible layer and takes less time than predictions
    stored = embeddings(project, run, layer=layer, pooling=pooling, dtype=dtype, force=force, advance=advance)
    predictions(project, run, force=force, advance=advance)
    step("projecting")
    fitted = place(run, seed=seed)
    step("clustering")
    tabled = find_clusters(project, run, method=method, clusters=clusters, seed=seed, force=force)
    step("reading texts")
    text_columns(project, run, force=force)
    found_duplicates(project, run, force=force)
    step("comparing")
    rows = population(project, run)
    twins, across = _duplicates(rows)
    found = Analyzed(
        run=run.id,
        splits=dict(Counter(rows["split"].to_pylist())),
        layer=layer,
        pooling=pooling,
        dtype=dtype,
        dimensions=vectors(stored.slice(0, 1)).shape[1],
        fitted=fitted,
        searched=run.meta["clusters"]["fitted"],
        method=run.meta["clusters"]["method"],
        clusters=measured_clusters(tabled, rows),
        unclustered=int(pc.sum(pc.less(rows["cluster"], 0)).as_py() or 0),
        slices=slices(project, run, smallest=smallest),
        shift=_shift(project, run, stored, rows, seed),
        duplicates=twins,
        across_splits=across,
        seconds=round(time.perf_counter() - started, 1),
    )
    write_json(run.folder / "analysis.json", found.to_json())
    return found


def _shift(project: Project, run: Run, stored: pa.Table, rows: pa.Table, seed: int) -> SplitShift:
    pair = stored.filter(pc.is_in(stored["split"], pa.array(["train", "validation"])))
    domain = np.equal(pair["split"].to_pylist(), "validation")
    rows = named_clusters(rows)
    same = rows.take(pc.index_in(pair["id"].combine_chunks(), value_set=rows["id"].combine_chunks()))
    passages = same[project.task.text_fields[-1]].to_pylist()  # of a text alone, that is the text itself
    try:
        shift = domain_auc(vectors(pair), domain, groups=passages, seed=seed)
    except DataError as error:
        return SplitShift(
            shift=None, explanations=(), why_not=_too_few(project.task, passages, domain) or error.message
        )
    columns = {name: same[name].to_pylist() for name in usual_columns(project, run, rows)}
    explanations = explain_shift(domain, columns)
    return SplitShift(shift=shift, explanations=explanations[:_EXPLANATIONS], why_not="")


def _too_few(task: Task, passages: list[str], domain: NDArray[np.bool_]) -> str:
    """How many different texts there are on either side, if these are too few to compare."""
    validation = {text for text, held in zip(passages, domain.tolist(), strict=True) if held}
    train = {text for text, held in zip(passages, domain.tolist(), strict=True) if not held}
    if min(len(train), len(validation)) >= NEEDED:
        return ""
    what = "texts" if len(task.text_fields) == 1 else "passages"
    return f"{len(train)} training and {len(validation)} validation {what}; {NEEDED} needed of each"


def _named(one: Explanation) -> str:
    name = one.column if one.value is None else f"{one.column} = {one.value}"
    if one.first is None or one.second is None:
        return f"{name} (effect {one.effect:.2f})"
    return f"{name} ({' -> '.join(numerals(one.first, one.second))})"


def _duplicates(rows: pa.Table) -> tuple[int, int]:
    """Rows with nearly the text of an earlier one, and those of them whose earlier one is in another split."""
    twins = rows.filter(pc.is_valid(rows["duplicate_of"]))
    first = rows["split"].take(pc.index_in(twins["duplicate_of"], value_set=rows["id"].combine_chunks()))
    across = pc.sum(pc.not_equal(first, twins["split"])).as_py() or 0
    return twins.num_rows, int(across)


def _steps(advance: Advance | None) -> Callable[[str], None]:
    """Tell what is being done, where nobody knows how far it is."""
    return (lambda what: advance(what, 0, 0)) if advance else (lambda _: None)
