"""The modems: what the line side's check (``python -m hw.line.serial.check``) finds, in an installer's words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.api.locale import Translate
from appliance.diagnosis.lines import find
from appliance.findings import Finding, told
from appliance.setup.lines import Modem

#: Ports are asked side by side; one that says nothing takes some seconds.
_LIMIT_S = 45.0


def check(config: Path, _: Translate, ports: Sequence[str] | None = None) -> list[Finding]:
    """Ask the ports of the settings' lines and those that the machine has (or ``ports``), and say who is there."""
    try:
        facts = ask(config, find().serial if ports is None else ports)
    except ValueError as error:
        return [Finding("modems", "fail", _("the serial ports could not be asked: {}").format(error))]
    return [told(fact, texts(_), "modems") for fact in facts]


def ask(config: Path, ports: Sequence[str]) -> list[dict[str, Any]]:
    """The facts. Raises ``ValueError`` when the check could not be run."""
    words = [sys.executable, "-m", "hw.line.serial.check", "--config", str(config), *ports]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        facts: list[dict[str, Any]] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise ValueError(str(error)) from None
    return facts


def usable(facts: Sequence[Mapping[str, Any]]) -> list[Modem]:
    """The modems and modules that can be lines and that nobody has."""
    return [
        Modem(str(values["port"]), str(values.get("audio", "")), str(values.get("pcm", "")))
        for code, values in ((fact["code"], fact["values"]) for fact in facts)
        if code in ("modem.voice", "modem.voice_perhaps", "modem.gsm")
    ]


def unclear(facts: Sequence[Mapping[str, Any]], _: Translate) -> list[Finding]:
    """The modules that could be lines if more were known of them."""
    return [told(fact, texts(_), "modems") for fact in facts if fact["code"] == "modem.gsm_ports"]


def texts(_: Translate) -> dict[str, tuple[str, str]]:
    """For each code of the check: what it means, and what to do."""
    return {
        "settings": (_("the settings cannot be used: {error}"), _("correct the file")),
        "port.gone": (
            _("{port} is not there"),
            _("is the modem plugged in and switched on? ls /dev/serial/by-id tells which are"),
        ),
        "port.busy": (
            _("{port} is in use: by the line process if it runs, else by another program"),
            _("to ask the modem itself: systemctl stop onecall-line, and look again"),
        ),
        "port.denied": (_("{port} may not be opened"), _("add the user to the group dialout, then log in again")),
        "port.failed": (_("{port} cannot be used as a serial port"), _("is it one? dmesg | grep tty says more")),
        "port.silent": (
            _("{port}: no modem answers"),
            _("if it is one: is it switched on, and has it the line's rate (baud)?"),
        ),
        "port.passing": (
            _("{port} is a name that changes with the order of plugging in"),
            _("write its name below /dev/serial/by-id into the settings"),
        ),
        "modem.voice": (_("{port}: {name}: voice modem, both ways at once"), ""),
        "modem.voice_perhaps": (
            _("{port}: {name}: voice modem; whether both ways at once shows when it is used"),
            _("onecall trunks tells; one way at a time serves menus, no agents"),
        ),
        "port.audio": (_("{port}: the audio port of the GSM module at {at}"), ""),
        "port.not_audio": (
            _("{port} is the line's audio port in the settings; the module has its audio at {audio}"),
            _("correct audio in the table gsm of the line"),
        ),
        "modem.gsm": (_("{port}: {name}: GSM module with voice, its audio at {audio}"), ""),
        "modem.gsm_second": (_("{port}: {name}: a further port of the GSM module at {at}"), ""),
        "modem.gsm_ports": (
            _("{port}: {name}: GSM module with voice; which of its ports has the audio cannot be told"),
            _("its maker's manual tells: write the line with audio and pcm = {pcm!r} into the settings"),
        ),
        "modem.gsm_mute": (
            _("{port}: {name}: GSM module without audio at a serial port"),
            _("it cannot be a line: +CPCMREG (SIMCom) or +QPCMV (Quectel) is needed"),
        ),
        "modem.gsm_pcm": (
            _("{port}: {name} has another maker's way to its audio than the line in the settings"),
            _("correct pcm in the table gsm of the line: {pcm}"),
        ),
        "sim.none": (_("{port}: {name}: no SIM that can be used"), _("put one in, then switch the module off and on")),
        "sim.pin": (
            _("{port}: {name}: the SIM wants its PIN"),
            _("best switch the PIN off in a telephone; or write it into the settings, as pin in the table gsm"),
        ),
        "sim.puk": (_("{port}: {name}: the SIM wants its PUK"), _("unlock the SIM in a telephone")),
        "modem.data": (_("{port}: {name}: modem without voice"), _("it cannot be a line: class 8 (V.253) is needed")),
        "modem.wrong": (
            _("{port}: {name} is no modem for this line's signalling"),
            _("look at signalling and port in the settings"),
        ),
    }
