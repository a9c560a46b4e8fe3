"""The trunk cards: what the line side's check (``python -m hw.line.dahdi.check``) finds, in an installer's words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from appliance.api.locale import Translate
from appliance.findings import Finding, told

#: Facts of a machine that has no card, or does not know it yet.
_MISSING = ("module.unloaded", "module.unbuilt", "card.none")
#: The check opens devices and asks the kernel; nothing in it waits.
_LIMIT_S = 30.0


def check(config: Path, _: Translate, *, used: bool = True) -> list[Finding]:
    """Run the check on the settings file and say what it found; where no line is ``used`` on a card, that the driver or
    the card is missing is no fault.
    """
    words = [sys.executable, "-m", "hw.line.dahdi.check", "--config", str(config)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        facts = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        return [Finding("cards", "fail", _("the cards could not be checked: {}").format(error))]
    if not used:
        facts = [{**fact, "state": "warn"} if fact["code"] in _MISSING else fact for fact in facts]
    return [told(fact, texts(_), "cards") for fact in facts]


def found(signalling: str) -> list[dict[str, Any]]:
    """Lines for all that the machine's cards have, as the settings take them. Raises ``ValueError`` with a sentence."""
    words = [sys.executable, "-m", "hw.line.dahdi.proposal", "--signalling", signalling]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        spans: list[dict[str, Any]] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise ValueError(f"the cards could not be asked: {error}") from None
    return spans


def tool(name: Literal["conf", "loop"], config: Path, *more: str) -> int:
    """Run another of the line side's tools for cards, on this terminal; its exit status."""
    module = {"conf": "systemconf", "loop": "loop"}[name]
    words = [sys.executable, "-m", f"hw.line.dahdi.{module}", "--config", str(config), *more]
    return subprocess.run(words, check=False).returncode


def texts(_: Translate) -> dict[str, tuple[str, str]]:
    """For each code of the check: what it means, and what to do."""
    apply = _("write it anew: onecall lines conf > /etc/dahdi/system.conf, then dahdi_cfg -v")
    return {
        "module.loaded": (_("DAHDI {version} is there"), ""),
        "module.unloaded": (_("DAHDI's module is not loaded"), _("modprobe dahdi, and the module of the card")),
        "module.unbuilt": (
            _("there is no DAHDI module for the kernel {kernel}"),
            _("apt install dahdi-dkms linux-headers-{kernel}; dkms status says why one could not be built"),
        ),
        "module.denied": (_("{path} may not be opened"), _("add the user to the group dahdi, then log in again")),
        "module.error": (_("DAHDI answers: {error}"), _("dmesg | grep -i dahdi says more")),
        "settings": (_("the settings cannot be used: {error}"), _("correct the file")),
        "card.none": (
            _("DAHDI is loaded and sees no card"),
            _("lspci must show the card, its module must be loaded, and its spans assigned: dahdi_span_assignments"),
        ),
        "span.ok": (_("span {number} is in order: {description}"), ""),
        "span.absent": (_("there is no span {number}; there are: {have}"), _("correct span in the settings")),
        "span.unused": (_("no line uses span {number}: {description}"), _("name it in the settings, or leave it")),
        "span.unconfigured": (_("span {number} is not configured"), apply),
        "span.bearers": (
            _("channels that must be {wanted} in DAHDI's configuration: {channels}; there it is: {have}"), apply,
        ),
        "span.modules": (
            _("the card's modules cannot be {wanted} at its channels {channels}"),
            _("correct channels or signalling: a port for the exchange's line is fxo, one for a telephone fxs"),
        ),
        "line.battery": (
            _("no exchange's line is connected at the channels {channels}"),
            _("plug the lines in, or leave these channels out of the settings"),
        ),
        "span.idlebits": (
            _("channels that must show {bits} while nobody serves them: {channels}; set are: {have}"), apply,
        ),
        "span.dchannel": (_("the D channel must be timeslot {timeslot}; DAHDI has it on: {have}"), apply),
        "span.framing": (_("span {number} is not set to {framing}, hdb3, CRC-4 {crc4}"), apply),
        "span.errors": (
            _("errors on the line since it was configured: {counts}"),
            _("when they grow: cable, plugs, earthing, or two clocks on one line"),
        ),
        "span.alarm.red": (_("alarm {alarm}: nothing that makes sense comes"), _("is it in, and the right cable?")),
        "span.alarm.los": (
            _("alarm {alarm}: no signal comes"),
            _("plug the cable in; receive and transmit pair may be exchanged, or the exchange's port is off"),
        ),
        "span.alarm.lfa": (
            _("alarm {alarm}: a signal comes, but no E1 frames"),
            _("is the card set to E1, not T1? is the far end a G.704 port with HDB3?"),
        ),
        "span.alarm.lmfa": (
            _("alarm {alarm}: frames come, but no CRC-4 multiframe"),
            _("the exchange has CRC-4 off: set crc4 = false, or have it switched on there"),
        ),
        "span.alarm.blue": (
            _("alarm {alarm}: the far end or the carrier's equipment sends all ones"),
            _("our side is right; ask the carrier"),
        ),
        "span.alarm.yellow": (
            _("alarm {alarm}: we hear the far end, it does not hear us"),
            _("look at our transmit pair, and at the far end's alarms"),
        ),
        "span.alarm.loopback": (_("alarm {alarm}: the span is looped"), _("take the loop out")),
        "span.alarm.notopen": (_("alarm {alarm}: the span is not started"), apply),
        "span.alarm.recover": (_("alarm {alarm}: the span comes back"), _("wait some seconds and look again")),
        "clock.own": (
            _("the user side gives the clock (timing = 0): the line will slip"),
            _("set timing = 1, so that the card takes the exchange's clock"),
        ),
        "clock.taken": (
            _("the network side takes its clock from the line"),
            _("set timing = 0, unless the far end is known to give the clock"),
        ),
        "clock.free": (
            _("the card runs by its own clock, not the exchange's: the line will slip"),
            _("look at timing in the settings, and whether the span is in alarm"),
        ),
    }
