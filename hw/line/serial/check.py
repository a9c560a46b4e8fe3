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
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from hw.line.dahdi.check import Fact
from hw.line.serial import port as ports
from hw.line.serial.at import AtEngine, AtError
from hw.line.serial.dle import END_DUPLEX, END_RECEIVE, END_TRANSMIT
from hw.line.serial.port import SerialPort
from hw.line.serial.voice_modem import values_of
from hw.line.settings import LineSettings, SpanSettings
from hw.settings import SettingsError, load

#: Seconds for the port to open, and for each answer: twice, a modem may be asleep.
_OPEN_S, _ANSWER_S, _TRIES = 3.0, 1.0, 2


@frozen
class Modem:
    """What a port's device says it is. ``classes``: +FCLASS values, 8 is voice; ``gsm``: it knows the GSM commands."""

    name: str
    classes: frozenset[str]
    gsm: bool
    duplex: bool


async def ask(device: str, baud: int) -> Modem | str:
    """Ask one port; the port's alarm instead where it cannot be opened, ``SILENT`` where nothing answers."""
    port = SerialPort(device, baud=baud, rtscts=False)
    opened = asyncio.Event()
    at = AtEngine(port.write, unsolicited=lambda _line, _body: None)
    port.open(at.feed, lambda _alarm: opened.set())
    try:
        async with asyncio.timeout(_OPEN_S):
            await opened.wait()
        return port.alarm or await _who(port, at)
    except TimeoutError:  # it is not there, which was its state from the beginning
        return port.alarm
    finally:
        await port.close()


async def _who(port: SerialPort, at: AtEngine) -> Modem | str:
    port.write(END_TRANSMIT + END_RECEIVE + END_DUPLEX + b"\r")
    for _ in range(_TRIES):
        at.distrust()
        if await _lines(at, "ATE0") is not None:
            break
    else:
        return "SILENT"
    names = [line for command in ("AT+GMI", "AT+GMM", "ATI") for line in (await _lines(at, command) or ())]
    capabilities = " ".join(await _lines(at, "AT+GCAP") or ())
    classes = frozenset(values_of(await _lines(at, "AT+FCLASS=?") or ()))
    duplex = "8" in classes and await _lines(at, "AT+VTR=?") is not None
    return Modem(" ".join(dict.fromkeys(names)), classes, "+CGSM" in capabilities, duplex)


async def _lines(at: AtEngine, command: str) -> list[str] | None:
    """What a command brings; None when it is refused or not answered."""
    try:
        return list((await at.command(command, timeout_s=_ANSWER_S)).lines)
    except AtError:
        return None


def fact(device: str, found: Modem | str, line: SpanSettings | None) -> Fact:
    """What was found at a port, for the line that the settings have there, if any."""
    name = line.name if line is not None else ""
    values: dict[str, str | int] = {"port": device}
    if isinstance(found, str):
        missing = {ports.GONE: "port.gone", ports.BUSY: "port.busy", ports.DENIED: "port.denied"}
        code = missing.get(found, "port.silent" if found == "SILENT" else "port.failed")
        harmless = code == "port.busy" or (line is None and code == "port.silent")
        return Fact("ok" if harmless else "fail", code, name, values)
    values["name"] = found.name or "?"
    if "8" in found.classes:
        wrong = line is not None and line.signalling != "voicemodem"
        code = "modem.wrong" if wrong else "modem.voice" if found.duplex else "modem.voice_perhaps"
        return Fact("fail" if wrong else "ok", code, name, values)
    if line is not None and (line.signalling == "voicemodem" or not found.gsm):
        return Fact("fail", "modem.wrong", name, values)
    return Fact("ok", "modem.gsm" if found.gsm else "modem.data", name, values)


def others(lines: Iterable[str], named: Iterable[str]) -> list[str]:
    """The named ports that are no line's, under whatever name."""
    known = {os.path.realpath(device) for device in lines}
    return [device for device in named if os.path.realpath(device) not in known]


async def examine(settings: LineSettings, named: Sequence[str]) -> list[Fact]:
    """All facts: the lines' ports in the settings' order, then the others."""
    lines = {span.serial.port: span for span in settings.spans if span.serial is not None}
    devices = [*lines, *others(lines, named)]
    found = await asyncio.gather(*(ask(device, _baud(lines.get(device))) for device in devices))
    facts = [fact(device, what, lines.get(device)) for device, what in zip(devices, found, strict=True)]
    passing = [
        Fact("warn", "port.passing", span.name, {"port": device})
        for device, span in lines.items() if device.startswith(("/dev/ttyUSB", "/dev/ttyACM"))
    ]  # fmt: skip
    return facts + passing


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
