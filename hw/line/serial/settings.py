"""What a line on a serial port needs to know: the port, and the modem behind it."""

from __future__ import annotations

from typing import Any, Literal

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


def _command(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for command in value:
        if not command.upper().startswith("AT") or not command.isascii() or not command.isprintable():
            raise ValueError(f"{attribute.name}: {command!r} is no AT command, like AT+GCI=26")


@frozen
class VoiceModemSettings:
    """A voice modem (ITU-T V.253) on an analog line of the exchange."""

    #: The line's own number: the called number of calls that come in.
    number: str = field(default="", validator=validators.matches_re(r"[0-9]{0,20}"))
    #: Whether the line has caller ID: then a call is offered when it has come, at the second ring at the latest.
    caller_id: bool = True
    #: Both ways at once (+VTR): ``auto`` where the modem says that it can, or does when it is tried; ``yes``; ``no``.
    #: Without, menus and voicemail work on the line, and nobody can talk over it.
    duplex: Literal["auto", "yes", "no"] = "auto"
    #: So long after the last ring the caller has given up; longer than the pause of the exchange's cadence.
    ring_gap_ms: int = field(default=7000, validator=[validators.ge(1000), validators.le(20_000)])
    #: A call out counts as answered when ringback was heard and then none for so long (+VRA), and as not answered when
    #: nobody did for so long.
    answer_ms: int = field(default=5500, validator=[validators.ge(500), validators.le(25_000)])
    ring_out_ms: int = field(default=90_000, validator=[validators.ge(5000), validators.le(300_000)])
    #: Gains of what is heard and said (+VGR, +VGT): 128 is the modem's own.
    rx_gain: int = field(default=128, validator=[validators.ge(0), validators.le(255)])
    tx_gain: int = field(default=128, validator=[validators.ge(0), validators.le(255)])
    #: Further commands for this modem, done last when it is set up: AT+GCI=26 is China's tones (T.35).
    init: tuple[str, ...] = field(default=(), validator=_command)


@frozen
class GsmSettings:
    """A GSM or 4G module with a second port for audio (3GPP TS 27.007, 27.005)."""

    #: The port of the module's audio: ``/dev/serial/by-id/…``.
    audio: str = field(validator=_device)
    #: How its maker joins that port: SIMCom by +CPCMREG, Quectel by +QPCMV.
    pcm: Literal["simcom", "quectel"] = "simcom"
    #: The SIM's own number: the called number of calls and messages that come in; empty: as the SIM tells it (+CNUM).
    number: str = field(default="", validator=validators.matches_re(r"[0-9]{0,20}"))
    #: The SIM's PIN; empty: none is given. A wrong one is tried once, and never when a try was wasted before.
    pin: str = field(default="", validator=validators.matches_re(r"([0-9]{4,8})?"), repr=False)
    #: Whether short messages are sent and received.
    sms: bool = True
