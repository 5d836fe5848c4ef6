"""A worker for tests: `main` squares numbers, fails, dies, or takes its time."""

from __future__ import annotations

import os
import sys
import time

from tunewright.errors import TrainError
from tunewright.trial.workers import serve


def work(job, advance):
    sys.stdout.write("libraries print, too\n")
    try:
        advance(1, 2)
        return done(job)
    except KeyboardInterrupt:
        sys.stderr.write("stopped in good order\n")
        raise


def done(job):
    match job["do"]:
        case "fail":
            raise TrainError("expected better", fix="do better")
        case "die":
            os._exit(3)
        case "wait":
            time.sleep(60)
    return {"square": job["number"] ** 2, "threads": os.environ["OMP_NUM_THREADS"], "process": os.getpid()}


def main():
    serve(work)
