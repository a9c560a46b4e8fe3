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


def voice_ports(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ports with a voice modem behind them that nobody has."""
    return [str(fact["values"]["port"]) for fact in facts if fact["code"] in ("modem.voice", "modem.voice_perhaps")]


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
        "modem.gsm": (_("{port}: {name}: GSM module"), ""),
        "modem.data": (_("{port}: {name}: modem without voice"), _("it cannot be a line: class 8 (V.253) is needed")),
        "modem.wrong": (
            _("{port}: {name} is no modem for this line's signalling"),
            _("look at signalling and port in the settings"),
        ),
    }
