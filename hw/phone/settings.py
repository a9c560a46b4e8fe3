"""What the phone process reads from ``[phone]`` of the machine's settings file."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen, validators

from hw.phone.stack import Flow

_LISTEN = re.compile(r"(udp|tcp):(\[[0-9A-Fa-f:.]+\]|[0-9.]+):([0-9]{1,5})")


def parse_listen(text: str) -> Flow:
    """``udp:192.0.2.1:5060`` or ``tcp:[2001:db8::1]:5060``. Raises ``ValueError`` saying what is allowed."""
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[3]) > 65535:
        raise ValueError(f"listen: {text!r} is not udp:ADDRESS:PORT or tcp:ADDRESS:PORT")
    host = match[2].strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"listen: {host!r} is no IP address") from None
    if address.is_unspecified:
        raise ValueError(f"listen: {host!r} must be one address of this machine, phones are told it")
    return Flow("tcp" if match[1] == "tcp" else "udp", host, int(match[3]))


def _listens(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    transports = [parse_listen(text).transport for text in value]
    if not transports or len(transports) != len(set(transports)):
        raise ValueError(f"{attribute.name}: one address for udp, one for tcp or both, is {value!r}")


def _host(_: Any, attribute: Attribute[str], value: str) -> None:
    if value and not re.fullmatch(r"[A-Za-z0-9.:-]+", value):
        raise ValueError(f"{attribute.name}: {value!r} is no host name and no IP address")


def _ordered(settings: Any, attribute: Attribute[int], value: int) -> None:
    if value < settings.min_expires_s:
        raise ValueError(f"{attribute.name}: {value} is less than min_expires_s {settings.min_expires_s}")


@frozen
class PhoneSettings:
    """The whole table. Times in s."""

    #: The link's Unix socket.
    socket: Path
    #: Where SIP is heard: one address a transport.
    listen: tuple[str, ...] = field(default=("udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"), validator=_listens)
    #: Put into Contact instead of the address listened on (port forwarding); empty: the latter.
    address: str = field(default="", validator=_host)
    #: The realm of digest until the control process names one; changing it makes every HA1 useless.
    realm: str = field(default="onecall", validator=_host)
    #: Bounds of what a phone may ask for its binding: shorter is refused (423), longer is cut. The longest is also how
    #: long a phone may be out of reach after this process was killed, for bindings live in memory only.
    min_expires_s: int = field(default=60, validator=validators.ge(1))
    max_expires_s: int = field(default=300, validator=_ordered)
    #: Write every SIP message into this file (pcap), begun anew at each start.
    trace: Path | None = None
