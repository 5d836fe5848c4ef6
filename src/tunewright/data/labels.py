"""Labels as names: from codes, numbers, booleans and strings; null means unlabelled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError, did_you_mean

__all__ = ["UNKNOWN", "LabelNames", "codes_of", "describe_unknown", "name_labels", "sort_names"]

LabelNames = Sequence[str] | Mapping[Any, str]
"""Names in the order of their codes, or a mapping from the value in the file to its name."""
UNKNOWN = "unknown label"
"""Why the value of a row is no label, whichever value it is."""
_SHOWN = 40  # characters of a value in a message
_MOST_FRACTIONS = 100  # distinct values; a column with more of them is a measurement, not a label


def name_labels(
    column: pa.ChunkedArray, names: LabelNames | None = None, *, codes: bool = False
) -> tuple[pa.Array, pa.Array]:
    """Label names of a column, and why a value is none.

    Whole floats count as integers, surrounding blanks do not count, and an empty string is unlabelled. With a
    sequence of names, the values of a column are all names or all codes (-1: unlabelled, as in ``datasets``), whichever
    fits more of them; names, if both do. Without names, the values are the names.

    Args:
        column: [n] strings, integers, floats, booleans or nulls.
        names: what the codes, or the values, are called.
        codes: integers are codes even where all of them are names too.

    Returns:
        [n] names (null: unlabelled, or a flaw) and [n] flaws (null: none), both strings.

    Raises:
        DataError: if the column holds fractions with many values, or something else than single values.
    """
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise DataError(f"expected one label per row, found {column.type}", fix="name another column as the label")
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    keys = [_key(value) for value in values]
    lookup = _lookup(
        names, {key for key in keys if key}, codes=codes and not pa.types.is_string(encoded.dictionary.type)
    )
    found = [lookup.get(key) if key else None for key in keys]
    flaws = [_flaw(key, lookup) for key in keys]
    _refuse_measurements(values, names)
    indices = encoded.indices
    return pa.array(found, pa.string()).take(indices), pa.array(flaws, pa.string()).take(indices)


def describe_unknown(value: Any, names: LabelNames | None) -> str:
    """The beginning of an unknown value, and what may have been meant.

    >>> describe_unknown("pso", ("neg", "pos"))
    "'pso' (did you mean 'pos'?)"
    """
    known = names.values() if isinstance(names, Mapping) else names or ()
    key = _key(value)
    shown = key if len(key) <= _SHOWN else f"{key[:_SHOWN]}..."
    return f"{shown!r} ({did_you_mean(key[:_SHOWN], set(map(str, known)))[:200]})"


def sort_names(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct names: numbers by value, anything else alphabetically.

    >>> sort_names(["10", "9", "10"]), sort_names(["pos", "neg"])
    (('9', '10'), ('neg', 'pos'))
    """
    distinct = set(names)
    try:
        return tuple(sorted(distinct, key=float))
    except ValueError:
        return tuple(sorted(distinct))


def codes_of(column: pa.ChunkedArray, names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """[n] positions of label names among ``names``; -1 for null or unknown."""
    found = pc.index_in(column, value_set=pa.array(names, pa.string()))
    codes: np.ndarray[Any, np.dtype[np.int64]] = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return codes


def _key(value: Any) -> str:
    """One spelling per value; empty for unlabelled, ``nan`` for not a number."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if math.isfinite(value) and value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()


def _lookup(names: LabelNames | None, keys: set[str], *, codes: bool) -> Mapping[str, str | None]:
    """What each key is called; None for the key of unlabelled rows."""
    match names:
        case None:
            return {key: key for key in keys if key.lower() != "nan"}
        case Mapping():
            return {name: name for name in names.values()} | {_key(value): name for value, name in names.items()}
        case _:
            return _by_code_or_name([str(name) for name in names], keys, codes=codes)


def _by_code_or_name(names: Sequence[str], keys: set[str], *, codes: bool) -> dict[str, str | None]:
    by_name: dict[str, str | None] = {"-1": None} | {name: name for name in names}
    by_code: dict[str, str | None] = {"-1": None} | {str(code): name for code, name in enumerate(names)}
    if len(names) == 2:
        by_code |= {"false": names[0], "true": names[1]}
    named, coded = len(keys & set(names)), len(keys & by_code.keys())
    # 1 to 5 stars that are called "1" to "5" are names; values that fit neither are flaws under both
    return by_code if codes or coded > named else by_name


def _flaw(key: str, lookup: Mapping[str, str | None]) -> str | None:
    if not key or key in lookup:
        return None
    if key.lower() == "nan":
        return "NaN label"
    return UNKNOWN


def _refuse_measurements(values: Sequence[Any], names: LabelNames | None) -> None:
    fractions = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    whole = all(value.is_integer() for value in fractions)
    if names is None and not whole and len(fractions) > _MOST_FRACTIONS:
        raise DataError(
            f"expected labels, found {len(fractions)} different numbers with fractions such as {fractions[0]:g}",
            fix="name another column as the label, or turn the numbers into classes",
        )
