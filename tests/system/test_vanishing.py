"""Somebody is suddenly gone, in any state of a call: a clear end, an event, the agent free again, no leftover."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hw.sim.phone import Phone, PhoneCall
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, own_etc, running

CODE = 4711


async def in_state(box: Box, caller: Subscriber, state: str, service: str = "") -> None:
    """Until the console shows the caller's call so."""
    await box.until(
        lambda v: any(c.caller == caller.caller and c.state == state and c.service.startswith(service) for c in v.calls)
    )


async def picked_up(box: Box, phone: Phone, caller: Subscriber) -> PhoneCall:
    """The agent answers, and each hears the other."""
    call = await phone.ringing()
    call.answer()
    caller.say(CODE)
    await call.heard(CODE)
    await caller.hears(phone.code)
    return call


async def gone(box: Box, caller: Subscriber, *wanted: str) -> None:
    """He hangs up: these events came, in this order, then the contact's end, and nothing is left."""
    caller.hangup()
    assert await caller.cleared() == 16
    kinds = await box.kinds_of(caller.caller)
    rest = iter(kinds)
    assert all(kind in rest for kind in (*wanted, "contact.ended")), " ".join(kinds)
    await box.nothing_left()


def test_a_caller_who_hangs_up_in_any_state_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(50):
            for n in range(100, 120):  # gone before anybody could do anything for them
                offered = box.exchange.call("95002", f"13800000{n}")
                await gone(box, offered, "contact.offered", "leg.cleared")

            prompt = box.exchange.call("95001", "13800000002")
            await prompt.answered()  # the welcome is being said
            await in_state(box, prompt, "service", "menu:")
            await gone(box, prompt, "menu.entered", "leg.cleared")

            menu = box.exchange.call("95001", "13800000003")
            await menu.answered()
            await menu.press("4")  # asks for an extension now
            await menu.press("8")  # and has one digit of it
            await gone(box, menu, "menu.entered", "leg.cleared")

            queued = box.exchange.call("95002", "13800000004")
            await in_state(box, queued, "queued")
            await gone(box, queued, "queue.entered", "queue.abandoned")

            phone = await box.seated("1001", "8001", 1001)
            ringing = box.exchange.call("95002", "13800000005")
            at_the_desk = await phone.ringing()
            await box.agent_is("1001", "ringing")
            await gone(box, ringing, "queue.entered", "leg.alerting", "queue.abandoned")
            await at_the_desk.ended()
            await box.agent_is("1001", "free")

            talking = box.exchange.call("95002", "13800000006")
            call = await picked_up(box, phone, talking)
            await gone(box, talking, "contact.bridged", "contact.unbridged")
            await call.ended()
            await box.agent_is("1001", "free")

            held = box.exchange.call("95002", "13800000007")
            call = await picked_up(box, phone, held)
            await call.hold()
            await in_state(box, held, "held")
            await gone(box, held, "contact.bridged", "contact.held", "contact.unbridged")
            await call.ended()
            await box.agent_is("1001", "free")
            assert len(await box.events("queue.ended")) == 2
            assert len(await box.until_recordings(2)) == 2

    asyncio.run(main())


def test_when_an_agents_phone_dies_while_it_rings_or_talks_the_next_agent_gets_the_caller(tmp_path: Path) -> None:
    etc = own_etc(tmp_path, {})
    queues = etc / "queues.toml"
    queues.write_text(queues.read_text().replace('name = "客服"\n', 'name = "客服"\nring_s = 3\n'), encoding="utf-8")

    async def main() -> None:
        settings = {"control": {"etc": str(etc)}, "line": {"rtp_silence_ms": 1000}}
        async with running(tmp_path, settings=settings) as box, asyncio.timeout(50):
            first = await box.seated("1001", "8001", 1001)
            second = await box.seated("1002", "8002", 1002)
            caller = box.exchange.call("95002", "13800138000")
            await first.ringing()
            first.vanish()
            call = await picked_up(box, second, caller)
            missed = await box.until_event("acd.not_answered", lambda e: True)
            assert (missed.data["agent"], missed.data["cause"]) == ("1001", 19)

            third = await box.seated("1003", "8003", 1003)
            heard = caller.heard[1003]
            second.vanish()
            lost = await box.until_event("contact.unbridged", lambda e: True)
            assert lost.data["reason"] == "fault"
            call = await third.ringing()
            call.answer()
            await call.heard(CODE, 2)
            await caller.hears(1003, heard + 2)
            cleared = await box.until_event("leg.cleared", lambda e: e.data["by"] == "fault")
            assert cleared.data["cause"] == 27
            caller.hangup()
            await call.ended()
            kinds = await box.kinds_of("13800138000")
            assert kinds.count("contact.bridged") == 2 and kinds.count("queue.answered") == 2
            await box.nothing_left(30)

    asyncio.run(main())
