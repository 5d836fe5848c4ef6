from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pytest

from tunewright import Classification, Project, col, emb, text
from tunewright.monitor.expressions import truth
from tunewright.monitor.outcomes import accuracy
from tunewright.verbs.probing_monitors import probe_monitors
from tunewright.verbs.trying import Step, try_all

ROWS = pa.table(
    {"id": ["a", "b", "c"], "text": ["one two", "three", ""], "label": ["no", "yes", "no"], "length": [1, 2, 3]}
)
SAID = pa.table({"id": ["a", "b", "c"], "predicted": ["no", "no", "yes"], "probability": [0.9, 0.6, 0.7]})


def init(self):
    self.rows = 0


def count(self, inputs, outputs, gts, extra_args):
    self.rows += len(inputs["text"])
    return {"rows so far": self.rows}


def explode(self, inputs, outputs, gts, extra_args):
    raise KeyError("dialog")


def forget(self, inputs, outputs, gts, extra_args):
    self.rows = len(inputs["text"])


@dataclass(frozen=True)
class Longest:
    name: str = "longest"
    needs: frozenset = frozenset({"length"})
    fingerprint: str = "1"

    def start(self, reference):
        return {"longest": 0}

    def update(self, state, rows):
        return {"longest": max([state["longest"], *rows["length"].to_pylist()])}

    def merge(self, a, b):
        return {"longest": max(a["longest"], b["longest"])}

    def report(self, state):
        return dict(state)


class Adds(Longest):
    def merge(self, a, b):
        return {"longest": a["longest"] + b["longest"]}


class Boasts(Longest):
    def report(self, state):
        state["longest"] += 1
        return dict(state)


@pytest.fixture
def tried(tmp_path):
    def of(*monitors):
        project = Project(name="x", source="x.csv", task=Classification(labels=("no", "yes")), monitors=monitors)
        steps = [Step("score", lambda state: "there"), *probe_monitors(project)]
        state = {"project": project, "rows": ROWS, "said": SAID}
        return {one.name: one for one in try_all(steps, state, folder=tmp_path)}

    return of


def test_no_monitors_no_steps(tried):
    assert set(tried()) == {"score"}


def test_each_check_has_a_line(tried):
    edges = [(col("length") > 2).edge("long"), (truth("label") != col("predicted")).edge("wrong")]
    folds = [text.vocabulary("text"), accuracy("predicted", "label"), emb.drift("vector", window=10)]
    found = tried(*edges, *folds, {"name": "counted", "init": init, "check": count}, Longest())
    assert all(one.passed for one in found.values()), found
    assert found["edge long"].detail == "marks 8 of 24 rows"
    assert found["edge wrong"].detail == "marks 16 of 24 rows"
    assert "sequential" in found["monitor counted"].detail
    assert "merges; longest 3" in found["monitor longest"].detail


def test_what_a_fold_must_not_do_is_said(tried):
    own = [
        {"name": "explodes", "init": init, "check": explode},
        {"name": "forgets", "init": init, "check": forget},
        replace(Adds(), name="adds"),
        replace(Boasts(), name="boasts"),
        replace(Longest(), name="wants", needs=frozenset({"lenght"})),
        (text.chars("txt") > 3).edge("misspelt"),
    ]
    found = tried(*own)
    assert found["production rows"].passed
    assert "KeyError: 'dialog'" in found["monitor explodes"].detail
    assert "batches: in one batch and in three differ" in found["monitor forgets"].detail
    assert "merge" in found["monitor adds"].detail
    assert "report: the first time and the second differ" in found["monitor boasts"].detail
    assert "needs column 'lenght', which production rows lack" in found["monitor wants"].detail
    assert "'txt'" in found["edge misspelt"].detail
    assert not any(found[name].passed for name in found if name.startswith(("monitor", "edge")))
