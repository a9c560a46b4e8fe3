"""The tick: a timer descriptor in the loop. Late ticks are caught up; how late they were is kept for ``Stats``."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable

from hw.line.switch._native import lib

_log = logging.getLogger(__name__)

PERIOD_NS = 20_000_000
#: After a longer pause (the machine slept) ticks are skipped, and counted, rather than caught up: 1 s.
_CATCH_UP = 50


class Clock:
    """Calls ``tick`` every 20 ms on the whole; a tick that comes late is followed by the next at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: Callable[[], None]) -> None:
        self._loop = loop
        self._tick = tick
        self._fd = -1
        self._due_ns = 0
        self._late_ms: list[float] = []
        self.skipped = 0
        self.failed = 0

    def start(self) -> None:
        """Start ticking. Raises ``OSError``."""
        self._fd = lib.clock_open(PERIOD_NS)
        if self._fd < 0:
            raise OSError(-self._fd, os.strerror(-self._fd))
        self._due_ns = time.monotonic_ns() + PERIOD_NS
        self._loop.add_reader(self._fd, self._run)

    def stop(self) -> None:
        """Tick no more."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def lateness(self) -> tuple[float, float]:
        """The ticks' lateness since the last call: 99th percentile and longest, in ms."""
        late, self._late_ms = sorted(self._late_ms), []
        return (late[min(len(late) * 99 // 100, len(late) - 1)], late[-1]) if late else (0.0, 0.0)

    def _run(self) -> None:
        try:
            due = int.from_bytes(os.read(self._fd, 8), "little")
        except BlockingIOError:
            return
        if due > _CATCH_UP:
            self.skipped += due - _CATCH_UP
            self._due_ns += (due - _CATCH_UP) * PERIOD_NS
            due = _CATCH_UP
        for _ in range(due):
            self._late_ms.append((time.monotonic_ns() - self._due_ns) / 1e6)
            self._due_ns += PERIOD_NS
            try:
                self._tick()
            except Exception:  # noqa: BLE001  one bad tick must not end all calls: counted, told, the next tries again
                self.failed += 1
                _log.exception("a tick failed")
