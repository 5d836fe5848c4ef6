"""A trial on disk: what is tried, what was trained for it, and what every model said about every row it is judged by.

trials/
    tries.jsonl            the decisions judged so far (see `tunewright.trial.ledger`)
    <date-name-hash>/
        trial.json         decisions, arms, seeds, configuration, runs, times
        results.parquet    one row per arm, seed and test row
        workers.log        what the processes that train printed
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright import table as tables
from tunewright.errors import RunError, listed
from tunewright.files import write_json
from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LEDGER", "Trial", "find", "trials"]

LEDGER = "tries.jsonl"
_BEGIN = "plan one with `tunewright trial plan drop:top:5%`, and begin it with `tunewright trial run drop:top:5%`"
_META, _RESULTS, _BESIDE = "trial.json", "results", "results-beside"


class Trial:
    """One trial folder; ``meta`` is what trial.json says."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder = folder
        self.meta = meta

    def __repr__(self) -> str:
        return f"Trial({self.id!r}, status={self.meta.get('status')!r})"

    @classmethod
    def create(cls, root: Path, *, name: str, arms: tuple[Arm, ...], config: TrainConfig, **meta: Any) -> Trial:
        """Make a new folder below ``root``; ``meta`` are JSON values."""
        created = datetime.now(UTC)
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "trial"
        folder = root / f"{created:%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(2)}"
        trial = cls(folder, {"format": 1, "name": name, "created": created.isoformat(timespec="microseconds")})
        trial.update(
            status="planned",
            **meta,
            arms=[arm.to_json() for arm in arms],
            config=config.to_json(),
            done={},
        )
        return trial

    @classmethod
    def open(cls, folder: Path) -> Trial:
        """An existing trial.

        Raises:
            RunError: if the folder is none.
        """
        try:
            return cls(folder, json.loads((folder / _META).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise RunError(f"expected a trial at {folder}, found no {_META} there") from None
        except ValueError as error:
            raise RunError(f"expected JSON in {folder / _META}, found something else ({error})") from error

    @property
    def id(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def arms(self) -> tuple[Arm, ...]:
        """No change first, then each decision with what belongs to it."""
        return tuple(Arm.from_json(values) for values in self.meta["arms"])

    @property
    def config(self) -> TrainConfig:
        """How the arm without a change trains."""
        return TrainConfig.from_json(self.meta["config"])

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were asked for."""
        return tuple(self.meta["seeds"])

    @property
    def done(self) -> Mapping[str, Any]:
        """What is trained and evaluated: by the key of a training, its run, its evaluation and the seconds of both."""
        done: Mapping[str, Any] = self.meta["done"]
        return done

    @property
    def log(self) -> Path:
        """What the processes that train printed."""
        return self.folder / "workers.log"

    def update(self, **meta: Any) -> None:
        """Change fields of trial.json, atomically."""
        self.meta = {**self.meta, **meta}
        write_json(self.folder / _META, self.meta)

    def write(self, results: pa.Table, *, beside: bool = False) -> None:
        """Store what the models said about the rows that decide, or about those beside them, atomically."""
        tables.write(self.folder / f"{_BESIDE if beside else _RESULTS}.parquet", results)

    def results(self, *, beside: bool = False) -> pa.Table:
        """What the models said: columns arm, seed, id, label, predicted, correct and what else rows are graded by.

        Args:
            beside: about the rows that are looked at beside those that decide.

        Raises:
            RunError: if nothing was evaluated yet.
        """
        path = self.folder / f"{_BESIDE if beside else _RESULTS}.parquet"
        if not path.exists():
            raise RunError(f"trial {self.id} has no results yet", fix=f"tunewright trial run --resume {self.id}")
        return tables.read(path)


def trials(root: Path) -> list[Trial]:
    """All trials below a folder, oldest first."""
    found = [Trial.open(path.parent) for path in root.glob(f"*/{_META}")]
    return sorted(found, key=lambda trial: trial.meta["created"])


def find(root: Path, name: str | None = None) -> Trial:
    """The trial that an id, a name or a part of the id names; the newest for None.

    Raises:
        RunError: if none or several fit.
    """
    known = {trial.id: trial for trial in trials(root)}
    if not known:
        raise RunError(f"expected a trial below {root}, found none", fix=_BEGIN)
    if name is None or name == "last":
        return list(known.values())[-1]
    called = [trial for trial in known.values() if trial.meta["name"] == name]
    match [known[name]] if name in known else called or [known[key] for key in known if name in key]:
        case [trial]:
            return trial
        case []:
            raise RunError(f"no trial below {root} is called {name!r}", fix=f"known: {listed(list(known))}")
        case fitting:
            ids = ", ".join(trial.id for trial in fitting)
            raise RunError(f"{name!r} could be any of: {ids}", fix="give more of the name")
