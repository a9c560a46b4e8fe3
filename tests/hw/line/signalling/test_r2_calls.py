"""MFC-R2 calls between our trunk and the simulated exchange: real tones in A-law, bits across the real socket.

The line's tick runs as fast as it can: a second of the line takes some 40 ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from hw.line.settings import R2Settings
from hw.line.trunk import NoChannel
from hw.messages import (
    Alerting,
    Answered,
    Cleared,
    Fault,
    Incoming,
    LineState,
    Proceeding,
    Progress,
    Refused,
)
from hw.sim.exchange import NumberSettings
from hw.sim.exchange_r2 import R2ExchangeSpan
from hw.sim.subscriber import CallCleared, Subscriber
from tests.hw.conftest import Open, Pair

BOX, CALLER = "95001", "13800138000"
#: Rows of the audio that hear each other: everybody hears himself.
ECHO = {row: row for row in range(30)}
KNOWN = R2Settings(called_digits=5)
R2 = Callable[..., AbstractAsyncContextManager[Pair]]


@pytest.fixture
def r2(pair: Open) -> R2:
    """As ``pair``, with R2 and a tick that runs."""

    @asynccontextmanager
    async def opened(*, r2: R2Settings = KNOWN, **settings: Any) -> AsyncIterator[Pair]:
        async with pair(signalling="r2", r2=r2, **settings) as p:
            ticking = asyncio.create_task(p.tick_fast())
            yield p
            await p.trunk.close()
            ticking.cancel()

    return opened


def exchange_of(p: Pair) -> R2ExchangeSpan:
    span = p.exchange.spans[0]
    assert isinstance(span, R2ExchangeSpan)
    return span


async def ticks_pass(p: Pair, ticks: int) -> None:
    """So many ticks of the line, exactly."""
    there = exchange_of(p).counters["ticks"]
    while exchange_of(p).counters["ticks"] < there + ticks:
        await asyncio.sleep(0)


async def answered(p: Pair) -> tuple[Subscriber, Incoming]:
    """Somebody calls the box, and it answers."""
    caller = p.exchange.call(BOX, CALLER)
    incoming = await p.incoming()
    p.trunk.answer(incoming.leg)
    await caller.answered()
    return caller, incoming


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(main())


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize("settings", [KNOWN, R2Settings(pause_ms=1000)])
def test_a_caller_comes_with_both_numbers_and_talks(r2: R2, settings: R2Settings) -> None:
    async def main() -> None:
        async with r2(r2=settings) as p:
            caller = p.exchange.call(BOX, CALLER)
            incoming = await p.incoming()
            assert (incoming.called, incoming.caller, incoming.line) == (BOX, CALLER, "e1")
            assert p.trunk.channel_of(incoming.leg) == incoming.channel == 1
            p.trunk.proceed(incoming.leg)
            p.trunk.alert(incoming.leg)
            await caller.alerting()
            p.trunk.answer(incoming.leg)
            await caller.answered()
            caller.say(1234)
            await caller.hears(1234, 3)
            assert [leg.phase for leg in p.trunk.legs()] == ["up"]
            caller.hangup()
            assert await p.next(Cleared) == Cleared(incoming.leg, 16, "far")
            assert await caller.cleared() == 16
            await p.until_idle()

    run(main)


@pytest.mark.requirement("A9.18")
def test_callers_hear_the_busy_tone_of_the_zone_without_a_gap_or_a_jump(r2: R2) -> None:
    async def main() -> None:
        async with r2(zone="uk") as p:  # 375 ms on, 375 ms off: no whole number of frames
            caller = p.exchange.call(BOX, CALLER)
            incoming = await p.incoming()
            p.trunk.alert(incoming.leg)
            await caller.alerting()
            caller.keep()
            p.trunk.hangup(incoming.leg, 17)
            await p.until(lambda: len(caller.audio) > 8000 * 4)
            loud = np.abs(caller.audio.astype(int)).reshape(-1, 40).max(axis=1) > 500  # 5 ms each
            edges = np.flatnonzero(np.diff(loud.astype(int)))[2:]  # the first ones are ringback's end
            assert len(edges) >= 6 and set(np.diff(edges)) <= {74, 75, 76}
            caller.hangup()
            await p.until_idle()

    run(main)


def test_while_it_rings_the_caller_hears_ringback_from_us_unless_there_are_announcements(r2: R2) -> None:
    async def level_of(p: Pair, caller: Subscriber) -> float:
        caller.keep()
        await p.until(lambda: len(caller.audio) > 8000 * 5)
        spectrum = np.abs(np.fft.rfft(caller.audio[:40000]))
        return float(spectrum[450 * 5] / (spectrum.sum() + 1))

    async def main() -> None:
        async with r2() as p:
            caller = p.exchange.call(BOX, CALLER)
            incoming = await p.incoming()
            p.trunk.alert(incoming.leg)
            await caller.alerting()
            assert await level_of(p, caller) > 0.05
            p.trunk.progress(incoming.leg)
            await asyncio.sleep(0.05)
            caller.keep()
            assert await level_of(p, caller) < 0.001
            caller.say(77)
            await caller.hears(77)
            p.trunk.hangup(incoming.leg, 17)
            caller.say(None)
            caller.keep()
            await p.until(lambda: len(caller.audio) > 8000)
            assert np.abs(caller.audio.astype(int)).max() > 5000  # busy tone
            caller.hangup()
            assert (await p.next(Cleared)).cause == 17
            await p.until_idle()

    run(main)


def test_an_outgoing_call_takes_the_number_and_ours_to_the_subscriber(r2: R2) -> None:
    async def main() -> None:
        numbers = (NumberSettings("13900139000", answer_ms=50, code=5),)
        async with r2(numbers=numbers) as p:
            assert p.trunk.dial("out", "13900139000", BOX, "") == 31
            assert await p.next(Proceeding) == Proceeding("out", 31)
            await p.next(Alerting, leg="out")
            await p.next(Progress, leg="out")
            await p.next(Answered, leg="out")
            (party,) = p.exchange.subscribers
            assert (party.called, party.caller, party.channel) == ("13900139000", BOX, 31)
            await party.hears(5, 2)
            p.trunk.hangup("out", 16)
            assert await p.next(Cleared) == Cleared("out", 16, "us")
            await p.until_idle()

    run(main)


@pytest.mark.parametrize(
    ("answers", "cause"), [("busy", 17), ("reject", 17), ("nobody", 1)]
)
def test_why_a_call_of_ours_fails_is_told(r2: R2, answers: Any, cause: int) -> None:
    async def main() -> None:
        numbers = (NumberSettings("13900139000", answers=answers),) if answers != "nobody" else ()
        async with r2(numbers=numbers) as p:
            p.trunk.dial("out", "13900139000", BOX, "")
            assert await p.next(Cleared) == Cleared("out", cause, "far")
            await p.until_idle()

    run(main)


@pytest.mark.parametrize(("cause", "heard"), [(17, 17), (1, 1), (34, 42), (41, 42)])
def test_why_we_refuse_a_call_is_told_to_the_caller(r2: R2, cause: int, heard: int) -> None:
    async def main() -> None:
        async with r2() as p:
            caller = p.exchange.call(BOX, CALLER)
            incoming = await p.incoming()
            p.trunk.hangup(incoming.leg, cause)
            assert await caller.cleared() == heard
            assert await p.next(Cleared) == Cleared(incoming.leg, cause, "us")
            await p.until_idle()

    run(main)


def test_the_far_end_clears_back_a_call_of_ours(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0, talk_ms=100),)) as p:
            p.trunk.dial("out", "139", "", "")
            await p.next(Answered)
            assert await p.next(Cleared) == Cleared("out", 16, "far")
            await p.until_idle()

    run(main)


def test_a_caller_may_go_at_any_moment(r2: R2) -> None:
    async def main() -> None:
        async with r2() as p:
            for ticks in range(0, 120, 2):
                caller = p.exchange.call(BOX, CALLER)
                await ticks_pass(p, ticks)
                if ticks > 90 and (offered := [e for e in p.events if isinstance(e, Incoming)]):
                    p.trunk.answer(offered[-1].leg)
                    p.events.clear()
                caller.hangup()
                await caller.cleared()
                await p.until_idle()
            ended = [e.leg for e in p.history if isinstance(e, Cleared)]
            assert ended == [e.leg for e in p.history if isinstance(e, Incoming)] and ended
            assert p.trunk.counters()["abandoned"] > 20
            assert not [e for e in p.history if isinstance(e, Refused)]

    run(main)


def test_we_may_hang_up_a_call_of_ours_at_any_moment(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139001", answer_ms=20),)) as p:
            for ticks in range(0, 120, 3):
                p.trunk.dial(f"out{ticks}", "139001", BOX, "")
                await ticks_pass(p, ticks)
                p.trunk.hangup(f"out{ticks}", 16)
                assert await p.next(Cleared) == Cleared(f"out{ticks}", 16, "us")
                await p.until_idle()

    run(main)


def test_thirty_calls_at_once_each_with_its_own_numbers_and_voice(r2: R2) -> None:
    async def main() -> None:
        async with r2() as p:
            callers = [p.exchange.call(f"950{n:02}", f"138{n:08}") for n in range(30)]
            legs = [await p.incoming() for _ in callers]
            assert {(e.called, e.caller) for e in legs} == {(c.called, c.caller) for c in callers}
            with pytest.raises(NoChannel):
                p.trunk.dial("out", "139", "", "")
            for leg in legs:
                p.trunk.answer(leg.leg)
            for n, caller in enumerate(callers):
                await caller.answered()
                caller.say(100 + n)
            for n, caller in enumerate(callers):
                await caller.hears(100 + n, 2)
                caller.hangup()
            for _ in callers:
                await p.next(Cleared)
            await p.until_idle()

    run(main)


def test_calls_of_both_sides_meet_on_a_span_and_none_is_lost(r2: R2) -> None:
    async def main() -> None:
        numbers = tuple(NumberSettings(f"139{n:03}", answer_ms=0) for n in range(15))
        async with r2(numbers=numbers) as p:
            callers = [p.exchange.call(BOX, f"138{n:03}") for n in range(15)]
            for n in range(15):
                p.trunk.dial(f"out{n}", f"139{n:03}", BOX, "")
            for _ in callers:
                p.trunk.answer((await p.incoming()).leg)
            for n, caller in enumerate(callers):
                await p.next(Answered, leg=f"out{n}")
                await caller.answered()
            assert p.states() == {"busy"}

    run(main)


# -- faults ------------------------------------------------------------------------------------------------------------


def test_both_sides_seize_one_channel_and_our_call_goes_on_another(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            caller = p.exchange.call(BOX, CALLER, channel=31)
            assert p.trunk.dial("out", "139", BOX, "") == 31
            assert (await p.next(Proceeding)).channel == 30
            await p.next(Answered, leg="out")
            assert p.trunk.channel_of("out") == 30
            assert await caller.cleared() == 44
            assert p.trunk.counters()["double_seizures"] == 1
            p.trunk.hangup("out", 16)
            await p.until_idle()

    run(main)


def test_a_seizure_that_is_not_acknowledged_blocks_its_channel_and_the_call_goes_on_another(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            exchange_of(p).deaf = {31}
            assert p.trunk.dial("out", "139", BOX, "") == 31
            await p.next(Answered, leg="out")
            assert p.trunk.channel_of("out") == 30
            assert "not acknowledged" in (await p.next(Fault)).reason
            state = (await p.line(up=True)).channels[-1]
            assert (state.channel, state.state) == (31, "blocked")
            exchange_of(p).deaf = set()
            exchange_of(p)._packet(bytes((31, exchange_of(p).shown[31])))  # it sees the seizure at last
            await p.until(lambda: p.trunk.state().channels[-1].state == "idle")

    run(main)


def test_no_channel_acknowledges_and_the_call_fails_after_three(r2: R2) -> None:
    async def main() -> None:
        async with r2() as p:
            exchange_of(p).deaf = set(range(1, 32))
            p.trunk.dial("out", "139", BOX, "")
            assert await p.next(Cleared) == Cleared("out", 44, "fault")
            assert sum(c.state == "blocked" for c in p.trunk.state().channels) == 3
            p.trunk.restart(None)
            await p.until(lambda: p.states() == {"idle"})

    run(main)


@pytest.mark.parametrize("heard", [0, 1, 4, 10])
def test_signals_of_the_caller_that_are_lost_refuse_the_call_in_time(r2: R2, heard: int) -> None:
    async def main() -> None:
        async with r2() as p:
            exchange_of(p).mute_after = heard
            caller = p.exchange.call(BOX, CALLER)
            assert await caller.cleared() == 42  # our A-4 as a pulse
            refused = await p.next(Refused)
            assert refused.cause == 28 and BOX.startswith(refused.called) and CALLER.startswith(refused.caller)
            exchange_of(p).mute_after = None
            await p.until_idle()
            await answered(p)

    run(main)


def test_signals_come_through_a_noisy_line(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("13900139000", answer_ms=0),)) as p:
            exchange_of(p).noise_dbm0 = -40.0
            _, incoming = await answered(p)
            assert (incoming.called, incoming.caller) == (BOX, CALLER)
            p.trunk.dial("out", "13900139000", BOX, "")
            await p.next(Answered, leg="out")

    run(main)


@pytest.mark.parametrize("lose_every", [5, 7, 11])
def test_a_frame_that_is_lost_now_and_then_doubles_no_digit(r2: R2, lose_every: int) -> None:
    async def main() -> None:
        async with r2() as p:
            exchange_of(p).lose_every = lose_every
            callers = [p.exchange.call("95511", "13800118855") for _ in range(20)]
            for _ in callers:
                incoming = await p.incoming()
                assert (incoming.called, incoming.caller) == ("95511", "13800118855")
                p.trunk.answer(incoming.leg)
            for caller in callers:
                await caller.answered()

    run(main)


def test_noise_as_loud_as_the_signals_leaves_no_channel_hanging(r2: R2) -> None:
    async def main() -> None:
        async with r2(channels=(1, 2, 3, 4, 5, 6)) as p:
            exchange_of(p).noise_dbm0 = -8.0
            callers = [p.exchange.call(BOX, CALLER) for _ in range(3)]
            for n in range(3):
                p.trunk.dial(f"out{n}", "13900139000", BOX, "")
            for caller in callers:
                await caller.cleared()
            for n in range(3):
                assert (await p.next(Cleared, leg=f"out{n}")).cause in (1, 17, 42, 102, 111)
            await p.until_idle()

    run(main)


def test_an_answer_that_comes_late_is_an_answer(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            exchange_of(p).answer_late_ms = 300
            p.trunk.dial("out", "139", BOX, "")
            await p.next(Alerting)
            assert p.exchange.subscribers[0].answered_at is None
            await p.next(Answered)

    run(main)


def test_a_number_that_is_not_to_be_shown_is_not_sent_r2_cannot_ask_for_it(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            p.trunk.dial_restricted("out", "139", BOX, "")
            await p.next(Answered)
            assert [person.caller for person in p.exchange.subscribers] == [""]

    run(main)


@pytest.mark.parametrize(
    ("how", "order"), [("by_role", [3, 2, 3]), ("up", [1, 2, 1]), ("down", [3, 2, 3]), ("most_idle", [3, 2, 1])]
)
def test_calls_take_channels_in_the_order_of_the_settings(r2: R2, how: str, order: list[int]) -> None:
    async def main() -> None:
        async with r2(channels=(1, 2, 3), numbers=(NumberSettings("139", answers="never"),), hunting=how) as p:
            channels = [p.trunk.dial("a", "139", "", ""), p.trunk.dial("b", "139", "", "")]
            await p.next(Alerting)
            await p.next(Alerting)
            p.trunk.hangup("a", 16)
            p.trunk.hangup("b", 16)
            await p.until_idle()
            channels.append(p.trunk.dial("c", "139", "", ""))
            p.trunk.hangup("c", 16)
            await p.until_idle()
            assert channels == order

    run(main)


def test_channels_that_are_blocked_on_either_side_take_no_calls(r2: R2) -> None:
    async def main() -> None:
        async with r2(channels=(1, 2, 3)) as p:
            p.trunk.block(2, True)
            exchange_of(p).block(3, True)
            await p.until(lambda: [c.state for c in p.trunk.state().channels] == ["idle", "blocked", "blocked"])
            await p.until(lambda: exchange_of(p).shown[2] == 0xF)
            assert p.trunk.dial("out", "139", "", "") == 1
            with pytest.raises(NoChannel):
                p.trunk.dial("more", "139", "", "")
            await p.next(Cleared)
            p.trunk.block(None, True)
            await p.until(lambda: not exchange_of(p).any_idle())
            p.trunk.block(None, False)
            exchange_of(p).block(3, False)
            await p.until_idle()

    run(main)


def test_a_cut_line_ends_all_calls_and_comes_back(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            _, incoming = await answered(p)
            half_way = p.exchange.call(BOX, CALLER)
            p.trunk.dial("out", "139", "", "")
            await p.next(Answered)
            exchange_of(p).cut()
            assert await p.next(Cleared, leg=incoming.leg) == Cleared(incoming.leg, 27, "fault")
            assert await p.next(Cleared, leg="out") == Cleared("out", 27, "fault")
            with pytest.raises(CallCleared):
                await half_way.answered()
            assert not (await p.line(up=False)).up and p.states() == {"alarm"}
            with pytest.raises(NoChannel):
                p.trunk.dial("no", "139", "", "")
            exchange_of(p).mend()
            await p.line(up=True)
            await p.until_idle()
            p.events.clear()
            await answered(p)

    run(main)


def test_a_restart_ends_the_call_on_the_channel(r2: R2) -> None:
    async def main() -> None:
        async with r2() as p:
            caller, incoming = await answered(p)
            p.trunk.restart(1)
            assert await p.next(Cleared) == Cleared(incoming.leg, 41, "us")
            assert await caller.cleared() == 41
            await p.until_idle()

    run(main)


def test_what_does_not_fit_is_an_error_that_says_what_is_allowed(r2: R2) -> None:
    async def main() -> None:
        async with r2(channels=(1, 2)) as p:
            for command in (p.trunk.answer, p.trunk.alert, p.trunk.proceed, p.trunk.progress, p.trunk.channel_of):
                with pytest.raises(KeyError):
                    command("nobody")
            with pytest.raises(ValueError, match="0 to 9"):
                p.trunk.dial("out", "12*", "", "")
            p.trunk.dial("out", "139", "", "")
            with pytest.raises(ValueError, match="there already"):
                p.trunk.dial("out", "139", "", "")
            with pytest.raises(ValueError, match="outgoing"):
                p.trunk.answer("out")
            with pytest.raises(ValueError, match="1 to 127"):
                p.trunk.hangup("out", 0)
            with pytest.raises(ValueError, match="allowed are 1, 2"):
                p.trunk.block(16, True)

    run(main)


def test_closing_clears_what_is_up(r2: R2) -> None:
    async def main() -> None:
        async with r2(numbers=(NumberSettings("139", answer_ms=0),)) as p:
            caller, incoming = await answered(p)
            p.trunk.dial("out", "139", "", "")
            await p.next(Answered)
            await p.trunk.close()
            assert await p.next(Cleared, leg=incoming.leg) == Cleared(incoming.leg, 41, "us")
            assert await p.next(Cleared, leg="out") == Cleared("out", 41, "us")
            assert await caller.cleared() in (16, 27)

    run(main)


def test_garbage_on_the_signalling_socket_is_counted(r2: R2) -> None:
    async def main() -> None:
        async with r2() as p:
            for packet in (b"\x01", b"\x01\xff", b"\xff\x0b", b"\x01\x0b\x00"):
                exchange_of(p)._send(packet)
            await p.until(lambda: p.trunk.counters()["c_malformed"] == 3)
            await answered(p)
            assert isinstance(p.trunk.state(), LineState) and p.trunk.state().kind == "r2"

    run(main)
