"""Analog lines between two cards on one cable, an FXO port for each FXS port, in the line's own time: DAHDI's hook
states, events, polarity and caller ID by real system calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest

from hw.line.dahdi.analog import DahdiAnalog
from hw.line.settings import LoopSettings, SpanSettings
from hw.line.signalling.loop import LoopTrunk
from hw.line.trunk import FRAME
from hw.messages import Alerting, Answered, Cleared, Incoming
from tests.hw.line.dahdi.conftest import End, Machine, configure, settings, until
from tests.hw.line.dahdi.fuse_card import Card

PORTS = (1, 2, 3, 4)
LINES = ("66880001", "66880002", "66880003", "66880004")
TELEPHONES = ("8001", "8002", "8003", "8004")


def analog(span: int, kind: Any, numbers: tuple[str, ...], **loop: Any) -> SpanSettings:
    return settings(span, signalling=kind, channels=PORTS, loop=LoopSettings(numbers=numbers, **loop))


@asynccontextmanager
async def line(card: Card, **loop: Any) -> AsyncIterator[tuple[End, End]]:
    """The exchange's lines at FXO ports, and the FXS ports that are the exchange; both idle, ticking."""
    spans = (analog(1, "fxo", LINES, **loop), analog(2, "fxs", TELEPHONES, **loop))
    configure(card, *spans)
    fxo, fxs = (End(LoopTrunk(wanted, DahdiAnalog(wanted, card.devices), "cn")) for wanted in spans)
    frame = np.empty((len(PORTS), FRAME), np.uint8)

    async def ticks() -> None:
        while True:
            card.frames(1)
            for end in (fxo, fxs):
                end.trunk.timeslots.read(frame)
                end.trunk.timeslots.write(np.full_like(frame, 0xD5))
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        for end in (fxo, fxs):
            await end.trunk.start(end.take)
        running = asyncio.create_task(ticks())
        try:
            for end in (fxo, fxs):
                await end.idle()
            for _ in range(110):  # DAHDI tells of no ringing for two seconds after a port was opened
                await asyncio.sleep(0)
            yield fxo, fxs
        finally:
            for end in (fxo, fxs):
                await end.trunk.close()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def analog_test(scenario: Callable[[Card, End, End], Any], machine: Machine, **loop: Any) -> None:
    async def main() -> None:
        with machine("fxo4", "fxs4") as card:
            async with line(card, **loop) as (fxo, fxs):
                await scenario(card, fxo, fxs)

    asyncio.run(main())


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize("polarity", [True, False])
@pytest.mark.parametrize("cid", ["fsk", "dtmf"])
def test_an_exchange_calls_us_with_the_callers_number_and_clears(machine: Machine, cid: str, polarity: bool) -> None:
    async def scenario(_card: Card, fxo: End, fxs: End) -> None:
        fxs.trunk.dial("call", "8002", "13800138000", "")
        incoming = await fxo.next(Incoming)
        assert (incoming.called, incoming.caller, incoming.channel) == ("66880002", "13800138000", 2)
        await fxs.next(Alerting)
        fxo.trunk.answer(incoming.leg)
        await fxs.next(Answered)
        assert fxo.busy() == fxs.busy() == [2]
        fxs.trunk.hangup("call", 16)
        assert (await fxo.next(Cleared)).by == "far"
        await fxs.next(Cleared)
        for end in (fxo, fxs):
            await end.idle()

    analog_test(scenario, machine, cid=cid, polarity=polarity)


def test_we_call_out_over_an_exchanges_line_and_hang_up(machine: Machine) -> None:
    async def scenario(_card: Card, fxo: End, fxs: End) -> None:
        channel = fxo.trunk.dial("out", "10086", "", "")
        incoming = await fxs.next(Incoming)
        assert (incoming.called, incoming.caller, incoming.channel) == ("10086", TELEPHONES[channel - 1], channel)
        fxs.trunk.answer(incoming.leg)
        await fxo.next(Answered)
        fxo.trunk.hangup("out", 16)
        assert await fxo.next(Cleared) == Cleared("out", 16, "us")
        assert (await fxs.next(Cleared)).cause == 16
        for end in (fxo, fxs):
            await end.idle()

    analog_test(scenario, machine, polarity=True)


def test_a_line_without_battery_takes_no_call_until_it_is_back(machine: Machine) -> None:
    async def scenario(card: Card, fxo: End, _fxs: End) -> None:
        card.tell("battery", 3, 0)
        await until(lambda: fxo.trunk.state().channels[2].state != "idle")
        assert {fxo.trunk.dial(f"out{n}", "1", "", "") for n in range(3)} == {1, 2, 4}
        card.tell("battery", 3, 1)
        await until(lambda: fxo.trunk.state().channels[2].state == "idle")

    analog_test(scenario, machine)
