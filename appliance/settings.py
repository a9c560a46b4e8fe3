"""What the control process reads from ``[control]`` of the machine's settings file."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal

from attrs import Attribute, field, frozen, validators

from hw import settings as files
from hw.messages import SipTrunk
from hw.settings import SettingsError

__all__ = ["DEFAULT", "ControlSettings", "SettingsError", "load"]

#: The installed settings file.
DEFAULT = Path("/etc/onecall/onecall.toml")

_DESTINATION = re.compile(r"[a-z][a-z0-9_-]*:.+")


def _destination(_: Any, attribute: Attribute[str], value: str) -> None:
    if not _DESTINATION.fullmatch(value):
        raise ValueError(f"{attribute.name}: {value!r} must be a destination, service:argument, such as hangup:41")


def _digits(_: Any, attribute: Attribute[str], value: str) -> None:
    if value and not (value.isascii() and value.isdigit()):
        raise ValueError(f"{attribute.name}: {value!r} must be digits, or empty")


def _word(_: Any, attribute: Attribute[str], value: str) -> None:
    if not value or re.search(r'[\s":]', value):
        raise ValueError(f"{attribute.name}: {value!r} must be one word without spaces, quotes and colons")


def _plugins(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for name in value:  # a text in place of a list arrives here letter by letter
        if not re.fullmatch(r"[a-z][a-z0-9_-]+", name):
            raise ValueError(f'{attribute.name}: must be a list of plugins\' names, such as ["acd"]; {name!r} is none')


def _between(low: float, high: float) -> Any:
    """A validator for times, seconds."""

    def check(_: Any, attribute: Attribute[float], value: float) -> None:
        if not low <= value <= high:
            raise ValueError(f"{attribute.name}: {value:g} must be from {low:g} to {high:g} seconds")

    return check


def _trunks(_: Any, attribute: Attribute[tuple[SipTrunk, ...]], value: tuple[SipTrunk, ...]) -> None:
    for trunk in value:
        try:
            ipaddress.ip_address(trunk.host)
        except ValueError:
            raise ValueError(f"{attribute.name}: {trunk.name}: {trunk.host!r} must be an IP address") from None
        if trunk.name in ("", "phones") or [t.name for t in value].count(trunk.name) > 1:
            raise ValueError(f"{attribute.name}: {trunk.name!r} must be a name of its own, and not phones")


@frozen
class ControlSettings:
    """The whole table. Times are seconds, paths absolute."""

    #: The API's Unix socket, for the console and the ``onecall`` command.
    socket: Path = Path("/run/onecall/api.sock")
    #: The links' sockets: the same as ``socket`` of [line] and of [phone].
    line_socket: Path = Path("/run/onecall/line.sock")
    phone_socket: Path = Path("/run/onecall/phone.sock")
    #: Who may use the API besides root and the service's own user: members of this group of the system.
    group: str = "onecall"
    #: The database.
    store: Path = Path("/var/lib/onecall/onecall.db")
    #: The site's files (menus, queues, prompts' texts), read only.
    etc: Path = Path("/etc/onecall")
    #: What the service makes: prompt cache, first passwords.
    var: Path = Path("/var/lib/onecall")
    #: Where recordings go.
    recordings: Path = Path("/var/lib/onecall/recordings")
    #: Language of prompts and of the service where nothing else says.
    language: Literal["zh", "en"] = "zh"
    #: Name of the call centre, shown everywhere.
    site: str = field(default="OneCall", validator=validators.min_len(1))
    #: SIP digest realm: part of every phone's secret; changing it means setting all phones' passwords anew.
    realm: str = field(default="onecall", validator=_word)
    #: Where a called number goes that the numbering plan does not know how to serve: Q.850 41, temporary failure.
    default_destination: str = field(default="hangup:41", validator=_destination)
    #: What phones dial before a number outside; empty: nobody dials out.
    outside_prefix: str = field(default="9", validator=_digits)
    #: The number shown to those whom we call.
    outside_caller: str = field(default="", validator=_digits)
    #: How long a phone, and a number outside, may ring.
    ring_s: float = field(default=30.0, validator=_between(3, 180))
    ring_out_s: float = field(default=60.0, validator=_between(3, 300))
    #: How long a stop waits for calls that are up.
    drain_s: float = field(default=0.0, validator=_between(0, 86400))
    #: SIP peers known by their address: they may send calls without registering, and we may call through them.
    sip_trunks: tuple[SipTrunk, ...] = field(default=(), validator=_trunks)
    #: What a plugin may take for one hook, and how often it may fail in ten minutes before it is off.
    hook_timeout_s: float = field(default=5.0, validator=_between(0.1, 60))
    max_failures: int = field(default=20, validator=validators.ge(1))
    #: Plugins that are not loaded.
    disabled_plugins: tuple[str, ...] = field(default=(), validator=_plugins)


def load(path: Path) -> ControlSettings:
    """``[control]`` of the file. Raises ``SettingsError`` naming the file, the key and what is allowed."""
    return files.load(path, "control", ControlSettings)
