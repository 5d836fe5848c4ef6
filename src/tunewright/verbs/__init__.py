"""What can be done with a project: plain functions, the same in Python and on the command line.

Each takes the project first, shares nothing with the others but files, and returns a frozen value with ``to_json``;
``train`` and ``import_dynamics`` return the run.
"""

from __future__ import annotations

from tunewright.verbs.across import across
from tunewright.verbs.alerting import monitor_alerts, simulate_alert
from tunewright.verbs.chart import map
from tunewright.verbs.checking import check
from tunewright.verbs.choose import focus
from tunewright.verbs.collecting import collected
from tunewright.verbs.editing import edit
from tunewright.verbs.ensembling import ensemble
from tunewright.verbs.exchange import export, import_dynamics
from tunewright.verbs.explaining import explain, faithfulness
from tunewright.verbs.explore.asking import heat_of
from tunewright.verbs.explore.comparing import compare_stored
from tunewright.verbs.explore.curation import pending
from tunewright.verbs.explore.issues import issues
from tunewright.verbs.explore.selecting import rows
from tunewright.verbs.explore.views import forget_view, save_view, views
from tunewright.verbs.history import edit_diff, edit_log, edit_undo, versions
from tunewright.verbs.judge import compare
from tunewright.verbs.learn import train
from tunewright.verbs.linting import lint
from tunewright.verbs.look import runs, show
from tunewright.verbs.low_scores import low_scores
from tunewright.verbs.mixing import mix
from tunewright.verbs.monitored import attach_labels, monitor_report
from tunewright.verbs.monitoring import monitor
from tunewright.verbs.nearby import similar
from tunewright.verbs.overview import analyze
from tunewright.verbs.picture import plot
from tunewright.verbs.receiver import receiving
from tunewright.verbs.score import evaluate, predict
from tunewright.verbs.slicing import slices
from tunewright.verbs.start import init
from tunewright.verbs.suspecting import suspects
from tunewright.verbs.trial_plan import plan_trial
from tunewright.verbs.trials import run_trial, show_trial

__all__ = [
    "across",
    "analyze",
    "attach_labels",
    "check",
    "collected",
    "compare",
    "compare_stored",
    "edit",
    "edit_diff",
    "edit_log",
    "edit_undo",
    "ensemble",
    "evaluate",
    "explain",
    "export",
    "faithfulness",
    "focus",
    "forget_view",
    "heat_of",
    "import_dynamics",
    "init",
    "issues",
    "lint",
    "low_scores",
    "map",
    "mix",
    "monitor",
    "monitor_alerts",
    "monitor_report",
    "pending",
    "plan_trial",
    "plot",
    "predict",
    "receiving",
    "rows",
    "run_trial",
    "runs",
    "save_view",
    "show",
    "show_trial",
    "similar",
    "simulate_alert",
    "slices",
    "suspects",
    "train",
    "versions",
    "views",
]
