"""Calls through a GSM module, both ways, with audio and all that can go wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Incoming, Proceeding, Progress, Refused
from hw.sim.at_interpreter import NOT_SUPPORTED, CmeError, Command
from hw.sim.exchange import CallCleared, NumberSettings, Subscriber
from tests.hw.line.serial.gsm_pair import GsmPair, gsm_pair

CALLER = "13800138000"


async def answered(p: GsmPair) -> tuple[Subscriber, str]:
    """A caller who was answered, and the leg."""
    caller = p.exchange.call("95001", CALLER)
    leg = (await p.incoming()).leg
    p.trunk.answer(leg)
    await caller.answered()
    return caller, leg


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize("pcm", ["simcom", "quectel"])
def test_a_caller_comes_with_his_number_and_hears_himself_through_the_tick(tmp_path: Path, pcm: str) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, pcm=pcm, number="02161234567") as p:
            tick = asyncio.create_task(p.tick({0: 0}))
            caller = p.exchange.call("95001", CALLER)
            offer = await p.incoming()
            assert (offer.line, offer.called, offer.caller, offer.channel) == ("gsm1", "02161234567", CALLER, 1)
            p.trunk.proceed(offer.leg)
            p.trunk.alert(offer.leg)
            p.trunk.answer(offer.leg)
            await caller.answered()
            caller.say(1234)
            await caller.hears(1234, times=3)
            assert p.states() == {"busy"}
            caller.hangup()
            assert await p.next(Cleared) == Cleared(offer.leg, 16, "far")
            await p.until_idle()
            assert p.trunk.counters()["unexpected"] == 0
            tick.cancel()

    asyncio.run(main())


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize("pcm", ["simcom", "quectel"])
def test_we_call_somebody_who_hears_us_and_our_keys(tmp_path: Path, pcm: str) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, NumberSettings("13900000000", answer_ms=700, code=77), pcm=pcm) as p:
            tick = asyncio.create_task(p.tick({0: 0}))
            assert p.trunk.dial("out-1", "13900000000", "", "") == 1
            await p.next(Proceeding, leg="out-1")
            await p.next(Alerting, leg="out-1")
            assert [event for event in p.events if isinstance(event, Progress)] == (
                [Progress("out-1")] if pcm == "quectel" else []
            )
            await p.next(Answered, leg="out-1")
            [person] = p.exchange.subscribers
            await person.hears(77)
            assert p.trunk.send_digits("out-1", "12#")
            await p.until(lambda: p.module.digits == "12#")
            p.trunk.hangup("out-1", 16)
            assert await p.next(Cleared) == Cleared("out-1", 16, "us")
            assert await person.cleared() == 16
            await p.until_idle()
            tick.cancel()

    asyncio.run(main())


def test_a_number_that_is_not_to_be_shown_is_hidden_by_the_network_and_the_next_call_shows_it_again(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, NumberSettings("13900000000", answer_ms=0)) as p:
            for leg, hides, dial in (("out-1", True, p.trunk.dial_restricted), ("out-2", False, p.trunk.dial)):
                assert dial(leg, "13900000000", "95001", "") == 1
                await p.next(Answered, leg=leg)
                [person] = p.exchange.subscribers
                assert (person.called, person.restricted) == ("13900000000", hides)
                p.trunk.hangup(leg, 16)
                await p.until_idle()

    asyncio.run(main())


def test_a_call_that_is_to_hide_its_number_is_not_made_at_all_where_the_module_refuses_that(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            given: list[str] = []

            def refuses(command: Command) -> list[str]:
                given.append(command.text)
                raise CmeError(NOT_SUPPORTED)

            p.module.interpreter.handlers = {**p.module.interpreter.handlers, "D": refuses}
            p.trunk.dial_restricted("out-1", "+8613900000000", "", "")
            assert await p.next(Cleared) == Cleared("out-1", 41, "fault")
            await p.until_idle()
            assert given == ["+8613900000000I;"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("pcm", "answers", "number", "cause"),
    [("simcom", "busy", "13911111111", 17), ("quectel", "reject", "13911111111", 21), ("quectel", "busy", "110", 1)],
)
def test_why_a_call_of_ours_came_to_nothing_is_told(
    tmp_path: Path, pcm: str, answers: str, number: str, cause: int
) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, NumberSettings("13911111111", answers=answers), pcm=pcm) as p:  # type: ignore[arg-type]
            p.trunk.dial("out-1", number, "", "")
            assert await p.next(Cleared) == Cleared("out-1", cause, "far")
            await p.until_idle()

    asyncio.run(main())


def test_a_caller_who_gives_up_or_withholds_his_number_is_no_riddle(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            caller = p.exchange.call("95001", CALLER, restricted=True)
            offer = await p.incoming()
            assert (offer.caller, offer.restricted, offer.called) == ("", True, "13800000001")
            caller.hangup()
            assert await p.next(Cleared) == Cleared(offer.leg, 16, "far")
            await p.until_idle()
            refused = p.exchange.call("95001", CALLER)
            p.trunk.hangup((await p.incoming()).leg, 17)
            assert await refused.cleared() == 21
            await p.until_idle()

    asyncio.run(main())


def test_a_caller_who_comes_in_the_moment_in_which_another_has_gone_is_a_new_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            for number in (CALLER, CALLER, "13700000000"):
                gone, leg = await answered(p)
                await p.until(lambda: p.trunk._gsm.call.phase == "up")
                gone.hangup()
                caller = p.exchange.call("95001", number)
                assert await p.next(Cleared) == Cleared(leg, 16, "far")
                offer = await p.incoming()
                assert offer.caller == number and offer.leg != leg
                caller.hangup()
                await p.next(Cleared, leg=offer.leg)

    asyncio.run(main())


def test_a_second_caller_is_refused_as_busy_and_the_first_talks_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            caller, leg = await answered(p)
            with pytest.raises(NoChannel):
                p.trunk.dial("out-1", "13900000000", "", "")
            second = p.exchange.call("95001", "13700000000", channel=1)
            assert await second.cleared() == 17
            assert await p.next(Refused) == Refused("gsm1", "13800000001", "13700000000", 17)
            assert [each.leg for each in p.trunk.legs()] == [leg]
            p.trunk.hangup(leg, 16)
            assert await caller.cleared() == 16
            await p.until_idle()

    asyncio.run(main())


def test_a_blocked_line_takes_no_calls_and_one_that_cannot_be_dialled_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            with pytest.raises(ValueError, match="cannot be dialled"):
                p.trunk.dial("out-1", "139;+CFUN=0", "", "")
            p.trunk.block(1, True)
            assert p.states() == {"blocked"}
            with pytest.raises(CallCleared):
                await p.exchange.call("95001", CALLER).answered()
            p.trunk.block(None, False)
            _, leg = await answered(p)
            p.trunk.restart(1)
            assert await p.next(Cleared) == Cleared(leg, 41, "us")
            await p.until_idle()
            assert [event for event in p.history if isinstance(event, Incoming)] == [
                Incoming(leg, "gsm1", "13800000001", CALLER, channel=1)
            ]

    asyncio.run(main())


@pytest.mark.parametrize("phase", ["offered", "up", "dialling"])
def test_a_module_that_is_unplugged_loses_its_call_and_comes_back(tmp_path: Path, phase: str) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, NumberSettings("13900000000", answers="never")) as p:
            if phase == "dialling":
                p.trunk.dial(leg := "out-1", "13900000000", "", "")
                await p.next(Proceeding)
            elif phase == "up":
                _, leg = await answered(p)
            else:
                p.exchange.call("95001", CALLER)
                leg = (await p.incoming()).leg
            p.module.unplug()
            assert await p.next(Cleared) == Cleared(leg, 27, "fault")
            await p.alarm("GONE")
            assert p.states() == {"alarm"}
            p.module.plug()
            await p.line(up=True)
            _, leg = await answered(p)
            p.trunk.hangup(leg, 16)
            await p.until_idle()

    asyncio.run(main())


def test_garbage_between_the_lines_harms_no_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            for noise in (b"\x00\xff", b"+CLCC: x,y", b"+CLIP", b"+CREG:", b"+CSQ: ,", b"> ", b"RING"):
                p.module.garbage(noise + b"\r\n")
            _, leg = await answered(p)
            p.module.garbage(b"\r\n+CMTI: \r\nNO CARRIER\r\nBUSY\r\n" + bytes(range(256)))
            for _ in range(3):
                p.trunk.send_digits(leg, "5")
            await p.until(lambda: p.module.digits == "555")
            assert [each.phase for each in p.trunk.legs()] == ["up"]
            p.trunk.hangup(leg, 16)
            await p.until_idle()

    asyncio.run(main())
