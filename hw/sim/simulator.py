"""The simulated world: exchange, callers and phones together, from the first call to the report."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from random import Random
from typing import Any

import attrs

from hw.sim.exchange import Exchange
from hw.sim.phones import Phones
from hw.sim.settings import SimSettings
from hw.sim.traffic import Traffic

_log = logging.getLogger(__name__)
#: Seconds between two lines of progress, between two looks at what is still up, for the last hang-ups, and that callers
#: wait for the phones.
_PROGRESS = 10.0
_LOOK = 0.1
_CLEARING = 5.0
_MOMENT = 5.0


class Simulator:
    """Everything that ``settings`` name. Raises ``OSError`` when a trace cannot be written."""

    def __init__(self, settings: SimSettings) -> None:
        self._settings = settings
        random = Random(settings.seed)
        self.exchange = Exchange(settings.exchange)
        self.traffic = Traffic(self.exchange, settings.traffic, random) if settings.traffic is not None else None
        self.phones = Phones(settings.phones, random)
        self._began = time.time()

    def drain(self) -> None:
        """No new callers from now on; everything else goes on."""
        _log.info("no new calls")
        if self.traffic is not None:
            self.traffic.stop()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop``, then let calls end, and hang up those that do not. Raises ``OSError``."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self.exchange.start()
                running = [tasks.create_task(self.phones.run()), tasks.create_task(self._tell_progress())]
                if self.traffic is not None:
                    running.append(tasks.create_task(self._call(self.traffic)))
                await stop.wait()
                self.drain()
                await self._calm(self._settings.drain_ms / 1000)
                for subscriber in self.exchange.subscribers:
                    subscriber.hangup()
                await self._calm(_CLEARING)
                for task in running:
                    task.cancel()
        except* OSError as errors:
            raise errors.exceptions[0] from None
        finally:
            await self.exchange.close()

    async def _call(self, traffic: Traffic) -> None:
        """Callers begin when the lines are up and the phones have had a moment to register."""
        await self.exchange.wait_up()
        try:
            async with asyncio.timeout(_MOMENT):
                await self.phones.registered()
        except TimeoutError:
            _log.warning("callers begin although not every phone is registered")
        await traffic.run()

    async def _calm(self, seconds: float) -> None:
        """Wait until nobody talks any more, at most so long."""
        for _ in range(int(seconds / _LOOK)):
            if not self.exchange.subscribers and not self.phones.busy:
                return
            await asyncio.sleep(_LOOK)

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS)
            lines, phones = len(self.exchange.subscribers), self.phones.busy
            _log.info("%d calls on the lines, %d on phones; so far %s", lines, phones, self.totals())

    def totals(self) -> dict[str, int]:
        """Calls by how they went: the callers' (see ``Traffic``), and those that the exchange received from the box."""
        callers = dict(self.traffic.totals) if self.traffic is not None else {}
        answered = sum(report.answered is not None for report in self.phones.reports())
        return {**callers, "received": self.exchange.counters["received"], "phones_answered": answered}

    def report(self) -> dict[str, Any]:
        """Everything that happened, for JSON: ``totals``, the callers' ``calls`` and the ``phones``' calls.

        Calls are the ``CallReport``s of ``traffic`` and ``session``; what was heard is ``codes`` in both.
        """
        calls = [attrs.asdict(report) for report in self.traffic.reports] if self.traffic is not None else []
        for call in calls:
            call["codes"] = call.pop("heard")
        return {
            "began": self._began,
            "ended": time.time(),
            "totals": self.totals(),
            "calls": calls,
            "phones": [attrs.asdict(report) for report in self.phones.reports()],
        }

    def write(self, path: Path) -> None:
        """Write the report; the file appears whole. Raises ``OSError``."""
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(self.report(), indent=1, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
