"""MFC-R2 between two cards on one cable: bits and tones through DAHDI's system calls, in the line's own time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from hw.line.dahdi.cas import DahdiCasSpan
from hw.line.dahdi.check import examine
from hw.line.settings import LineSettings, R2Settings
from hw.line.signalling.r2 import R2Trunk
from hw.line.trunk import FRAME
from hw.messages import Alerting, Answered, Cleared, Incoming
from tests.hw.line.dahdi.conftest import End, Machine, configure, settings
from tests.hw.line.dahdi.fuse_card import Card

CHANNELS = (1, 2, 15, 17, 31)
RED = 1 << 3
TONE, SILENCE = 0x2A, 0xD5


def r2(span: int) -> LineSettings:
    wanted = settings(span, signalling="r2", channels=CHANNELS, r2=R2Settings(called_digits=5))
    return LineSettings("-", spans=(wanted,))  # type: ignore[arg-type]


class Ticks:
    """Both ends' ticks: every timeslot says ``says`` (octet by timeslot), ``heard`` is what the ends heard last."""

    def __init__(self, card: Card, ends: tuple[End, End]) -> None:
        self._card, self._ends = card, ends
        self.says: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.heard = tuple(np.empty((len(CHANNELS), FRAME), np.uint8) for _ in ends)

    async def run(self) -> None:
        said = np.empty((len(CHANNELS), FRAME), np.uint8)
        while True:
            self._card.frames(1)
            for end, says, heard in zip(self._ends, self.says, self.heard, strict=True):
                end.trunk.timeslots.read(heard)
                for row, channel in enumerate(CHANNELS):
                    said[row] = says.get(channel, SILENCE)
                end.trunk.timeslots.write(said)
            await asyncio.sleep(0)

    def hears(self, end: int, channel: int) -> int:
        """The octet that a timeslot is full of, -1 when it is not one."""
        octets = set(self.heard[end][CHANNELS.index(channel)].tolist())
        return octets.pop() if len(octets) == 1 else -1


@asynccontextmanager
async def line(card: Card) -> AsyncIterator[tuple[End, End, Ticks]]:
    """Both ends, up."""
    configure(card, *r2(1).spans, *r2(2).spans)
    box, net = (
        End(R2Trunk(wanted, DahdiCasSpan(wanted, card.devices), "cn")) for wanted in (r2(1).spans[0], r2(2).spans[0])
    )
    ticks = Ticks(card, (box, net))
    async with asyncio.timeout(20):
        for end in (box, net):
            await end.trunk.start(end.take)
        running = asyncio.create_task(ticks.run())
        try:
            for end in (box, net):
                await end.idle()
            yield box, net, ticks
        finally:
            for end in (box, net):
                await end.trunk.close()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.mark.requirement("A1.14")
def test_calls_both_ways_carry_both_numbers_audio_and_causes(machine: Machine) -> None:
    async def main() -> None:
        with machine() as card:
            async with line(card) as (box, net, ticks):
                for caller, called, sides in ((net, box, (1, 0)), (box, net, (0, 1))):
                    channel = caller.trunk.dial("call", "95001", "13800138000", "")
                    incoming = await called.next(Incoming)
                    assert (incoming.called, incoming.caller, incoming.channel) == ("95001", "13800138000", channel)
                    called.trunk.alert(incoming.leg)
                    await caller.next(Alerting)
                    called.trunk.answer(incoming.leg)
                    await caller.next(Answered)
                    ticks.says[sides[0]][channel], ticks.says[sides[1]][channel] = TONE, TONE + 1
                    for _ in range(8):
                        await asyncio.sleep(0)
                    assert (ticks.hears(sides[1], channel), ticks.hears(sides[0], channel)) == (TONE, TONE + 1)
                    caller.trunk.hangup("call", 16)
                    assert (await called.next(Cleared)).cause == 16
                    assert await caller.next(Cleared) == Cleared("call", 16, "us")
                    caller.trunk.dial("busy", "95002", "13800138000", "")
                    called.trunk.hangup((await called.next(Incoming)).leg, 17)
                    assert (await caller.next(Cleared, leg="busy")).cause == 17
                    await called.next(Cleared)

    asyncio.run(main())


def test_a_blocked_channel_is_shown_by_its_bits_and_passed_over(machine: Machine) -> None:
    async def main() -> None:
        with machine() as card:
            async with line(card) as (box, net, _ticks):
                before = net.trunk.dial("a", "95001", "1", "")
                await box.next(Incoming)
                net.trunk.hangup("a", 16)
                await box.next(Cleared)
                box.trunk.block(before, True)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert {c.channel for c in net.trunk.state().channels if c.state == "blocked"} == {before}
                assert net.trunk.dial("b", "95001", "1", "") != before
                await box.next(Incoming)

    asyncio.run(main())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("lost", ["alarm", "card"])
def test_a_lost_line_clears_its_calls_with_27_and_comes_back(machine: Machine, lost: str) -> None:
    async def main() -> None:
        with machine() as card:
            async with line(card) as (box, net, _ticks):
                net.trunk.dial("in", "95001", "1", "")
                box.trunk.answer((await box.next(Incoming)).leg)
                await net.next(Answered)
                if lost == "alarm":
                    card.tell("alarm", 1, RED)
                    card.tell("alarm", 2, RED)
                else:
                    card.tell("unplug", 1)
                assert (await box.next(Cleared)).cause == 27
                assert (await net.next(Cleared)).cause == 27
                assert box.trunk.state().alarm == ("RED" if lost == "alarm" else "GONE")
                if lost == "alarm":
                    card.tell("alarm", 1, 0)
                    card.tell("alarm", 2, 0)
                else:
                    card.tell("plug", 1)
                    configure(card, *r2(1).spans)
                for end in (box, net):
                    await end.idle()
                found = {fact.code for fact in examine(r2(1), card.devices)}
                assert found == {"module.loaded", "span.ok", "span.unused"}
                net.trunk.dial("again", "95001", "1", "")
                box.trunk.answer((await box.next(Incoming)).leg)
                await net.next(Answered)

    asyncio.run(main())
