"""Write docs/reference from docstrings, column definitions and the command line; ``--check`` only compares.

Usage:
    python docs/generate.py [--check]
    python docs/generate.py --map demo      # take the picture of the README from a finished demo
"""

from __future__ import annotations

import argparse
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

DOCS = Path(__file__).resolve().parent
REFERENCE = DOCS / "reference"
PICTURE = DOCS / "images" / "data_map.png"
PIXELS = 1000  # width of the picture
COLOURS = 128  # of the picture: a fifth of the bytes of full colour, and no difference that an eye sees
NOTICE = "<!-- written by `make docs`; edit the source instead -->\n\n"
BAR = r"\|"
WIDTH = 100  # characters of a line of code
SECTION = re.compile(r"(Args|Attributes|Examples?|Raises|Returns|Source|Sources|Usage|Yields):")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', BAR) for cell in line)} |" for line in lines)


def blocks(text: str) -> Iterator[str]:
    """Paragraphs of a docstring."""
    yield from (block for block in re.split(r"\n\s*\n", inspect.cleandoc(text)) if block.strip())


def prose(text: str) -> str:
    """A docstring as Markdown: sections get a bold title, examples and drawings a fence."""
    return single("\n\n".join(block_as_markdown(block) for block in blocks(text)))


def single(text: str) -> str:
    """Code in double backticks, as docstrings have it, in single ones; fences stay."""
    return re.sub(r"(?<!`)``(?!`)", "`", text)


def block_as_markdown(block: str) -> str:
    title, _, rest = block.partition("\n")
    if SECTION.fullmatch(title):
        return f"**{title}**\n\n{section(rest)}"
    if block.startswith(">>>"):
        return f"```python\n{block}\n```"
    if any(line.startswith(("  ", "├", "└")) for line in block.splitlines()):
        return f"```text\n{block}\n```"
    return block


def section(text: str) -> str:
    """The items below ``Args:`` and the like as a list, examples in a fence; anything else as it stands."""
    lines = inspect.cleandoc("\n" + text).splitlines()
    if lines[0].startswith(">>>"):
        return "\n".join(["```python", *lines, "```"])
    if not all(re.match(r"\s|[\w*, ]+: ", line) for line in lines):
        return "\n".join(lines)
    items = [re.sub(r"^([\w*, ]+): ", r"- `\1`: ", line) for line in lines]
    return "\n".join(items)


class _Plain(str):
    """An annotation or a default that prints as it stands, in every version of Python and on every system."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(item: Callable[..., Any]) -> str:
    found = inspect.signature(item)
    asked = (each for name, each in found.parameters.items() if name not in {"cls", "self"})
    parameters = [
        each.replace(annotation=_annotation(each.annotation), default=_default(each.default)) for each in asked
    ]
    returns = found.empty if found.return_annotation in {None, "None"} else _annotation(found.return_annotation)
    return str(found.replace(parameters=parameters, return_annotation=returns))


def wrapped(call: str) -> str:
    """A long signature, one parameter a line: split at the commas that are in no inner bracket."""
    if len(call) <= WIDTH:
        return call
    name, _, rest = call.partition("(")
    inner, _, returns = rest.rpartition(")")
    parts = re.split(r", (?=\*|\w+(?::|=))(?![^\[(]*[\])])", inner)
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){returns}"])


def _annotation(value: object) -> object:
    return _Plain(value) if isinstance(value, str) else value


def _default(value: object) -> object:
    return _Plain(f"Path({value.as_posix()!r})") if isinstance(value, Path) else value


def methods(item: type) -> Iterator[tuple[str, str]]:
    """Members with a docstring of their own; what a base class says about an event of its is left to it."""
    for name, raw in vars(item).items():
        member = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
        if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
            continue
        if not member.__doc__:
            continue
        first = next(blocks(member.__doc__)).replace("\n", " ")
        call = signature(member) if inspect.isfunction(member) else ""
        yield f"`{name}{call}`", single(first)


def python_page() -> str:
    package = import_module("tunewright")
    return "# Python\n\nAll public names; import them from `tunewright`.\n\n" + "\n\n".join(
        python_entry(name, getattr(package, name)) for name in package.__all__
    )


def python_entry(name: str, item: Any) -> str:
    if inspect.ismodule(item):
        return module_entry(name, item)
    parts = [f"## {name}", f"```python\n{wrapped(name + signature(item))}\n```", prose(inspect.getdoc(item) or "")]
    if inspect.isclass(item) and (rows := list(methods(item))):
        parts.append(table(("member", "meaning"), rows))
    return "\n\n".join(parts)


def module_entry(name: str, item: ModuleType) -> str:
    members = ((each, getattr(item, each)) for each in item.__all__)
    rows = [
        (f"`{name}.{each}{signature(member)}`", single(next(blocks(inspect.getdoc(member) or "")).replace("\n", " ")))
        for each, member in members
        if inspect.isfunction(member)
    ]
    return "\n\n".join([f"## {name}", prose(inspect.getdoc(item) or ""), table(("function", "meaning"), rows)])


def columns_page() -> str:
    columns = import_module("tunewright.columns").COLUMNS.values()
    rows = (
        (f"`{each.name}`", each.type, interval(each.low, each.high), each.unit, each.direction, each.meaning)
        for each in columns
    )
    intro = "What each column means. `more is` says whether more of it is good or bad for the model.\n\n"
    return "# Columns\n\n" + intro + table(("column", "type", "range", "unit", "more is", "meaning"), rows)


def interval(low: float | None, high: float | None) -> str:
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f"≥ {low:g}"
        case None, _:
            return f"≤ {high:g}"
        case _:
            return f"{low:g} to {high:g}"


def analyses() -> dict[str, Any]:
    """Every analysis that is declared in tunewright.analyze, by name."""
    declared = import_module("tunewright.columns").Analysis
    package = import_module("tunewright.analyze")
    modules = [import_module(f"tunewright.analyze.{each.name}") for each in pkgutil.iter_modules(package.__path__)]
    found = (item for module in modules for item in vars(module).values() if isinstance(item, declared))
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def analyses_page() -> str:
    return "# Analyses\n\nPure functions from columns to columns.\n\n" + "\n\n".join(
        f"## {name}\n\nneeds {code(each.needs)}; gives {code(each.gives)}\n\n{prose(each.doc)}"
        for name, each in analyses().items()
    )


def code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def errors_page() -> str:
    return "# Errors\n\n" + prose(import_module("tunewright.errors").__doc__ or "")


def commands() -> dict[str, Any]:
    """Every command of the command line, by name, in the order of --help; ``edit apply`` is one of the group ``edit``."""
    from typer.main import get_command

    return dict(_flat(get_command(import_module("tunewright.cli").app)))


def _flat(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _flat(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def cli_page() -> str:
    return "# Command line\n\n" + "\n\n".join(
        cli_entry(name, command) for name, command in commands().items() if not command.hidden
    )


def cli_entry(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    words = [each.name.upper() if each.required else f"[{each.name.upper()}]" for each in arguments]
    rows = [parameter(each) for each in command.params if not getattr(each, "hidden", False)]
    parts = [f"## tunewright {name}", "```sh\n" + " ".join(["tunewright", name, *words, "[OPTIONS]"]) + "\n```"]
    parts.append(prose(command.help or ""))
    return "\n\n".join([*parts, table(("option", "default", "meaning"), rows)] if rows else parts)


def parameter(option: Any) -> tuple[str, str, str]:
    if option.param_type_name == "argument":
        name = f"`{option.name.upper()}`"
    else:
        name = code([*option.opts, *option.secondary_opts])
    default = "" if option.default in (None, False, [], ()) or callable(option.default) else f"`{option.default}`"
    return name, "required" if option.required else default, " ".join((option.help or "").split())


PAGES: dict[str, Callable[[], str]] = {
    "analyses.md": analyses_page,
    "cli.md": cli_page,
    "columns.md": columns_page,
    "errors.md": errors_page,
    "python.md": python_page,
}


def stale() -> list[str]:
    """Pages that differ from what the source says now."""
    return [name for name, text in pages() if not _same(REFERENCE / name, text)]


def pages() -> Iterator[tuple[str, str]]:
    for name, page in PAGES.items():
        lines = (line.rstrip() for line in page().strip().splitlines())
        yield name, NOTICE + "\n".join(lines) + "\n"


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def take_map(demo: Path) -> Path:
    """The data map of a finished demo as a small picture; the first run is the one that is mapped."""
    from PIL import Image

    found = sorted(demo.glob("runs/*/figures/map.png"))
    if not found:
        raise SystemExit(f"expected a finished demo in {demo}, found no runs/*/figures/map.png; run `make demo`")
    with Image.open(found[0]) as full:
        sized = full.convert("RGB").resize((PIXELS, round(PIXELS * full.height / full.width)), Image.Resampling.LANCZOS)
    PICTURE.parent.mkdir(exist_ok=True)
    sized.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    return PICTURE


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/reference from the source.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    parser.add_argument("--map", type=Path, metavar="DEMO", help="take the picture of the README from a finished demo")
    given = parser.parse_args()
    if given.map:
        print(f"wrote {take_map(given.map)}")
        return 0
    if given.check:
        outdated = stale()
        print(f"docs/reference is out of date: {', '.join(outdated)}; run `make docs`" if outdated else "docs: current")
        return 1 if outdated else 0
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    print(f"wrote {len(PAGES)} pages to {REFERENCE.parent.name}/{REFERENCE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
