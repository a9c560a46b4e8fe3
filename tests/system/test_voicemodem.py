"""Analog lines behind voice modems: with both ways at once as any other line, without for menus only."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw.sim.exchange import NumberSettings
from hw.sim.listen import codes
from hw.sim.modem import ModemSettings
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, running

CALLER, AGENT, CALLED = 4711, 1001, 4712
LINE, HALF = "po1", "po2"


def span(name: str, sockets: str) -> dict[str, Any]:
    port = {"port": f"{sockets}/{name}.tty"}
    return {
        "name": name, "driver": "serial", "signalling": "voicemodem", "address": f"{sockets}/{name}", "serial": port,
        "voicemodem": {"number": "95001"},
    }  # fmt: skip


async def choose(box: Box, caller: Subscriber) -> None:
    """Press 1 until the menu has it, as people do: a machine that is busy loses frames, and keys with them."""
    offered = await box.until_event("contact.offered", lambda e: e.data["caller"] == caller.caller)
    for _ in range(5):
        await caller.press("1")
        with contextlib.suppress(TimeoutError):
            await box.until_event("menu.left", lambda e: e.contact == offered.contact, 4)
            return


@pytest.mark.requirement("A1.07", "A1.14")
def test_a_caller_over_a_modem_goes_through_the_menu_to_an_agent_and_one_who_could_not_talk_is_told(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="po-") as sockets:  # a short path
            spans = [span(LINE, sockets), span(HALF, sockets)]
            far = {
                LINE: {"modem": ModemSettings(caller_id="dtmf", ring_ms=500)},
                HALF: {"modem": ModemSettings(caller_id="dtmf", duplex=False)},
            }
            async with running(tmp_path, settings={"line": {"spans": spans}}, far=far) as box, asyncio.timeout(50):
                phone = await box.seated("1001", "8001", AGENT)
                half = box.exchange.call("95001", "13700137000", span=1)
                caller = box.exchange.call("95001", "13800138000", span=0)
                for each in (caller, half):
                    await each.answered()
                    each.keep()
                async with asyncio.timeout(15):
                    while min(np.abs(each.audio[-8000:]).max(initial=0) for each in (caller, half)) < 1000:
                        await asyncio.sleep(0.05)  # until both hear the menu
                await asyncio.gather(choose(box, half), choose(box, caller))

                ringing = await phone.ringing()
                assert ringing.report.number == "13800138000"
                ringing.answer()
                caller.say(CALLER)
                await ringing.heard(CALLER, 4)
                await caller.hears(AGENT, 4)
                caller.hangup()
                await ringing.ended()
                (recording,) = await box.until_recordings(1)
                left, right = codes(recording)
                assert left[CALLER] >= 2 and right[AGENT] >= 2  # a machine that is busy loses frames

                told = await box.until_event("contact.one_way", lambda e: True)
                assert told.data["line"] == HALF
                half.hangup()
                await half.cleared()
                await box.nothing_left()
                view = await box.live()
                assert {trunk.line: trunk.duplex for trunk in view.trunks} == {LINE: True, HALF: False}

                box.exchange.register(NumberSettings("13900139000", code=CALLED))
                desk = await box.phone("8009", 1009)
                out = desk.dial("913900139000")
                await out.heard(CALLED, 2)
                (party,) = box.exchange.subscribers
                await party.hears(1009, 2)
                party.hangup()
                await out.ended()
                await box.nothing_left()

    asyncio.run(main())
