"""The tick, paced by a timer or by a card. Late ticks are caught up; how late they were is kept for ``Stats``."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from hw.line.switch._native import lib

_log = logging.getLogger(__name__)

PERIOD_NS = 20_000_000
#: After a longer pause (the machine slept) ticks are skipped, and counted, rather than caught up: 1 s.
_CATCH_UP = 50


#: The schedule of a clock that is not the machine's gives way so much each tick, to follow a slower one: 100 ppm.
_GIVE_NS = PERIOD_NS // 10_000


class TickSource(ABC):
    """What paces the tick: ``fd`` is readable when one is due."""

    fd: int
    #: Whether it runs by the machine's own monotonic clock, so that lateness can be told exactly.
    steady: bool

    @abstractmethod
    def due(self) -> int:
        """Ticks since the last call."""

    @abstractmethod
    def close(self) -> None:
        """No more ticks."""


class SystemTimer(TickSource):
    """The machine's timer. Raises ``OSError``."""

    steady = True

    def __init__(self) -> None:
        self.fd = lib.clock_open(PERIOD_NS)
        if self.fd < 0:
            raise OSError(-self.fd, os.strerror(-self.fd))

    def due(self) -> int:
        """See ``TickSource``."""
        try:
            return int.from_bytes(os.read(self.fd, 8), "little")
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


class _Histogram:
    """Any number of times in bins of 0.1 ms; those over 200 ms are in the last one."""

    def __init__(self) -> None:
        self._bins = [0] * 2001
        self._count = 0
        self.longest = 0.0

    def add(self, ms: float) -> None:
        self._bins[min(max(int(ms * 10), 0), 2000)] += 1
        self._count += 1
        self.longest = max(self.longest, ms)

    def percentile(self, share: float) -> float:
        wanted = self._count * share
        for i, count in enumerate(self._bins):
            wanted -= count
            if wanted <= 0:
                return min((i + 1) / 10, self.longest)
        return self.longest


class Clock:
    """Calls ``tick`` every 20 ms on the whole; a tick that comes late is followed by the next at once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        tick: Callable[[], None],
        source: Callable[[], TickSource] = SystemTimer,
    ) -> None:
        self._loop = loop
        self._tick = tick
        self._make = source
        self._source: TickSource | None = None
        self._due_ns = 0
        self._late_ms: list[float] = []
        self._run = _Histogram()
        self.skipped = 0
        self.failed = 0

    def start(self) -> None:
        """Start ticking. Raises ``OSError``."""
        self._source = self._make()
        self._due_ns = time.monotonic_ns() + PERIOD_NS
        self._loop.add_reader(self._source.fd, self._due, self._source)

    def stop(self) -> None:
        """Tick no more."""
        if self._source is not None:
            self._loop.remove_reader(self._source.fd)
            self._source.close()
            self._source = None

    def lateness(self) -> tuple[float, float]:
        """The ticks' lateness since the last call: 99th percentile and longest, in ms."""
        late, self._late_ms = sorted(self._late_ms), []
        return (late[min(len(late) * 99 // 100, len(late) - 1)], late[-1]) if late else (0.0, 0.0)

    def run_lateness(self) -> tuple[float, float]:
        """The same since the start, the percentile to 0.1 ms."""
        return self._run.percentile(0.99), self._run.longest

    def _due(self, source: TickSource) -> None:
        due = source.due()
        if due and not source.steady:  # it runs a little faster or slower: the earliest ticks are those in time
            self._due_ns = min(self._due_ns + due * _GIVE_NS, time.monotonic_ns() - (due - 1) * PERIOD_NS)
        if due > _CATCH_UP:
            self.skipped += due - _CATCH_UP
            self._due_ns += (due - _CATCH_UP) * PERIOD_NS
            due = _CATCH_UP
        for _ in range(due):
            late_ms = (time.monotonic_ns() - self._due_ns) / 1e6
            self._late_ms.append(late_ms)
            self._run.add(late_ms)
            self._due_ns += PERIOD_NS
            try:
                self._tick()
            except Exception:  # noqa: BLE001  one bad tick must not end all calls: counted, told, the next tries again
                self.failed += 1
                if self.failed & (self.failed - 1) == 0:  # the 1st, 2nd, 4th, 8th …: no flood of logs
                    _log.exception("a tick failed, the %d. time", self.failed)
