"""What a monitor loses when its process is killed: nothing that it acknowledged.

A process logs a stream of batches and labels, and is killed (SIGKILL) within some milliseconds after a random
acknowledgement; then the stream is sent again from its beginning to a new process, until one comes to the end. Each round
takes some kills in one folder, each further along the stream. At the end every acknowledged row must be there once, and
the report, the rows, the selection, and the alerts that fired and were sent must equal those of a process that nobody
disturbed.

    python benchmarks/kills.py            # 200 kills; writes benchmarks/results/kills.json
    python benchmarks/kills.py --quick    # 12 kills; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import common

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "monitor"))
import kill_scenario

KILLS, PER_ROUND = 200, 8
LATEST = 0.03  # seconds after an acknowledgement


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    kills = 12 if arguments.quick else KILLS
    with tempfile.TemporaryDirectory() as folder:
        lines, expected = undisturbed(Path(folder) / "undisturbed")
        rounds = []
        for done in range(0, kills, PER_ROUND):
            wanted = min(PER_ROUND, kills - done)
            rounds.append(disturbed(Path(folder) / f"round-{done}", wanted, lines, expected, seed=done))
            print(f"{done + wanted} kills: {rounds[-1]}", flush=True)
    totals = {name: sum(one[name] for one in rounds) for name in ("kills", "lost", "repeated", "different")}
    common.write("kills", arguments, {**totals, "acknowledged": sum(one["acknowledged"] for one in rounds)})
    print(totals)
    if totals["lost"] or totals["repeated"] or totals["different"]:
        sys.exit(1)


def undisturbed(folder: Path) -> tuple[int, dict]:
    """How often a process acknowledges that nobody kills, and what it leaves."""
    lines = run(folder, None, 0.0)
    with kill_scenario.opened(folder) as monitor:
        return len(lines), kill_scenario.result(monitor)


def disturbed(folder: Path, kills: int, lines: int, expected: dict, *, seed: int) -> dict[str, int]:
    """Kill as often as asked, and let the last process come to its end."""
    draw, acknowledged = random.Random(seed), []
    for target in sorted(draw.randrange(lines) for _ in range(kills)):
        acknowledged += run(folder, target, draw.uniform(0, LATEST))
    acknowledged += run(folder, None, 0.0)
    with kill_scenario.opened(folder) as monitor:
        found = kill_scenario.result(monitor)
    return {"kills": kills, **compare(found, expected, acknowledged)}


def run(folder: Path, target: int | None, delay: float) -> list[list[str]]:
    """Acknowledgements of a process that is killed so long after this many of them; None is never."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 1)
        try:
            kill_scenario.main(folder)
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    os.close(writing)
    with os.fdopen(reading) as output:
        found = [] if target is None else [output.readline() for _ in range(target)]
        if target is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        found += output.readlines()
    _, status = os.waitpid(child, 0)
    if target is None and status:
        raise RuntimeError(f"a process that nobody killed ended with status {status}")
    return [line.split() for line in found if line.endswith("\n")]  # the kill may have cut the last one


def compare(found: dict, expected: dict, acknowledged: list[list[str]]) -> dict[str, int]:
    rows = [row["id"] for row in found["rows"]]
    labelled = {row["id"] for row in found["rows"] if row["gts"] is not None}
    sent = {"rows": set(rows), "labels": labelled}
    lost = {(kind, id) for kind, *ids in acknowledged for id in ids if id not in sent[kind]}
    different = sum(found[name] != expected[name] for name in expected)
    return {
        "acknowledged": len({(kind, id) for kind, *ids in acknowledged for id in ids}),
        "lost": len(lost),
        "repeated": len(rows) - len(set(rows)),
        "different": different,
    }


if __name__ == "__main__":
    main()
