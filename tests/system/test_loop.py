"""The product's main job over analog lines and with an analog telephone: only the settings file knows of them.

A machine that is too busy loses frames of audio here, and a digit with one: callers' numbers are proved where the line
waits for us (``test_loop_calls``), and who has dialled a wrong number here dials again.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import asdict

from hw.line.settings import LoopSettings
from hw.sim.exchange import CallCleared, NumberSettings
from hw.sim.exchange_loop import LoopExchangeSpan
from hw.sim.listen import codes
from hw.sim.phone import Phone
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, running

CALLER, AGENT, CALLED, DESK, BOSS = 4711, 1001, 4712, 1002, 1009
LINES, TELEPHONES = 0, 1
SPANS = (
    {"name": "co", "signalling": "fxo", "channels": [1, 2]},
    {"name": "desk", "signalling": "fxs", "channels": [1]},
)
LOOPS = (
    LoopSettings(numbers=("95002", "95003"), cid="none", polarity=True),
    LoopSettings(numbers=("8009",), cid="none", polarity=True, digit_ms=500),
)


async def a_caller_on_an_analog_line_reaches_an_agent(box: Box) -> None:
    phone = await box.seated("1001", "8001", AGENT)
    caller = box.exchange.call("95002", "13800138000", span=LINES)
    ringing = await phone.ringing()
    ringing.answer()
    await caller.answered()
    caller.say(CALLER)
    await ringing.heard(CALLER, 5)  # the recording begins a moment after the talk
    await caller.hears(AGENT, 5)
    caller.hangup()
    await ringing.ended()
    (recording,) = await box.until_recordings(1)
    left, right = codes(recording)
    assert left[CALLER] >= 3 and right[AGENT] >= 3
    offered = await box.until_event("contact.offered", lambda e: e.data["line"] == "co")
    assert offered.data["called"] == "95002"


async def dialled(box: Box, number: str) -> Subscriber:
    """Who sits at the telephone dials a number until it is answered."""
    for _ in range(4):
        while not box.exchange.spans[TELEPHONES].any_idle():  # put down a moment ago
            await asyncio.sleep(0.02)
        with suppress(CallCleared):
            desk = box.exchange.call(number, "8009", span=TELEPHONES)
            await desk.answered()
            return desk
    raise AssertionError(f"{number} cannot be reached")


async def a_telephone_calls_out_over_an_analog_line(box: Box) -> None:
    desk = await dialled(box, "910010")
    desk.say(DESK)
    await desk.hears(CALLED, 2)
    party = next(each for each in box.exchange.subscribers if each.called == "10010")
    await party.hears(DESK, 2)
    party.hangup()
    await desk.cleared()


async def a_telephone_is_called_like_any_phone_and_holds_by_its_hook(box: Box, boss: Phone) -> None:
    people: asyncio.Queue[Subscriber] = asyncio.Queue()
    box.exchange.on_call = people.put_nowait
    out = boss.dial("8009")
    desk = await people.get()
    desk.answer()
    desk.say(DESK)
    await out.heard(DESK, 2)
    await desk.hears(BOSS, 2)
    telephones = box.exchange.spans[TELEPHONES]
    assert isinstance(telephones, LoopExchangeSpan)
    telephones.flash(desk)
    await box.until_event("contact.held", lambda e: e.data["on"] is True)
    telephones.flash(desk)
    await box.until_event("contact.held", lambda e: e.data["on"] is False)
    desk.hangup()
    await out.ended()
    box.exchange.on_call = None


@pytest.mark.requirement("A9.16", "A7.02")
def test_callers_agents_and_telephones_talk_over_analog_ports(tmp_path: Path) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="loop-") as sockets:  # a short path
            spans = [
                {**span, "address": f"{sockets}/{span['name']}", "loop": {**asdict(loop), "numbers": [*loop.numbers]}}
                for span, loop in zip(SPANS, LOOPS, strict=True)
            ]
            far = {str(span["name"]): {"loop": loop} for span, loop in zip(SPANS, LOOPS, strict=True)}
            async with running(tmp_path, settings={"line": {"spans": spans}}, far=far) as box, asyncio.timeout(50):
                box.exchange.register(NumberSettings("10010", code=CALLED, answer_ms=0))
                boss = await box.phone("8002", BOSS)
                queued = asyncio.create_task(a_caller_on_an_analog_line_reaches_an_agent(box))
                await a_telephone_is_called_like_any_phone_and_holds_by_its_hook(box, boss)
                await a_telephone_calls_out_over_an_analog_line(box)
                await queued
                await box.nothing_left()

    asyncio.run(main())
