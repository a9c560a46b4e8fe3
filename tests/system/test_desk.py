"""An agent at his desk: hold and resume, blind transfer, pause and log-out by code, a call not answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.sim.listen import codes
from hw.sim.phone import PhoneCall
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, running

CALLER = 4711


async def each_hears_the_other(call: PhoneCall, caller: Subscriber, agent: int) -> None:
    """Two cycles more in each direction from now on."""
    at_desk, at_caller = call.report.codes.get(CALLER, 0), caller.heard[agent]
    await call.heard(CALLER, at_desk + 2)
    await caller.hears(agent, at_caller + 2)


async def nothing_heard(call: PhoneCall, caller: Subscriber) -> None:
    """For a second and a half, longer than any voice's cycle with its pause, neither hears the other."""
    await asyncio.sleep(0.9)  # what is under way when the hold begins may be heard to its end
    before = (dict(call.report.codes), dict(caller.heard))
    await asyncio.sleep(1.5)
    assert (dict(call.report.codes), dict(caller.heard)) == before


@pytest.mark.requirement("A7.01")
@pytest.mark.requirement("A7.02")
def test_hold_resume_and_blind_transfer_as_the_caller_and_both_agents_hear_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(50):
            first = await box.seated("1001", "8001", 1001)
            second = await box.phone("8005", 1005)
            caller = box.exchange.call("95002", "13800138000")
            call = await first.ringing()
            call.answer()
            caller.say(CALLER)
            await each_hears_the_other(call, caller, 1001)

            await call.hold()
            await box.until(lambda v: [c.state for c in v.calls] == ["held"])
            await box.agent_is("1001", "held")
            caller.keep()
            await nothing_heard(call, caller)
            assert abs(caller.audio.astype(float)).mean() > 50, "the caller hears music"
            await call.resume()
            await box.until(lambda v: [c.state for c in v.calls] == ["talking"])
            await each_hears_the_other(call, caller, 1001)

            assert await call.transfer("7777") == 404  # nobody there: he keeps the caller
            await each_hears_the_other(call, caller, 1001)
            transferring = asyncio.create_task(call.transfer("8005"))
            target = await second.ringing()
            assert target.report.number == "13800138000"
            target.answer()
            assert await transferring == 200
            await call.ended()
            await each_hears_the_other(target, caller, 1005)
            await box.agent_is("1001", "free")
            assert not call.report.codes.get(1005) and not target.report.codes.get(1001)

            caller.hangup()
            await target.ended()
            kinds = await box.kinds_of("13800138000")
            assert (kinds.count("contact.held"), kinds.count("contact.transferred")) == (2, 2)
            [path] = await box.until_recordings(1)
            left, right = codes(path)
            # A recording begins a moment after the talk, so the first cycle may not be whole in it.
            assert left[CALLER] >= 6 and right[1001] >= 5 and right[1005] >= 2, "recorded through hold and transfer"
            await box.nothing_left()

    asyncio.run(main())


def test_pause_and_logout_by_code_and_a_call_that_one_does_not_answer_goes_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        acd = {"acd": {"ring_s": 3.0}}
        async with running(tmp_path, settings=acd) as box, asyncio.timeout(55):
            first = await box.seated("1001", "8001", 1001)
            second = await box.seated("1002", "8002", 1002)
            caller = box.exchange.call("95002", "13800138000")
            missed = await first.ringing()
            call = await second.ringing()  # the first let it ring
            await missed.ended()
            call.answer()
            caller.say(CALLER)
            await each_hears_the_other(call, caller, 1002)
            caller.hangup()
            await call.ended()
            not_answered = await box.until_event("acd.not_answered", lambda e: True)
            assert (not_answered.data["agent"], not_answered.data["cause"]) == ("1001", 19)
            await box.agent_is("1001", "free")  # one missed call pauses nobody

            await dialled(box, first.dial("*52"), "1001", "paused")
            queued = box.exchange.call("95002", "13800138001")
            call = await second.ringing()  # although the first is idle for longer
            queued.hangup()
            await call.ended()
            await dialled(box, first.dial("*53"), "1001", "free")
            await dialled(box, second.dial("*51"), "1002", "out")
            last = box.exchange.call("95002", "13800138002")
            call = await first.ringing()
            call.answer()
            last.say(CALLER)
            await each_hears_the_other(call, last, 1001)
            last.hangup()
            await call.ended()
            await box.nothing_left()

    asyncio.run(main())


async def dialled(box: Box, call: PhoneCall, agent: str, state: str) -> None:
    """A feature code does what it means, says so, and ends the call."""
    await call.answered()
    await box.agent_is(agent, state)
    await call.ended()
