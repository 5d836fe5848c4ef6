"""What is known about rows without asking the model: metadata, text statistics, gold answers, truncation, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunewright.analyze.duplicates import duplicates
from tunewright.analyze.readability import STATISTICS, answer_statistics, text_statistics
from tunewright.project import open_dataset
from tunewright.verbs.lengths import truncated
from tunewright.verbs.models import digest, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.tasks import Task

__all__ = ["arrays_of", "found_duplicates", "metadata_names", "near_duplicates", "objects", "text_columns"]

_TEXTS, _DUPLICATES = "columns/text_statistics", "columns/duplicates"
_ALIKE: dict[str, Any] = {"threshold": 0.8, "seed": 0}


def text_columns(project: Project, run: Run, *, force: bool = False) -> pa.Table:
    """Statistics of the texts of every row, of its gold answers, and whether it is cut; kept in the run.

    They are computed again for other settings of the task, other rows and other statistics.

    Returns:
        columns id; ``<field>_<statistic>`` for each text field, see `tunewright.analyze.readability`; ``truncated``; of
        answers from a passage ``answer_...``; of targets that are texts of their own ``label_<statistic>``.
    """
    rows = rows_of(project, run)
    statistics = [*STATISTICS, *answer_statistics([], [], [])]
    wanted = {"task": repr(project.task), "statistics": statistics, "rows": digest(rows)}
    if force or run.made_with(_TEXTS) != wanted:
        columns = text_statistics({name: rows[name].to_pylist() for name in project.task.text_fields})
        columns |= _of_targets(project, rows) | _truncated(project, run, rows)
        with run.making(_TEXTS, wanted):
            run.write(_TEXTS, pa.table({"id": rows["id"], **{name: pa.array(one) for name, one in columns.items()}}))
    return run.table(_TEXTS)


def found_duplicates(project: Project, run: Run, *, force: bool = False) -> pa.Table:
    """`near_duplicates` of all rows; kept in the run, and computed again for other fields and other rows."""
    rows = rows_of(project, run)
    wanted = {"fields": list(project.task.text_fields), "rows": digest(rows), **_ALIKE}
    if force or run.made_with(_DUPLICATES) != wanted:
        with run.making(_DUPLICATES, wanted):
            run.write(_DUPLICATES, near_duplicates(project.task, rows))
    return run.table(_DUPLICATES)


def near_duplicates(task: Task, rows: pa.Table) -> pa.Table:
    """For every row the first one with nearly the same texts.

    Returns:
        columns id, duplicate_of (null without one) and duplicate_similarity.
    """
    texts = {name: rows[name].to_pylist() for name in task.text_fields}
    found = duplicates(texts, id=objects(rows["id"]), **_ALIKE)
    similarity = pa.array(found["duplicate_similarity"], from_pandas=True)
    named = pa.array(found["duplicate_of"].tolist(), pa.string())
    return pa.table({"id": rows["id"], "duplicate_of": named, "duplicate_similarity": similarity})


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
    return {"truncated": truncated(project.task, tokenizer, rows)}
