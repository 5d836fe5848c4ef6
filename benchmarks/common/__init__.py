"""What the benchmarks share: naming the machine, and writing results."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
import transformers

from tunewright.files import write_json

RESULTS = Path(__file__).parent.parent / "results"


def parser(doc: str) -> argparse.ArgumentParser:
    """The options every benchmark has."""
    made = argparse.ArgumentParser(description=doc.partition("\n")[0])
    made.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    made.add_argument("--out", type=Path, help="where to write the JSON")
    return made


def write(name: str, arguments: argparse.Namespace, result: dict[str, object]) -> None:
    """Write benchmarks/results/<name>.json, or a scratch file of a quick run."""
    out = arguments.out or RESULTS / ("scratch" if arguments.quick else "") / f"{name}.json"
    write_json(out, {"benchmark": name, "quick": arguments.quick, "machine": machine(), **result})


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
