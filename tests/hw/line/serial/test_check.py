"""What is behind serial ports: asked of simulated modems, and of what is none."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from hw.line.serial.check import module_facts
from hw.line.serial.gsm_ports import Ports
from hw.line.serial.port import SerialPort
from hw.line.serial.settings import GsmSettings as Settings
from hw.line.serial.settings import SerialSettings, VoiceModemSettings
from hw.line.serial.who import Module
from hw.line.settings import SpanSettings
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.gsm_radio import GsmSettings
from hw.sim.modem import ModemSettings
from tests.hw.line.serial.cable import Cable

#: A module's ports as udev would name them, by USB interface.
QUECTEL = "usb-Quectel_EC25-if{:02}-port0"

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

[[line.spans]]
name = "gsm1"
driver = "serial"
signalling = "gsm"
serial = {{ port = "{0}/set.at" }}
gsm = {{ audio = "{0}/set.pcm", pcm = "quectel" }}
"""


async def check(folder: Path, *ports: str) -> dict[str, list[tuple[str, str, str]]]:
    """State, code and line of all facts by the port's name."""
    config = folder / "onecall.toml"
    config.write_text(CONFIG.format(folder), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw.line.serial.check", "--config", str(config), *(str(folder / port) for port in ports),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    facts = json.loads((await process.communicate())[0])
    found: dict[str, list[tuple[str, str, str]]] = {}
    for fact in facts:
        port = Path(fact["values"]["port"]).name
        found.setdefault(port, []).append((fact["state"], fact["code"], fact["span"]))
    return found


def test_every_port_is_asked_who_it_is_and_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        sims = {"po1": ModemSettings(), "spare": ModemSettings(tells_duplex=False), "used": ModemSettings()}
        spans = (ExchangeSpanSettings(str(tmp_path / n), signalling="voicemodem", modem=s) for n, s in sims.items())
        modules = {
            "quectel": GsmSettings(pcm="quectel"), "modem-port": GsmSettings(pcm="quectel"),
            "gsm": GsmSettings(), "set": GsmSettings(pin="1234"),
        }  # fmt: skip
        gsm = (ExchangeSpanSettings(str(tmp_path / n), signalling="gsm", gsm=s) for n, s in modules.items())
        exchange = Exchange(ExchangeSettings((*spans, *gsm)))
        at, audio, modem = (QUECTEL.format(interface) for interface in (2, 1, 3))
        for name, port in ((at, "quectel.at"), (audio, "quectel.pcm"), (modem, "modem-port.at")):
            (tmp_path / name).symlink_to(tmp_path / port)
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
                found = await check(tmp_path, "spare.tty", "used.tty", "gsm.at", "ups", "the-same", at, audio, modem)
            finally:
                await holder.close()
                await exchange.close()
                silent.unplug()
        assert found == {
            "po1.tty": [("ok", "modem.voice", "po1")],
            "nowhere": [("fail", "port.gone", "po2")],
            "spare.tty": [("ok", "modem.voice_perhaps", "")],
            "used.tty": [("ok", "port.busy", "")],
            "gsm.at": [("warn", "modem.gsm_ports", "")],
            at: [("ok", "modem.gsm", "")],
            audio: [("ok", "port.audio", "")],
            modem: [("ok", "modem.gsm_second", "")],
            "set.at": [("fail", "modem.gsm_pcm", "gsm1"), ("warn", "sim.pin", "gsm1")],
            "ups": [("ok", "port.silent", "")],
        }

    asyncio.run(main())


def gsm_line(signalling: Literal["gsm", "voicemodem"] = "gsm", pin: str = "") -> SpanSettings:
    own = {"gsm": Settings("/dev/audio", "simcom", pin=pin)} if signalling == "gsm" else {}
    more: Any = own or {"voicemodem": VoiceModemSettings("95001")}
    return SpanSettings("l", "serial", signalling, serial=SerialSettings("/dev/at"), **more)


@pytest.mark.parametrize(
    ("gsm", "line", "told", "codes"),
    [
        (Module("simcom", ""), None, Ports("/dev/at", "/dev/audio"), ["modem.gsm"]),
        (Module("simcom", "NO SIM"), None, None, ["modem.gsm_ports", "sim.none"]),
        (Module("", "SIM PUK"), None, None, ["modem.gsm_mute"]),
        (Module("simcom", "SIM PUK"), gsm_line(), None, ["modem.gsm", "sim.puk"]),
        (Module("simcom", "SIM PIN"), gsm_line(pin="1234"), Ports("/dev/at", "/dev/audio"), ["modem.gsm"]),
        (Module("simcom", ""), gsm_line(), Ports("/dev/at", "/dev/other"), ["modem.gsm", "port.not_audio"]),
        (Module("", ""), gsm_line(), None, ["modem.gsm_mute"]),
        (Module("simcom", ""), gsm_line("voicemodem"), None, ["modem.wrong"]),
    ],
)
def test_a_module_is_told_with_its_sim_and_against_what_the_settings_say(
    gsm: Module, line: SpanSettings | None, told: Ports | None, codes: list[str]
) -> None:
    facts = module_facts("/dev/at", "ACME", gsm, line, told)
    assert [fact.code for fact in facts] == codes
    assert {fact.span for fact in facts} == {line.name if line else ""}
