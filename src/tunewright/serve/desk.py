"""One thread that holds what only one thread may hold, and a queue of limited length before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Busy", "Desk"]

Held = TypeVar("Held")
Answer = TypeVar("Answer")


class Busy(Exception):  # noqa: N818 - a state of the queue, which says nothing about who asks
    """The queue is full."""


class Desk(Generic[Held]):
    """Work on one object, one piece at a time and in the order in which it was asked for.

    Attributes:
        most: pieces of work that wait or are being done; above, `do` raises.
        waiting: how many there are now.
        held: the object; only its thread may do more than read plain values of it.
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[Held]], *, most: int = 64) -> None:
        """Open the object in its thread.

        Args:
            opened: gives the context manager of the object.
            most: pieces of work that wait or are being done.

        Raises:
            Exception: what opening raises.
        """
        self.most = most
        self.waiting = 0
        self._counting = Lock()
        self._open = True
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._stack = ExitStack()
        try:
            self.held = self._thread.submit(lambda: self._stack.enter_context(opened())).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def do(self, work: Callable[[Held], Answer]) -> Answer:
        """What work on the object gives. Who stops waiting for it does not stop it.

        Raises:
            Busy: if the queue is full.
        """
        with self._counting:
            if self.waiting >= self.most or not self._open:
                raise Busy
            self.waiting += 1
        doing: Future[Answer] = self._thread.submit(work, self.held)
        doing.add_done_callback(self._done)
        return await asyncio.shield(asyncio.wrap_future(doing))

    def close(self) -> None:
        """Do what waits, then close the object; again, nothing.

        Raises:
            Exception: what closing raises.
        """
        with self._counting:
            was_open, self._open = self._open, False
        if was_open:
            try:
                self._thread.submit(self._stack.close).result()
            finally:
                self._thread.shutdown()

    def _done(self, _: Future[Answer]) -> None:
        with self._counting:
            self.waiting -= 1
