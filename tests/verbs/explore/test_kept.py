from __future__ import annotations

import threading
import time

import pytest

from tunewright.verbs.explore.kept import Kept


def until(asked):
    end = time.monotonic() + 30
    while not asked() and time.monotonic() < end:
        time.sleep(0.01)
    assert asked()


def test_each_thing_is_made_once():
    kept, made = Kept(None), []
    assert [kept.once("a", lambda: made.append(1) or "it") for _ in range(3)] == ["it"] * 3
    assert made == [1]


def test_what_is_begun_is_waited_for_and_made_once():
    kept, made, go = Kept(None), [], threading.Event()

    def make():
        made.append(threading.current_thread())
        go.wait(30)
        return "it"

    kept.begin("a", make)
    kept.begin("a", make)
    until(lambda: made)
    threading.Timer(0.1, go.set).start()
    assert kept.once("a", make) == "it"
    assert len(made) == 1
    assert made[0] is not threading.current_thread()
    assert made[0].daemon


def test_who_asks_before_it_is_begun_does_not_wait():
    kept, made = Kept(None), []
    kept.begin("a", lambda: made.append("late"), after=60)
    assert kept.once("a", lambda: "now") == "now"
    assert not made


def test_what_fails_in_the_background_is_told_to_who_asks():
    kept, tried = Kept(None), []

    def make():
        tried.append(1)
        raise ValueError("no room")

    kept.begin("a", make)
    until(lambda: tried)
    with pytest.raises(ValueError, match="no room"):
        kept.once("a", make)
