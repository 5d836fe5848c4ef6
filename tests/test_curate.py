from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.curate import from_csv, from_rule, from_suspects, random_control
from tunewright.data.applying import apply
from tunewright.data.edits import Add, Drop, Evidence, Keep, Mix, Relabel, Reweight, size
from tunewright.errors import EditError

IDS = [f"r{row}" for row in range(12)]
TABLE = pa.table(
    {
        "id": IDS,
        "split": ["train"] * 8 + ["test"] * 4,
        "label": pa.array(["even", "odd"] * 5 + [None, None], pa.string()),
        "weight": pa.array([1.0] * 12, pa.float32()),
    }
)
ROWS = TABLE.append_column("suspicion", pa.array([0.1, 0.9, None, 0.8, 0.9, float("nan"), 0.2, 0.3] + [None] * 4))
ROWS = ROWS.append_column("suggested", pa.array(["odd", "even", "odd", "odd", None] + ["even"] * 7))


def test_the_most_suspicious_rows_first():
    assert from_suspects(ROWS, "drop", 3).ids == ("r1", "r4", "r3")
    assert from_suspects(ROWS, "drop", 99).ids == ("r1", "r4", "r3", "r7", "r6", "r0")
    assert from_suspects(ROWS, "reweight", 2, 0.3).weights == (("r1", 0.3), ("r4", 0.3))
    edit = from_suspects(ROWS, "drop", 1, reason="read", evidence=Evidence(run="a-run", author="ada"))
    assert (edit.reason, edit.evidence) == (
        "read",
        Evidence(run="a-run", author="ada", rule="top:1 by suspicion"),
    )


def test_relabelling_takes_rows_with_another_suggestion():
    found = from_suspects(ROWS, "relabel", 3)
    assert found.changes == (("r1", "odd", "even"), ("r7", "odd", "even"), ("r0", "even", "odd"))


@pytest.mark.parametrize(
    ("rows", "action", "top", "message"),
    [
        (ROWS, "drop", 0, "top:0"),
        (ROWS, "keep", 1, "found 'keep'"),
        (ROWS, "drpo", 1, "did you mean 'drop'"),
        (ROWS.slice(2, 1), "drop", 1, "nothing to do"),
        (TABLE, "drop", 1, "a column 'suspicion'"),
        (ROWS.drop_columns("suggested"), "relabel", 1, "a column 'suggested'"),
    ],
)
def test_suspects_that_cannot_be_acted_on(rows, action, top, message):
    with pytest.raises(EditError, match=message):
        from_suspects(rows, action, top)


def test_a_rule_is_stored_with_the_ids_it_resolved_to():
    edit = from_rule(ROWS, "suspicion > 0.75 and label = 'odd'", "drop")
    assert (edit.ids, edit.evidence.rule) == (("r1", "r3"), "suspicion > 0.75 and label = 'odd'")
    assert from_rule(ROWS, "suspicion > (SELECT avg(suspicion) FROM examples)", "drop").ids
    assert from_rule(ROWS, "id IN ('r1', 'r8') -- and a remark", "keep") == Keep(
        ids=("r1",), evidence=Evidence(rule="id IN ('r1', 'r8') -- and a remark")
    )
    assert from_rule(ROWS, "label IS NULL", "relabel").changes == (("r10", None, "even"), ("r11", None, "even"))


@pytest.mark.parametrize(
    "rule",
    [
        "suspicoin > 0.9",
        "suspicion >",
        "",
        "text",
        "1); DROP TABLE examples; SELECT (1",
        "id = read_text('/etc/hosts')",
    ],
)
def test_what_is_no_condition_is_refused(rule):
    with pytest.raises(EditError, match="cannot be followed"):
        from_rule(ROWS, rule, "drop")


def test_a_rule_that_finds_nothing_is_an_error():
    with pytest.raises(EditError, match="no row is found by 'suspicion > 2'"):
        from_rule(ROWS.slice(0, 1), "suspicion > 2", "drop")


def test_a_reviewed_list_becomes_edits_by_author(tmp_path):
    path = tmp_path / "reviewed.csv"
    path.write_text(
        "id,label,suggested,decision,new_label,note,author\n"
        "r0,even,odd,accept,,,ada\n"
        "r1,odd,even,reject,,right as it is,ada\n"
        "r2,even,odd,drop,,,\n"
        "r3,odd,,relabel,even,,\n"
        "r4,even,odd,,,,\n"
    )
    found = from_csv(path, TABLE, evidence=Evidence(author="bob", run="a-run"))
    assert found == [
        Relabel(changes=(("r0", "even", "odd"),), evidence=Evidence(author="ada", run="a-run")),
        Relabel(changes=(("r3", "odd", "even"),), evidence=Evidence(author="bob", run="a-run")),
        Drop(ids=("r2",), evidence=Evidence(author="bob", run="a-run")),
    ]


train, test = st.sampled_from(IDS[:8]), st.sampled_from(IDS[8:])
ids = st.lists(st.one_of(train, test), unique=True, min_size=1)
label_of = dict(zip(IDS, TABLE["label"].to_pylist(), strict=True))


def flipped(names):
    return Relabel(changes=[(name, label_of[name], "odd" if label_of[name] != "odd" else "even") for name in names])


edits = st.one_of(
    ids.map(lambda names: Drop(ids=names)),
    st.lists(train, unique=True).map(lambda names: Keep(ids=names)),
    ids.map(flipped),
    ids.map(lambda names: Reweight(weights=[(name, row / 4) for row, name in enumerate(names)])),
    st.lists(st.tuples(train, train), min_size=1).map(
        lambda pairs: Mix(recipes=[(f"m{row}", *pair, 0.9) for row, pair in enumerate(pairs)], layer="pooled")
    ),
)


def named(edit):
    match edit:
        case Keep(ids=found) | Drop(ids=found):
            return found
        case Relabel(changes=found) | Reweight(weights=found):
            return [name for name, *_ in found]
    return []


@settings(max_examples=100, deadline=None)
@given(edit=edits, seed=st.integers(0, 5))
def test_a_random_control_fits_and_is_as_large(edit, seed):
    control = random_control(edit, TABLE, seed=seed)
    assert type(control) is type(edit)
    assert size(control) == size(edit)
    assert control == random_control(edit, TABLE, seed=seed)
    apply(TABLE, control, text=("text",))
    split = dict(zip(IDS, TABLE["split"].to_pylist(), strict=True))
    assert Counter(split[name] for name in named(control)) == Counter(split[name] for name in named(edit))
    match control, edit:
        case Relabel(changes=drawn), Relabel(changes=changes):
            assert all(old != new is not None for _, old, new in drawn)
            assert sum(old is None for _, old, _ in drawn) == sum(old is None for _, old, _ in changes)
        case Reweight(weights=drawn), Reweight(weights=weights):
            assert sorted(weight for _, weight in drawn) == sorted(weight for _, weight in weights)
        case Mix(recipes=drawn, layer=layer), Mix(recipes=recipes):
            assert layer == "pooled"
            assert [each[::3] for each in drawn] == [each[::3] for each in recipes]
            assert all(a != b for _, a, b, _ in drawn)


def test_a_control_is_random_and_says_so():
    drawn = {random_control(Drop(ids=("r0",)), TABLE, seed=seed).ids for seed in range(50)}
    assert len(drawn) == 8
    control = random_control(Drop(ids=("r0",), reason="noise", evidence=Evidence(run="a-run")), TABLE, seed=3)
    assert (control.reason, control.evidence.rule) == ("random control (seed 3): noise", "random rows (seed 3)")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Add(rows=({"id": "n", "text": "x"},)), "no random counterpart"),
        (Drop(ids=("gone",)), "rows to draw at random from"),
        (Relabel(changes=(("r0", "even", "even"),)), "two labels or more"),
    ],
)
def test_what_has_no_control(edit, message):
    table = TABLE.filter(pa.array([name == "r0" for name in IDS]))
    with pytest.raises(EditError, match=message):
        random_control(edit, table, seed=0)
