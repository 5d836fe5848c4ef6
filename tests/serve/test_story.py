"""The whole story in a browser, on real reviews: find what is hard, mend labels, commit, train, compare."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from page_scenario import browsed

import tunewright as tw
from tunewright import verbs
from tunewright.project import open_dataset
from tunewright.train.config import TrainConfig

pytestmark = [pytest.mark.slow, pytest.mark.browser]

_ROWS, _WRONG = 240, 30
_SHORT = TrainConfig(epochs=2, batch_size=16, learning_rate=1e-4, threads=1)
_PATIENCE = 300_000  # milliseconds that a training may take


@pytest.fixture
def project(shared_data, tmp_path):
    """Film reviews, every eighth training label turned, and MiniLM after a few steps on them."""
    table = pa.parquet.read_table(shared_data / "rotten_tomatoes.parquet").to_pylist()
    rng = np.random.default_rng(0)
    splits = {name: [row for row in table if row["split"] == name] for name in ("train", "validation", "test")}
    rows = [
        {"id": row["id"], "text": row["text"], "label": ("neg", "pos")[row["label"]], "split": row["split"]}
        for found in splits.values()
        for row in (found[at] for at in rng.permutation(len(found))[:_ROWS])
    ]
    for row in rows[:_WRONG]:
        row["label"] = {"neg": "pos", "pos": "neg"}[row["label"]]
    pa.csv.write_csv(pa.Table.from_pylist(rows), tmp_path / "reviews.csv")
    tw.init(str(tmp_path / "reviews.csv"), tmp_path, train=_SHORT)
    made = tw.open_project(tmp_path)
    verbs.suspects(made, verbs.train(made))
    return made


def _lasso_hard_rows(page):
    """Draw around the lower half of the data map, where the gold label was never probable."""
    page.locator("[data-tool=lasso]").click()
    box = page.locator(".map canvas").first.bounding_box()
    corners = [(0.02, 0.5), (0.98, 0.5), (0.98, 0.97), (0.02, 0.97), (0.02, 0.5)]
    path = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*path[0])
    page.mouse.down()
    for at in path[1:]:
        page.mouse.move(*at, steps=5)
    page.mouse.up()


def _review(page):
    """Accept four suggestions, take the last back, refuse one: three are left."""
    page.locator("#tab-issues").click()
    page.get_by_role("button", name="Suspected mislabels").click()
    for key, decided in (("a", 1), ("a", 2), ("a", 3), ("a", 4), ("u", 3), ("r", 4)):
        page.locator(".reading").wait_for()
        page.keyboard.press(key)
        page.get_by_text(f"{decided} decided", exact=True).wait_for()


def _commit(page):
    page.locator("#tab-curate").click()
    page.get_by_role("button", name="Commit 4 edits").click()
    page.get_by_label("Name").fill("mended")
    page.get_by_label("Reason").last.fill("turned labels")
    page.get_by_role("button", name="Commit", exact=True).click()
    page.get_by_text("Written: ").wait_for()


def test_from_a_lasso_to_a_verdict(project):
    with browsed(project) as opened:
        page = opened("")
        _lasso_hard_rows(page)
        page.get_by_text("selected of").first.wait_for()
        page.keyboard.press("t")
        page.get_by_role("row").nth(1).wait_for()
        _review(page)
        _commit(page)
        _require_version(project)
        page.get_by_role("button", name="Train this version").click()
        page.get_by_role("button", name="Compare with it").click(timeout=_PATIENCE)
        page.locator(".sentence").wait_for(timeout=_PATIENCE)
        assert page.locator(".verdict").first.inner_text().split(" ", 1)[1] in {"better", "worse", "cannot tell"}


def _require_version(project):
    """The version is on disk: three relabelled rows and one refusal, each with author and reason."""
    dataset = open_dataset(project)
    relabelled = [row for row in dataset.provenance("mended").to_pylist() if row["kind"] == "Relabel"]
    assert len({row["id"] for row in relabelled}) == 3
    assert all(row["author"] and "suspect: Suspected mislabels" in row["reason"] for row in relabelled)
    assert all("turned labels" in row["reason"] for row in relabelled)
    decided = [row["decision"] for row in dataset.reviews().to_pylist()]
    assert sorted(decided) == ["accept", "accept", "accept", "reject"]
