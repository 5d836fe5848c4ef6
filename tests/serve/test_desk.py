from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest

from tunewright.serve.desk import Busy, Desk


class Thing:
    """Knows which threads used it."""

    def __init__(self):
        self.threads = {threading.get_ident()}
        self.closed = False

    def use(self):
        assert not self.closed
        self.threads.add(threading.get_ident())
        return len(self.threads)


@contextmanager
def opened(thing):
    held = thing()
    yield held
    held.use()
    held.closed = True


def test_one_thread_opens_uses_and_closes():
    desk = Desk(lambda: opened(Thing))

    async def ask():
        return await asyncio.gather(*(desk.do(Thing.use) for _ in range(20)))

    assert asyncio.run(ask()) == [1] * 20
    desk.close()
    desk.close()
    assert desk.held.closed
    assert len(desk.held.threads) == 1
    assert desk.waiting == 0


def test_what_opening_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        Desk(lambda: 1 / 0)


def test_what_work_raises_is_raised_and_takes_no_place():
    desk = Desk(lambda: opened(Thing), most=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(desk.do(lambda _: 1 / 0))
    assert asyncio.run(desk.do(Thing.use)) == 1
    desk.close()


def test_a_full_queue_and_a_closed_desk_are_busy():
    desk, go = Desk(lambda: opened(Thing), most=1), threading.Event()

    async def ask():
        first = asyncio.create_task(desk.do(lambda _: go.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await desk.do(Thing.use)
        go.set()
        return await first

    assert asyncio.run(ask())
    desk.close()
    with pytest.raises(Busy):
        asyncio.run(desk.do(Thing.use))
