"""Analog telephones: they dial, ring with the caller's number, hear tones and are put down, over the sockets of the
simulated ports. The line's tick runs as fast as it can.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import evolve

from hw.line.settings import LoopSettings
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Flash
from hw.sim.exchange import NumberSettings
from hw.sim.subscriber import CallCleared
from tests.hw.line.signalling.loop_ends import CALLER, Loop, far, run

DESK = LoopSettings(numbers=("801", "802"), polarity=True, digit_ms=1000)


@pytest.mark.requirement("A9.16")
def test_a_telephone_dials_hears_ringback_is_answered_and_talks(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True) as p:
            person = p.exchange.call("95001", "802")
            incoming = await p.incoming()
            assert (incoming.called, incoming.caller, incoming.channel) == ("95001", "802", 2)
            p.trunk.alert(incoming.leg)
            await person.alerting()
            assert person.inband and person.phase == "alerting"
            p.trunk.answer(incoming.leg)
            await person.answered()
            person.say(1234)
            await person.hears(1234, 3)
            person.hangup()
            assert await p.next(Cleared) == Cleared(incoming.leg, 16, "far")
            await p.until_idle()

    run(main)


def test_a_telephone_whose_call_is_cleared_hears_busy_tone_and_is_put_down(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True) as p:
            person = p.exchange.call("95001", "801")
            incoming = await p.incoming()
            p.trunk.hangup(incoming.leg, 17)
            assert await person.cleared() == 17
            await p.until_idle()

    run(main)


@pytest.mark.requirement("A9.18")
@pytest.mark.parametrize("kind", ["fsk", "dtmf", "none"])
def test_a_telephone_rings_with_the_callers_number_and_talks(loop: Loop, kind: Any) -> None:
    async def main() -> None:
        async with loop(evolve(DESK, cid=kind), telephones=True) as p:
            people: asyncio.Queue[Any] = asyncio.Queue()
            p.exchange.on_call = people.put_nowait
            assert p.trunk.dial("in", "802", CALLER, "") == 2
            await p.next(Alerting, leg="in")
            person = await people.get()
            assert (person.called, person.caller) == ("802", "" if kind == "none" else CALLER)
            person.answer()
            await p.next(Answered, leg="in")
            person.say(1234)
            await person.hears(1234, 3)
            p.trunk.hangup("in", 16)
            assert await person.cleared() == 16
            await p.until_idle()

    run(main)


def test_a_telephone_that_is_not_answered_stops_ringing(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True, numbers=(NumberSettings("801", "never"),)) as p:
            p.trunk.dial("in", "801", CALLER, "")
            await p.until(lambda: bool(p.exchange.subscribers))
            (person,) = p.exchange.subscribers
            p.trunk.hangup("in", 16)
            assert await person.cleared() == 16
            await p.until_idle()

    run(main)


def test_a_telephone_that_is_busy_unknown_or_lost_cannot_be_called(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True) as p:
            p.exchange.call("95001", "801")
            await p.incoming()
            for number, cause in (("801", 17), ("899", 1)):
                with pytest.raises(NoChannel) as refused:
                    p.trunk.dial("in", number, "", "")
                assert refused.value.cause == cause
            far(p).cut()
            await p.line(up=False)
            with pytest.raises(NoChannel) as refused:
                p.trunk.dial("in", "802", "", "")
            assert refused.value.cause == 27

    run(main)


def test_a_hook_flash_of_a_telephone_is_told(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True) as p:
            person = p.exchange.call("95001", "801")
            incoming = await p.incoming()
            p.trunk.answer(incoming.leg)
            await person.answered()
            far(p).flash(person)
            assert await p.next(Flash) == Flash(incoming.leg)
            with pytest.raises(ValueError, match="telephone"):
                p.trunk.flash(incoming.leg)

    run(main)


def test_a_telephone_that_is_put_down_while_it_rings_at_the_other_end_ends_the_call(loop: Loop) -> None:
    async def main() -> None:
        async with loop(DESK, telephones=True) as p:
            person = p.exchange.call("95001", "801")
            incoming = await p.incoming()
            p.trunk.alert(incoming.leg)
            person.hangup()
            assert await p.next(Cleared) == Cleared(incoming.leg, 16, "far")
            with pytest.raises(CallCleared):
                await person.answered()

    run(main)
