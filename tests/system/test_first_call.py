"""The product's main job: an E1 caller reaches an agent's phone, and everyone can see it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.sim.listen import codes
from tests.system.box import running

CALLER, AGENT = 4711, 1001


@pytest.mark.requirement("A1.16")
@pytest.mark.requirement("A3.10")
def test_a_caller_goes_through_menu_and_queue_to_an_agent_and_both_hear_each_other_live_and_in_the_recording(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with running(tmp_path) as box:
            phone = await box.agent("1001", "8001", AGENT)
            caller = box.exchange.call("95001", "13800138000")
            async with asyncio.timeout(30):
                await caller.answered()
                await caller.press("1")
                ringing = await phone.ringing()
                assert ringing.report.number == "13800138000"
                ringing.answer()
                caller.say(CALLER)
                await ringing.heard(CALLER, 4)  # one more than the recording must have: it begins a moment later
                await caller.hears(AGENT, 4)
                caller.hangup()
                await ringing.ended()
                await caller.cleared()
            await box.nothing_left()
            made = await box.until_event("recording.made", lambda e: True)
            left, right = codes(Path(made.data["path"]))
            assert left[CALLER] >= 3 and right[AGENT] >= 3
            assert not left[AGENT] and not right[CALLER]
            contacts = {e.contact for e in await box.events("contact.offered") if e.data["line"] == "e1"}
            assert len(contacts) == 1
            chain = [e.kind for e in await box.events() if e.contact in contacts]
            assert chain[0] == "contact.offered" and "contact.ended" in chain
            wanted = ["contact.offered", "leg.answered", "queue.entered", "acd.offered", "leg.dialled", "leg.alerting",
                      "contact.bridged", "leg.cleared", "contact.unbridged", "contact.ended"]  # fmt: skip
            rest = iter(chain)
            assert all(kind in rest for kind in wanted), chain

    asyncio.run(main())
