"""The command of MixUp: mix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.numbers import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunewright.verbs.mixing import Mixed

__all__ = ["mix"]

_MANY = 0.5  # of the mixtures: then most of them say nothing new


def mix(
    *,
    count: Annotated[int, typer.Option(help="How many synthetic rows.")],
    alpha: Annotated[
        float,
        typer.Option(
            help="Of Beta(alpha, alpha), from which the share of a parent is drawn: by default that of the recipe "
            "rotten_tomatoes_mixup; Zhang et al. 2018 mix images at 0.1 to 0.4, which makes more near copies."
        ),
    ] = 0.9,
    layer: Annotated[str, typer.Option(help="Where vectors are mixed: embeddings, hidden:K or pooled.")] = "embeddings",
    seed: Annotated[int | None, typer.Option(help="Of pairs and shares; by default the project's.")] = None,
    on: Annotated[str, typer.Option("--on", help="Version of the dataset to edit.")] = "main",
    name: Annotated[str, typer.Option(help="Name of the new version.")] = "mixed",
    run: Annotated[
        str | None, typer.Option(help="Run whose embeddings say how far mixtures are from their parents.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words; kept with the edit.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Audit the pairs, and write nothing.")] = False,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Mix pairs of training rows into synthetic ones, with labels in the same shares: MixUp, audited before training."""
    from tunewright import verbs

    made = verbs.mix(
        opened(project),
        count=count,
        alpha=alpha,
        layer=layer,
        seed=seed,
        on=on,
        name=name,
        run=run,
        reason=reason,
        dry_run=dry_run,
    )
    if json:
        as_json(made)
        return
    table("", ("of the mixtures", ""), _findings(made))
    shares = (
        (label, percent(share), percent(made.audit.labels_of_data.get(label, 0)))
        for label, share in made.audit.labels.items()
    )
    table("", ("label", "share in the mixtures", "in the data"), shares)
    if made.audit.copies >= _MANY:
        say("", "Most mixtures are copies of one parent: a larger --alpha mixes more evenly.")
    if made.version is None:
        say("", "Nothing was written (--dry-run).")
    else:
        say("", f"Version {made.name} ({made.version}) has {counted(made.audit.pairs, 'synthetic row')}: {made.rule}.")
        say(f"Next: tunewright train --version {made.name}")


def _findings(made: Mixed) -> Iterator[tuple[str, str]]:
    found = made.audit
    yield "synthetic rows", f"{found.pairs:,} of {counted(made.of, 'training row')}"
    yield "training rows used", f"{percent(found.covered)}, the most used {counted(found.most_uses, 'time')}"
    yield "the same pair again", percent(found.repeated)
    yield "copies (0.95 or more of one parent)", percent(found.copies)
    yield "parents with the same label", percent(found.same_label)
    yield "mean label entropy", f"{found.entropy:.3f} bits"
    if found.distance is not None:
        yield (
            "cosine distance to the nearer parent",
            f"{found.distance:.3f} (between rows {found.distance_of_rows:.3f})",
        )
