"""The command line: each command parses, calls the verb of its name, and prints what it returns."""

from __future__ import annotations

import typer

from tunewright.cli.app import Group, guarded
from tunewright.cli.data import check, demo, focus, init, versions
from tunewright.cli.edit import edit
from tunewright.cli.explore import explore
from tunewright.cli.issues import issues
from tunewright.cli.judge import compare, ensemble, export, runs, show
from tunewright.cli.latent import analyze, lint, plot, similar, slices
from tunewright.cli.learn import evaluate, import_dynamics, map, predict, train
from tunewright.cli.microscope import explain
from tunewright.cli.mixing import mix
from tunewright.cli.monitor import monitor
from tunewright.cli.rows import rows, views
from tunewright.cli.suspects import suspects
from tunewright.cli.trial import trial

__all__ = ["app", "main"]

app = typer.Typer(
    name="tunewright",
    cls=Group,
    help="Fine-tune, see what the model could not learn, fix the data, and prove that the fix helped.",
    epilog="Start with: tunewright init reviews.csv",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # in help as rich prints it, drop:top:5% loses its middle to a picture
)
for _command in (
    *(demo, init, check, train, map, suspects, evaluate, focus, mix, compare, ensemble, predict),
    *(explore, rows, views, issues, analyze, similar, slices, explain, lint, plot),
    *(runs, show, export, versions, import_dynamics),
):
    app.command()(guarded(_command))
app.add_typer(edit)
app.add_typer(trial)
app.add_typer(monitor)


def main() -> None:
    """Run the command line."""
    app()
