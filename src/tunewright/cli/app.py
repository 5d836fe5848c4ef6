"""What the commands share: options, errors for people, and printing."""

from __future__ import annotations

import functools
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tunewright.errors import TunewrightError

if TYPE_CHECKING:
    from rich.console import Console

    from tunewright.project import Project
    from tunewright.verbs.linting import Lint

__all__ = [
    "AsJson",
    "Folder",
    "Group",
    "Split",
    "as_json",
    "guarded",
    "opened",
    "passage",
    "say",
    "say_lints",
    "table",
]

Folder = Annotated[Path, typer.Option("--project", "-p", help="Folder of the project.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Split = Annotated[str, typer.Option(help="Which rows: validation, test, or a name of your own.")]

_FIRST_IDS = 3  # of the rows of a finding
_FEWEST = 8  # letters of a cell that may be cut
_WIDTH = 120  # of output that goes to a file or a pipe, unless COLUMNS says another


class Group(TyperGroup):
    """Commands, each listed with the whole first sentence of its help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list; the class above would cut sentences at half a line."""
        known = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        shown = [command for command in known if command is not None and not command.hidden]
        rows = [(str(command.name), command.get_short_help_str(limit=_WIDTH * 2)) for command in shown]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with errors of ours as two lines on standard error and exit code 2; others keep their traceback."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except TunewrightError as error:
            typer.echo(f"error: {plain(error.message, keep_lines=True)}", err=True)
            if error.fix:
                typer.echo(f"  fix: {plain(error.fix)}", err=True)
            raise typer.Exit(2) from None
        except OSError as error:  # a disk that is full, a folder where a file was meant, a path that cannot be written
            if error.filename is None:
                raise
            typer.echo(f"error: {plain(str(error.filename))}: {error.strerror}", err=True)
            raise typer.Exit(2) from None

    return run


def opened(folder: Path) -> Project:
    """The project of a folder."""
    from tunewright.project import open_project

    return open_project(folder)


def as_json(*results: Any) -> None:
    """Print a result as JSON; of several, which say different things about the same, the fields of all."""
    told = {name: value for result in results for name, value in result.to_json().items()}
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


def say(*lines: str) -> None:
    """Print sentences; what came from data has no power over the terminal."""
    for line in lines:
        typer.echo(plain(line, keep_lines=True))


def passage(pieces: Iterable[tuple[str, str]]) -> None:
    """Print a text in pieces, each with a style of rich's; a pipe gets the text alone."""
    from rich.text import Text

    said = Text()
    for text, style in pieces:
        said.append(plain(text, keep_lines=True), style=style or None)
    _console().print(said)


def say_lints(lints: Iterable[Lint]) -> None:
    """Print findings, each with the ids of its first rows and what to do."""
    found = list(lints)
    for one in found:
        first = ", ".join(one.rows[:_FIRST_IDS]) + (", ..." if len(one.rows) > _FIRST_IDS else "")
        say("", f"{one.severity}: {one.name}: {one.message}" + (f" ({first})" if first else ""), f"  {one.what_to_do}")
    if not found:
        say("", "Nothing found.")


def table(
    title: str, heads: Iterable[str], rows: Iterable[Iterable[object]], *, cut: Collection[str] | None = None
) -> None:
    """Print a table; columns of numbers are right-aligned.

    Cells that are too long are continued on the next line. With ``cut`` every row is one line: cells of the columns
    of these names end in an ellipsis where there is no room for them, the others are printed whole.
    """
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in rows]
    sheet = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for position, head in enumerate(heads):
        is_number = all(_is_number(row[position]) for row in cells)
        widest = max((len(row[position]) for row in cells), default=0)
        sheet.add_column(
            head,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=cut is not None and head not in cut,
            min_width=None if cut is None else max(min(widest, _FEWEST) if head in cut else widest, len(head)),
        )
    how: dict[str, Any] = {} if cut is None else {"no_wrap": True, "overflow": "ellipsis"}
    for row in cells:
        sheet.add_row(*(Text(cell, **how) for cell in row))
    _console().print(sheet)


def plain(text: str, *, keep_lines: bool = False) -> str:
    """A text without control characters, which a terminal would obey; each becomes U+FFFD."""
    kept = "\n" if keep_lines else ""
    return "".join(
        letter if letter in kept or unicodedata.category(letter) not in {"Cc", "Cf"} else "\ufffd" for letter in text
    )


def _console() -> Console:
    from rich.console import Console

    columns = os.environ.get("COLUMNS", "")
    wanted = int(columns) if columns.isdecimal() and int(columns) else _WIDTH
    # a head or a cell such as ":top:" or "[red]" is text, whoever wrote it
    return Console(width=None if sys.stdout.isatty() else wanted, markup=False, emoji=False, highlight=False)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}"
        case int():
            return f"{value:,}"
        case _:
            return plain(" ".join(str(value).split()))


def _is_number(cell: str) -> bool:
    return not cell or cell.replace(",", "").replace(".", "", 1).lstrip("+-").isdigit()
