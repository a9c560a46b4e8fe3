"""SIPp at a seat of the whole box: registers and calls under digest, and is called as an agent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.judges.phonebox import free_port
from tests.judges.programs import SCENARIOS, sipp, succeeded
from tests.system.box import Box, running


async def start(box: Box, folder: Path, port: int, *arguments: str) -> asyncio.subprocess.Process:
    """SIPp as seat 8100."""
    password = box.secret("passwords", "8100")
    return await sipp(folder, box.site.sip_port, "8100", password, "onecall", *arguments, port=port)


@pytest.mark.judge("sipp")
@pytest.mark.requirement("A1.16")
def test_sipp_registers_calls_a_colleague_and_a_menu_and_is_called_as_an_agent(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(50):
            port = free_port()
            await succeeded(await start(box, tmp_path, port, "-sf", str(SCENARIOS / "register.xml"), "-m", "1"))
            await box.until(lambda v: any(p.account == "8100" and p.registered for p in v.phones))

            phone = await box.phone("8001", 1001)
            calling = await start(
                box, tmp_path, port, "-sf", str(SCENARIOS / "call.xml"), "-s", "8001", "-d", "300", "-m", "1"
            )
            call = await phone.ringing()
            assert call.report.number == "8100"
            call.answer()
            await call.ended()
            await succeeded(calling)
            menu = await start(
                box, tmp_path, port, "-sf", str(SCENARIOS / "call.xml"), "-s", "95001", "-d", "50", "-m", "5"
            )
            await succeeded(menu)
            await box.nothing_left()
            assert [e.data["cause"] for e in await box.events("contact.ended")] == [16] * 6

            serving = await start(box, tmp_path, port, "-sn", "uas", "-m", "3")
            await box.client.call("agents.login", agent="1009", seat="8100")
            for n in range(3):
                caller = box.exchange.call("95002", f"1380013800{n}")
                await box.agent_is("1009", "talking")
                caller.hangup()
                await caller.cleared()
                await box.agent_is("1009", "free")
            await succeeded(serving)
            await box.nothing_left()

    asyncio.run(main())
