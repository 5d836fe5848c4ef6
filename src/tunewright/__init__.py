"""Fine-tune, see what the model could not learn, fix the data, and prove that the fix helped.

Public names are looked up when they are first used, so that importing the package loads nothing heavy.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunewright.data.dataset import Dataset
    from tunewright.errors import TunewrightError
    from tunewright.monitor.collector import Collector
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.signals import col, emb, metric, text
    from tunewright.monitor.watch import Monitor
    from tunewright.project import Project, open_project
    from tunewright.run import Run
    from tunewright.tasks.answer import QuestionAnswering
    from tunewright.tasks.classify import Classification
    from tunewright.tasks.summarize import Summarization
    from tunewright.train.config import TrainConfig
    from tunewright.train.recorder import Recorder
    from tunewright.verbs import (
        analyze,
        check,
        compare,
        ensemble,
        evaluate,
        explain,
        export,
        focus,
        init,
        lint,
        map,
        plot,
        predict,
        runs,
        show,
        similar,
        slices,
        train,
    )

__all__ = [
    "Classification",
    "Collector",
    "Dataset",
    "Monitor",
    "Project",
    "QuestionAnswering",
    "Recorder",
    "Reference",
    "Run",
    "Summarization",
    "TrainConfig",
    "TunewrightError",
    "analyze",
    "check",
    "col",
    "compare",
    "emb",
    "ensemble",
    "evaluate",
    "explain",
    "export",
    "focus",
    "init",
    "lint",
    "map",
    "metric",
    "open_project",
    "plot",
    "predict",
    "runs",
    "show",
    "similar",
    "slices",
    "text",
    "train",
]

_HOMES = {
    "Classification": "tunewright.tasks.classify",
    "Collector": "tunewright.monitor.collector",
    "Dataset": "tunewright.data.dataset",
    "Monitor": "tunewright.monitor.watch",
    "Project": "tunewright.project",
    "QuestionAnswering": "tunewright.tasks.answer",
    "Recorder": "tunewright.train.recorder",
    "Reference": "tunewright.monitor.reference",
    "Run": "tunewright.run",
    "Summarization": "tunewright.tasks.summarize",
    "TrainConfig": "tunewright.train.config",
    "TunewrightError": "tunewright.errors",
    "analyze": "tunewright.verbs",
    "check": "tunewright.verbs",
    "col": "tunewright.monitor.signals",
    "compare": "tunewright.verbs",
    "emb": "tunewright.monitor.signals",
    "ensemble": "tunewright.verbs",
    "evaluate": "tunewright.verbs",
    "explain": "tunewright.verbs",
    "export": "tunewright.verbs",
    "focus": "tunewright.verbs",
    "init": "tunewright.verbs",
    "lint": "tunewright.verbs",
    "map": "tunewright.verbs",
    "metric": "tunewright.monitor.signals",
    "open_project": "tunewright.project",
    "plot": "tunewright.verbs",
    "predict": "tunewright.verbs",
    "runs": "tunewright.verbs",
    "show": "tunewright.verbs",
    "similar": "tunewright.verbs",
    "slices": "tunewright.verbs",
    "text": "tunewright.monitor.signals",
    "train": "tunewright.verbs",
}


class _Package(ModuleType):
    """Keeps ``tunewright.train`` the verb after ``tunewright.train.loop`` was imported.

    Python binds an imported submodule in its parent; without this, a second ``tunewright.train()`` would find the
    package of that name. ``from tunewright.train.loop import fit`` does not look here and works as ever.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
