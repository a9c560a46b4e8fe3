"""Who is behind a serial port: a modem or module is asked what it is, and what it can (ITU-T V.250, 3GPP TS 27.007)."""

from __future__ import annotations

import asyncio
from typing import Literal

from attrs import frozen

from hw.line.serial.at import AtEngine, AtError
from hw.line.serial.dle import END_DUPLEX, END_RECEIVE, END_TRANSMIT
from hw.line.serial.gsm_setup import NO_SIM, sim_alarm
from hw.line.serial.port import SerialPort
from hw.line.serial.voice_modem import values_of

#: What ``ask`` gives where nothing answers.
SILENT = "SILENT"
#: Seconds for the port to open, and for each answer: twice, a modem may be asleep.
_OPEN_S, _ANSWER_S, _TRIES = 3.0, 1.0, 2


@frozen
class Module:
    """What a GSM module says besides. ``pcm``: how its audio port is joined (``GsmSettings``), empty: it has none that
    is known here; ``sim``: the SIM's alarm (``gsm_setup``).
    """

    pcm: Literal["", "simcom", "quectel"]
    sim: str


@frozen
class Modem:
    """What a port's device says it is. ``classes``: +FCLASS values, 8 is voice; ``gsm``: of a GSM module."""

    name: str
    classes: frozenset[str]
    duplex: bool
    gsm: Module | None


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
        return SILENT
    # Modules know the names of 27.007 §5.1 and §5.2; ATI has their IMEI in it, and is for those that tell no name.
    names = [line for command in ("GMI", "GMM") for line in (await _either(at, f"AT+{command}", f"AT+C{command}"))]
    names = names or await _either(at, "ATI")
    capabilities = " ".join(await _either(at, "AT+GCAP"))
    classes = frozenset(values_of(await _either(at, "AT+FCLASS=?")))
    gsm = await _module(at, "+CGSM" in capabilities)
    duplex = "8" in classes and gsm is None and await _lines(at, "AT+VTR=?") is not None
    return Modem(" ".join(dict.fromkeys(names)), classes, duplex, gsm)


async def _module(at: AtEngine, says_gsm: bool) -> Module | None:
    """What a GSM module has; None for any other modem, which knows no SIM and no +CME ERROR."""
    await _lines(at, "AT+CMEE=1")
    try:
        answer = " ".join((await at.command("AT+CPIN?", timeout_s=_ANSWER_S)).lines)
    except AtError as error:
        answer, says_gsm = "", says_gsm or error.result.startswith("+CME ERROR")
    if not says_gsm and not answer.startswith("+CPIN:"):
        return None
    sim = sim_alarm(answer) if answer else NO_SIM
    if await _lines(at, "AT+CPCMREG=?") is not None:
        return Module("simcom", sim)
    return Module("quectel" if await _lines(at, "AT+QPCMV=?") is not None else "", sim)


async def _either(at: AtEngine, *commands: str) -> list[str]:
    """What the first of the commands that brings something does."""
    for command in commands:
        if lines := await _lines(at, command):
            return lines
    return []


async def _lines(at: AtEngine, command: str) -> list[str] | None:
    """What a command brings; None when it is refused or not answered."""
    try:
        return list((await at.command(command, timeout_s=_ANSWER_S)).lines)
    except AtError:
        return None
