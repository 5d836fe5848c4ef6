"""``monitor clusters``: where in production the scores are low, and the rows of such places to be collected."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.group_scores import GroupScore, group_scores
from tunewright.errors import DataError, MonitorError, did_you_mean
from tunewright.monitor.evaluation import evaluate
from tunewright.monitor.forms import parse
from tunewright.project import Project
from tunewright.verbs.monitoring import find_monitor, watched
from tunewright.verbs.production_space import clustered, kept_clusters, space_of
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.analyze.clusters import Method
    from tunewright.monitor.expressions import Signal
    from tunewright.monitor.watch import Monitor

__all__ = ["LowCluster", "LowScores", "low_scores", "scored_clusters", "scores_in", "text_of"]

_ROWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LowCluster:
    """Rows that lie together, and their scores.

    ``n`` counts rows, ``scored`` those of them with a score; ``interval`` is 95 %. ``below`` says whether the mean is
    surely under that of all other rows (``p``, corrected over the clusters, is under .05). ``words`` set its texts
    apart; ``examples`` are its rows of the lowest scores: id, score, text. ``command`` collects them.
    """

    name: str
    n: int
    scored: int
    mean: float
    interval: tuple[float, float] | None
    rest: float
    p: float
    below: bool
    words: tuple[str, ...]
    examples: tuple[dict[str, Any], ...]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LowScores(Result):
    """Clusters of production rows, the lowest mean score first.

    ``unclustered`` rows lie in none. ``marked`` rows got a reason now, of which ``collected`` are drawn.
    """

    run: str
    score: str
    vectors: str
    rows: int
    scored: int
    mean: float | None
    unclustered: int
    clusters: tuple[LowCluster, ...]
    marked: int = 0
    collected: int = 0


def low_scores(
    project: Project,
    name: str | None = None,
    *,
    score: Signal | str | None = None,
    vectors: str | None = None,
    method: Method = "hdbscan",
    clusters: int | None = None,
    collect: Sequence[str] = (),
    seed: int = 0,
) -> LowScores:
    """Cluster the production rows by their embeddings, and rank the clusters by their mean score.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        score: a column of numbers, or a signal, also as its formula; low is bad. By default ``probability``.
        vectors: column of embeddings; by default that of the drift check.
        method: of clustering, see `tunewright.analyze.clusters.cluster`.
        clusters: how many, of "kmeans".
        collect: names of clusters whose rows get the reason ``cluster:<name>``, so that the collector has them. The
            clusters are those that were found last, whatever rows came since.
        seed: of the clustering.

    Raises:
        DataError: if there is no such score, or no such cluster.
        MonitorError: if there is no such monitor, or its rows have no embeddings.
    """
    with watched(project, find_monitor(project, name)) as watch:
        settings: dict[str, Any] = {"vectors": vectors, "method": method, "clusters": clusters, "seed": seed}
        return scores_in(project, watch, watch.rows(), score=score, collect=collect, **settings)


def scores_in(
    project: Project,
    watch: Monitor,
    rows: pa.Table,
    *,
    score: Signal | str | None = None,
    vectors: str | None = None,
    collect: Sequence[str] = (),
    **settings: Any,
) -> LowScores:
    """As `low_scores`, of an open monitor and all its rows."""
    space = space_of(watch, rows, vectors)
    told, numbers = _scores(watch, rows, score)
    kept = kept_clusters(watch.run, rows, vectors=space) if collect else None
    if kept is None:
        kept = clustered(watch.run, rows, vectors=space, texts=text_of(project, rows), **settings)
    found = scored_clusters(project, rows, kept, numbers, command=_command(watch.run.id, told))
    marked, drawn = _collect(watch, kept, numbers, collect, [one.name for one in found])
    known = np.isfinite(numbers)
    return LowScores(
        run=watch.run.id,
        score=told,
        vectors=space,
        rows=rows.num_rows,
        scored=int(known.sum()),
        mean=float(numbers[known].mean()) if known.any() else None,
        unclustered=int((kept["cluster"].to_numpy() < 0).sum()),
        clusters=found,
        marked=marked,
        collected=drawn,
    )


def scored_clusters(
    project: Project, rows: pa.Table, kept: pa.Table, numbers: NDArray[np.float64], *, command: str
) -> tuple[LowCluster, ...]:
    """Clusters with their scores, the lowest mean first.

    Args:
        project: names the text fields.
        rows: of production.
        kept: [rows] their clusters.
        numbers: [rows] scores, NaN where there is none.
        command: that collects a cluster, without its name.
    """
    from tunewright.analyze.cluster_names import terms

    code, texts = kept["cluster"].to_numpy(), text_of(project, rows)
    ids, names = rows["id"].to_pylist(), kept["cluster_name"].to_pylist()
    words = terms(code, texts) if (code >= 0).any() else []
    return tuple(
        _cluster(one, code, numbers, (ids, texts, names), words=tuple(words[one.number][:8]), command=command)
        for one in group_scores(code, numbers)
    )


def text_of(project: Project, rows: pa.Table) -> list[str]:
    """[n] what a row says: its text fields, or whatever columns of texts it has."""
    fields = [name for name in project.task.text_fields if name in rows.column_names]
    fields = fields or [item.name for item in rows.schema if pa.types.is_string(item.type) and item.name != "id"]
    columns = [pc.fill_null(rows[name].cast(pa.string()), "").to_pylist() for name in fields]
    return [" ".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * rows.num_rows


def _cluster(
    one: GroupScore,
    code: NDArray[np.int64],
    numbers: NDArray[np.float64],
    told: tuple[list[str], list[str], list[str | None]],
    *,
    words: tuple[str, ...],
    command: str,
) -> LowCluster:
    ids, texts, names = told
    inside = np.flatnonzero(code == one.number)
    lowest = inside[np.argsort(numbers[inside], kind="stable")][:_ROWS].tolist()  # NaN comes last
    name = names[int(inside[0])] or f"cluster {one.number}"
    return LowCluster(
        name=name,
        n=len(inside),
        scored=one.n,
        mean=one.mean,
        interval=one.interval,
        rest=one.rest,
        p=one.p,
        below=one.below,
        words=words,
        examples=tuple({"id": ids[row], "score": float(numbers[row]), "text": texts[row]} for row in lowest),
        command=f"{command} --collect {shlex.quote(name)}",
    )


def _command(run: str, score: str) -> str:
    return f"tunewright monitor clusters --name {shlex.quote(run)} --score {shlex.quote(score)}"


def _scores(watch: Monitor, rows: pa.Table, score: Signal | str | None) -> tuple[str, NDArray[np.float64]]:
    """Name of a score, and [rows] its values, NaN where there is none."""
    if score is None:
        score = "probability"
        if score not in rows.column_names:
            raise DataError(
                "expected the name of a score, as the production rows have no column 'probability'",
                fix='name a column of numbers, or a signal: --score \'text.rouge_l("document", "output")\'',
            )
    if isinstance(score, str) and score in rows.column_names:
        return score, _numbers(score, rows[score])
    if isinstance(score, str) and score.isidentifier():
        raise DataError(f"no column of the rows is called {score!r}", fix=did_you_mean(score, rows.column_names))
    signal = parse(score, {}) if isinstance(score, str) else score
    found = evaluate({"score": signal}, rows, reference=watch.reference)
    if found.errors:
        raise DataError(f"the score failed: {found.errors['score']}")
    return str(signal), _numbers(str(signal), found.values["score"])


def _numbers(name: str, values: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise DataError(f"expected numbers as the score, found {kind} in {name!r}", fix="name a column of numbers")
    numbers: NDArray[np.float64] = pc.fill_null(pc.cast(values, pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    return numbers


def _collect(
    watch: Monitor, kept: pa.Table, numbers: NDArray[np.float64], wanted: Sequence[str], known: list[str]
) -> tuple[int, int]:
    """How many rows of these clusters got a reason, and how many of them the collector draws."""
    for name in wanted:
        if name not in known:
            raise DataError(f"no cluster is called {name!r}", fix=did_you_mean(name, known))
    if watch.collector is None and wanted:
        raise MonitorError("this monitor collects nothing", fix="open it with collect=Collector(budget=...)")
    marked: set[str] = set()
    for name in wanted:
        inside = np.flatnonzero(
            pc.fill_null(pc.equal(kept["cluster_name"], name), False).to_numpy(zero_copy_only=False)
        )
        ids = kept["id"].take(inside).to_pylist()
        watch.mark(ids, f"cluster:{name}", scores=np.nan_to_num(numbers[inside]).tolist())
        marked |= set(ids)
    drawn = set(watch.collected()["id"].to_pylist()) & marked if marked else set()
    return len(marked), len(drawn)
