"""A GSM module as the only line: a caller reaches an agent, the desk calls out, messages go both ways, none is lost."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from hw.sim.exchange import NumberSettings
from hw.sim.gsm_module import GsmModule
from hw.sim.listen import codes
from tests.system.box import running

CALLER, AGENT, CALLED = 4721, 1001, 4722
TEXT = "您的运单 021-8847 已到达浦东分拨中心，预计今天下午送达，请保持电话畅通。" * 3


@pytest.mark.requirement("A1.07", "A1.15", "A16.01", "A16.02")
def test_callers_and_messages_over_one_gsm_module(tmp_path: Path) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="gs-") as sockets:  # a short path
            span = {
                "name": "gsm1", "driver": "serial", "signalling": "gsm", "address": f"{sockets}/m",
                "serial": {"port": f"{sockets}/m.at", "rtscts": False},
                "gsm": {"audio": f"{sockets}/m.pcm", "number": "95001"},
            }  # fmt: skip
            async with running(tmp_path, settings={"line": {"spans": [span]}}) as box, asyncio.timeout(50):
                [module] = box.exchange.spans
                assert isinstance(module, GsmModule)
                phone = await box.seated("1001", "8001", AGENT)
                caller = box.exchange.call("95001", "13800138000")
                await caller.answered()
                ringing = asyncio.create_task(phone.ringing())
                while not ringing.done():  # until the menu hears the key
                    await caller.press("1")
                    await asyncio.wait({ringing}, timeout=0.5)
                call = ringing.result()
                assert call.report.number == "13800138000"
                call.answer()
                caller.say(CALLER)
                await call.heard(CALLER, 3)
                await caller.hears(AGENT, 3)

                # While they talk, a message goes and one comes.
                sent = await box.client.call("sms.send", number="13900139000", text=TEXT)
                module.messages.text("13700137000", TEXT)
                await box.until_event("sms.reported", lambda e: e.data["id"] == sent["id"] and e.data["delivered"])
                await box.until_event("sms.received", lambda e: e.data["number"] == "13700137000")
                assert [(m.number, m.text, m.parts) for m in module.messages.received] == [("13900139000", TEXT, 2)]

                caller.hangup()
                await call.ended()
                (recording,) = await box.until_recordings(1)
                left, right = codes(recording)
                assert left[CALLER] >= 3 and right[AGENT] >= 3
                await box.nothing_left()

                box.exchange.register(NumberSettings("13900139000", code=CALLED))
                desk = await box.phone("8009", 1009)
                out = desk.dial("913900139000")
                await out.heard(CALLED, 2)
                (party,) = box.exchange.subscribers
                await party.hears(1009, 2)
                party.hangup()
                await out.ended()
                await box.nothing_left()

                # What comes while the control process is away is still there when it is back.
                await box.kill("control")
                module.messages.text("13600136000", "还在吗？")
                await box.start("control")
                await box.until_event("sms.received", lambda e: e.data["number"] == "13600136000")
                rows = await box.client.call("sms.list")
                assert [(row["number"], row["text"]) for row in rows] == [
                    ("13900139000", TEXT), ("13700137000", TEXT), ("13600136000", "还在吗？"),
                ]  # fmt: skip
                while module.messages.stored:
                    await asyncio.sleep(0.05)
                (trunk,) = (await box.live()).trunks
                assert (trunk.kind, trunk.up, trunk.signal_dbm) == ("gsm", True, -73)

    asyncio.run(main())
