"""Rows on their way from the source to the dataset: unlabelled ones, preprocessed ones, with metadata."""

from __future__ import annotations

import collections

import pyarrow as pa
import pytest

from tunewright.bindings import Metadata, metadata, metric, rowwise, visualiser
from tunewright.data.edits import Drop
from tunewright.errors import DataError, ProjectError
from tunewright.project import Project, open_dataset, open_project
from tunewright.table import write
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts


@pytest.fixture
def make(tmp_path):
    write(tmp_path / "toy.parquet", toy_texts(40))

    def project(**changes):
        task = Classification(labels=("neg", "pos"))
        return Project(**{"name": "toy", "source": "toy.parquet", "task": task, "folder": tmp_path} | changes)

    return project


def counts(dataset):
    return dict(collections.Counter(dataset.table()["split"].to_pylist()))


def test_unlabelled_rows_are_a_split_of_their_own(make, tmp_path):
    write(tmp_path / "more.parquet", pa.table({"text": ["one more", "and another"], "label": ["neg", "mood"]}))
    dataset = open_dataset(make(unlabelled="more.parquet"))
    assert counts(dataset) == {"train": 24, "validation": 8, "test": 8, "unlabelled": 2}
    rows = dataset.table().to_pylist()[-2:]
    assert [(row["id"], row["label"]) for row in rows] == [("unlabelled-000000", None), ("unlabelled-000001", None)]


@pytest.mark.parametrize("splits", [None, {"train": 0.5, "test": 0.5}])
def test_splits_are_made_of_the_labelled_rows_alone(make, tmp_path, splits):
    write(tmp_path / "toy.parquet", toy_texts(40).drop_columns(["split", "id"]))
    write(tmp_path / "more.parquet", pa.table({"id": ["a", "b"], "text": ["one more", "and another"]}))
    with_more = counts(open_dataset(make(unlabelled="more.parquet", splits=splits)))
    assert with_more.pop("unlabelled") == 2
    assert with_more == counts(open_dataset(make(name="alone", splits=splits)))


def upper(rows):
    return {"text": [text.upper() for text in rows["text"]], "length": [len(text) for text in rows["text"]]}


def louder(rows):
    return {"text": [text.upper() + "!" for text in rows["text"]]}


def test_a_preprocess_step_changes_and_adds_columns_before_metadata(make):
    @metadata
    def shouted(rows):
        return [text.isupper() for text in rows["text"]]

    table = open_dataset(make(preprocess=upper, metadata=(shouted,), fields=("length",))).table()
    assert table["text"].to_pylist() == [text.upper() for text in toy_texts(40)["text"].to_pylist()]
    assert table["length"].to_pylist() == [len(text) for text in table["text"].to_pylist()]
    assert set(table["shouted"].to_pylist()) == {True}


def test_another_preprocess_step_is_noticed_and_never_loses_edits(make):
    dataset = open_dataset(make(preprocess=upper))
    assert "preprocess: upper" in dataset.meta["source"]
    changed = open_dataset(make(preprocess=louder))
    assert all(text.endswith("!") for text in changed.table()["text"].to_pylist())
    changed.apply([Drop(ids=("toy-0000",))])
    with pytest.raises(ProjectError, match="disagree: source"):
        open_dataset(make())


def test_the_text_of_a_preprocess_step_counts_and_not_its_name_alone(tmp_path):
    def say(sign):
        (tmp_path / "project.py").write_text(
            f"""
from tunewright import Classification, Project

def mark(rows):
    return {{"text": [text + "{sign}" for text in rows["text"]]}}

task = Classification(labels=("neg", "pos"))
project = Project(name="toy", source="toy.parquet", task=task, preprocess=mark)
"""
        )
        return open_dataset(open_project(tmp_path)).table()["text"].to_pylist()

    write(tmp_path / "toy.parquet", toy_texts(40))
    assert all(text.endswith("?") for text in say("?"))
    assert all(text.endswith("!!") for text in say("!!"))


def test_a_step_without_a_text_is_known_by_its_name(make):
    assert open_dataset(make(preprocess=dict)).meta["source"].endswith("preprocess: dict)")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda rows: None, "gave NoneType, expected a mapping"),
        (lambda rows: {"text": ["one"]}, r"gave \{'text': 1\} values for 40 rows"),
        (lambda rows: {"text": "one"}, "gave str, expected a list"),
    ],
)
def test_a_step_that_gives_anything_else_is_refused(make, step, message):
    with pytest.raises(DataError, match=message):
        open_dataset(make(preprocess=step))


def test_what_a_function_raises_is_told_with_its_own_line(make):
    @rowwise
    def broken(row):
        return {"text": row["no such column"]}

    with pytest.raises(
        ProjectError, match=r"test_source\.py, line \d+: return \{\"text\": row\[\"no such column\"\]\}"
    ):
        open_dataset(make(preprocess=broken))


def test_metadata_makes_several_columns_row_by_row(make):
    @metadata(columns=("first", "last"), rowwise=True)
    def ends(row):
        words = row["text"].split()
        return {"first": words[0], "last": words[-1]}

    dataset = open_dataset(make(metadata=(ends,)))
    assert dataset.fields.metadata == ("first", "last")
    row = dataset.table().to_pylist()[0]
    assert (row["first"], row["last"]) == (row["text"].split()[0], row["text"].split()[-1])


def test_metadata_does_not_replace_a_column(make):
    with pytest.raises(DataError, match="makes the column 'text', which is there already"):
        open_dataset(make(metadata=(Metadata(dict, columns=("text",)),)))


def test_what_one_metadata_function_does_to_its_rows_no_other_one_sees(make):
    @metadata
    def first(rows):
        rows["text"][:] = [""] * len(rows["text"])
        return [0] * len(rows["text"])

    @metadata
    def second(rows):
        return [len(text) for text in rows["text"]]

    table = open_dataset(make(metadata=(first, second))).table()
    assert min(table["second"].to_pylist()) > 0


def test_a_project_has_what_its_file_decorates(tmp_path):
    (tmp_path / "project.py").write_text(
        """
from tunewright import Classification, Project
from tunewright.bindings import metadata, metric, visualiser

@metadata
def length(rows):
    return [len(text) for text in rows["text"]]

@metric(direction="higher")
def agreement(columns):
    return 1.0

@visualiser
def plain(row):
    return row["text"]

project = Project(name="toy", source="toy.parquet", task=Classification(labels=("a", "b")), metadata=(length,))
"""
    )
    project = open_project(tmp_path)
    assert [made.name for made in (*project.metadata, *project.metrics, *project.visualisers)] == [
        *("length", "agreement", "plain")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metrics", (len,)),
        ("visualisers", (metric(direction="lower")(len),)),
        ("loss", 3),
        ("preprocess", "lower"),
        ("unlabelled", ("a", "b")),
    ],
)
def test_values_of_another_type_are_refused(make, field, value):
    with pytest.raises(ProjectError, match=f"Project\\({field}=...\\) expects"):
        make(**{field: value})


def test_a_visualiser_is_no_metric(make):
    assert make(visualisers=(visualiser(repr),)).visualisers[0]({"a": 1}) == "{'a': 1}"
