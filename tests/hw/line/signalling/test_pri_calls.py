"""Calls over a primary rate span: our trunk against the simulated exchange, libpri on both ends, real sockets."""

from __future__ import annotations

import asyncio

import pytest

from hw.line.signalling import call_control, q931
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Digit, Incoming, Proceeding, Refused
from hw.sim.exchange import ANY_CHANNEL, NO_CHANNEL, Blocked, CallCleared, NumberSettings

CAUSES = (1, 3, 6, 7, 16, 17, 18, 19, 21, 26, 27, 28, 31, 34, 38, 41, 42, 44, 58, 63, 82, 88, 102, 127)


@pytest.mark.requirement("A1.01")
def test_a_caller_is_offered_answered_and_hangs_up(pair):
    async def main():
        async with pair() as p:
            caller = p.exchange.call("4008001111", "13800138000", "王小明")
            call = await p.incoming()
            assert call == Incoming(
                call.leg, "e1", "4008001111", "13800138000", "王小明", restricted=False, channel=caller.channel
            )
            await caller.proceeding()
            p.trunk.proceed(call.leg)
            p.trunk.alert(call.leg)
            await caller.alerting()
            p.trunk.answer(call.leg)
            await caller.answered()
            [leg] = p.trunk.legs()
            assert (leg.leg, leg.phase, leg.incoming, leg.channel) == (call.leg, "up", True, caller.channel)
            caller.hangup(16)
            assert await p.next(Cleared) == Cleared(call.leg, 16, "far")
            assert await caller.cleared() == 16
            await p.until_idle()

    asyncio.run(main())


def test_a_call_of_ours_rings_is_answered_and_cleared_by_us(pair):
    async def main():
        async with pair(numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            channel = p.trunk.dial("out-1", "10086", "4008001111", "OneCall")
            assert channel == 31, "we hunt from the top"
            assert await p.next(Proceeding) == Proceeding("out-1", 31)
            assert await p.next(Alerting) == Alerting("out-1")
            assert await p.next(Answered) == Answered("out-1")
            [person] = p.exchange.subscribers
            assert (person.called, person.caller, person.channel) == ("10086", "4008001111", 31)
            p.trunk.hangup("out-1", 16)
            assert await p.next(Cleared) == Cleared("out-1", 16, "us")
            assert (await person.cleared(), person.by) == (16, "far")
            await p.until_idle()

    asyncio.run(main())


@pytest.mark.requirement("A1.01")
def test_thirty_callers_at_once_and_the_thirty_first_is_refused_with_34(pair):
    async def main():
        async with pair() as p:
            callers = [p.exchange.call("400", str(n)) for n in range(30)]
            for _ in callers:
                p.trunk.answer((await p.incoming()).leg)
            for caller in callers:
                await caller.answered()
            assert p.states() == {"busy"}
            with pytest.raises(Blocked):
                p.exchange.call("400", "the exchange itself is full")
            for forced in (NO_CHANNEL, ANY_CHANNEL, 7):
                late = p.exchange.call("400", "999", channel=forced)
                assert await late.cleared() == 34
                assert await p.next(Refused) == Refused("e1", "400", "999", 34)
            with pytest.raises(NoChannel):
                p.trunk.dial("out", "10086", "", "")
            assert all(caller.phase == "up" for caller in callers)
            callers[4].hangup()
            await p.next(Cleared)
            p.exchange.call("400", "next")
            assert (await p.incoming()).channel == callers[4].channel
            for caller in p.exchange.subscribers:
                caller.hangup()
            await p.until_idle()

    asyncio.run(main())


@pytest.mark.parametrize("phase", ["offered", "alerting", "up"])
def test_every_cause_reaches_the_caller_when_we_clear(pair, phase):
    async def main():
        async with pair() as p:
            callers = [p.exchange.call("400", str(cause)) for cause in CAUSES]
            for cause, caller in zip(CAUSES, callers, strict=True):
                leg = (await p.next(Incoming, caller=str(cause))).leg
                if phase != "offered":
                    p.trunk.alert(leg)
                if phase == "up":
                    p.trunk.answer(leg)
                    await caller.answered()
                p.trunk.hangup(leg, cause)
                assert await p.next(Cleared) == Cleared(leg, cause, "us")
                assert await caller.cleared() == cause
            await p.until_idle()

    asyncio.run(main())


@pytest.mark.parametrize("phase", ["offered", "alerting", "up"])
def test_the_caller_goes_in_every_phase_with_every_cause(pair, phase):
    async def main():
        async with pair() as p:
            for cause in CAUSES:
                caller = p.exchange.call("400", str(cause))
                leg = (await p.incoming()).leg
                if phase != "offered":
                    p.trunk.alert(leg)
                    await caller.alerting()
                if phase == "up":
                    p.trunk.answer(leg)
                    await caller.answered()
                caller.hangup(cause)
                assert await p.next(Cleared) == Cleared(leg, cause, "far")
                await caller.cleared()
            await p.until_idle()

    asyncio.run(main())


def test_a_caller_who_hangs_up_in_the_moment_of_calling_leaves_nothing_behind(pair):
    async def main():
        async with pair() as p:
            for cause in CAUSES:
                p.exchange.call("400", str(cause)).hangup(cause)
            await p.until_idle()
            told = [e for e in p.events if isinstance(e, Incoming)]
            cleared = {e.leg for e in p.events if isinstance(e, Cleared)}
            assert {e.leg for e in told} == cleared

    asyncio.run(main())


@pytest.mark.parametrize("answers,cause", [("busy", 17), ("reject", 21), ("unallocated", 1)])
def test_a_call_of_ours_that_is_refused_tells_why(pair, answers, cause):
    async def main():
        numbers = () if answers == "unallocated" else (NumberSettings("10086", answers=answers),)
        async with pair(numbers=numbers) as p:
            p.trunk.dial("out-1", "10086", "", "")
            assert await p.next(Cleared) == Cleared("out-1", cause, "far")
            await p.until_idle()

    asyncio.run(main())


def test_we_give_up_a_call_in_every_phase(pair):
    async def main():
        numbers = (NumberSettings("never", answers="never"), NumberSettings("yes", answer_ms=0))
        async with pair(numbers=numbers) as p:
            p.trunk.dial("at-once", "never", "", "")
            p.trunk.hangup("at-once", 16)
            await p.next(Cleared, leg="at-once")
            p.trunk.dial("ringing", "never", "", "")
            await p.next(Alerting, leg="ringing")
            p.trunk.hangup("ringing", 16)
            await p.next(Cleared, leg="ringing")
            p.trunk.dial("up", "yes", "", "")
            await p.next(Answered, leg="up")
            p.trunk.hangup("up", 16)
            p.trunk.hangup("up", 17)  # too late, and the first counts
            assert await p.next(Cleared, leg="up") == Cleared("up", 16, "us")
            await p.until_idle()

    asyncio.run(main())


@pytest.mark.parametrize("cause", [16, 19, 102])
def test_a_call_that_proceeds_and_then_nothing_is_given_up_by_us_alone(pair, cause):
    async def main():
        async with pair() as p:
            p.exchange.on_call = lambda _person: None  # CALL PROCEEDING is all that comes: libpri has no T310
            p.trunk.dial("out", "10086", "", "")
            await p.next(Proceeding)
            [person] = p.exchange.subscribers
            assert [(leg.leg, leg.phase) for leg in p.trunk.legs()] == [("out", "dialling")]
            p.trunk.hangup("out", cause)
            assert await p.next(Cleared) == Cleared("out", cause, "us")
            assert await person.cleared() == cause
            await p.until_idle()

    asyncio.run(main())


def test_both_sides_hang_up_at_once(pair):
    async def main():
        async with pair() as p:
            for _ in range(5):
                caller = p.exchange.call("400", "1")
                leg = (await p.incoming()).leg
                p.trunk.answer(leg)
                await caller.answered()
                caller.hangup(16)
                p.trunk.hangup(leg, 31)
                await p.next(Cleared, leg=leg)
                await caller.cleared()
            await p.until_idle()

    asyncio.run(main())


def test_audio_is_announced_before_the_answer(pair):
    async def main():
        async with pair() as p:
            caller = p.exchange.call("400", "1")
            p.trunk.progress((await p.incoming()).leg)
            await caller.hears_tones()

    asyncio.run(main())


def test_a_caller_who_does_not_want_to_be_shown(pair):
    async def main():
        async with pair() as p:
            p.exchange.call("400", "13800138000", restricted=True)
            call = await p.incoming()
            assert call.restricted and call.caller == "13800138000"
            p.exchange.call("400")
            call = await p.incoming()
            assert not call.restricted and call.caller == ""

    asyncio.run(main())


def test_a_call_of_ours_may_ask_that_its_number_is_not_shown(pair):
    async def main():
        async with pair(numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            for restricted, dial in ((False, p.trunk.dial), (True, p.trunk.dial_restricted)):
                dial("out", "10086", "4008001111", "")
                await p.next(Answered)
                [person] = p.exchange.subscribers
                assert (person.caller, person.restricted) == ("4008001111", restricted)
                p.trunk.hangup("out", 16)
                await p.until_idle()

    asyncio.run(main())


def _heard_digits(p):
    """What the exchange gets of called numbers: the one in SETUP, then each INFORMATION's."""
    heard = []
    span = p.exchange.spans[0]
    listen = span._d._event

    def event(event):
        if isinstance(event, q931.Ring):
            heard.append(event.called)
        elif isinstance(event, q931.Information):
            heard.append(event.digits)
        listen(event)

    span._d._event = event
    return heard


def test_the_number_of_a_call_of_ours_is_sent_digit_by_digit_where_the_exchange_wants_it_so(pair):
    async def main():
        async with pair(overlap_sending=True, numbers=(NumberSettings("01012", answer_ms=0),)) as p:
            heard = _heard_digits(p)
            p.trunk.dial("out", "01012", "4008", "")
            await p.next(Answered)
            assert heard == ["", *"01012"]
            [person] = p.exchange.subscribers
            assert (person.called, person.caller, person.channel) == ("01012", "4008", 31)
            p.trunk.hangup("out", 16)
            await p.until_idle()
            p.trunk.dial("none", "555", "", "")
            assert await p.next(Cleared, leg="none") == Cleared("none", 1, "far")
            with pytest.raises(ValueError, match="number"):
                p.trunk.dial("out2", "一二三", "", "")
            await p.until_idle()

    asyncio.run(main())


def test_an_exchange_that_takes_all_digits_and_says_nothing_is_given_up_after_t304(pair, monkeypatch):
    monkeypatch.setattr(call_control, "T304_S", 0.2)

    async def main():
        async with pair(overlap_sending=True, numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            p.exchange.spans[0].digit_pause_s = 60
            p.trunk.dial("out", "10086", "", "")
            assert await p.next(Cleared) == Cleared("out", 102, "us")
            await p.until_idle()
            p.exchange.spans[0].digit_pause_s = 0.01
            p.trunk.dial("out", "10086", "", "")
            await p.next(Answered)
            await asyncio.sleep(0.3)  # longer than T304, which has ended
            assert p.trunk.legs()[0].phase == "up"
            p.trunk.hangup("out", 16)
            await p.until_idle()

    asyncio.run(main())


def test_a_call_of_ours_is_given_up_while_its_digits_are_awaited(pair):
    async def main():
        async with pair(overlap_sending=True, numbers=(NumberSettings("10086", answer_ms=0),)) as p:
            p.exchange.spans[0].digit_pause_s = 60
            heard = _heard_digits(p)
            p.trunk.dial("out", "10086", "", "")
            await p.until(lambda: len(heard) == 6)
            p.trunk.hangup("out", 16)
            assert await p.next(Cleared) == Cleared("out", 16, "us")
            await p.until_idle()

    asyncio.run(main())


def test_commands_that_do_not_fit(pair):
    async def main():
        async with pair(numbers=(NumberSettings("10086", answers="never"),)) as p:
            with pytest.raises(KeyError):
                p.trunk.answer("nobody")
            with pytest.raises(KeyError):
                p.trunk.hangup("nobody", 16)
            with pytest.raises(KeyError):
                p.trunk.channel_of("nobody")
            p.trunk.dial("out", "10086", "", "")
            with pytest.raises(ValueError, match="outgoing"):
                p.trunk.answer("out")
            with pytest.raises(ValueError, match="there already"):
                p.trunk.dial("out", "10086", "", "")
            with pytest.raises(ValueError, match="1 to 127"):
                p.trunk.hangup("out", 0)
            with pytest.raises(ValueError, match="number"):
                p.trunk.dial("out2", "一二三", "", "")
            with pytest.raises(ValueError, match="channel 16"):
                p.trunk.block(16, True)
            assert len(p.trunk.legs()) == 1

    asyncio.run(main())


def test_a_number_that_comes_digit_by_digit_ends_with_hash_pause_or_completion(pair):
    async def main():
        async with pair(overlap_ms=100) as p:
            ends = {"#": "12#", "pause": "12"}
            for end, digits in ends.items():
                caller = p.exchange.call("400", end, overlap=True)
                await caller.wants_digits()
                caller.dial(digits)
                call = await p.incoming()
                assert (call.called, call.caller) == ("40012", end)
                caller.hangup()
                await p.next(Cleared)
            p.exchange.call("4008", "en bloc")
            assert (await p.incoming()).called == "4008"
            # Digits behind the number are keys that were pressed.
            caller = p.exchange.call("400", "more", overlap=True)
            await caller.wants_digits()
            caller.dial("1#5")
            call = await p.incoming()
            assert await p.next(Digit) == Digit(call.leg, "5", 0, "q931")
            # Who hangs up while dialling was never told.
            caller = p.exchange.call("400", "gone", overlap=True)
            await caller.wants_digits()
            caller.hangup()
            await caller.cleared()
            assert not [e for e in p.events if isinstance(e, Incoming)]
            for leg in p.trunk.legs():
                p.trunk.hangup(leg.leg, 16)
            await p.until_idle()

    asyncio.run(main())


def test_a_caller_cleared_before_what_he_waits_for_is_told(pair):
    async def main():
        async with pair() as p:
            caller = p.exchange.call("400", "1")
            p.trunk.hangup((await p.incoming()).leg, 17)
            with pytest.raises(CallCleared) as cleared:
                await caller.answered()
            assert cleared.value.cause == 17

    asyncio.run(main())
