"""The ``onecall`` command on this machine: what the service may not do itself, done by the user who looks.

/etc/onecall is root's and the service cannot even see the cards, so lines are found and chosen by a child process:
fixed words, no shell; through ``sudo -n`` where this user may not write the settings himself.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from textual_admin.lang import _, current

#: Where the package keeps the settings; only for these are the system's services restarted.
PACKAGED = Path("/etc/onecall/onecall.toml")
_SYSTEMD = Path("/run/systemd/system")
_LIMIT_S = 60.0
#: How the command's own sentences begin.
_OURS = "onecall: "


class MachineError(Exception):
    """A command that could not do it; the text says why."""


class NotAllowedError(MachineError):
    """This user may not do it, not by sudo either."""


@frozen
class Lines:
    """``drivers`` of the lines in use, what the system says there is; the zone, and the names of all ``zones``."""

    drivers: tuple[str, ...]
    cards: tuple[str, ...]
    serial: tuple[str, ...]
    zone: str
    zones: Mapping[str, str]


async def lines(config: Path) -> Lines:
    """What lines there are. Raises ``MachineError``."""
    found = json.loads(await _run(*_onecall(config, "lines", "--json")))
    drivers = tuple(str(span.get("driver", "sim")) for span in found["spans"])
    return Lines(drivers, tuple(found["cards"]), tuple(found["serial"]), found["zone"], found["zones"])


def other(lines: Lines) -> str:
    """The kind of lines to go over to: from the simulator to the card, or modems where there is none; and back."""
    idle = not lines.drivers and not lines.cards and not lines.serial  # nothing is in use and nothing to be used
    if idle or not {"dahdi", "serial"}.isdisjoint(lines.drivers):
        return "sim"
    return "modem" if lines.serial and not lines.cards else "dahdi"


#: What one would type for ``restart``, and in front of the words of ``change``.
RESTART = "sudo systemctl restart onecall.target"
CHANGE = "sudo onecall {}"


#: Signalling that a card's digital spans can have.
SIGNALLING = ("pri", "r2")


def use_lines(kind: str, numbers: Sequence[str], signalling: str = "") -> Sequence[str]:
    """The command's words that choose the lines, and the signalling of a card's digital spans; modems' lines have the
    first of ``numbers`` that callers dial.
    """
    number = ("--number", numbers[0]) if kind == "modem" and numbers else ()
    return ("lines", "use", kind, *number, *(("--signalling", signalling) if signalling else ()))


def use_zone(zone: str) -> Sequence[str]:
    """The command's words that choose the zone."""
    return ("setup", "--zone", zone)


async def change(config: Path, *words: str) -> None:
    """Change the settings file by the command. Raises ``MachineError``, ``NotAllowedError``."""
    await _run(*_may(os.access(config.parent, os.W_OK)), *_onecall(config, *words, "--yes"))


async def restart(config: Path) -> bool:
    """Have the services begin anew; whether they are the system's, so that it was done. Raises ``MachineError``."""
    if not _of_the_system(config):
        return False
    await _run(*_may(os.geteuid() == 0), "systemctl", "--no-block", "restart", "onecall.target")
    return True


def _of_the_system(config: Path) -> bool:
    return config == PACKAGED and _SYSTEMD.exists()


def _may(allowed: bool) -> Sequence[str]:
    """Before a command of one who may not do it himself; sudo asks nothing, it does it or says no."""
    return () if allowed else ("sudo", "-n")


def _onecall(config: Path, *words: str) -> Sequence[str]:
    return (sys.executable, "-m", "appliance.cli", *words, "--config", str(config), "--lang", current())


async def _run(*words: str) -> str:
    """A command's stdout. Raises ``MachineError`` with what it said when it failed."""
    try:
        child = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise _kind(words, "")(f"{words[0]}: {error.strerror}") from None
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, said = await child.communicate()
    except TimeoutError:
        raise MachineError(_("{} did not end in time").format(words[0])) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        text = said.decode(errors="replace").strip()
        raise _kind(words, text)(text.removeprefix(_OURS) or f"{words[0]}: {child.returncode}")
    return out.decode(errors="replace")


def _kind(words: Sequence[str], said: str) -> type[MachineError]:
    """Whether sudo said no, or the command that it ran."""
    return NotAllowedError if words[0] == "sudo" and not said.startswith(_OURS) else MachineError
