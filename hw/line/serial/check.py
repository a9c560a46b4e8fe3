"""``python -m hw.line.serial.check --config FILE PORT…``: what is behind serial ports, as JSON on stdout.

The ports of the settings' lines and those that are named are asked who they are, all at once; a port that another
program has (the line process, if it runs) is left alone. Facts only, as ``hw.line.dahdi.check``'s; 0 when nothing
failed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from hw.line.dahdi.check import Fact
from hw.line.serial import gsm_ports
from hw.line.serial import port as ports
from hw.line.serial.gsm_ports import Ports
from hw.line.serial.gsm_setup import NO_SIM, PIN_WANTED, PUK_WANTED
from hw.line.serial.who import SILENT, Modem, Module, ask
from hw.line.settings import LineSettings, SpanSettings
from hw.settings import SettingsError, load


def fact(device: str, found: Modem | str, line: SpanSettings | None) -> Fact:
    """What was found at a port that is no GSM module's, for the line that the settings have there, if any."""
    name = line.name if line is not None else ""
    values: dict[str, str | int] = {"port": device}
    if isinstance(found, str):
        missing = {ports.GONE: "port.gone", ports.BUSY: "port.busy", ports.DENIED: "port.denied"}
        code = missing.get(found, "port.silent" if found == SILENT else "port.failed")
        harmless = code == "port.busy" or (line is None and code == "port.silent")
        return Fact("ok" if harmless else "fail", code, name, values)
    values["name"] = found.name or "?"
    if line is not None and (line.signalling != "voicemodem" or "8" not in found.classes):
        return Fact("fail", "modem.wrong", name, values)
    if "8" not in found.classes:
        return Fact("ok", "modem.data", name, values)
    return Fact("ok", "modem.voice" if found.duplex else "modem.voice_perhaps", name, values)


def module_facts(device: str, name: str, gsm: Module, line: SpanSettings | None, told: Ports | None) -> list[Fact]:
    """What was found of a GSM module at the port ``device``; ``told``: which of its ports are for what, if known."""
    values: dict[str, str | int] = {"port": device, "name": name or "?", "pcm": gsm.pcm}
    if line is not None:
        return _of_line(line, values, gsm, told)
    if told is not None and device != told.at:
        return [Fact("ok", "modem.gsm_second", "", values | {"at": told.at})]
    if not gsm.pcm:
        return [Fact("ok", "modem.gsm_mute", "", values)]
    if told is None:
        return [Fact("warn", "modem.gsm_ports", "", values), *_sim("", values, gsm.sim)]
    return [Fact("ok", "modem.gsm", "", values | {"audio": told.audio}), *_sim("", values, gsm.sim)]


def _of_line(line: SpanSettings, values: dict[str, str | int], gsm: Module, told: Ports | None) -> list[Fact]:
    """A module's, at the port of a line of the settings: whether those are right for it."""
    if line.signalling != "gsm" or line.gsm is None:
        return [Fact("fail", "modem.wrong", line.name, values)]
    set_to = line.gsm
    facts = [Fact("ok", "modem.gsm", line.name, values | {"audio": set_to.audio})]
    if gsm.pcm != set_to.pcm:
        facts = [Fact("fail", "modem.gsm_pcm" if gsm.pcm else "modem.gsm_mute", line.name, values)]
    elif told is not None and os.path.realpath(told.audio) != os.path.realpath(set_to.audio):
        facts.append(Fact("warn", "port.not_audio", line.name, {"port": set_to.audio, "audio": told.audio}))
    return facts + _sim(line.name, values, "" if gsm.sim == PIN_WANTED and set_to.pin else gsm.sim)


def _sim(line: str, values: dict[str, str | int], alarm: str) -> list[Fact]:
    code = {NO_SIM: "sim.none", PIN_WANTED: "sim.pin", PUK_WANTED: "sim.puk"}.get(alarm)
    return [Fact("warn", code, line, values)] if code else []


def others(lines: Iterable[str], named: Iterable[str]) -> list[str]:
    """The named ports that are no line's, under whatever name."""
    known = {os.path.realpath(device) for device in lines}
    return [device for device in named if os.path.realpath(device) not in known]


async def examine(settings: LineSettings, named: Sequence[str]) -> list[Fact]:
    """All facts: the lines' ports in the settings' order, then the others."""
    lines = {span.serial.port: span for span in settings.spans if span.serial is not None}
    devices = [*lines, *others(lines, named)]
    asked = await asyncio.gather(*(ask(device, _baud(lines.get(device))) for device in devices))
    facts = facts_of(dict(zip(devices, asked, strict=True)), lines)
    passing = [
        Fact("warn", "port.passing", span.name, {"port": device})
        for device, span in lines.items() if device.startswith(("/dev/ttyUSB", "/dev/ttyACM"))
    ]  # fmt: skip
    return facts + passing


def facts_of(found: Mapping[str, Modem | str], lines: Mapping[str, SpanSettings]) -> list[Fact]:
    """What was ``found`` at each port, for the ``lines`` that the settings have there."""
    names = {d: who.name if isinstance(who, Modem) and who.gsm is not None else "" for d, who in found.items()}
    modules = {device: gsm_ports.told(device, names) for device, name in names.items() if name}
    audio = {os.path.realpath(own.audio): own.at for own in modules.values() if own is not None}
    facts: list[Fact] = []
    for device, who in found.items():
        at = audio.get(os.path.realpath(device))
        if isinstance(who, Modem) and who.gsm is not None:
            facts += module_facts(device, who.name, who.gsm, lines.get(device), modules.get(device))
        elif who == SILENT and at is not None and device not in lines:
            facts.append(Fact("ok", "port.audio", "", {"port": device, "at": at}))
        else:
            facts.append(fact(device, who, lines.get(device)))
    return facts


def _baud(line: SpanSettings | None) -> int:
    return line.serial.baud if line is not None and line.serial is not None else 115_200


def main(arguments: list[str] | None = None) -> int:
    """Examine what the settings and the command line name."""
    parser = argparse.ArgumentParser(prog="python -m hw.line.serial.check", description="Ask modems who they are.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file; [line] is read")
    parser.add_argument("ports", nargs="*", metavar="PORT", help="ports to ask besides")
    options = parser.parse_args(arguments)
    try:
        facts = asyncio.run(examine(load(options.config, "line", LineSettings), options.ports))
    except SettingsError as error:
        facts = [Fact("fail", "settings", values={"error": str(error)})]
    json.dump([attrs.asdict(each) for each in facts], sys.stdout, ensure_ascii=False)
    print()
    return 1 if any(each.state == "fail" for each in facts) else 0


if __name__ == "__main__":
    sys.exit(main())
