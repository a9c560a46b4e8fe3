"""gammu, an independent client of GSM modules, works with the simulated module: what our driver is tested on is one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.gsm_module import GsmModule

SENT, CAME = "您的运单已到达浦东分拨中心，预计今天下午送达。" * 4, "请问我的包裹什么时候能到？单号一二三四五六。" * 4


async def gammu(config: Path, commands: str) -> str:
    """What gammu says to commands in one session (it takes four seconds to begin one), when it is content."""
    process = await asyncio.create_subprocess_exec(
        "gammu", "-c", str(config), "batch", "-", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    said = (await process.communicate(commands.encode()))[0].decode()
    assert process.returncode == 0, said
    return said


@pytest.mark.judge("gammu")
@pytest.mark.requirement("A16.01")
def test_gammu_knows_the_module_and_sends_and_reads_messages_of_two_parts(tmp_path: Path) -> None:
    async def main() -> None:
        span = ExchangeSpanSettings(str(tmp_path / "m"), signalling="gsm")
        exchange = Exchange(ExchangeSettings((span,)))
        config = tmp_path / "gammurc"
        config.write_text(f"[gammu]\ndevice = {tmp_path}/m.at\nconnection = at115200\n")
        async with asyncio.timeout(40):
            await exchange.start()
            try:
                [module] = exchange.spans
                assert isinstance(module, GsmModule)
                module.messages.text("+8613900000000", CAME)
                send = f"sendsms TEXT 13900000000 -unicode -len 400 -text {SENT}"
                said = await gammu(config, f"identify\ngetsmsc\n{send}\ngetallsms\n")
                assert "861234567890123" in said and "+8613800100500" in said
                assert [(m.number, m.text, m.parts) for m in module.messages.received] == [("13900000000", SENT, 2)]
                assert "2 SMS parts" in said
                parts = [told.split("\n\n")[1].strip() for told in said.split("User Data Header")[1:]]
                assert "".join(parts) == CAME
            finally:
                await exchange.close()

    asyncio.run(main())
