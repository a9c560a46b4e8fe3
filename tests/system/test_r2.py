"""The product's main job over an MFC-R2 line: nothing but the settings file knows the difference."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from hw.sim.exchange import NumberSettings
from hw.sim.listen import codes
from tests.system.box import running

CALLER, AGENT, CALLED = 4711, 1001, 4712


@pytest.mark.requirement("A1.14")
def test_an_r2_caller_reaches_an_agent_and_a_desk_calls_out_over_r2(tmp_path: Path) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="r2-") as sockets:  # a short path
            span = {"name": "no1", "signalling": "r2", "address": f"{sockets}/e1", "r2": {"called_digits": 5}}
            async with running(tmp_path, settings={"line": {"spans": [span]}}) as box, asyncio.timeout(50):
                phone = await box.seated("1001", "8001", AGENT)
                caller = box.exchange.call("95002", "13800138000")
                ringing = await phone.ringing()
                assert ringing.report.number == "13800138000"
                ringing.answer()
                await caller.answered()
                caller.say(CALLER)
                await ringing.heard(CALLER, 3)
                await caller.hears(AGENT, 3)
                caller.hangup()
                await ringing.ended()
                await caller.cleared()
                await box.nothing_left()
                (recording,) = await box.until_recordings(1)
                left, right = codes(recording)
                assert left[CALLER] >= 3 and right[AGENT] >= 3
                offered = await box.until_event("contact.offered", lambda e: e.data["line"] == "no1")
                assert (offered.data["called"], offered.data["caller"]) == ("95002", "13800138000")

                box.exchange.register(NumberSettings("13900139000", code=CALLED))
                desk = await box.phone("8009", 1009)
                out = desk.dial("913900139000")
                await out.heard(CALLED, 2)
                (party,) = box.exchange.subscribers
                assert party.called == "13900139000"
                await party.hears(1009, 2)
                party.hangup()
                await out.ended()
                await box.nothing_left()

    asyncio.run(main())
