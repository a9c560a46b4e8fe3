"""What a line on a serial port needs to know: the port, and the modem behind it."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, field, frozen, validators


def _device(_: Any, attribute: Attribute[str], value: str) -> None:
    if not value.startswith("/") and "://" not in value:
        raise ValueError(f"{attribute.name}: {value!r} must be a path (/dev/serial/by-id/…) or a URL (socket://host:port)")


def _program(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if value and not value[0].startswith("/"):
        raise ValueError(f"{attribute.name}: {value[0]!r} must be a program with its whole path, arguments behind it")


@frozen
class SerialSettings:
    """The port of a modem."""

    #: ``/dev/serial/by-id/…``: the name that stays; or one of pyserial's URLs.
    port: str = field(validator=_device)
    baud: int = field(default=115_200, validator=[validators.ge(1200), validators.le(4_000_000)])
    #: Flow control by the modem's lines (V.24 circuits 106 and 133).
    rtscts: bool = True
    #: Program with arguments that switches a modem off and on that does not answer any more; run without a shell.
    power_cycle: tuple[str, ...] = field(default=(), validator=_program)
    #: It is ended after so long; and so long the modem is given to start.
    power_timeout_ms: int = field(default=10_000, validator=[validators.ge(100), validators.le(60_000)])
    power_pause_ms: int = field(default=5000, validator=[validators.ge(0), validators.le(60_000)])
