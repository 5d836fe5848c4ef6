from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.reviewed import read_reviewed
from tunewright.errors import DataError, EditError

TABLE = pa.table({"id": ["a", "b", "c", "007", "-5"], "label": ["neg", "pos", None, "neg", "-1"]})
LABELS = ("neg", "pos", "-1")


@pytest.fixture
def read(tmp_path):
    def read(text, *, labels=LABELS, encoding="utf-8", table=TABLE):
        path = tmp_path / "reviewed.csv"
        path.write_text(text, encoding=encoding)
        return read_reviewed(path, table, labels=labels)

    return read


def test_a_list_with_decisions(read):
    found = read(
        "id,label,suggested,decision,new_label,note,author,text\n"
        "a,neg,pos,accept,,,ada,awful\n"
        'b,pos,neg,reject,,is fine,ada,"two\nlines"\n'
        "007,neg,pos,relabel,-1,,,\n"
        "c,,pos,,,,,\n"
    )
    assert [(one.id, one.label, one.suggested, one.decision, one.new_label) for one in found] == [
        ("a", "neg", "pos", "accept", None),
        ("b", "pos", "neg", "reject", None),
        ("007", "neg", "pos", "relabel", "-1"),
    ]
    assert (found[1].note, found[1].author) == ("is fine", "ada")


@pytest.mark.parametrize(
    ("word", "decision"),
    [
        *((word, "accept") for word in ("accept", "Accepted", " YES ", "y", "ok.", "true")),
        *((word, "reject") for word in ("reject", "Rejected!", "No", "n", "FALSE")),
        *((word, "drop") for word in ("drop", "Dropped", "remove", "Delete", "d")),
        *((word, "keep") for word in ("keep", "Kept", "k")),
    ],
)
def test_decisions_are_spelled_as_people_do(read, word, decision):
    assert [one.decision for one in read(f"ID,Suggested,Decision\na,pos,{word}\n")] == [decision]


@pytest.mark.parametrize("word", ["relabel", "Relabelled", "relabeled", "changed"])
def test_new_labels_are_found_in_other_case_and_behind_an_apostrophe(read, word):
    assert [one.new_label for one in read(f"id,decision,New Label\na,{word}, POS \n")] == ["pos"]
    assert [one.new_label for one in read(f"id,decision,new_label\nb,{word},'-1\n")] == ["-1"]
    assert [one.id for one in read(f"id,label,decision,new_label\n'-5,'-1,{word},neg\n")] == ["-5"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_spreadsheets(read, encoding):
    assert [one.id for one in read("id;label;decision\r\na;Neg;drop\r\n", encoding=encoding)] == ["a"]


def test_open_labels_are_taken_as_they_stand(read):
    found = read("id,label,decision,new_label\na,neg,relabel,The  Answer \n", labels=())
    assert found[0].new_label == "The  Answer"
    assert read("id,decision,new_label\na,relabel,POS\n", labels=None)[0].new_label == "pos"


def test_all_that_is_wrong_is_listed_with_its_lines(read):
    with pytest.raises(EditError) as caught:
        read(
            "id,label,suggested,decision,new_label\n"
            "gone,neg,pos,accept,\n"
            "a,neg,pos,acept,\n"
            "b,neg,pos,accept,\n"
            "c,,,accept,\n"
            "c,,,relabel,\n"
            "away,neg,,drop,\n"
            "c,,,relabel,psi\n"
            "007,neg,neg,accept,\n"
            "007,neg,pos,accept,-1\n"
            "007,neg,pos,keep,pos\n"
            "007,neg,pos,,pos\n"
            "a,neg,,drop\n"
            "a,neg,pos,drop,\n"
            "a,neg,pos,keep,\n"
        )
    said = str(caught.value)
    assert "reviewed.csv: 13 of 14 lines cannot be used, and nothing was changed" in said
    for line in (
        "2 x unknown id: line 2 'gone', line 7 'away'",
        "1 x unknown decision: line 3 'acept' (did you mean 'accept'?)",
        "1 x a label that is no longer the one in the list: line 4 'neg' (now 'pos')",
        "1 x accept, and no suggestion: line 5",
        "1 x relabel, and no new label: line 6",
        "1 x unknown label: line 8 'psi' (did you mean 'pos'?)",
        "1 x the label that the row has already: line 9 'neg'",
        "1 x accept, and another new label: line 10 '-1' (write relabel)",
        "1 x keep, and a new label all the same: line 11 'pos'",
        "1 x a new label without a decision: line 12 'pos' (write relabel)",
        "1 x 4 cells where the first line has 5: line 13",
        "1 x a row that an earlier line has: line 15 'a' (line 14)",
    ):
        assert line in said


def test_what_is_no_reviewed_list(read, tmp_path):
    with pytest.raises(EditError, match="expected the columns 'id' and 'decision'"):
        read("id,label\na,neg\n")
    with pytest.raises(DataError, match="empty file"):
        read("")
    with pytest.raises(DataError, match="expected a reviewed list at .*nowhere.csv, found no file"):
        read_reviewed(tmp_path / "nowhere.csv", TABLE)
    assert read("id,decision\n") == []
