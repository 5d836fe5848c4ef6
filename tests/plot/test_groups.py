from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tunewright.plot.groups import MARKERS, RAMP, categories, correctness_bins, grouped

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]


def lab(colour: str, kind: str) -> np.ndarray:
    """CIELAB of a colour as somebody with that colour blindness sees it."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
    x, y, z = np.cbrt(np.maximum(np.array(TO_XYZ) @ seen / [0.95047, 1, 1.08883], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_each_value_has_its_own_bin_when_there_are_few():
    bins = correctness_bins(np.array([0, 1 / 3, 2 / 3, 1, 1]))
    assert bins.names == ("0", "0.33", "0.67", "1")
    assert bins.codes.tolist() == [0, 1, 2, 3, 3]
    assert bins.counts.tolist() == [1, 1, 1, 2]
    assert (bins.markers[0], bins.markers[-1]) == ("X", "o")


def test_many_values_fall_into_six_bins_closed_below():
    bins = correctness_bins(np.array([0, 0.1, 0.25, 0.3, 0.5, 0.74, 0.75, 0.9, 1]))
    assert bins.names == ("0", "0–¼", "¼–½", "½–¾", "¾–1", "1")
    assert bins.codes.tolist() == [0, 1, 2, 2, 3, 3, 4, 4, 5]


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.01], [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1], [0.9, 0.95, 1.0]])
def test_bins_never_share_a_colour_or_a_marker(values):
    bins = correctness_bins(np.array(values))
    assert len(set(bins.colours)) == len(set(bins.markers)) == len(values)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_the_steps_of_the_ramp_stay_apart_for_the_colour_blind(kind):
    seen = [lab(colour, kind) for colour in RAMP]
    apart = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(range(len(seen)), 2)}
    assert min(apart.values()) > 10, sorted(apart.items(), key=lambda item: item[1])[:3]


def test_each_step_of_the_ramp_has_a_marker():
    assert len(RAMP) == len(MARKERS)


def test_categories_are_in_alphabetical_order_with_missing_values_last():
    groups = categories(np.array(["pos", None, "neg", float("nan"), "pos"], dtype=object))
    assert groups.names == ("neg", "pos", "none")
    assert groups.codes.tolist() == [1, 2, 0, 2, 1]


def test_beyond_ten_categories_the_rare_ones_share_a_group():
    values = [f"c{i:02}" for i in range(12) for _ in range(20 - i)] + [None]
    groups = categories(np.array(values, dtype=object))
    assert groups.names == (*(f"c{i:02}" for i in range(10)), "2 others", "none")
    assert groups.counts.tolist()[-3:] == [11, 19, 1]
    assert len(groups.colours) == 12


def test_bounds_of_fifths_are_told_apart():
    years = np.repeat(np.arange(2001, 2021), 5).astype(float)
    assert grouped(years).names == ("below 2005", "2005 to 2009", "2009 to 2013", "2013 to 2017", "2017 or more")
    assert grouped(years).counts.tolist() == [20] * 5
    assert grouped(np.arange(200) / 200).names[0] == "below 0.2"
    assert correctness_bins(np.array([0.991, 0.994, 1])).names == ("0.991", "0.994", "1")
