"""A snapshot, and what was made of it: each thing once, some of it before anybody asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyarrow as pa

if TYPE_CHECKING:
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Kept", "give_back"]

_BACKGROUND = Lock()

Made = TypeVar("Made")


class Kept:
    """A snapshot, and what was made of it."""

    def __init__(self, shot: Snapshot) -> None:
        self.shot = shot
        self._made: dict[str, Any] = {}
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._begun: set[str] = set()

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What was made under a name; made now, if it was not."""
        with self._locks[name]:
            if name not in self._made:
                self._made[name] = make()
                give_back()
            return cast("Made", self._made[name])

    def begin(self, name: str, make: Callable[[], Any], *, after: float = 0.0) -> None:
        """Make it in the background, for who asks for it later; begun again, nothing.

        Args:
            name: that `once` knows it by.
            make: makes it.
            after: seconds until it is begun.
        """
        if name in self._begun:
            return
        self._begun.add(name)
        timer = Timer(after, self._make, (name, make))
        timer.daemon = True  # nobody waits for it at the end
        timer.start()

    def _make(self, name: str, make: Callable[[], Any]) -> None:
        # one at a time, for each takes memory; what fails is made by who asks for it, and is told why
        with _BACKGROUND, suppress(Exception):
            self.once(name, make)


def give_back() -> None:
    """Give memory of tables that were read, and are no more, back to the system: of a million rows a hundred megabytes."""
    pa.default_memory_pool().release_unused()
