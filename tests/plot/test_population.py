from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.plot.population import figure, save


def scattered(n: int = 200) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    cluster = np.arange(n) % 3
    return {
        "umap1": generator.normal(0, 1, n) + 8 * cluster,
        "umap2": generator.normal(0, 1, n),
        "split": np.array(["validation", "train", "train", "later"], object)[np.arange(n) % 4],
        "loss": np.arange(n, dtype=float) / n,
        "label": np.array(["pos", "neg"], object)[np.arange(n) % 2],
        "cluster_name": np.array(["first", "second", None], object)[cluster],
        "length": np.arange(n, dtype=float),
    }


def titles(sheet) -> list[str]:
    return [panel.get_title(loc="left").partition(":")[0] for panel in sheet.axes]


def legend(sheet) -> list[str]:
    return [text.get_text() for text in sheet.legends[0].get_texts()]


def test_each_split_has_a_panel_in_the_order_of_the_splits():
    sheet = figure(scattered())
    assert titles(sheet) == ["train", "validation", "later"]
    assert len({panel.get_xlim() for panel in sheet.axes}) == 1
    assert sheet.axes[0].get_title(loc="left") == "train: 100 rows, mean loss 0.497"


def test_many_splits_make_rows_of_panels():
    columns = scattered() | {"split": np.array([f"part {number % 5}" for number in range(200)], object)}
    assert len(figure(columns).axes) == 5


def test_the_area_of_a_dot_is_its_loss():
    dots = figure(scattered() | {"split": np.array(["train"] * 200, object)}).axes[0].collections[-1]
    areas = dots.get_sizes()
    assert areas.max() / areas.min() == pytest.approx(5.35 / 0.35)
    assert list(areas) == sorted(areas, reverse=True)


def test_rows_without_a_loss_are_small_rings_and_said_to_be_unknown():
    columns = scattered()
    columns["loss"][:30] = np.nan
    columns["split"][:] = "train"
    sheet = figure(columns)
    dots = sheet.axes[0].collections[-1]
    ring = dots.get_facecolors()[:, 3] == 0
    assert ring.sum() == 30
    assert set(dots.get_sizes()[ring]) == {dots.get_sizes().min()}
    assert (dots.get_edgecolors()[ring][:, :3] != 1).any()
    assert legend(sheet)[-1] == "loss unknown (30)"
    assert "loss unknown" not in " ".join(legend(figure(scattered())))


def test_clusters_are_named_once_and_rows_without_one_are_not():
    sheet = figure(scattered())
    assert {text.get_text() for text in sheet.axes[0].texts} == {"first", "second"}
    assert not sheet.axes[1].texts


def test_the_metadata_in_the_name_of_a_cluster_is_left_out():
    columns = scattered() | {"cluster_name": np.array(["first, word (title=A (b))"] * 200, object)}
    assert {text.get_text() for text in figure(columns).axes[0].texts} == {"first, word"}


def test_clusters_are_coloured_by_name():
    names = np.array([None, *(f"c{number}" for number in range(10))], object)[np.arange(200) % 11]
    sheet = figure(scattered() | {"cluster_name": names}, colour="cluster_name")
    said = legend(sheet)
    assert len({entry.get_color() for entry in sheet.legends[0].get_lines()}) == 10
    assert (said[0], said[-2:], len(said)) == ("c0 (19)", ["2 others (36)", "in none (19)"], 10)


def test_the_legends_lie_between_the_panels_and_the_edge():
    names = np.array(["wide names MMMMMMMM that are cut"] * 200, object)
    sheet = figure(scattered() | {"cluster_name": names}, colour="cluster_name")
    for one in sheet.legends:
        box = one.get_window_extent()
        assert sheet.axes[-1].get_window_extent().x1 < box.x0 < box.x1 < sheet.bbox.x1


def test_three_dots_say_what_their_areas_stand_for():
    columns = scattered() | {"split": np.array(["train"] * 200, object)}
    sheet = figure(columns)
    assert [text.get_text() for text in sheet.legends[1].get_texts()] == ["0", "0.49", "0.98 or more"]
    drawn = sheet.axes[0].collections[-1].get_sizes()
    widths = [entry.get_markersize() for entry in sheet.legends[1].get_lines()]
    assert [width**2 for width in (widths[0], widths[-1])] == pytest.approx([drawn.min(), drawn.max()])
    assert len(figure(columns | {"loss": np.full(200, np.nan)}).legends) == 1


def test_a_number_is_coloured_in_fifths_and_a_name_by_value():
    assert legend(figure(scattered())) == ["neg (100)", "pos (100)"]
    names = legend(figure(scattered(), colour="length"))
    assert names[0] == "below 40 (40)"
    assert names[-1] == "160 or more (40)"
    assert len(names) == 5


def test_what_is_true_comes_before_what_is_not():
    right = np.array([True, False, None, True] * 50, object)
    assert legend(figure(scattered() | {"correct": right}, colour="correct")) == ["yes (100)", "no (50)", "none (50)"]


def test_principal_components_serve_as_well():
    columns = scattered()
    columns |= {"pc1": columns["umap1"], "pc2": columns["umap2"]}
    assert figure(columns, axes=("pc1", "pc2")).axes[0].get_xlabel() == "pc1"


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ColumnError, match="'pc1'"):
        figure(scattered(), axes=("pc1", "pc2"))
    with pytest.raises(DataError, match="none of the 200 rows"):
        figure(scattered() | {"umap1": np.full(200, np.nan)})


def test_names_are_not_read_as_mathematics(tmp_path):
    columns = scattered(30) | {"cluster_name": np.array(["$\\frac{"] * 30, object)}
    columns["label"] = np.array(["$_{", "漢字"] * 15, object)
    for kind in ("svg", "png"):
        assert save(figure(columns), tmp_path / f"a.{kind}").stat().st_size > 1000
