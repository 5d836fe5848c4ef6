from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
import pytest

from tunewright.data import demo
from tunewright.data.docstrings import Docstring
from tunewright.data.read import read_rows
from tunewright.errors import DataError


@pytest.fixture(scope="module")
def table():
    return demo.docstrings()


def test_the_default_is_balanced_and_stratified(table):
    assert table.column_names == ["id", "text", "label", "split", "module", "kind", "length"]
    assert 2500 <= len(table) <= 3400
    counts = Counter(zip(table["label"].to_pylist(), table["split"].to_pylist(), strict=True))
    for split in ("train", "validation", "test"):
        assert len({counts[label, split] for label in demo.PACKAGES}) == 1
    assert counts["torch", "train"] > counts["torch", "test"] > counts["torch", "validation"] > 0


def test_ids_and_texts_are_unique_and_lengths_are_right(table):
    assert len(set(table["id"].to_pylist())) == len(set(table["text"].to_pylist())) == len(table)
    assert table["length"].to_pylist() == [len(text.split()) for text in table["text"].to_pylist()]
    assert set(table["kind"].to_pylist()) == {"module", "class", "function", "method"}


def test_no_text_names_a_library_or_holds_markup(table):
    names = re.compile(r"numpy|\bnp\b|scipy|sklearn|scikit|torch|transformers|hugging|\bhf", re.IGNORECASE)
    markup = re.compile(r"`|>>>|https?://|:\w+:`|\n")
    texts = table["text"].to_pylist()
    assert [text for text in texts if names.search(text) or markup.search(text)] == []


def test_equal_versions_and_seed_give_equal_rows_and_another_seed_does_not():
    first, again, other = (demo.docstrings(("rich", "typer"), per_label=20, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def of(library: str, name: str, text: str) -> Docstring:
    return Docstring(f"{library}.py:{name}", text, library, library, "function")


def test_near_duplicates_appear_once_and_shared_ones_not_at_all():
    pool = [
        of("a", "one", "Sort the rows of a table by one key."),
        of("a", "two", "Sort the rows of a table by one key only."),
        of("a", "three", "Draw the tree as a picture of boxes."),
        of("a", "four", "Return a copy of the object itself."),
        of("b", "five", "Return a copy of the object itself!"),
    ]
    assert [found.id for found in demo._distinct(pool)] == ["a.py:one", "a.py:three"]


def test_too_few_docstrings_are_an_error(monkeypatch):
    rows = {"a": [of("a", "one", "Sort the rows of a table by one key.")], "b": []}
    monkeypatch.setattr(demo, "collect", lambda package, **_: rows[package])
    with pytest.raises(DataError, match="at least 10 docstrings per package, found a 1, b 0"):
        demo.docstrings(["a", "b"])


def test_flips_are_counted_uniform_and_only_in_train(table):
    noisy, planted = demo.plant(table, noise=0.08, seed=3)
    rows = {row["id"]: row for row in table.to_pylist()}
    changed = {row["id"]: row for row in noisy.to_pylist() if row["label"] != rows[row["id"]]["label"]}
    train = table["split"].to_pylist().count("train")
    assert planted.num_rows == len(changed) == round(0.08 * train)
    assert {name: rows[name]["label"] for name in changed} == dict(zip(*planted.to_pydict().values(), strict=True))
    assert {row["split"] for row in changed.values()} == {"train"}
    assert {row["label"] for row in changed.values()} == set(demo.PACKAGES)
    assert noisy.drop_columns("label").equals(table.drop_columns("label"))
    assert noisy.schema == table.schema


@pytest.mark.parametrize(("noise", "flipped"), [(0.0, 0), (1.0, 3)])
def test_no_noise_and_nothing_but_noise(noise, flipped):
    table = pa.table({"id": list("pqrs"), "label": list("abab"), "split": ["train", "test", "train", "train"]})
    noisy, planted = demo.plant(table, noise=noise)
    assert planted.num_rows == flipped
    assert sum(a != b for a, b in zip(noisy["label"].to_pylist(), "abab", strict=True)) == flipped


def test_flips_depend_on_the_seed(table):
    first, again, other = (demo.plant(table, seed=seed)[1] for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_truth_lies_beside_the_table_and_not_in_it(tmp_path, table, monkeypatch):
    monkeypatch.setattr(demo, "docstrings", lambda **_: table)
    written = read_rows(demo.write_demo(tmp_path))
    truth = read_rows(tmp_path / "truth.csv")
    assert truth.column_names == ["id", "true_label"]
    assert set(written.column_names) == set(table.column_names)
    assert written["text"].to_pylist() == table["text"].to_pylist()
    labels = dict(zip(written["id"].to_pylist(), written["label"].to_pylist(), strict=True))
    assert truth.num_rows > 0
    assert all(labels[row["id"]] != row["true_label"] for row in truth.to_pylist())
