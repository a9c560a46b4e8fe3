"""Primary rate between two cards on one cable: our driver on DAHDI's system calls at both ends, real Q.931 between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from hw.line.dahdi.channel import BearerChannel
from hw.line.dahdi.check import examine
from hw.line.dahdi.span import DahdiSpan
from hw.line.settings import LineSettings
from hw.line.signalling.pri import PriTrunk
from hw.line.trunk import FRAME, NoChannel
from hw.messages import Answered, Cleared, Incoming
from tests.hw.line.dahdi.conftest import End, Machine, configure, passing, settings, until
from tests.hw.line.dahdi.fuse_card import Card

RED, YELLOW, LOS = 1 << 3, 1 << 2, 1 << 8


@asynccontextmanager
async def ends(card: Card, *, up: bool = True) -> AsyncIterator[tuple[End, End]]:
    """The box's trunk and the network's, started."""
    made = []
    for number in (1, 2):
        wanted = settings(number)
        made.append(End(PriTrunk(wanted, DahdiSpan(wanted, card.devices))))
    box, net = made
    async with asyncio.timeout(20), passing(card):
        try:
            for end in made:
                await end.trunk.start(end.take)
            for end in made:
                await end.up(up)
            yield box, net
        finally:
            for end in made:
                await end.trunk.close()


async def talking(caller: End, called: End, leg: str) -> str:
    """A call that is up; the called end's leg."""
    caller.trunk.dial(leg, "95001", "10086", "")
    there = (await called.next(Incoming)).leg
    called.trunk.answer(there)
    await caller.next(Answered, leg=leg)
    return there


@pytest.mark.requirement("A1.01", "A1.14")
def test_thirty_calls_are_up_at_once_and_the_next_is_refused(card: Card) -> None:
    async def main() -> None:
        async with ends(card) as (box, net):
            for number in range(30):
                net.trunk.dial(f"n{number}", f"9500{number}", "10086", "")
            calls = [await box.next(Incoming) for _ in range(30)]
            for call in calls:
                box.trunk.answer(call.leg)
            for number in range(30):
                await net.next(Answered, leg=f"n{number}")
            assert len(box.busy()) == len(net.busy()) == 30
            assert sorted(call.called for call in calls) == sorted(f"9500{number}" for number in range(30))
            with pytest.raises(NoChannel):
                net.trunk.dial("n30", "95030", "10086", "")
            for number in range(30):
                net.trunk.hangup(f"n{number}", 16)
            for call in calls:
                assert (await box.next(Cleared, leg=call.leg)).cause == 16
            await until(lambda: not box.busy() and not net.busy())
            for end in (box, net):
                counted = end.trunk.counters()
                assert not any(counted[name] for name in ("d_dropped", "d_aborts", "d_bad_fcs", "vanished")), counted

    asyncio.run(main())


def test_a_call_is_heard_on_the_timeslot_that_was_agreed(card: Card) -> None:
    async def main() -> None:
        async with ends(card) as (box, net):
            leg = await talking(box, net, "out")
            channel = box.trunk.channel_of("out")
            assert net.trunk.channel_of(leg) == channel
            row = list(box.trunk.timeslots.channels).index(channel)
            said = np.full((30, FRAME), 0xD5, np.uint8)
            said[row] = np.arange(FRAME)
            heard = np.empty_like(said)
            for _ in range(5):
                box.trunk.timeslots.read(heard)
                box.trunk.timeslots.write(said)
                card.frames(1)
                net.trunk.timeslots.read(heard)
                net.trunk.timeslots.write(said)
            assert (heard == said).all()

    asyncio.run(main())


def test_errors_on_the_d_channel_are_repaired_and_counted(card: Card) -> None:
    async def main() -> None:
        async with ends(card) as (box, net):
            box.trunk._d.set_timer("T200", 50)  # type: ignore[attr-defined]
            card.tell("corrupt", 47, 2)
            card.tell("event", 47, 6)  # HDLC abort
            await talking(box, net, "out")
            counted = net.trunk.counters()
            assert (counted["d_bad_fcs"], counted["d_aborts"]) == (2, 1)
            assert net.busy() == box.busy() != []

    asyncio.run(main())


@pytest.mark.parametrize(("alarms", "name", "code"), [(RED | LOS, "RED/LOS", "los"), (YELLOW, "YELLOW", "yellow")])
def test_an_alarm_clears_every_call_with_27_and_the_line_comes_back_with_its_end(
    card: Card, alarms: int, name: str, code: str
) -> None:
    async def main() -> None:
        async with ends(card) as (box, net):
            leg = await talking(net, box, "in")
            for span in (1, 2):
                card.tell("alarm", span, alarms)
            assert await box.next(Cleared, leg=leg) == Cleared(leg, 27, "fault")
            await box.up(False)
            state = box.trunk.state()
            assert state.alarm == name and {channel.state for channel in state.channels} == {"alarm"}
            facts = examine(LineSettings(card.devices, spans=(settings(1), settings(2))), card.devices)
            assert {fact.code for fact in facts} == {"module.loaded", f"span.alarm.{code}"}
            for span in (1, 2):
                card.tell("alarm", span, 0)
            await box.up()
            await net.up()
            await talking(net, box, "again")

    asyncio.run(main())


@pytest.mark.usefixtures("impatient")
def test_a_card_that_vanishes_clears_its_calls_and_is_used_again_when_it_is_back(card: Card) -> None:
    async def main() -> None:
        async with ends(card) as (box, net):
            leg = await talking(net, box, "in")
            card.tell("unplug", 1)
            assert await box.next(Cleared, leg=leg) == Cleared(leg, 27, "fault")
            assert (await net.next(Cleared, leg="in")).cause == 27
            assert (box.trunk.state().alarm, net.trunk.state().alarm) == ("GONE", "RED")
            assert box.trunk.counters()["vanished"] == 1
            heard = np.empty((30, FRAME), np.uint8)
            box.trunk.timeslots.read(heard)
            assert (heard == 0xD5).all()
            card.tell("plug", 1)
            await asyncio.sleep(0.05)
            assert box.trunk.state().alarm == "GONE"  # nobody has configured it
            configure(card, settings(1))
            await box.up()
            await net.up()
            await talking(net, box, "again")

    asyncio.run(main())


@pytest.mark.usefixtures("impatient")
def test_a_span_that_another_program_has_is_waited_for(card: Card, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        other = BearerChannel(card.devices, 7)
        async with ends(card, up=False) as (box, net):
            assert (box.trunk.state().alarm, net.trunk.state().alarm) == ("GONE", "D channel")
            assert "another program has its channels" in caplog.text
            other.close()
            await box.up()
            await net.up()
            await talking(net, box, "in")

    asyncio.run(main())


@pytest.mark.usefixtures("impatient")
def test_cards_that_nobody_has_configured_are_found_by_the_check_and_used_once_they_are(machine: Machine) -> None:
    async def main() -> None:
        with machine() as card:
            wanted = LineSettings(card.devices, spans=(settings(1),))
            found = {fact.code for fact in examine(wanted, card.devices)}
            assert found >= {"module.loaded", "span.unconfigured", "span.unused"}
            async with ends(card, up=False) as (box, net):
                assert box.trunk.state().alarm == net.trunk.state().alarm == "GONE"
                configure(card, settings(1), settings(2))
                await box.up()
                await net.up()
            assert {fact.code for fact in examine(wanted, card.devices)} == {"module.loaded", "span.ok", "span.unused"}
            card.tell("errors", 1, 3, 0, 0, 1)
            [errors] = [fact for fact in examine(wanted, card.devices) if fact.code == "span.errors"]
            assert errors.values == {"counts": "bpv 3, fas 1"}

    asyncio.run(main())
