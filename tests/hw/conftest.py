"""A trunk and a simulated exchange, joined by the real sockets, in one loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from hw.line.settings import LoopSettings, SpanSettings
from hw.line.signalling import open_trunk
from hw.line.trunk import Trunk
from hw.messages import Incoming, LineEvent, LineState
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings, NumberSettings
from hw.zones import DEFAULT

E = TypeVar("E")
CHANNELS = (*range(1, 16), *range(17, 32))


class Pair:
    """The box's trunk and the exchange. ``events``: what the trunk told and nobody has taken; ``history``: all."""

    def __init__(self, trunk: Trunk, exchange: Exchange) -> None:
        self.trunk = trunk
        self.exchange = exchange
        self.events: list[LineEvent] = []
        self.history: list[LineEvent] = []
        self._came = asyncio.Event()

    def emit(self, event: LineEvent) -> None:
        self.events.append(event)
        self.history.append(event)
        self._came.set()

    async def next(self, kind: type[E], **fields: Any) -> E:
        """Take the first event of this kind with these fields, waiting for it."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                    self.events.remove(event)
                    return event
            self._came.clear()
            await self._came.wait()

    async def incoming(self) -> Incoming:
        return await self.next(Incoming)

    async def line(self, *, up: bool) -> LineState:
        """Until the line is up, or not."""
        while self.trunk.state().up != up:
            self._came.clear()
            await self._came.wait()
        return self.trunk.state()

    def states(self) -> set[str]:
        """The states that the channels are in."""
        return {channel.state for channel in self.trunk.state().channels}

    def all_idle(self) -> bool:
        """Both sides agree that there is no call."""
        return (
            self.states() == {"idle"}
            and not self.trunk.legs()
            and not self.exchange.subscribers
            and all(span.idle_channels() == len(self.trunk.timeslots.channels) for span in self.exchange.spans)
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until something holds that no event tells of."""
        while not condition():
            await asyncio.sleep(0.005)

    async def until_idle(self) -> None:
        """Until no call is left on either side."""
        await self.until(self.all_idle)

    async def tick(self, loopback: dict[int, int] | None = None) -> None:
        """The line's 20 ms tick for ever: each channel hears what ``loopback`` says (row to row), else silence."""
        slots = self.trunk.timeslots
        heard = np.empty((len(slots.channels), 160), np.uint8)
        said = np.empty_like(heard)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            slots.read(heard)
            said.fill(0xD5)
            for row, source in (loopback or {}).items():
                said[row] = heard[source]
            slots.write(said)
            due = max(due + 0.02, loop.time())  # a machine that was busy loses time here, never a frame
            await asyncio.sleep(due - loop.time())
            await _turns()

    async def tick_fast(self) -> None:
        """The line's tick for ever, as fast as it can; everybody hears himself."""
        slots = self.trunk.timeslots
        heard = np.empty((len(slots.channels), 160), np.uint8)
        while True:
            slots.read(heard)
            slots.write(heard.copy())
            await _turns()


async def _turns() -> None:
    """Let the exchange answer, also when the loop is so late that nothing sleeps any more."""
    for _ in range(3):
        await asyncio.sleep(0)


Open = Callable[..., AbstractAsyncContextManager[Pair]]


@pytest.fixture
def pair(tmp_path: Path) -> Open:
    """``async with pair(numbers=…, **span settings) as p``: everything connected and up; closed at the end."""

    @asynccontextmanager
    async def opened(
        numbers: tuple[NumberSettings, ...] = (), channels: tuple[int, ...] = CHANNELS, zone: str = DEFAULT,
        far_loop: LoopSettings | None = None, **settings: Any,
    ) -> AsyncIterator[Pair]:
        address = str(tmp_path / "e1")
        trunk = open_trunk(SpanSettings(name="e1", address=address, channels=channels, **settings), zone)
        signalling = settings.get("signalling", "pri")
        loop = far_loop or settings.get("loop", LoopSettings())
        spans = (ExchangeSpanSettings(address, channels, signalling, loop),)
        exchange = Exchange(ExchangeSettings(spans, numbers))
        both = Pair(trunk, exchange)
        async with asyncio.timeout(20):
            await trunk.start(both.emit)
            await exchange.start()
            try:
                await exchange.wait_up()
                await both.line(up=True)
                yield both
            finally:
                await trunk.close()
                await exchange.close()

    return opened
