"""What a project's own functions are: values that say what a function gives, made by decorators.

    @metadata                               rows as columns -> one value per row
    @metadata(columns=("a", "b"))           rows as columns -> a mapping with these columns
    @metadata(rowwise=True)                 a row -> its value
    @metric(direction="higher")             label, predicted and targets as columns -> a number per row, or one number
    @visualiser                             a row -> text for the detail view

A decorated function stays callable as it was. `tunewright.project.open_project` takes the ones that ``project.py``
defines; plain functions can be given to ``Project`` as they are.
"""

from __future__ import annotations

import hashlib
import inspect
import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from tunewright.errors import DataError, ProjectError, TunewrightError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Binding",
    "Columns",
    "Direction",
    "Metadata",
    "Metric",
    "Visualiser",
    "as_metadata",
    "computed",
    "described",
    "grades",
    "line_of",
    "metadata",
    "metric",
    "number_or_numbers",
    "preprocessed",
    "rowwise",
    "shown",
    "visualiser",
]

Columns = Mapping[str, Sequence[Any]]
"""Rows as columns: each name with one value per row."""
Direction = Literal["higher", "lower"]
"""Which values of a metric are better."""
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Binding(Generic[F]):
    """A function of the user's; called like the function itself."""

    function: F

    @property
    def name(self) -> str:
        """The function's name, which is what its results are called."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the function says."""
        return self.function(*arguments, **named)


@dataclass(frozen=True, slots=True)
class Metadata(Binding[Callable[..., Any]]):
    """Further columns of the rows, for lints, slices and tooltips; no model reads them.

    Args:
        function: from rows as columns to one value per row; with ``columns``, to a mapping with those names.
        columns: names of the columns it makes; by default one, called like the function.
        rowwise: the function takes one row at a time, a mapping from column names to values.
    """

    columns: tuple[str, ...] = ()
    rowwise: bool = False

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of the columns it makes."""
        return self.columns or (self.name,)


@dataclass(frozen=True, slots=True)
class Metric(Binding[Callable[..., Any]]):
    """A score of predictions: a number per row, or one number for all.

    Args:
        function: from the columns ``label``, ``predicted`` and the task's target fields, labelled rows only.
        direction: which values are better.
    """

    direction: Direction = "higher"


@dataclass(frozen=True, slots=True)
class Visualiser(Binding[Callable[..., Any]]):
    """What the detail view shows of a row: text, shown as it is and never read as HTML."""


@overload
def metadata(function: Callable[..., Any], /) -> Metadata: ...


@overload
def metadata(*, columns: tuple[str, ...] = ..., rowwise: bool = ...) -> Callable[[Callable[..., Any]], Metadata]: ...


def metadata(
    function: Callable[..., Any] | None = None, /, *, columns: tuple[str, ...] = (), rowwise: bool = False
) -> Metadata | Callable[[Callable[..., Any]], Metadata]:
    """Decorator of a function that makes metadata; see `Metadata`.

    >>> @metadata(rowwise=True)
    ... def characters(row):
    ...     return len(row["text"])
    >>> characters.makes, characters({"text": "abc"})
    (('characters',), 3)
    """
    if function is None:
        return lambda function: Metadata(function, columns, rowwise)
    return Metadata(function)


def metric(*, direction: Direction) -> Callable[[Callable[..., Any]], Metric]:
    """Decorator of a function that scores predictions; see `Metric`.

    Raises:
        ProjectError: if the direction is neither ``higher`` nor ``lower``.
    """
    if direction not in {"higher", "lower"}:
        raise ProjectError(
            f"a metric is better when it is 'higher' or 'lower', found direction={direction!r}",
            fix='write: @metric(direction="higher")',
        )
    return lambda function: Metric(function, direction)


def visualiser(function: Callable[[Mapping[str, Any]], str], /) -> Visualiser:
    """Decorator of a function from a row to text for the detail view; see `Visualiser`."""
    return Visualiser(function)


def rowwise(function: Callable[[Mapping[str, Any]], Mapping[str, Any]], /) -> Callable[[Columns], dict[str, list[Any]]]:
    """A function of one row, which gives columns of it, as a function of all: for ``Project(preprocess=...)``."""

    def all_rows(columns: Columns) -> dict[str, list[Any]]:
        made = [dict(function(row)) for row in _rows(columns)]
        return {name: [row[name] for row in made] for name in (made[0] if made else ())}

    all_rows.__name__ = function.__name__
    all_rows.__wrapped__ = function  # type: ignore[attr-defined]  # where `inspect` finds the user's own lines
    return all_rows


def as_metadata(function: Callable[..., Any]) -> Metadata:
    """A plain function as what it would be with the decorator."""
    return function if isinstance(function, Metadata) else Metadata(function)


def described(function: Callable[..., Any]) -> str:
    """Name of a function, and a few characters that change with its text; none where it has no text.

    >>> described(len)
    'len'
    """
    name = getattr(function, "__name__", "a function")
    try:
        text = inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return name
    return f"{name} {hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def computed(made: Metadata, columns: Columns, rows: int) -> dict[str, list[Any]]:
    """The columns that a metadata function makes, each with one value per row.

    The function gets the columns themselves, not a copy.

    Raises:
        DataError: if it gives other columns than promised, or not one value per row.
        ProjectError: if it raises; its own line is named.
    """
    with_name = f"metadata function {made.name!r}"
    found: dict[str, list[Any]] = _called(with_name, made.function, lambda: _materialised(made, columns))
    found = {name: [_plain(value) for value in values] for name, values in found.items()}
    for name, values in found.items():
        of = f" in {name!r}" if made.columns else ""
        if len(values) != rows:
            raise DataError(
                f"{with_name} gave {len(values)} values{of} for {rows} rows", fix="return one value per row"
            )
        if len(kinds := _kinds(values)) > 1:
            raise DataError(
                f"{with_name} mixes {' and '.join(kinds)}{of}",
                fix="return values of one type, and None where there is none",
            )
    return found


def preprocessed(function: Callable[[Columns], Columns], columns: Columns, rows: int) -> dict[str, list[Any]]:
    """The columns that a preprocess step changes or adds, each with one value per row.

    Raises:
        DataError: if it gives anything but columns with one value per row.
        ProjectError: if it raises; its own line is named.
    """
    name = f"preprocess function {getattr(function, '__name__', 'preprocess')!r}"
    found = _called(name, function, lambda: function(_copied(columns)))
    if not isinstance(found, Mapping):
        raise DataError(
            f"{name} gave {type(found).__name__}, expected a mapping from column names to lists",
            fix="return the columns it changes, such as {'text': [...]}",
        )
    made = {column: _listed(values, name) for column, values in found.items()}
    wrong = {column: len(values) for column, values in made.items() if len(values) != rows}
    if wrong:
        raise DataError(
            f"{name} gave {wrong} values for {rows} rows",
            fix="change texts, and leave out rows with on_bad='skip' or an edit",
        )
    return {column: values for column, values in made.items() if values != list(columns.get(column, ()))}


def number_or_numbers(made: Metric, columns: Columns, rows: int) -> NDArray[np.float64]:
    """What a metric says about labelled rows: float64 [rows], or [] for one number; finite.

    Raises:
        DataError: if it is neither.
        ProjectError: if it raises; its own line is named.
    """
    import numpy as np

    name = f"metric {made.name!r}"
    found = _called(name, made.function, lambda: made(_copied(columns)))
    found = list(found) if isinstance(found, Iterator) else found
    try:
        values = np.asarray("nothing" if found is None else found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} expected numbers, found {type(found).__name__}: {error}") from error
    if values.shape not in {(), (rows,)}:
        raise DataError(
            f"{name} gave shape {list(values.shape)} for {rows} rows", fix="return one number per row, or one number"
        )
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        row = f" for row {columns.get('id', range(rows))[first]!r}" if values.ndim else ""
        raise DataError(
            f"{name} expected finite numbers, found {values.flat[first]}{row}",
            fix="return a number for every row, or one number: the mean of the rows that have one",
        )
    return values


def grades(metrics: Sequence[Metric], columns: Columns) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """All metrics of predicted rows.

    Args:
        metrics: of the project.
        columns: ``label`` (None: unlabelled), ``predicted``, the task's target fields and ``id``, [n].

    Returns:
        Per metric that is one, its value for each row, float64 [n] with NaN where there is no label; and per metric
        its score: the mean over the labelled rows, or the one number it gives. Nothing without labelled rows.

    Raises:
        DataError: if a metric gives anything else.
        ProjectError: if a metric raises.
    """
    import numpy as np

    labelled = np.array([label is not None for label in columns["label"]], dtype=bool)
    if not labelled.any():
        return {}, {}
    chosen = {name: [values[row] for row in np.flatnonzero(labelled).tolist()] for name, values in columns.items()}
    by_row, scores = {}, {}
    for made in metrics:
        values = number_or_numbers(made, chosen, int(labelled.sum()))
        scores[made.name] = float(values.mean())
        if values.ndim:
            by_row[made.name] = np.full(len(labelled), np.nan)
            by_row[made.name][labelled] = values
    return by_row, scores


def shown(visualisers: Sequence[Visualiser], row: Mapping[str, Any]) -> dict[str, str]:
    """What each visualiser says about a row: text, to be shown as it is.

    Raises:
        DataError: if one gives anything but text.
        ProjectError: if one raises; its own line is named.
    """
    texts = {}
    for made in visualisers:
        text = _called(f"visualiser {made.name!r}", made.function, partial(made, dict(row)))
        if not isinstance(text, str):
            raise DataError(
                f"visualiser {made.name!r} gave {type(text).__name__}, expected text", fix="return a string"
            )
        texts[made.name] = text
    return texts


def line_of(error: BaseException, folder: Path) -> str:
    """The last line below a folder, which is the user's own, that an error came through; empty if there is none.

    As ``project.py, line 3: return 1 / 0``.
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        own = path.is_file() and path.resolve().is_relative_to(folder.resolve())
        if own and "site-packages" not in path.parts:
            line = linecache.getline(str(path), trace.tb_lineno).strip()
            place = f"{path.name}, line {trace.tb_lineno}: {line}"
        trace = trace.tb_next
    return place


def _called(name: str, function: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """The result of a user's function; what it raises names the function and the user's own line."""
    try:
        return call()
    except TunewrightError:
        raise
    except Exception as error:  # it is the user's code: anything may be raised
        code = getattr(inspect.unwrap(function), "__code__", None)
        line = line_of(error, Path(code.co_filename).parent) if code else ""
        raise ProjectError(
            f"{name} raised {type(error).__name__}: {error}" + (f"\n  at {line}" if line else "")
        ) from error


def _materialised(made: Metadata, columns: Columns) -> dict[str, list[Any]]:
    name = f"metadata function {made.name!r}"
    if made.rowwise:
        results = [made(row) for row in _rows(columns)]
        if not made.columns:
            return {made.name: results}
        found: Any = {column: [_part(result, column, name) for result in results] for column in made.columns}
    else:
        found = made(columns)
    if not made.columns:
        return {made.name: _listed(found, name)}
    return {column: _listed(_part(found, column, name), name) for column in made.columns}


def _part(result: Any, column: str, name: str) -> Any:
    if not isinstance(result, Mapping) or column not in result:
        has = list(result) if isinstance(result, Mapping) else type(result).__name__
        raise DataError(
            f"{name} promised the column {column!r}, found {has}", fix="return a mapping with all columns it promises"
        )
    return result[column]


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise DataError(f"{name} gave {type(values).__name__}, expected a list", fix="return one value per row")
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _plain(value: Any) -> Any:
    """Scalars of NumPy as those of Python."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _kinds(values: Sequence[Any]) -> list[str]:
    """Names of the types that are mixed; int and float are one."""
    kinds = {type(value) for value in values if value is not None}
    return sorted({"number" if kind in {int, float} else kind.__name__ for kind in kinds})


def _copied(columns: Columns) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}


def _rows(columns: Columns) -> Iterator[dict[str, Any]]:
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))
