"""Calls over analog lines: real rings, tones, keys and caller IDs between our trunk and the simulated exchange, whose
ports have the same sockets as a card's would.

The line's tick runs as fast as it can: a second of the line takes some 10 ms.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import evolve

from hw.line.settings import LoopSettings
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Fault, Incoming, LineState, Proceeding
from hw.sim.exchange import NumberSettings
from tests.hw.conftest import Pair
from tests.hw.line.signalling.loop_ends import CALLER, Loop, far, run, seconds_pass

FSK = LoopSettings(numbers=("95001", "95002"))
TURNING = evolve(FSK, polarity=True)
ANSWERS = (NumberSettings("10000", code=77, answer_ms=0),)


async def outgoing(p: Pair, number: str = "10000") -> None:
    """The box calls out, and is answered."""
    p.trunk.dial("out", number, "", "")
    await p.next(Answered, leg="out")


# -- lines: calls that come in ---


@pytest.mark.requirement("A9.16", "A9.18")
@pytest.mark.parametrize("kind", ["fsk", "dtmf", "none"])
def test_a_caller_comes_with_his_number_and_talks(loop: Loop, kind: Any) -> None:
    async def main() -> None:
        async with loop(evolve(FSK, cid=kind)) as p:
            caller = p.exchange.call("95002", CALLER, "LI LEI")
            incoming = await p.incoming()
            shown = {"fsk": (CALLER, "LI LEI"), "dtmf": (CALLER, ""), "none": ("", "")}[kind]
            assert (incoming.called, incoming.caller, incoming.name) == ("95002", *shown)
            assert incoming.channel == p.trunk.channel_of(incoming.leg) == 2
            p.trunk.alert(incoming.leg)
            p.trunk.answer(incoming.leg)
            await caller.answered()
            caller.say(1234)
            await caller.hears(1234, 3)
            p.trunk.hangup(incoming.leg, 16)
            assert await caller.cleared() == 16
            assert (await p.next(Cleared)).by == "us"
            await p.until_idle()
            assert p.trunk.counters()["unexpected"] == 0

    run(main)


def test_a_caller_who_hides_is_restricted(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            p.exchange.call("95001", CALLER, restricted=True)
            incoming = await p.incoming()
            assert incoming.restricted and not incoming.caller

    run(main)


@pytest.mark.requirement("A9.18")
def test_a_damaged_caller_id_is_counted_and_the_call_is_offered_at_the_second_ring(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            far(p).damage_caller_id = True
            p.exchange.call("95001", CALLER)
            began = far(p).counters["ticks"]
            assert (await p.incoming()).caller == ""
            assert 5.0 <= (far(p).counters["ticks"] - began) * 0.02 <= 5.2
            assert p.trunk.counters()["caller_id_errors"] == 1

    run(main)


@pytest.mark.parametrize("noise", [-40.0, -35.0])
def test_noise_on_the_line_hinders_neither_the_callers_number_nor_the_release(loop: Loop, noise: float) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            far(p).noise_dbm0 = noise
            caller = p.exchange.call("95001", CALLER)
            incoming = await p.incoming()
            assert incoming.caller == CALLER
            p.trunk.answer(incoming.leg)
            await caller.answered()
            caller.hangup()
            assert (await p.next(Cleared)).cause == 16
            await p.until_idle()

    run(main)


def test_a_caller_who_gives_up_is_cleared_or_counted_as_abandoned(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            early, late = p.exchange.call("95001", CALLER), p.exchange.call("95002", CALLER)
            await seconds_pass(p, 0.5)
            early.hangup()
            incoming = await p.incoming()
            late.hangup()
            assert await p.next(Cleared) == Cleared(incoming.leg, 16, "far")
            await p.until_idle()
            assert p.trunk.counters()["abandoned"] == 1

    run(main)


def test_a_ring_that_is_refused_rings_on_unheard_until_the_caller_gives_up(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            caller = p.exchange.call("95001", CALLER)
            p.trunk.hangup((await p.incoming()).leg, 17)
            assert (await p.next(Cleared)).by == "us"
            await seconds_pass(p, 12)
            assert caller.phase == "alerting" and [c.state for c in p.trunk.state().channels] == ["busy", "idle"]
            caller.hangup()
            await seconds_pass(p, 7)
            assert p.states() == {"idle"} and not any(isinstance(event, Incoming) for event in p.events)

    run(main)


@pytest.mark.parametrize("how", ["tone", "current", "polarity"])
def test_a_caller_who_hangs_up_releases_the_line(loop: Loop, how: str) -> None:
    async def main() -> None:
        settings = evolve(FSK, release_by_tone=how == "tone", polarity=how == "polarity")
        async with loop(settings) as p:
            far(p).drop_current = how == "current"
            caller = p.exchange.call("95001", CALLER)
            incoming = await p.incoming()
            p.trunk.answer(incoming.leg)
            await caller.answered()
            await seconds_pass(p, 1)
            caller.hangup()
            assert await p.next(Cleared) == Cleared(incoming.leg, 16, "far")
            await p.until_idle()

    run(main)


# -- lines: calls that go out ---


@pytest.mark.requirement("A9.16")
def test_a_call_out_is_dialled_after_the_dial_tone_and_answered_by_polarity(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            assert p.trunk.dial("out", "10000", "", "") == 2
            await p.next(Proceeding, leg="out", channel=2)
            await p.next(Answered, leg="out")
            called = p.exchange.subscribers[0]
            assert (called.called, called.caller) == ("10000", "95002")
            await called.hears(77, 3)
            called.hangup()
            assert await p.next(Cleared) == Cleared("out", 16, "far")
            await p.until_idle()

    run(main)


@pytest.mark.parametrize("speaks", [True, False])
def test_without_polarity_the_answer_is_speech_after_ringback_or_ringback_that_stays_away(
    loop: Loop, speaks: bool
) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            calls: asyncio.Queue[Any] = asyncio.Queue()
            p.exchange.on_call = calls.put_nowait
            p.trunk.dial("out", "10000", "", "")
            called = await calls.get()
            called.ring()
            await p.next(Alerting, leg="out")
            called.answer()
            began = far(p).counters["ticks"]
            if speaks:
                called.say(77)
            await p.next(Answered, leg="out")
            took = (far(p).counters["ticks"] - began) * 0.02
            assert took < 1.0 if speaks else 5.0 < took < 6.5
            p.trunk.hangup("out", 16)
            await p.until_idle()

    run(main)


@pytest.mark.parametrize(("answers", "cause"), [("busy", 17), ("reject", 42)])
def test_busy_and_congestion_tone_are_their_causes(loop: Loop, answers: Any, cause: int) -> None:
    async def main() -> None:
        async with loop(FSK, numbers=(NumberSettings("10000", answers),)) as p:
            p.trunk.dial("out", "10000", "", "")
            assert await p.next(Cleared) == Cleared("out", cause, "far")
            await p.until_idle()

    run(main)


def test_a_line_without_dial_tone_is_left_out_for_a_while_and_the_call_goes_on_to_another(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            far(p).no_dial_tone = {2}
            assert p.trunk.dial("out", "10000", "", "") == 2
            await p.next(Proceeding, leg="out", channel=1)
            assert (await p.next(Fault)).reason == "channel 2: no dial tone"
            await p.next(Answered, leg="out")
            far(p).no_dial_tone = {1, 2}
            p.trunk.hangup("out", 16)
            await seconds_pass(p, 2)
            p.trunk.dial("again", "10000", "", "")
            assert await p.next(Cleared, leg="again") == Cleared("again", 44, "fault")
            with pytest.raises(NoChannel):
                p.trunk.dial("third", "10000", "", "")
            await seconds_pass(p, 31)
            assert p.states() == {"idle"} and p.trunk.counters()["retried"] == 2

    run(main)


def test_digits_that_are_lost_reach_nobody_or_somebody_else(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING) as p:
            far(p).deaf = {2}
            p.trunk.dial("out", "10000", "", "")
            assert await p.next(Cleared) == Cleared("out", 41, "fault")
            far(p).deaf = set()
            far(p).lose_digit = 2
            calls: asyncio.Queue[Any] = asyncio.Queue()
            p.exchange.on_call = calls.put_nowait
            p.trunk.dial("out", "13579", "", "")
            assert (await calls.get()).called == "1579"

    run(main)


def test_a_call_that_comes_as_we_seize_is_offered_and_ours_goes_on_to_another_line(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            caller = p.exchange.call("95002", CALLER)
            assert p.trunk.dial("out", "10000", "", "") == 2
            incoming = await p.incoming()
            assert (incoming.called, incoming.channel) == ("95002", 2)
            await p.next(Proceeding, leg="out", channel=1)
            await p.next(Answered, leg="out")
            p.trunk.answer(incoming.leg)
            caller.say(1234)
            await caller.hears(1234, 2)
            caller.hangup()
            await p.next(Cleared, leg=incoming.leg)
            assert p.trunk.counters()["retried"] == 1

    run(main)


def test_a_late_answer_is_an_answer(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            far(p).answer_late_ms = 200
            await outgoing(p)
            assert len([event for event in p.history if isinstance(event, Answered)]) == 1

    run(main)


def test_an_exchange_that_never_turns_the_polarity_leaves_the_call_unanswered(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            far(p).no_polarity = True
            p.trunk.dial("out", "10000", "", "")
            await p.next(Proceeding)
            await p.until(lambda: bool(p.exchange.subscribers))
            assert p.exchange.subscribers[0].phase == "up"
            await seconds_pass(p, 20)
            p.trunk.hangup("out", 19)
            await p.next(Cleared)
            assert not any(isinstance(event, Answered) for event in p.history)

    run(main)


def test_a_number_that_cannot_be_dialled_is_refused(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            for number in ("", "10-00", "1" * 65):
                with pytest.raises(ValueError, match="allowed"):
                    p.trunk.dial("out", number, "", "")
            assert not p.trunk.legs()

    run(main)


# -- lines: the rest ---


def test_a_hook_flash_reaches_the_exchange_and_the_call_stays_up(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            await outgoing(p)
            p.trunk.flash("out")
            await p.until(lambda: far(p).flashes == {2: 1})
            await seconds_pass(p, 2)
            assert [leg.phase for leg in p.trunk.legs()] == ["up"]

    run(main)


def test_one_line_that_is_cut_ends_its_call_and_is_left_out_until_it_is_mended(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            await outgoing(p)
            far(p).unplug(2)
            assert await p.next(Cleared) == Cleared("out", 16, "far")
            far(p).unplug(1)
            assert (await p.next(Fault)).reason == "channel 1: no battery, the line is not connected"
            assert p.trunk.state().channels[0].state == "blocked"
            far(p).unplug(1, False)
            await p.until(lambda: p.trunk.state().channels[0].state == "idle")

    run(main)


def test_the_whole_cable_that_is_cut_is_an_alarm_and_comes_back(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            await outgoing(p)
            far(p).cut()
            assert await p.next(Cleared) == Cleared("out", 27, "fault")
            assert (await p.line(up=False)).alarm == "RED"
            far(p).mend()
            await p.line(up=True)
            await p.exchange.wait_up()
            await outgoing(p)

    run(main)


def test_the_line_is_told_idle_again_once_the_exchange_has_come_to_rest_after_a_call(loop: Loop) -> None:
    async def main() -> None:
        async with loop(TURNING, numbers=ANSWERS) as p:
            await outgoing(p)
            p.trunk.hangup("out", 16)
            await p.next(Cleared)
            assert p.trunk.state().channels[1].state == "busy"
            p.events.clear()
            while (await p.next(LineState)).channels[1].state != "idle":
                pass

    run(main)


def test_a_blocked_line_takes_no_call_out_but_rings(loop: Loop) -> None:
    async def main() -> None:
        async with loop(FSK) as p:
            p.trunk.block(None, True)
            with pytest.raises(NoChannel):
                p.trunk.dial("out", "10000", "", "")
            p.exchange.call("95001", CALLER)
            await p.incoming()

    run(main)
