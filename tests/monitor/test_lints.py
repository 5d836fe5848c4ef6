from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.monitor.collector import Collector
from tunewright.monitor.lints import cut_outputs, lints, markup, never_labelled, silent_words
from tunewright.monitor.reference import Reference
from tunewright.monitor.signals import text
from tunewright.monitor.watch import Monitor

PLACES = text.has_any("dialogue", ["beijing", "sichaun", "Asia"], read="cleaned").edge("places")


def rows(count: int = 30, *, source: str = "a", output: str = "Tom and Ann talk about the trip to") -> pa.Table:
    said = [f"#Person1#: We fly to Beijing or to Sichuan, number {row} {source}." for row in range(count)]
    return pa.table({"id": [str(row) for row in range(count)], "dialogue": said, "output": [output] * count})


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
        (["Tom and Ann talk about the"] * 30, True),
        (["Tom and Ann talk about the trip."] * 30, False),
        (["positive"] * 30, False),
        ([" ".join(["Talks"] * (4 + row % 12)) for row in range(30)], False),  # headings differ in length
        (["Tom and Ann talk about the"] * 2 + ["They do so at length."] * 28, False),
        ([], False),
    ],
)
def test_without_a_reason_outputs_are_cut_if_they_are_open_and_about_as_long(outputs, cut):
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
