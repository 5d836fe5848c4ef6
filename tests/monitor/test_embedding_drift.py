from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright.errors import ColumnError, ComparisonError, DataError
from tunewright.monitor.drift_causes import drift_causes
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.laws import agree, laws
from tunewright.monitor.reference import Reference
from tunewright.monitor.state import from_bytes, to_bytes

WINDOW, DIMENSIONS = 50, 12


def rows(vectors, *, start=0, **columns):
    flat = pa.array(np.asarray(vectors, dtype=np.float32).reshape(-1))
    ids = [str(start + row) for row in range(len(vectors))]
    return pa.table({"id": ids, "vector": pa.FixedSizeListArray.from_arrays(flat, DIMENSIONS), **columns})


def quiet(count, *, seed):
    return np.random.default_rng(seed).standard_normal((count, DIMENSIONS))


@pytest.fixture(scope="module")
def reference():
    texts = ["book a table for two", "what is the weather", "play some music"] * 300
    return Reference.from_table(rows(quiet(900, seed=0), user=[f"u{row // 3}" for row in range(900)], text=texts))


@pytest.fixture(scope="module")
def fold():
    return EmbeddingDrift("vector", window=WINDOW, features=64)


@pytest.fixture(scope="module")
def started(fold, reference):
    return to_bytes(fold.start(reference), fold.fingerprint)


@pytest.fixture
def state(fold, started):
    return from_bytes(started, fold.fingerprint)


def test_quiet_traffic_raises_no_alarm(fold, state):
    report = fold.report(fold.update(state, rows(quiet(90 * WINDOW, seed=1))))
    assert report["windows"] == 90
    assert report["rows"] == 90 * WINDOW
    assert not report["alarm"]
    assert report["first_alarm"] is None
    assert set(report["looks"]["length"].to_pylist()) == {1, 2, 4, 8, 16, 32, 64}


def test_a_tenth_of_foreign_rows_is_found(fold, state):
    vectors = quiet(30 * WINDOW, seed=2)
    vectors[::10] = 1.5 + 0.5 * vectors[::10]
    report = fold.report(fold.update(state, rows(vectors)))
    assert report["alarm"]
    assert report["first_alarm"] < 20
    assert report["effect"] > 0


def test_rows_without_a_vector_are_counted_and_left_out(fold, state):
    table = rows(quiet(60, seed=3))
    holes = table.set_column(
        1, "vector", pa.array([*table["vector"].to_pylist()[:55], *[None] * 5], table["vector"].type)
    )
    report = fold.report(fold.update(state, holes))
    assert (report["rows"], report["missing"], report["windows"]) == (60, 5, 1)
    empty = table.set_column(1, "vector", pa.nulls(60, table["vector"].type))
    assert fold.report(fold.update(state, empty))["missing"] == 65


def test_lists_of_any_length_are_vectors_too(fold, state):
    table = rows(quiet(60, seed=3))
    lists = table.set_column(1, "vector", pa.array(table["vector"].to_pylist(), pa.list_(pa.float64())))
    assert fold.report(fold.update(state, lists))["windows"] == 1


@pytest.mark.parametrize("unit", [None, "user"])
def test_laws_within_a_window(unit, reference):
    fold = EmbeddingDrift("vector", window=WINDOW, features=64, unit=unit)
    few = rows(quiet(30, seed=4), user=[f"v{row // 4}" for row in range(30)])
    assert laws(fold, few, reference=reference) == []


def test_merging_does_not_depend_on_the_order(fold, started):
    def fed(count, seed):
        return fold.update(from_bytes(started, fold.fingerprint), rows(quiet(count, seed=seed)))

    a, b, c = fed(70, 5), fed(180, 6), fed(40, 7)
    one = fold.report(fold.merge(fold.merge(a, b), c))
    other = fold.report(fold.merge(a, fold.merge(c, b)))
    assert agree(one, other)
    assert one["rows"] == 290
    assert sum(one["looks"].filter(pa.compute.equal(one["looks"]["length"], 1))["rows"].to_pylist()) == 290


def test_rows_in_any_batches_give_the_same(fold, started):
    vectors = quiet(230, seed=8)

    def fed(cuts):
        state = from_bytes(started, fold.fingerprint)
        for start, stop in zip([0, *cuts], [*cuts, 230], strict=True):
            state = fold.update(state, rows(vectors[start:stop]))
        return fold.report(from_bytes(to_bytes(state, "v"), "v"))

    assert agree(fed([]), fed([1, 50, 51, 180]))


def test_rows_of_one_user_count_once(reference, fold, state):
    by_user = EmbeddingDrift("vector", window=WINDOW, features=64, unit="user")
    few = np.repeat(quiet(40, seed=9), 25, axis=0)
    users = [f"w{row // 25}" for row in range(1000)]
    assert not by_user.report(by_user.update(by_user.start(reference), rows(few, user=users)))["alarm"]
    shaken = few + 0.01 * quiet(1000, seed=10)
    assert fold.report(fold.update(state, rows(shaken, user=users)))["alarm"]


def test_the_same_vector_again_and_again_is_one(fold, state):
    repeated = np.repeat(quiet(40, seed=9), 25, axis=0)
    report = fold.report(fold.update(state, rows(repeated)))
    assert min(report["looks"].filter(pa.compute.equal(report["looks"]["length"], 1))["p"].to_pylist()) > 1e-3


def test_causes_are_rows_words_and_slices(fold, state, reference):
    vectors = quiet(200, seed=11)
    vectors[::8] += 3
    foreign = np.arange(200) % 8 == 0
    texts = ["translate this contract" if one else "play some music" for one in foreign]
    table = rows(vectors, text=texts, source=np.where(foreign, "legal", "home").tolist())
    found = drift_causes(fold, fold.update(state, table), table, reference, text="text", metadata=["source"])
    assert len({*found.ids} - {str(row) for row in np.flatnonzero(foreign)}) <= 1
    assert {word.word for word in found.witnesses.words} >= {"translate", "contract"}
    assert {one.value for one in found.witnesses.slices} >= {"legal"}
    assert found.witnesses.share > 0.1
    assert found.domain.low < found.domain.auc < found.domain.high


def test_causes_of_few_rows_have_no_classifier(fold, state, reference):
    state = fold.update(state, rows(quiet(60, seed=1)))
    assert drift_causes(fold, state, rows(quiet(5, seed=2)), reference).domain is None


def test_errors_say_what_to_do(fold, state, reference):
    with pytest.raises(DataError, match="expected a reference"):
        fold.start(None)
    with pytest.raises(DataError, match="NaN"):
        fold.update(state, rows(np.full((3, DIMENSIONS), np.nan)))
    other = pa.table({"id": ["a"], "vector": pa.array([[1.0, 2.0]])})
    with pytest.raises(DataError, match=r"expected vectors \[rows, 12\] .* found \[1, 2\]"):
        fold.update(state, other)
    ragged = pa.table({"id": ["a", "b"], "vector": pa.array([[1.0], [1.0, 2.0]])})
    with pytest.raises(DataError, match="of one length"):
        fold.update(state, ragged)
    with pytest.raises(ColumnError, match="expected vectors"):
        fold.update(state, pa.table({"id": ["a"], "vector": ["text"]}))
    with pytest.raises(ColumnError, match="needs column 'vector'"):
        fold.update(state, pa.table({"id": ["a"]}))
    with pytest.raises(DataError, match="expected 50 rows"):
        fold.witness(state, quiet(3, seed=0))
    with pytest.raises(DataError, match="2000 rows or more"):
        EmbeddingDrift("vector", window=1000).start(reference)
    with pytest.raises(DataError, match="windows of 10 rows"):
        EmbeddingDrift("vector", window=3)
    with pytest.raises(ComparisonError, match="same reference"):
        fold.merge(state, fold.start(Reference.from_table(rows(quiet(200, seed=5)))))
    assert fold.report(state)["windows"] == 0
