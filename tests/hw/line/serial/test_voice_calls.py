"""Whole calls over a voice modem: real V.253 over a pseudo-terminal, a subscriber at the far end of its line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode
from hw.line.serial import at, voice_line, voice_modem
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Fault, Incoming, LineState, Proceeding, Refused
from hw.sim.exchange import NumberSettings
from hw.sim.pattern import voice
from hw.sim.subscriber import Subscriber
from tests.hw.line.serial.conftest import ModemPair, OpenModem

CALLER = 4321


async def offered(p: ModemPair, **call: Any) -> tuple[Subscriber, str]:
    """A call that has come in: the caller, and the leg's name."""
    caller = p.exchange.call("95001", "13800138000", **call)
    return caller, (await p.incoming()).leg


async def talking(p: ModemPair) -> tuple[Subscriber, str]:
    """A call that is up, whose caller hears himself, because the pair's tick sends back what it hears."""
    caller, leg = await offered(p)
    p.trunk.answer(leg)
    await caller.answered()
    caller.say(CALLER)
    await caller.hears(CALLER)
    return caller, leg


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize(("name", "clears_by"), [("alaw", "tone"), ("unsigned", "loop")])
def test_a_call_comes_in_is_answered_heard_both_ways_and_cleared_by_the_caller(
    modem_pair: OpenModem, name: str, clears_by: str
) -> None:
    async def main() -> None:
        async with modem_pair(sim={"formats": ("adpcm", name), "clears_by": clears_by}) as p:
            caller = p.exchange.call("95001", "13800138000")
            incoming = await p.incoming()
            assert (incoming.called, incoming.caller, incoming.channel) == ("95001", "13800138000", 1)
            p.trunk.answer(incoming.leg)
            await caller.answered()
            caller.say(CALLER)
            await caller.hears(CALLER, 2)
            caller.hangup()
            cleared = await p.next(Cleared)
            assert (cleared.cause, cleared.by) == (16, "far")
            await p.until_idle()

    asyncio.run(main())


def test_a_line_whose_exchange_always_shows_its_number_takes_no_call_that_is_to_hide_it(
    modem_pair: OpenModem,
) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            with pytest.raises(NoChannel, match="from being shown") as refused:
                p.trunk.dial_restricted("out", "10086", "95001", "")
            assert refused.value.cause == 69
            assert p.trunk.legs() == []

    asyncio.run(main())


def test_we_hang_up(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            for _ in range(2):
                caller, leg = await talking(p)
                p.trunk.hangup(leg, 16)
                assert await p.next(Cleared) == Cleared(leg, 16, "us")
                assert await caller.cleared() == 16
                await p.until_idle()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sim", "call", "expected"),
    [
        ({"caller_id": "fsk"}, {"name": "ZHANG SAN"}, ("13800138000", "ZHANG SAN", False)),
        ({"caller_id": "dtmf"}, {}, ("13800138000", "", False)),
        ({"caller_id": "none"}, {}, ("", "", False)),
        ({"caller_id": "fsk"}, {"restricted": True}, ("", "", True)),
    ],
)
def test_the_caller_is_told_however_the_exchange_tells_him(
    modem_pair: OpenModem, sim: dict[str, Any], call: dict[str, Any], expected: tuple[str, str, bool]
) -> None:
    async def main() -> None:
        async with modem_pair(sim=sim) as p:
            p.exchange.call("95001", "13800138000", **call)
            incoming = await p.incoming()
            assert (incoming.caller, incoming.name, incoming.restricted) == expected

    asyncio.run(main())


def test_a_caller_who_gives_up_is_cleared_and_the_next_one_is_not_taken_for_him(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            caller, leg = await offered(p)
            caller.hangup()
            assert await p.next(Cleared) == Cleared(leg, 16, "far")
            await p.until_idle()
            p.exchange.call("95001", "")
            assert (await p.incoming()).caller == ""

    asyncio.run(main())


def test_a_call_that_is_refused_rings_on_and_its_line_is_busy_until_the_caller_gives_up(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            caller, leg = await offered(p)
            p.trunk.hangup(leg, 17)
            assert await p.next(Cleared) == Cleared(leg, 17, "us")
            with pytest.raises(NoChannel):
                p.trunk.dial("x", "10086", "", "")
            assert caller.phase == "alerting"
            caller.hangup()
            await p.until_idle()
            assert not [event for event in p.events if isinstance(event, Incoming)]

    asyncio.run(main())


def test_a_blocked_line_refuses_and_counts_and_comes_back(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            p.trunk.block(1, True)
            assert p.states() == {"blocked"}
            caller = p.exchange.call("95001", "13800138000")
            refused = await p.next(Refused)
            assert (refused.called, refused.cause) == ("95001", 34)
            caller.hangup()
            p.trunk.block(None, False)
            await p.until_idle()
            _, leg = await offered(p)
            assert leg

    asyncio.run(main())


@pytest.mark.requirement("A1.14")
def test_a_call_out_rings_is_answered_and_heard(modem_pair: OpenModem) -> None:
    async def main() -> None:
        number = NumberSettings("13900139000", answer_ms=50, code=CALLER)
        async with modem_pair(numbers=(number,)) as p:
            assert p.trunk.dial("out", "13900139000", "", "") == 1
            await p.next(Proceeding, leg="out")
            await p.next(Alerting, leg="out")
            await p.next(Answered, leg="out")
            [party] = p.exchange.subscribers
            await party.hears(CALLER)
            party.hangup()
            assert await p.next(Cleared) == Cleared("out", 16, "far")
            await p.until_idle()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answers", "fault", "cause"), [("busy", False, 17), ("reject", False, 31), ("answer", True, 38)]
)
def test_a_call_out_that_is_not_answered_says_why(
    modem_pair: OpenModem, answers: Any, fault: bool, cause: int
) -> None:
    async def main() -> None:
        async with modem_pair(numbers=(NumberSettings("10086", answers),)) as p:
            p.modem.no_dial_tone = fault
            p.trunk.dial("out", "10086", "", "")
            assert await p.next(Cleared) == Cleared("out", cause, "far")
            await p.until_idle()

    asyncio.run(main())


def test_a_call_out_is_broken_off_while_it_rings(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair(numbers=(NumberSettings("10086", "never"),)) as p:
            p.trunk.dial("out", "10086", "", "")
            await p.next(Alerting)
            [party] = p.exchange.subscribers
            p.trunk.hangup("out", 16)
            assert await p.next(Cleared) == Cleared("out", 16, "us")
            await party.cleared()
            await p.until_idle()

    asyncio.run(main())


def test_what_cannot_be_dialled_is_refused_with_a_reason(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            with pytest.raises(ValueError, match="allowed are"):
                p.trunk.dial("out", "10086;+CFUN=0", "", "")
            assert p.all_idle()

    asyncio.run(main())


# -- one way at a time -------------------------------------------------------------------------------------------------


class Talk:
    """The switch's side of a call: ``say`` is sent once, frame by frame; ``heard`` is all that came."""

    def __init__(self, p: ModemPair) -> None:
        self._slots = p.trunk.timeslots
        self.say: list[Any] = []
        self.heard: list[Any] = []

    async def tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        frame = np.empty((1, 160), np.uint8)
        while True:
            self._slots.read(frame)
            self.heard.append(frame[0].copy())
            self._slots.write(self.say.pop(0)[None, :] if self.say else np.full((1, 160), 0xD5, np.uint8))
            due = max(due + 0.02, loop.time())
            await asyncio.sleep(due - loop.time())

    def prompt(self, code: int, cycles: int) -> None:
        self.say += list(alaw_encode(np.tile(voice(code), cycles)).reshape(-1, 160))

    def loud(self) -> int:
        """Frames that were not silent."""
        return sum(bool(np.abs(alaw_decode(frame)).max() > 100) for frame in self.heard)


@pytest.mark.requirement("A1.14")
def test_without_both_ways_at_once_prompts_are_whole_keys_are_heard_over_them_and_the_caller_is_heard_after_them(
    modem_pair: OpenModem,
) -> None:
    async def main() -> None:
        async with modem_pair(sim={"duplex": False}, tick=False) as p:
            assert not p.trunk.state().duplex
            talk = Talk(p)
            ticking = asyncio.create_task(talk.tick())
            try:
                caller, leg = await offered(p)
                talk.prompt(1234, 3)  # says it before the modem has turned round
                p.trunk.answer(leg)
                await caller.answered()
                await caller.hears(1234, 2)
                before = talk.loud()
                talk.prompt(1234, 1)
                await caller.press("5")  # the modem hears it, and we do
                await p.until(lambda: talk.loud() > before)
                await p.until(lambda: not talk.say)
                caller.say(CALLER)
                heard = talk.loud()
                await p.until(lambda: talk.loud() > heard + 20)
                talk.prompt(5678, 2)
                await caller.hears(5678)
                caller.hangup()
                await p.next(Cleared)
                await p.until_idle()
                assert p.trunk.counters()["cut"] == 0
            finally:
                ticking.cancel()

    asyncio.run(main())


def test_a_modem_that_does_not_say_that_it_can_both_ways_is_believed_when_it_does(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair(sim={"tells_duplex": False}) as p:
            assert p.trunk.state().duplex
        async with modem_pair(sim={"tells_duplex": False, "streams_on_hook": False}) as p:
            assert not p.trunk.state().duplex
            await talking(p)
            assert (await p.next(LineState, duplex=True)).up

    asyncio.run(main())


# -- faults ------------------------------------------------------------------------------------------------------------


async def _idle(_p: ModemPair) -> None:
    pass


async def _ringing(p: ModemPair) -> None:
    await offered(p)


async def _talking(p: ModemPair) -> None:
    await talking(p)


async def _answering(p: ModemPair) -> None:
    _, leg = await offered(p)
    p.trunk.answer(leg)


async def _dialling(p: ModemPair) -> None:
    p.trunk.dial("out", "10086", "", "")


async def _alerting(p: ModemPair) -> None:
    await _dialling(p)
    await p.next(Alerting)


async def _clearing(p: ModemPair) -> None:
    _, leg = await talking(p)
    p.trunk.hangup(leg, 16)


PHASES = [_idle, _ringing, _answering, _talking, _dialling, _alerting, _clearing]
MAIN = [_ringing, _talking, _dialling, _clearing]


@pytest.mark.requirement("A1.14")
@pytest.mark.parametrize("phase", PHASES)
def test_a_modem_that_is_unplugged_in_any_phase_clears_its_call_and_works_again_when_it_is_back(
    modem_pair: OpenModem, phase: Callable[[ModemPair], Any]
) -> None:
    async def main() -> None:
        async with modem_pair(numbers=(NumberSettings("10086", "never"),)) as p:
            await phase(p)
            p.modem.unplug()
            assert (await p.line(up=False)).alarm == "GONE"
            if phase is not _idle:
                assert (await p.next(Cleared)).by in ("fault", "us")
            assert not p.trunk.legs()
            p.modem.plug()
            await p.line(up=True)
            await talking(p)

    asyncio.run(main())


@pytest.mark.parametrize("phase", [_idle, _talking, _dialling])
def test_a_modem_that_hangs_in_any_phase_is_found_out_and_its_power_cycled(
    modem_pair: OpenModem, phase: Callable[[ModemPair], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_line, "WATCH_S", 0.05)
    monkeypatch.setattr(voice_modem, "_END_S", 0.1)
    monkeypatch.setattr(voice_modem, "_ATTENTION_S", 0.1)
    monkeypatch.setattr(at, "TIMEOUT_S", 0.1)

    async def main() -> None:
        async with modem_pair(numbers=(NumberSettings("10086", "never"),), answer_ms=500) as p:
            await phase(p)
            p.modem.hangs = True
            for leg in p.trunk.legs():
                p.trunk.hangup(leg.leg, 16)
            await p.line(up=False)
            assert not p.trunk.legs()
            p.modem.power_cycle()
            await p.line(up=True)
            await p.until_idle()
            assert p.trunk.counters()["unhealthy"] >= 1

    asyncio.run(main())


@pytest.mark.parametrize("phase", MAIN)
def test_garbage_in_any_phase_leaves_no_call_behind(modem_pair: OpenModem, phase: Callable[[ModemPair], Any]) -> None:
    async def main() -> None:
        random = np.random.default_rng(11)
        async with modem_pair(numbers=(NumberSettings("10086", "never"),)) as p:
            await phase(p)
            for _ in range(5):
                p.modem.garbage(random.bytes(300))
                await asyncio.sleep(0.005)
            for leg in p.trunk.legs():
                p.trunk.hangup(leg.leg, 16)
            for subscriber in p.exchange.subscribers:
                subscriber.hangup()
            await p.until(lambda: not p.trunk.legs())
            await p.line(up=True)
            await p.until_idle()

    asyncio.run(main())


def test_a_line_that_is_cut_clears_the_call_and_the_next_call_out_says_so(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            _, leg = await talking(p)
            p.modem.cut()
            assert await p.next(Cleared) == Cleared(leg, 16, "far")
            await p.until(lambda: p.states() == {"idle"})
            p.trunk.dial("out", "10086", "", "")
            assert (await p.next(Cleared)).cause == 38
            p.modem.mend()
            await talking(p)

    asyncio.run(main())


def test_a_modem_without_voice_refuses_and_the_alarm_says_so(modem_pair: OpenModem) -> None:
    async def main() -> None:
        async with modem_pair() as p:
            p.modem.streams.methods.clear()
            p.modem.unplug()
            p.modem.plug()
            await p.next(LineState, alarm="REFUSES")
            assert not [event for event in p.history if isinstance(event, Fault)]

    asyncio.run(main())
