"""What is behind serial ports: asked of simulated modems, and of what is none."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from hw.line.serial.port import SerialPort
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.modem import ModemSettings
from tests.hw.line.serial.cable import Cable

CONFIG = """
[line]
socket = "{0}/line.sock"

[[line.spans]]
name = "po1"
driver = "serial"
signalling = "voicemodem"
serial = {{ port = "{0}/po1.tty" }}
voicemodem = {{ number = "95001" }}

[[line.spans]]
name = "po2"
driver = "serial"
signalling = "voicemodem"
serial = {{ port = "{0}/nowhere" }}
voicemodem = {{ number = "95001" }}
"""


async def check(folder: Path, *ports: str) -> dict[str, tuple[Any, ...]]:
    """State, code and line by the port's name."""
    config = folder / "onecall.toml"
    config.write_text(CONFIG.format(folder), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw.line.serial.check", "--config", str(config), *(str(folder / port) for port in ports),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    facts = json.loads((await process.communicate())[0])
    return {Path(fact["values"]["port"]).name: (fact["state"], fact["code"], fact["span"]) for fact in facts}


def test_every_port_is_asked_who_it_is_and_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        sims = {"po1": ModemSettings(), "spare": ModemSettings(tells_duplex=False), "used": ModemSettings()}
        spans = (ExchangeSpanSettings(str(tmp_path / n), signalling="voicemodem", modem=s) for n, s in sims.items())
        gsm = ExchangeSpanSettings(str(tmp_path / "gsm"), signalling="gsm")
        exchange = Exchange(ExchangeSettings((*spans, gsm)))
        silent = Cable(tmp_path / "ups")
        silent.plug()
        (tmp_path / "the-same").symlink_to(tmp_path / "po1.tty")
        async with asyncio.timeout(25):
            await exchange.start()
            holder = SerialPort(str(tmp_path / "used.tty"))
            up = asyncio.Event()
            holder.open(lambda _data: None, lambda _alarm: up.set())
            await up.wait()
            try:
                found = await check(tmp_path, "spare.tty", "used.tty", "gsm.at", "ups", "the-same")
            finally:
                await holder.close()
                await exchange.close()
                silent.unplug()
        assert found == {
            "po1.tty": ("ok", "modem.voice", "po1"),
            "nowhere": ("fail", "port.gone", "po2"),
            "spare.tty": ("ok", "modem.voice_perhaps", ""),
            "used.tty": ("ok", "port.busy", ""),
            "gsm.at": ("ok", "modem.gsm", ""),
            "ups": ("ok", "port.silent", ""),
        }

    asyncio.run(main())
