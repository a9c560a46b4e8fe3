"""baresip at an agent's desk of the whole box: registers, answers a queue's call, hears the caller and is heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.sim.listen import codes
from tests.judges.softphone import baresip, heard, microphone
from tests.system.box import running

CALLER, AGENT = 4711, 8100


@pytest.mark.judge("baresip")
@pytest.mark.requirement("A1.16")
def test_baresip_answers_a_queues_call_hears_the_caller_and_is_heard(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(40):
            home, says = tmp_path / "baresip", microphone(tmp_path / "says.wav", AGENT, 20)
            password = box.secret("passwords", "8100")
            async with baresip(home, "8100", password, "onecall", box.site.sip_port, microphone=says):
                there = await box.until_event("phone.registered", lambda e: e.data["account"] == "8100")
                assert "baresip" in there.data["agent"]
                await box.client.call("agents.login", agent="1009", seat="8100")
                caller = box.exchange.call("95001", "13800138000")
                await caller.answered()
                await caller.press("1")
                await box.agent_is("1009", "talking")
                caller.say(CALLER)
                await caller.hears(AGENT, 4)
                await caller.stays(2)
                caller.hangup()
                await box.agent_is("1009", "free")
            gone = await box.until_event("phone.unregistered", lambda e: e.data["account"] == "8100")
            assert gone.data["reason"] == "phone"
            [earpiece] = codes(heard(home))
            assert earpiece[CALLER] >= 4 and set(earpiece) == {CALLER}
            [path] = await box.until_recordings(1)
            left, right = codes(path)
            assert left[CALLER] >= 4 and right[AGENT] >= 4
            await box.nothing_left()

    asyncio.run(main())
