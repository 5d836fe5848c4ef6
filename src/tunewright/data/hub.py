"""Data sets of the ``datasets`` library: from the Hub, from a saved folder, or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.data.notes import Notes, annotate
from tunewright.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["from_memory", "is_from_datasets", "is_saved", "load", "load_saved"]


def is_from_datasets(source: object) -> bool:
    """Whether an object is one of the ``datasets`` library; does not import it."""
    return type(source).__module__.partition(".")[0] == "datasets"


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by ``save_to_disk``."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def load(name: str) -> Any:
    """Load a data set of the Hub, ``owner/name`` or ``owner/name:configuration``; downloads what is not cached.

    Raises:
        DataError: if it cannot be loaded; the message of the ``datasets`` library is part of it.
    """
    from datasets import load_dataset

    path, _, configuration = name.partition(":")
    try:
        return load_dataset(path, configuration or None)
    except Exception as error:  # the library raises dozens of unrelated types
        raise DataError(
            f"expected a file, a folder or a data set of the Hub called {name!r}; loading it failed: {_first_line(error)}",
            fix="check the path or the name, the network, and HF_DATASETS_OFFLINE; write 'name:configuration' if it has several",
        ) from error


def load_saved(folder: Path) -> Any:
    """Load what ``save_to_disk`` has written.

    Raises:
        DataError: if the folder is incomplete.
    """
    from datasets import load_from_disk

    try:
        return load_from_disk(str(folder))
    except Exception as error:  # see above
        raise DataError(
            f"expected a complete data set saved by `datasets` in {folder}: {_first_line(error)}",
            fix="save it again with save_to_disk",
        ) from error


def from_memory(source: Any, *, split: str | None) -> list[tuple[str | None, pa.Table]]:
    """(split, table) of a ``datasets.Dataset``, or of each member of a ``DatasetDict``.

    Args:
        source: what to turn into tables; class labels stay codes, and their names go to the notes.
        split: of a dict, read only this one; of a single data set, the split its rows belong to.

    Raises:
        DataError: if there is no such split, or the data set is a stream.
    """
    if not isinstance(source, Mapping):
        return [(split, _table(source))]
    if split is None:
        return [(name, _table(member)) for name, member in source.items()]
    if split not in source:
        raise DataError(f"the data set has no split {split!r}", fix=did_you_mean(split, source))
    return [(split, _table(source[split]))]


def _table(source: Any) -> pa.Table:
    if not hasattr(source, "with_format") or not hasattr(source, "__len__"):
        raise DataError(f"expected a datasets.Dataset, found {type(source).__name__}", fix="load it without streaming")
    names = {column: tuple(feature.names) for column, feature in source.features.items() if hasattr(feature, "names")}
    return annotate(source.with_format("arrow")[:], Notes(names))


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error) or '-').splitlines()[0]}"
