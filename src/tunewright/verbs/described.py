"""What is known about rows without asking the model: metadata, text statistics, gold answers, truncation, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.duplicates import duplicates
from tunewright.analyze.readability import answer_statistics, text_statistics
from tunewright.project import open_dataset
from tunewright.verbs.lengths import token_lengths
from tunewright.verbs.models import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["arrays_of", "found_duplicates", "metadata_names", "objects", "text_columns"]

_TEXTS, _DUPLICATES = "columns/text_statistics", "columns/duplicates"


def text_columns(project: Project, run: Run, *, force: bool = False) -> pa.Table:
    """Statistics of the texts of every row, of its gold answers, and whether it is cut; computed once, kept in the run.

    Returns:
        columns id; ``<field>_<statistic>`` for each text field, see `tunewright.analyze.readability`; ``truncated``; of
        answers from a passage ``answer_...``; of targets that are texts of their own ``label_<statistic>``.
    """
    rows = rows_of(project, run)
    if force or not _covers(run, _TEXTS, rows):
        columns = text_statistics({name: rows[name].to_pylist() for name in project.task.text_fields})
        columns |= _of_targets(project, rows) | _truncated(project, run, rows)
        run.write(_TEXTS, pa.table({"id": rows["id"], **{name: pa.array(one) for name, one in columns.items()}}))
    return run.table(_TEXTS)


def found_duplicates(project: Project, run: Run, *, force: bool = False) -> pa.Table:
    """For every row the first one with nearly the same texts; computed once, kept in the run.

    Returns:
        columns id, duplicate_of (null without one) and duplicate_similarity.
    """
    rows = rows_of(project, run)
    if force or not _covers(run, _DUPLICATES, rows):
        texts = {name: rows[name].to_pylist() for name in project.task.text_fields}
        found = duplicates(texts, id=objects(rows["id"]))
        similarity = pa.array(found["duplicate_similarity"], from_pandas=True)
        named = pa.array(found["duplicate_of"].tolist(), pa.string())
        run.write(_DUPLICATES, pa.table({"id": rows["id"], "duplicate_of": named, "duplicate_similarity": similarity}))
    return run.table(_DUPLICATES)


def metadata_names(project: Project, rows: pa.Table) -> tuple[str, ...]:
    """Metadata columns of the project's dataset that the rows have."""
    return tuple(name for name in open_dataset(project).fields.metadata if name in rows.column_names)


def arrays_of(rows: pa.Table, names: tuple[str, ...] | list[str]) -> dict[str, NDArray[np.generic]]:
    """Columns as arrays [n]: numbers as numbers with NaN where there is none, truth values and names as objects."""
    return {name: _array(rows[name]) for name in names}


def objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """[n] whatever the values are; lists stay lists."""
    return np.fromiter(column.to_pylist(), dtype=object, count=len(column))


def _array(column: pa.ChunkedArray) -> NDArray[np.generic]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers: NDArray[np.generic] = column.to_numpy()
        return numbers
    return np.fromiter(map(_plain, column.to_pylist()), dtype=object, count=len(column))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, list | dict) else value


def _of_targets(project: Project, rows: pa.Table) -> dict[str, NDArray[np.generic]]:
    """Statistics of gold answers in a passage, or of gold texts; nothing where targets are classes."""
    task = project.task
    given = [name for name in task.target_fields if name in rows.column_names]
    if given and len(given) == len(task.target_fields):
        answers, starts = (rows[name].to_pylist() for name in given)
        return answer_statistics(rows[task.text_fields[-1]].to_pylist(), answers, starts)
    if task.labels or "label" not in rows.column_names or rows["label"].null_count == rows.num_rows:
        return {}
    return text_statistics({"label": rows["label"].to_pylist()})


def _truncated(project: Project, run: Run, rows: pa.Table) -> dict[str, NDArray[np.generic]]:
    from tunewright.tasks.source import load_tokenizer

    if not run.model_folder.is_dir():
        return {}
    tokenizer = load_tokenizer(str(run.model_folder), trust_remote_code=project.train.trust_remote_code)
    lengths, limit = token_lengths(project.task, tokenizer, rows)
    return {"truncated": lengths > (lengths.max(initial=0) if limit is None else limit)}


def _covers(run: Run, name: str, rows: pa.Table) -> bool:
    return run.has(name) and bool(pc.all(pc.is_in(rows["id"], run.table(name, ["id"])["id"].combine_chunks())).as_py())
