from __future__ import annotations

import numpy as np

from tunewright.plot.captions import place_captions

SIZE = (0.2, 0.1)


def covered(x, y, caption):
    return (np.abs(x - caption.x) < SIZE[0] / 2) & (np.abs(y - caption.y) < SIZE[1] / 2)


def test_with_room_a_caption_stands_on_what_it_names():
    [caption] = place_captions(np.array([0.9]), np.array([0.9]), wanted=(("here", 0.3, 0.5),), size=SIZE)
    assert abs(caption.x - 0.3) < 0.02
    assert abs(caption.y - 0.5) < 0.02


def test_a_caption_moves_off_the_points():
    generator = np.random.default_rng(0)
    x, y = generator.uniform(0, 0.6, 5000), generator.uniform(0, 1, 5000)
    [caption] = place_captions(x, y, wanted=(("crowd", 0.3, 0.5),), size=SIZE)
    assert not covered(x, y, caption).any()
    assert caption.x > 0.6


def test_captions_do_not_cover_each_other():
    wanted = tuple((str(i), 0.5, 0.5) for i in range(3))
    a, b, c = place_captions(np.array([0.1]), np.array([0.1]), wanted=wanted, size=SIZE)
    for one, other in ((a, b), (b, c), (a, c)):
        assert abs(one.x - other.x) >= SIZE[0] - 0.02 or abs(one.y - other.y) >= SIZE[1] - 0.02


def test_captions_stay_inside_even_when_there_is_no_room():
    everywhere = np.linspace(0, 1, 400)
    x, y = (side.ravel() for side in np.meshgrid(everywhere, everywhere))
    [caption] = place_captions(x, y, wanted=(("corner", 1.0, 1.0),), size=SIZE)
    assert caption.x <= 1 - SIZE[0] / 2 + 0.01
    assert caption.y <= 1 - SIZE[1] / 2 + 0.01
