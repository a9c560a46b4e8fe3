"""The control process ends and comes back while callers and agents are in every state: each goes on where he was."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.system.box import Box, running

CALLER = 4711


async def waits(box: Box, caller: str) -> dict[str, Any]:
    """The queue's row of a caller, once he waits."""
    async with asyncio.timeout(15):
        while True:
            calls = {call.caller: call.contact for call in (await box.live()).calls}
            for queue in await box.client.call("queues.list"):
                for row in queue["callers"]:
                    if row["contact"] == calls.get(caller):
                        return dict(row)
            await asyncio.sleep(0.05)


@pytest.mark.requirement("A2.04")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_menu_queue_ringing_hold_and_pause_go_on_after_a_restart(tmp_path: Path, how: signal.Signals) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(50):
            first = await box.seated("1001", "8001", 1001)
            second = await box.seated("1002", "8002", 1002)
            await box.seated("1003", "8003", 1003)
            await box.client.call("agents.pause", agent="1003", reason="meal")
            held = box.exchange.call("95002", "13800138001")
            talk = await first.ringing()
            talk.answer()
            held.say(CALLER)
            await held.hears(1001, 1)
            await talk.hold()
            await box.agent_is("1001", "held")
            rung = box.exchange.call("95002", "13800138002")
            rings = await second.ringing()
            queued = box.exchange.call("95002", "13800138003")
            entered = (await waits(box, "13800138003"))["contact"]
            in_menu = box.exchange.call("95001", "13800138004")
            await box.until(lambda v: any(c.service == "menu:main" and c.state == "service" for c in v.calls))
            before = {call.contact for call in (await box.live()).calls}
            await box.events()  # all of it is on the disk: what kill -9 catches within 50 ms is hung up instead

            box.children["control"].signal(how)
            assert await box.children["control"].wait() == (0 if how == signal.SIGTERM else -how)
            await asyncio.sleep(1)
            await box.start("control")

            view = await box.until(lambda v: {c.contact for c in v.calls} == before and len(v.agents) > 2)
            agents = {a.agent: (a.state, a.reason) for a in view.agents if a.state != "out"}
            assert agents["1001"] == ("held", "") and agents["1003"] == ("paused", "meal")
            await rings.ended()
            again = await second.ringing()
            row = await waits(box, "13800138003")
            assert row["contact"] == entered and row["wait_s"] > 1, "he keeps his place and time"
            assert row["position"] == 2, "behind the one for whom the phone rings"
            again.answer()
            rung.say(CALLER + 1)
            await again.heard(CALLER + 1, 1)
            await talk.resume()
            count = held.heard[1001]
            await held.hears(1001, count + 2)
            held.keep()
            await held.hears(1001, count + 3)

            for caller in (held, rung, queued, in_menu):
                caller.hangup()
                await caller.cleared()
            await box.nothing_left()
            await box.agent_is("1001", "free")
            await box.agent_is("1002", "free")
            assert sorted(e.contact for e in await box.events("contact.ended")) == sorted(before)
            assert [e.data["error"] for e in await box.events("service.failed")] == []

    asyncio.run(main())
