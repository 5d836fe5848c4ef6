"""Pending changes: laws of undo and redo, two writers, processes that are killed, and what a commit makes of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data.dataset import Dataset
from tunewright.data.edits import Drop, Keep, Note, Relabel, Reweight, Tag
from tunewright.errors import ConflictError, EditError
from tunewright.project import Project
from tunewright.tasks.classify import Classification
from tunewright.verbs.explore.curation import pending
from tunewright.verbs.explore.pending import PendingLog, RowChange, Steps, keyed

TRAIN, OTHERS = [f"r{row}" for row in range(5)], ["v0", "t0", "t1"]
QUICK = settings(max_examples=30, deadline=None)


def rows():
    ids = TRAIN + OTHERS
    return pa.table(
        {
            "id": ids,
            "text": [f"text of {name}" for name in ids],
            "label": ["even", "odd"] * 4,
            "split": ["train"] * len(TRAIN) + ["validation", "test", "test"],
        }
    )


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """A function that makes a project of eight rows."""
    made = iter(range(10**6))

    def fresh():
        folder = tmp_path_factory.mktemp(f"p{next(made)}")
        rows_file = folder / "rows.jsonl"
        rows_file.write_text("".join(json.dumps(row) + "\n" for row in rows().to_pylist()))
        task = Classification(labels=("even", "odd"))
        return Project(name="toy", source=str(rows_file), task=task, folder=folder)

    return fresh


@pytest.fixture
def project(make):
    return make()


def dataset_of(project):
    return Dataset.open(project.dataset_folder)


def relabel(name, old, new, **more):
    return {"action": "relabel", "ids": [name], "value": new, "old": {name: old}, **more}


DROP = {"action": "drop", "ids": ["r2"]}


def ids_of(told):
    return [(one.action, one.ids) for one in told.changes]


def test_nothing_waits_at_first(project):
    told = pending(project).read()
    assert (told.revision, told.changes, told.undo, told.redo) == (0, (), 0, 0)
    assert told.head == dataset_of(project).resolve("main")
    with pytest.raises(EditError, match="did you mean 'main'"):
        pending(project, "mian")


def test_what_was_added_is_read_by_another_process(project):
    told = pending(project).add([relabel("r0", "even", "odd", reason="read it"), DROP], revision=0)
    assert told == pending(project).read()
    assert [one.reason for one in told.changes] == ["read it", ""]
    assert all(one.author and one.when.endswith("+00:00") for one in told.changes)
    assert len({one.key for one in told.changes}) == 2
    json.dumps(told.to_json())


def test_undo_redo_and_discard(project):
    edits = pending(project)
    edits.add([DROP])
    told = edits.add([relabel("r0", "even", "odd")])
    assert (told.undo, told.redo) == (2, 0)
    assert ids_of(edits.undo()) == [("drop", ("r2",))]
    told = edits.redo()
    assert ids_of(told) == [("drop", ("r2",)), ("relabel", ("r0",))]
    told = edits.discard([told.changes[0].key])
    assert ids_of(told) == [("relabel", ("r0",))]
    assert ids_of(edits.undo()) == [("drop", ("r2",)), ("relabel", ("r0",))]
    with pytest.raises(EditError, match="no pending change has the key 'gone'"):
        edits.discard(["gone"])


def test_there_is_not_always_a_step(project):
    with pytest.raises(EditError, match="no step to undo"):
        pending(project).undo()
    with pytest.raises(EditError, match="no step to redo"):
        pending(project).redo()


def test_an_old_revision_is_refused_and_told_what_there_is(project):
    edits = pending(project)
    now = edits.add([DROP], revision=0)
    asked = [
        lambda: edits.add([relabel("r0", "even", "odd")], revision=0),
        lambda: edits.undo(revision=0),
        lambda: edits.redo(revision=0),
        lambda: edits.discard([now.changes[0].key], revision=0),
        lambda: edits.commit(revision=0),
    ]
    for ask in asked:
        with pytest.raises(ConflictError, match="have gone on: expected revision 1, found 0") as refused:
            ask()
        assert refused.value.state == now
    assert edits.read() == now


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "drop", "ids": ["gone"]}, "expected rows of version main, found 1 other row: gone"),
        ({"action": "drop", "ids": []}, "expected rows to drop, found none"),
        ({"action": "relabel", "ids": ["r0"], "value": "evn"}, "no label is called 'evn'"),
        ({"action": "relabel", "ids": ["r0"]}, "expected a value to relabel"),
        ({"action": "reweight", "ids": ["r0"]}, "expected a weight for reweight"),
        ({"action": "drop", "ids": ["r0"], "weight": 1.0}, "found 1.0 for drop"),
        ({"action": "reweight", "ids": ["r0"], "weight": -1.0}, "finite weights"),
        ({"action": "keep", "ids": ["t0"]}, "expected training rows to keep, found none"),
        ({"action": "tag", "ids": ["r0"], "value": "a,b"}, "expected a tag"),
        ({"action": "erase", "ids": ["r0"]}, "'erase' is no action"),
        ({"action": "drop", "rows": ["r0"]}, "expected the fields of a change"),
    ],
)
def test_what_could_not_be_committed_does_not_wait(project, change, message):
    with pytest.raises(EditError, match=message):
        pending(project).add([DROP, change])
    assert pending(project).read().revision == 0
    with pytest.raises(EditError, match="a change or more"):
        pending(project).add([])


def test_a_commit_makes_a_version_of_the_last_word_on_each_row(project):
    edits = pending(project)
    edits.add([relabel("r0", "even", "odd", run="run-1", analysis="suspicion", reason="clear")])
    edits.add([relabel("r1", "odd", "even"), relabel("r1", "even", "odd")])
    edits.add([{"action": "reweight", "ids": ["r3"], "weight": 0.5}, DROP, relabel("r2", "even", "odd")])
    edits.add(
        [{"action": "tag", "ids": ["r3", "t0"], "value": "ask"}, {"action": "note", "ids": ["r3"], "value": "hm"}]
    )
    edits.add([{"action": "reject", "ids": ["r4"], "value": "odd", "run": "run-1"}])
    told = edits.commit(name="cleaned", reason="second reading")
    dataset = dataset_of(project)
    assert (told.name, told.id, told.rows) == ("cleaned", dataset.resolve("cleaned"), 7)
    assert told.command == "tunewright train --version cleaned"
    done = [entry.edit for entry in dataset.log("cleaned")]
    assert [type(edit) for edit in done] == [Relabel, Reweight, Tag, Note, Drop]
    assert done[0].changes == (("r0", "even", "odd"),)
    assert done[0].reason == "clear; second reading"
    assert (done[0].evidence.run, done[0].evidence.analysis) == ("run-1", "suspicion")
    assert all(edit.evidence.author and edit.evidence.time for edit in done)
    by_id = {row["id"]: row for row in dataset.table("cleaned").to_pylist()}
    assert (by_id["r3"]["tags"], by_id["r3"]["note"], by_id["t0"]["tags"]) == ("ask", "hm", "ask")
    decided = dataset.reviews().select(["id", "decision", "suggested", "run"]).to_pylist()
    assert [tuple(row.values()) for row in decided] == [
        ("r0", "accept", "odd", "run-1"),
        ("r4", "reject", "odd", "run-1"),
    ]
    assert dataset.resolve("main") == dataset.resolve("base")
    after = edits.read()
    assert (after.changes, after.undo, after.redo) == ((), 0, 0)
    assert after.revision > 5


def test_the_name_moves_unless_there_is_another(project):
    edits = pending(project)
    edits.add([DROP])
    assert edits.commit().id == dataset_of(project).resolve("main")
    edits.add([relabel("r0", "even", "odd")])
    with pytest.raises(EditError, match="there is a version 'base' already"):
        edits.commit(name="base")
    assert len(edits.read().changes) == 1
    edits.undo()
    with pytest.raises(EditError, match="nothing to commit"):
        edits.commit()


def test_rejections_alone_are_kept_too(project):
    edits = pending(project)
    edits.add([{"action": "reject", "ids": ["r4"], "value": "odd", "run": "run-1"}])
    before = dataset_of(project).resolve("main")
    assert edits.commit().id == before
    assert dataset_of(project).reviews()["decision"].to_pylist() == ["reject"]


def test_keep_leaves_other_splits_and_what_was_dropped_stays_away(project):
    edits = pending(project)
    edits.add([{"action": "keep", "ids": ["r0", "r2", "t0"]}, DROP, relabel("r3", "odd", "even")])
    edits.commit()
    dataset = dataset_of(project)
    assert dataset.table()["id"].to_pylist() == ["r0", "v0", "t0", "t1"]
    assert [type(entry.edit) for entry in dataset.log()] == [Drop, Keep]


def test_changes_of_which_nothing_comes_are_told_before_and_after(project):
    edits = pending(project)
    told = edits.add(
        [
            {"action": "tag", "ids": ["r2"], "value": "odd"},  # the row goes
            relabel("r0", "even", "odd"),  # and back
            relabel("r0", "odd", "even"),
            relabel("r1", "odd", "even"),
            DROP,
        ]
    )
    assert told.idle == tuple(one.key for one in told.changes[:3])
    made = edits.commit()
    assert (made.changes, made.idle, made.edits) == (2, 3, 2)
    assert edits.read().idle == ()


def test_an_accepted_suggestion_on_a_row_that_goes_is_a_decision(project):
    edits = pending(project)
    told = edits.add([relabel("r2", "even", "odd", run="run-1"), DROP])
    assert told.idle == ()
    assert edits.commit().changes == 2


def test_test_rows_change_only_when_asked(project):
    edits = pending(project)
    assert edits.add([{"action": "tag", "ids": ["t0"], "value": "odd"}]).test_rows == 0
    assert edits.add([{"action": "drop", "ids": ["t1", "r0"]}]).test_rows == 1
    with pytest.raises(EditError, match="1 row of the test split") as refused:
        edits.commit()
    assert "--allow-test" in refused.value.fix
    assert edits.commit(allow_test=True).rows == 6


def test_rows_that_somebody_else_changed_are_named(project):
    edits = pending(project)
    edits.add(
        [relabel("r0", "even", "odd"), relabel("r1", "odd", "even"), {"action": "tag", "ids": ["r2"], "value": "x"}]
    )
    dataset_of(project).apply([Relabel(changes=(("r0", "even", None),)), Drop(ids=("r2",))])
    told = edits.read()
    assert [(one.id, one.seen, one.now) for one in told.conflicts] == [("r0", "even", None), ("r2", None, None)]
    with pytest.raises(ConflictError, match="somebody else has changed 2 rows: r0, r2") as refused:
        edits.commit(revision=told.revision)
    assert refused.value.state == told
    made = edits.commit(revision=told.revision, skip=True)
    assert (made.changes, made.idle, made.edits) == (1, 0, 1)
    assert [one.ids for one in edits.read().changes] == [("r0",), ("r2",)]
    labels = dict(zip(*(dataset_of(project).table()[name].to_pylist() for name in ("id", "label")), strict=True))
    assert (labels["r0"], labels["r1"]) == (None, "even")


def test_a_label_that_another_saw_differently_is_refused_at_once(project):
    pending(project)
    dataset_of(project).apply([Relabel(changes=(("r0", "even", "odd"),))])
    with pytest.raises(ConflictError, match="somebody else has changed 1 row: r0"):
        pending(project).add([{"action": "drop", "ids": ["r0"], "old": {"r0": "even"}}])
    assert pending(project).add([relabel("r0", "even", "odd")]).conflicts == ()  # which is what it is already


def test_a_second_word_may_name_the_label_of_the_first(project):
    edits = pending(project)
    edits.add([relabel("r0", "even", "odd")])
    assert edits.add([{"action": "drop", "ids": ["r0"], "old": {"r0": "odd"}}]).conflicts == ()


def test_two_writers_lose_nothing(project):
    edits = [pending(project) for _ in range(4)]
    names = [f"n{number}" for number in range(24)]

    def write(number):
        edits[number % 4].add([{"action": "note", "ids": ["r0"], "value": names[number]}])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(24)))
    told = pending(project).read()
    assert sorted(one.value for one in told.changes) == sorted(names)
    assert told.revision == 24


def test_an_edit_that_comes_between_is_seen(project, monkeypatch):
    edits = pending(project)
    edits.add([DROP])
    applied, others = Dataset.apply, iter([Relabel(changes=(("r1", "odd", "even"),))])

    def late(self, *arguments, **options):
        for edit in others:
            applied(self, [edit])
        return applied(self, *arguments, **options)

    monkeypatch.setattr(Dataset, "apply", late)
    told = edits.commit()
    assert [type(entry.edit) for entry in dataset_of(project).log()] == [Relabel, Drop]
    assert told.id == dataset_of(project).resolve("main")
    assert edits.read().changes == ()


WRITER = """
import json, sys
from tunewright.project import Project
from tunewright.tasks.classify import Classification
from tunewright.verbs.explore.curation import pending
folder = sys.argv[1]
project = Project(name="toy", source=folder + "/rows.jsonl", task=Classification(labels=("even", "odd")), folder=__import__("pathlib").Path(folder))
edits = pending(project)
for number in range(10**6):
    edits.add([{"action": "note", "ids": ["r0"], "value": str(number)}])
    print(number, flush=True)
"""


def test_what_was_answered_survives_a_kill(project):
    pending(project)
    writer = [sys.executable, "-c", textwrap.dedent(WRITER), str(project.folder)]
    with subprocess.Popen(writer, stdout=subprocess.PIPE, text=True) as process:
        answered = [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        answered += [int(line) for line in process.stdout.read().split()]
    told = pending(project).read()
    kept = [int(one.value) for one in told.changes]
    assert kept[: len(answered)] == answered
    assert len(kept) - len(answered) <= 1
    assert len(pending(project).undo().changes) == len(kept) - 1


def test_a_torn_line_counts_for_nothing(project):
    edits = pending(project)
    edits.add([DROP])
    with (project.dataset_folder / "pending" / "main.jsonl").open("a") as file:
        file.write('{"do": "add", "chan')
    assert len(edits.read().changes) == 1
    assert len(edits.add([relabel("r0", "even", "odd")]).changes) == 2
    assert len(edits.read().changes) == 2


@pytest.mark.parametrize("skip", [False, True])
def test_a_commit_that_is_cut_off_once_its_edits_are_kept_is_done(project, monkeypatch, skip):
    edits = pending(project)
    edits.add([DROP, relabel("r0", "even", "odd")])
    if skip:
        dataset_of(project).apply([Relabel(changes=(("r0", "even", None),))])
    before = edits.read()

    def cut_off(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PendingLog, "restart", cut_off)
        with pytest.raises(KeyboardInterrupt):
            edits.commit(skip=skip)
    after = pending(project).read()
    assert [one.ids for one in after.changes] == ([("r0",)] if skip else [])
    assert after.revision > before.revision
    assert len(dataset_of(project).log()) == 2
    again = pending(project).add([{"action": "tag", "ids": ["r1"], "value": "odd"}], revision=after.revision)
    assert len(again.changes) == len(after.changes) + 1
    assert pending(project).read() == again


def test_a_commit_that_is_cut_off_before_its_edits_are_kept_is_not(project, monkeypatch):
    edits = pending(project)
    edits.add([DROP])
    with monkeypatch.context() as patched:
        patched.setattr(Dataset, "apply", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            edits.commit()
    assert ids_of(edits.read()) == [("drop", ("r2",))]
    assert edits.commit().rows == 7


# --- laws ---------------------------------------------------------------------------------------------------------


def line(action):
    match action:
        case int() as number:
            change = RowChange(action="note", ids=("r0",), value=str(number))
            return {"do": "add", "changes": [asdict(keyed(change, author="ada", when=""))], "head": "h"}
        case "discard":
            return None
        case name:
            return {"do": name}


def state(steps):
    return SimpleNamespace(now=steps.now, past=steps.past, future=steps.future)


def walked(actions):
    steps = Steps()
    for action in actions:
        if action == "discard":
            steps = steps.stepped({"do": "discard", "keys": [one.key for one in steps.now[:1]]})
        else:
            steps = steps.stepped(line(action))
    return steps


ACTIONS = st.lists(st.one_of(st.integers(0, 99), st.sampled_from(["undo", "redo", "discard"])), max_size=20)


@QUICK
@given(actions=ACTIONS)
def test_redo_takes_back_undo(actions):
    steps = walked(actions)
    if steps.past:
        assert state(steps.stepped({"do": "undo"}).stepped({"do": "redo"})) == state(steps)
    if steps.future:
        assert state(steps.stepped({"do": "redo"}).stepped({"do": "undo"})) == state(steps)


@QUICK
@given(actions=ACTIONS, number=st.integers(0, 99))
def test_undo_takes_back_what_was_added_and_ends_redo(actions, number):
    before = walked(actions)
    after = before.stepped(line(number))
    assert after.stepped({"do": "undo"}).now == before.now
    assert (after.future, len(after.past)) == ((), len(before.past) + 1)


@QUICK
@given(actions=ACTIONS)
def test_undoing_all_leads_to_nothing_and_redoing_all_back(actions):
    steps = walked(actions)
    back = steps
    for _ in steps.past:
        back = back.stepped({"do": "undo"})
    assert (back.now, back.past) == ((), ())
    for _ in steps.past:
        back = back.stepped({"do": "redo"})
    assert state(back) == state(steps)


@QUICK
@given(actions=ACTIONS)
def test_every_step_is_a_revision(actions):
    assert walked(actions).revision == len(actions)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_committing_gives_the_rows_that_the_changes_say(data, make):
    project = make()
    edits = pending(project)
    table = {row["id"]: dict(row) for row in rows().to_pylist()}
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from(TRAIN))
        if data.draw(st.booleans()):
            value = data.draw(st.sampled_from(["even", "odd"]))
            edits.add([{"action": "relabel", "ids": [name], "value": value}])
            if name in table:
                table[name]["label"] = value
        else:
            edits.add([{"action": "drop", "ids": [name]}])
            table.pop(name, None)
    with suppress(EditError):  # there may be nothing to commit
        edits.commit()
    found = dataset_of(project).table().select(["id", "label"]).to_pylist()
    assert found == [{"id": row["id"], "label": row["label"]} for row in table.values()]


def test_the_rows_of_a_version_are_read_once(project, monkeypatch):
    edits = pending(project)
    edits.add([DROP])
    edits.read()
    read = []
    monkeypatch.setattr(Dataset, "table", lambda *_: read.append(1))
    edits.read()
    assert read == []
