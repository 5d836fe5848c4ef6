from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.monitor.collector import Collector
from tunewright.monitor.lints import cut_outputs, lints, markup, never_labelled, silent_words
from tunewright.monitor.reference import Reference
from tunewright.monitor.signals import text
from tunewright.monitor.watch import Monitor

PLACES = text.has_any("dialogue", ["beijing", "sichaun", "Asia"], read="cleaned").edge("places")


SAID = "the cat of the house sat on the mat in the sun and the dog of the house ran to the door of the yard"


def cut_anywhere(count: int) -> list[str]:
    words = SAID.split()
    return [" ".join(words[row % 9 : row % 9 + 5 + row % 7]) for row in range(count)]


def rows(count: int = 30, *, source: str = "a", output: str | None = None) -> pa.Table:
    said = [f"#Person1#: We fly to Beijing or to Sichuan, number {row} {source}." for row in range(count)]
    outputs = cut_anywhere(count) if output is None else [output] * count
    return pa.table({"id": [str(row) for row in range(count)], "dialogue": said, "output": outputs})


def opened(folder, **changes) -> Monitor:
    reference = Reference.from_table(pa.table({"id": ["1"], "dialogue": ["We fly to Rome or to Milan number a"]}))
    checks = [PLACES, text.vocabulary("dialogue")]
    settings = {"reference": reference, "checks": checks, "collect": Collector(), **changes}
    return Monitor("story", folder=folder / "m", **settings)


def test_a_monitor_names_every_artifact_of_its_rows(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(rows())
        monitor.log(rows(source="b"))
        found = {one.name: one for one in lints(monitor)}
    assert [*found] == [
        "ids of several sources collide",
        "outputs in 'output' are cut",
        "markup leads the unknown words of vocabulary(dialogue)",
        "words of places never match",
        "collected and never used",
    ]
    assert found["ids of several sources collide"].count == 30
    assert "'sichuan' for 'sichaun'" in found["words of places never match"].what_to_do
    assert "'Asia'" in found["words of places never match"].message  # read in lower case
    assert "person1 (30 texts)" in found["markup leads the unknown words of vocabulary(dialogue)"].message


def test_collisions_are_noted_for_good(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(rows())
        monitor.log(rows(source="b"))
        monitor.log(rows(source="b"))
    with opened(tmp_path) as monitor:
        assert [note for note in monitor.report()["notes"] if "another content" in note] == [
            "30 ids came again with another content and were left out: 0, 1, 2; make ids unique, by the source"
        ]


def test_nothing_is_found_in_rows_that_are_as_they_should_be(tmp_path):
    with opened(tmp_path, checks=[text.has_any("dialogue", ["We"]).edge("we")], collect=None) as monitor:
        monitor.log(rows(output="Tom and Ann talk about the trip."))
        assert lints(monitor) == []


@pytest.mark.parametrize(
    ("outputs", "cut"),
    [
        (cut_anywhere(60), True),
        ([f"{one}." for one in cut_anywhere(60)], False),
        ([f"{one} house number{row}" for row, one in enumerate(cut_anywhere(60))], False),  # headlines
        (["positive"] * 60, False),
        (cut_anywhere(60)[:4] + ["They do so at length."] * 56, False),
        (cut_anywhere(10), False),
        ([], False),
    ],
)
def test_without_a_reason_outputs_are_cut_if_they_end_anywhere(outputs, cut):
    table = pa.table({"id": [str(row) for row in range(len(outputs))], "output": pa.array(outputs, pa.string())})
    assert bool([*cut_outputs(table, "output")]) is cut


def test_where_generation_said_why_it_ended_that_counts():
    table = pa.table({"id": ["a", "b"], "output": ["Tom talks.", "A heading"], "stop_reason": ["length", "eos"]})
    (found,) = cut_outputs(table, "output")
    assert found.rows == ("a",)


def test_markup_that_does_not_lead_is_no_finding():
    def table(*words):
        return pa.table({"word": words, "texts": range(9, 9 - len(words), -1), "ids": [["1"]] * len(words)})

    known = {"rows": 9, "normal_unknown": table("paella"), "coverage": 0.9, "normal_coverage": 0.95}
    assert [*markup({"v": {"unknown": table("paella", "person1"), **known}})] == []
    assert len([*markup({"v": {"unknown": table("person1", "paella"), **known}})]) == 1
    assert [*markup({"edge": {"marked": 3}})] == []


def test_words_in_nested_signals_are_looked_at_and_few_rows_are_not():
    signal = (text.chars("dialogue") > 5) & ~text.has_any("dialogue", ["never"])
    assert [one.message for one in silent_words(rows(), {"edge": signal})] == ["'never' in none of 30 rows"]
    assert [*silent_words(rows(3), {"edge": signal})] == []


def test_rows_that_somebody_took_on_are_no_finding():
    assert [*never_labelled(["new", "sent"])] == [] == [*never_labelled([])]
