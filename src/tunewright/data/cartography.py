"""The interchange format of training dynamics: AllenAI cartography's ``dynamics_epoch_N.jsonl``, and its maps.

A file per epoch holds one object per example: ``guid``, ``logits_epoch_N`` and ``gold``, the index of the gold label
(https://github.com/allenai/cartography; Swayamdipta et al. 2020).
"""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from tunewright.errors import DataError
from tunewright.files import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_statistics", "read_dynamics", "read_map", "statistics", "write_dynamics"]

_FILE = re.compile(r"dynamics_epoch_(\d+)\.jsonl")


def read_dynamics(folder: str | Path) -> pa.Table:
    """Training dynamics that AllenAI's code, or `write_dynamics`, has written.

    Args:
        folder: of ``dynamics_epoch_0.jsonl`` and so on, or the folder of the model they lie below
            (``training_dynamics``).

    Returns:
        Columns id (string), epoch (int32), logits (list of float64, one per label), gold (int64).

    Raises:
        DataError: if there are no such files, an epoch is missing, or a file is not of this format.
    """
    folder = Path(folder)
    below = folder / "training_dynamics"
    files = _epochs(below if below.is_dir() else folder)
    if sorted(files) != list(range(len(files))) or not files:
        raise DataError(
            f"expected dynamics_epoch_0.jsonl and so on without gaps in {folder}, found the epochs {sorted(files)}"
        )
    return pa.concat_tables([_epoch(files[epoch], epoch) for epoch in sorted(files)])


def write_dynamics(table: pa.Table, folder: str | Path) -> None:
    """Write training dynamics as AllenAI's code reads them; ids that are all integers become integers again.

    Args:
        table: columns id, epoch, logits, gold, as `read_dynamics` gives them; see `from_statistics`.
        folder: made if missing; files of epochs the table has are replaced.
    """
    whole = pc.all(pc.match_substring_regex(table["id"], r"^(0|[1-9][0-9]{0,17})$")).as_py()
    for epoch in pc.unique(table["epoch"]).to_pylist():
        part = table.filter(pc.equal(table["epoch"], epoch))
        columns = (part[name].to_pylist() for name in ("id", "logits", "gold"))
        lines = (
            json.dumps({"guid": int(name) if whole else name, f"logits_epoch_{epoch}": logits, "gold": gold})
            for name, logits, gold in zip(*columns, strict=True)
        )
        write_text(Path(folder) / f"dynamics_epoch_{epoch}.jsonl", "\n".join(lines) + "\n")


def read_map(path: str | Path) -> pa.Table:
    """A published data map (JSON Lines, also ``.gz``).

    Returns:
        Columns id (string), confidence [0, 1], variability [0, 0.5], correctness (number of epochs, int64).

    Raises:
        DataError: if the file is not of this format.
    """
    table = _json_lines(Path(path))
    names = ["guid", "confidence", "variability", "correctness"]
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise DataError(f"expected {names} in every line of {path}, found no {missing}")
    return pa.table({"id": pc.cast(table["guid"], pa.string())} | {name: table[name] for name in names[1:]})


def statistics(table: pa.Table) -> pa.Table:
    """The columns a run keeps of its dynamics, from logits.

    Args:
        table: columns id, epoch, logits (at least two, the same number everywhere), gold, as `read_dynamics` gives.

    Returns:
        Columns id, epoch, window, step, rank (0 where the format does not say), gold_probability, loss (nats),
        gold_logit, other_logit, log_sum_exp, sum_of_squares, margin, other, correct; float64, to lose nothing.

    Raises:
        DataError: if the rows have different numbers of logits, or gold is not one of them.
    """
    logits, gold = _matrix(table), table["gold"].to_numpy()
    if len(gold) and not (gold.min() >= 0 and gold.max() < logits.shape[1]):
        raise DataError(f"expected gold labels from 0 to {logits.shape[1] - 1}, found {gold.min()} to {gold.max()}")
    rows = np.arange(len(gold))
    highest = logits.max(axis=1, initial=-np.inf)
    log_sum_exp = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    gold_logit = logits[rows, gold]
    others = logits.copy()
    others[rows, gold] = -np.inf
    other = others.argmax(axis=1) if len(gold) else gold
    other_logit = others[rows, other]
    zeros = np.zeros(len(gold), np.int32)
    return pa.table(
        {
            "id": table["id"],
            "epoch": table["epoch"],
            **dict.fromkeys(("window", "step", "rank"), zeros),
            "gold_probability": np.exp(gold_logit - log_sum_exp),
            "loss": log_sum_exp - gold_logit,
            "gold_logit": gold_logit,
            "other_logit": other_logit,
            "log_sum_exp": log_sum_exp,
            "sum_of_squares": np.exp(2 * (logits - log_sum_exp[:, None])).sum(axis=1),
            "margin": gold_logit - other_logit,
            "other": other,
            "correct": gold_logit > other_logit,
        }
    )


def from_statistics(dynamics: pa.Table, *, gold: pa.Table, labels: int) -> pa.Table:
    """Logits to export, from the columns a run keeps: equal gold probability, margin and best other label.

    A run keeps the gold logit, the largest other one and the log of the softmax denominator. The other labels share
    what is left of the denominator evenly, so every score of a data map is that of the true logits; with two labels
    the logits are the true ones.

    Args:
        dynamics: columns id, epoch, gold_logit, other_logit, other, log_sum_exp of a run.
        gold: columns id and gold (index of the gold label) of the examples.
        labels: how many labels there are.

    Returns:
        Columns id, epoch, logits, gold, as `write_dynamics` takes them.

    Raises:
        DataError: if an example has no gold label.
    """
    known = pc.index_in(dynamics["id"], value_set=gold["id"].combine_chunks())
    if known.null_count:
        first = dynamics["id"].filter(pc.is_null(known))[0].as_py()
        raise DataError(
            f"expected a gold label for every example, found none for {known.null_count} rows such as {first}"
        )
    codes = gold["gold"].take(known).to_numpy()
    values = {name: _floats(dynamics, name) for name in ("gold_logit", "other_logit", "log_sum_exp")}
    spread = sum(np.exp(values[name] - values["log_sum_exp"]) for name in ("gold_logit", "other_logit"))
    left = np.maximum(1 - spread, np.finfo(np.float64).tiny) / max(labels - 2, 1)
    rest = np.minimum(values["log_sum_exp"] + np.log(left), values["other_logit"])
    logits = np.repeat(rest[:, None], labels, axis=1)
    rows = np.arange(len(codes))
    logits[rows, dynamics["other"].to_numpy()] = values["other_logit"]
    logits[rows, codes] = values["gold_logit"]
    offsets = np.arange(0, logits.size + 1, labels, dtype=np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(logits.ravel()))
    return pa.table({"id": dynamics["id"], "epoch": dynamics["epoch"], "logits": lists, "gold": codes})


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = table[name].to_numpy().astype(np.float64)
    return values


def _epochs(folder: Path) -> dict[int, Path]:
    found = ((_FILE.fullmatch(path.name), path) for path in (folder.iterdir() if folder.is_dir() else ()))
    return {int(match[1]): path for match, path in found if match}


def _epoch(path: Path, epoch: int) -> pa.Table:
    field = f"logits_epoch_{epoch}"
    schema = pa.schema([(field, pa.list_(pa.float64())), ("gold", pa.int64())])
    table = _json_lines(path, pj.ParseOptions(explicit_schema=schema))
    if "guid" not in table.column_names or any(table[name].null_count for name in ("guid", field, "gold")):
        raise DataError(f"expected guid, {field} and gold in every line of {path}, found {table.column_names} or gaps")
    return pa.table(
        {
            "id": pc.cast(table["guid"], pa.string()),
            "epoch": pa.array(np.full(table.num_rows, epoch, np.int32)),
            "logits": table[field],
            "gold": table["gold"],
        }
    )


def _json_lines(path: Path, options: Any = None) -> pa.Table:
    try:
        data = path.read_bytes()
        return pj.read_json(io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data), parse_options=options)
    except (EOFError, OSError, pa.ArrowInvalid) as error:
        raise DataError(f"expected JSON Lines in {path}, found something else ({error})") from error


def _matrix(table: pa.Table) -> NDArray[np.float64]:
    """[n, labels]"""
    column = table["logits"].combine_chunks()
    sizes = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(sizes) > 1 or (sizes and (sizes[0] is None or sizes[0] < 2)):
        raise DataError(f"expected two or more logits, the same number in every row, found {sorted(map(str, sizes))}")
    flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    matrix: NDArray[np.float64] = flat.reshape(len(column), sizes[0] if sizes else 2)
    return matrix
