"""The embedded default data set: which library wrote this docstring?

Every machine that has Tunewright has these libraries, so there is nothing to download and nothing to ship. Names of
the libraries are masked; what remains to tell them apart is what they talk about and how.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy import sparse

from tunewright.data.docstrings import Docstring, collect, rank
from tunewright.errors import DataError
from tunewright.files import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PACKAGES", "docstrings", "plant", "write_demo"]

PACKAGES = ("numpy", "scipy", "sklearn", "torch", "transformers")
_SHARES = {"train": 0.6, "validation": 0.12, "test": 0.28}
_ALIKE = 0.7  # Jaccard index of two texts' sets of words, from which on they are near-duplicates
_FEWEST = 10  # rows per label; fewer do not fill three splits


def docstrings(packages: Sequence[str] = PACKAGES, *, per_label: int = 680, seed: int = 0) -> pa.Table:
    """First paragraphs of docstrings of installed packages, labelled with the package: balanced, clean, split.

    The same versions and seed give the same table. Equal texts and near-duplicates appear once, or not at all where
    several packages have them, so that no text is in two splits.

    Args:
        packages: import names, two or more.
        per_label: rows of each package; fewer where the smallest package has fewer.
        seed: which files and texts are taken, and in which split they are.

    Returns:
        Columns id, text, label, split (train, validation, test), module, kind, length (words); sorted by id.

    Raises:
        DataError: if a package is not installed, or has fewer than ten usable docstrings.
    """
    pool = [found for package in packages for found in collect(package, masked=packages, seed=seed)]
    by_label = _by_label(_distinct(sorted(pool, key=lambda found: rank(found.id, seed))), packages)
    size = min(per_label, *map(len, by_label.values()))
    if size < _FEWEST:
        counts = ", ".join(f"{label} {len(found)}" for label, found in by_label.items())
        raise DataError(
            f"expected at least {_FEWEST} docstrings per package, found {counts}", fix="name other packages"
        )
    return _table([row for found in by_label.values() for row in zip(found[:size], _splits(size), strict=True)])


def plant(table: pa.Table, *, noise: float = 0.08, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Flip a share of the training labels, each to another one drawn uniformly; other splits stay clean.

    Args:
        table: a table as `docstrings` returns it.
        noise: share of the training rows, in [0, 1]; rounded to a whole number of rows.
        seed: which rows, and which labels they get.

    Returns:
        The table with flipped labels, and the planted errors: columns id, true_label.
    """
    generator = np.random.default_rng(seed)
    labels = table["label"].to_pylist()
    names = sorted(set(labels))
    train = np.flatnonzero(np.array(table["split"].to_pylist()) == "train")
    flipped = np.sort(generator.choice(train, size=round(noise * len(train)), replace=False))
    planted = pa.table({"id": table["id"].take(flipped), "true_label": table["label"].take(flipped)})
    for row in flipped:
        labels[row] = generator.choice([name for name in names if name != labels[row]])
    position = table.schema.get_field_index("label")
    return table.set_column(position, "label", pa.array([str(label) for label in labels])), planted


def write_demo(folder: str | Path, *, per_label: int = 600, noise: float = 0.08, seed: int = 0) -> Path:
    """Write the demo's table, with planted label errors, to ``folder/docstrings.csv``.

    The truth lies beside it, in ``folder/truth.csv`` (id, true_label): no analysis that reads the table sees it.

    Returns:
        The path of the table.

    Raises:
        DataError: as `docstrings` does.
    """
    table, planted = plant(docstrings(per_label=per_label, seed=seed), noise=noise, seed=seed)
    _write_csv(Path(folder) / "truth.csv", planted)
    return _write_csv(Path(folder) / "docstrings.csv", table)


def _write_csv(path: Path, table: pa.Table) -> Path:
    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return path


def _distinct(pool: Sequence[Docstring]) -> Iterator[Docstring]:
    """Those that are like no earlier one of their library, and like none at all of another library."""
    libraries = np.array([found.library for found in pool])
    first, second = _alike([found.text for found in pool])
    foreign = libraries[first] != libraries[second]
    dropped = np.zeros(len(pool), dtype=bool)
    dropped[np.maximum(first, second)] = True
    dropped[first[foreign]] = dropped[second[foreign]] = True
    return (found for found, drop in zip(pool, dropped, strict=True) if not drop)


def _alike(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of all pairs of texts whose sets of words are nearly equal."""
    words = _bags(texts)
    common = sparse.triu(words @ words.T, k=1).tocoo()
    sizes = words.sum(axis=1)
    alike = common.data >= _ALIKE * (sizes[common.row] + sizes[common.col] - common.data)
    return common.row[alike].astype(np.int64), common.col[alike].astype(np.int64)


def _bags(texts: Sequence[str]) -> sparse.csr_array:
    """Which text has which words, as ones [texts, words]; words are lower-cased runs of letters and digits."""
    sets = [set(re.findall(r"[^\W_]+", text.lower())) for text in texts]
    codes = {word: code for code, word in enumerate(sorted(set().union(*sets)))}
    columns = [codes[word] for words in sets for word in words]
    starts = np.cumsum([0, *map(len, sets)])
    return sparse.csr_array((np.ones(len(columns), np.int32), columns, starts), shape=(len(texts), len(codes)))


def _by_label(pool: Iterator[Docstring], packages: Sequence[str]) -> dict[str, list[Docstring]]:
    by_label: dict[str, list[Docstring]] = {package: [] for package in packages}
    for found in pool:
        by_label[found.library].append(found)
    return by_label


def _splits(size: int) -> list[str]:
    """Names of the splits of `size` rows in random order: the first ones train."""
    bounds = np.round(np.cumsum([0.0, *_SHARES.values()]) * size).astype(int)
    return [name for name, count in zip(_SHARES, np.diff(bounds), strict=True) for _ in range(count)]


def _table(rows: Sequence[tuple[Docstring, str]]) -> pa.Table:
    rows = sorted(rows, key=lambda row: row[0].id)
    found = [docstring for docstring, _ in rows]
    return pa.table(
        {
            "id": [item.id for item in found],
            "text": [item.text for item in found],
            "label": [item.library for item in found],
            "split": [split for _, split in rows],
            "module": [item.module for item in found],
            "kind": [item.kind for item in found],
            "length": pa.array([item.length for item in found], pa.int32()),
        }
    )
