"""DAHDI tells of events by EPOLLPRI, which asyncio's readers do not see: an epoll of our own, handed to the loop."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

READABLE, URGENT = select.EPOLLIN, select.EPOLLPRI


class Watcher:
    """Descriptors and what is called with the epoll flags when one is ready, in the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}
        self._loop.add_reader(self._epoll.fileno(), self._poll)

    def add(self, fd: int, flags: int, ready: Callable[[int], None]) -> None:
        """Watch one. It is called again for as long as what it was called for is there."""
        self._epoll.register(fd, flags)
        self._ready[fd] = ready

    def close(self) -> None:
        """Watch nothing any more; to be called before the descriptors are closed."""
        self._loop.remove_reader(self._epoll.fileno())
        self._ready.clear()
        self._epoll.close()

    def _poll(self) -> None:
        for fd, flags in self._epoll.poll(0):
            if (ready := self._ready.get(fd)) is not None:  # a callback before may have closed all
                ready(flags)
