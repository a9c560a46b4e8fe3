"""What the line process reads from ``[line]`` of the machine's settings file."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, Literal

from attrs import Attribute, Factory, field, frozen, validators

from hw.line.serial.settings import GsmSettings, SerialSettings, VoiceModemSettings
from hw.zones import DEFAULT, ZONES

#: Signallings of modems at serial ports, which have one channel.
SERIAL = ("voicemodem", "gsm")


def _range_of_ports(_: Any, attribute: Attribute[tuple[int, int]], value: tuple[int, int]) -> None:
    low, high = value
    if not 1024 <= low < high <= 65535:
        raise ValueError(f"{attribute.name}: {low}..{high} is no range of UDP ports inside 1024..65535")


def _ip_address(_: Any, attribute: Attribute[str], value: str) -> None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f"{attribute.name}: {value!r} is no IP address") from None
    if address.version != 4 or address.is_unspecified:
        raise ValueError(f"{attribute.name}: {value!r} must be one IPv4 address of this machine, phones are told it")


def _names_differ(_: Any, attribute: Attribute[tuple[SpanSettings, ...]], value: tuple[SpanSettings, ...]) -> None:
    names = [span.name for span in value]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{attribute.name}: the name {name!r} is given twice")


def _tones_are_known(line: LineSettings, attribute: Attribute[Any], value: tuple[SpanSettings, ...]) -> None:
    """Of an exchange's analog line the tones say when to dial and when it is over; DEFAULT's are listened for."""
    for span in value:
        if span.signalling == "fxo" and line.zone != DEFAULT:
            raise ValueError(f"{attribute.name}: {span.name} (fxo) works in the zone {DEFAULT} only, so far")


def _zone(_: Any, attribute: Attribute[str], value: str) -> None:
    if value not in ZONES:
        raise ValueError(f"{attribute.name}: {value!r} is no zone (there are {', '.join(ZONES)})")


def _digits(_: Any, attribute: Attribute[str], value: str) -> None:
    if value and not (value.isascii() and value.isdecimal()):
        raise ValueError(f"{attribute.name}: {value!r} is no prefix: digits, or nothing")


def _differs_from_national(span: SpanSettings, attribute: Attribute[str], value: str) -> None:
    if value and value == span.national_prefix:
        raise ValueError(f"{attribute.name}: {value!r} is national_prefix too, they must differ")


def _has_dahdi(span: SpanSettings, attribute: Attribute[DahdiSettings | None], value: DahdiSettings | None) -> None:
    if (span.driver == "dahdi") != (value is not None):
        raise ValueError(f"{attribute.name}: the driver dahdi needs it, and no other: {{ span = 1 }}")


def _has_serial(span: SpanSettings, attribute: Attribute[SerialSettings | None], value: SerialSettings | None) -> None:
    if (span.driver == "serial") != (value is not None):
        raise ValueError(f'{attribute.name}: the driver serial needs it, and no other: {{ port = "/dev/…" }}')
    if (span.driver == "serial") != (span.signalling in SERIAL):
        raise ValueError(f"signalling: {span.signalling!r} is not for the driver {span.driver!r}")


def _has_gsm(span: SpanSettings, attribute: Attribute[GsmSettings | None], value: GsmSettings | None) -> None:
    if (span.signalling == "gsm") != (value is not None):
        raise ValueError(f'{attribute.name}: the signalling gsm needs it, and no other: {{ audio = "/dev/…" }}')


def _has_number(span: SpanSettings, attribute: Attribute[VoiceModemSettings], value: VoiceModemSettings) -> None:
    if span.signalling == "voicemodem" and not value.number:
        raise ValueError(f'{attribute.name}: a number is needed, calls in are routed by it: {{ number = "…" }}')


def _numbers(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for number in value:
        if not number.isascii() or not number.isdecimal():
            raise ValueError(f"{attribute.name}: {number!r} is no number: digits")
        if value.count(number) > 1:
            raise ValueError(f"{attribute.name}: {number!r} is given twice")


def _numbers_fit(span: SpanSettings, attribute: Attribute[LoopSettings], value: LoopSettings) -> None:
    wanted = len(span.channels) if span.signalling in ("fxo", "fxs") else 0
    if len(value.numbers) != wanted:
        raise ValueError(f"{attribute.name}.numbers: {len(value.numbers)} given, one for each analog channel: {wanted}")


def _channels_of(span: SpanSettings) -> tuple[int, ...]:
    """An E1's bearer channels, the ports of a small card, or a modem's only one."""
    if span.signalling in SERIAL:
        return (1,)
    return (1, 2, 3, 4) if span.signalling in ("fxo", "fxs") else (*range(1, 16), *range(17, 32))


@frozen
class DahdiSettings:
    """A span of a trunk card. From the last block system.conf is made (``python -m hw.line.dahdi.systemconf``)."""

    #: DAHDI's number of the span.
    span: int = field(validator=[validators.ge(1), validators.le(127)])
    #: Echo canceller for its bearer channels: a module's name without dahdi_echocan_ (mg2, oslec), or none.
    echo_canceller: str = field(default="", validator=validators.matches_re(r"[a-z0-9_]{0,15}"))
    #: Its length in samples, 8 a millisecond.
    echo_taps: int = field(default=128, validator=validators.in_((32, 64, 128, 256, 512, 1024)))
    rx_gain_db: float = field(default=0.0, validator=[validators.ge(-20), validators.le(20)])
    tx_gain_db: float = field(default=0.0, validator=[validators.ge(-20), validators.le(20)])

    #: Frames of 20 ms that are sent in advance, all of it delay: how late a tick may be before the card runs dry.
    reserve: int = field(default=1, validator=[validators.ge(1), validators.le(10)])

    #: Order in which the card takes its clock from the spans' far ends: 1 first; 0: never, this side gives the clock.
    timing: int = field(default=1, validator=[validators.ge(0), validators.le(127)])
    #: CRC-4 multiframe (G.704 §2.3.3); it must be what the exchange has.
    crc4: bool = True
    #: Timeslot of the D channel.
    d_channel: int = field(default=16, validator=[validators.ge(1), validators.le(31)])


@frozen
class R2Settings:
    """MFC-R2 of one trunk (Q.400 to Q.490): how the numbers of incoming calls are asked for."""

    #: A called number is complete with so many digits; 0: after a pause of ``pause_ms``.
    called_digits: int = field(default=0, validator=[validators.ge(0), validators.le(32)])
    pause_ms: int = field(default=2000, validator=[validators.ge(500), validators.le(15_000)])
    #: Whether the calling party's category and number are asked for.
    caller_wanted: bool = True


@frozen
class LoopSettings:
    """Analog lines with loop start: what the exchange (fxo) gives, or what the telephones (fxs) are given."""

    #: A number for each channel, in order. fxo: the line's own number, the called number of calls that come in.
    #: fxs: the telephone's number: the caller of its calls, and the number that calls it.
    numbers: tuple[str, ...] = field(default=(), validator=_numbers)
    #: Caller ID: FSK (Bell 202, between the first two rings), DTMF (before the first ring), or none. fxo: with fsk and
    #: dtmf alike both are understood where they come; an fsk line's call is told after the second ring at the latest.
    cid: Literal["fsk", "dtmf", "none"] = "fsk"
    #: fxo: the exchange turns the polarity when the called party answers and when it clears. fxs: so do we.
    polarity: bool = False
    #: fxo: without ``polarity`` a call counts as answered when ringback was heard and then none for so long; and when
    #: no tone came at all for so long after the number was dialled.
    answer_ms: int = field(default=6000, validator=[validators.ge(4500), validators.le(60_000)])
    #: fxo: busy or congestion tone on a call means that the far end has cleared.
    release_by_tone: bool = True
    #: fxo: wait so long for the dial tone.
    dial_tone_ms: int = field(default=5000, validator=[validators.ge(500), validators.le(30_000)])
    #: fxs: wait so long for the first digit, and for the next one; then the number is complete.
    first_digit_ms: int = field(default=15_000, validator=[validators.ge(1000), validators.le(60_000)])
    digit_ms: int = field(default=4000, validator=[validators.ge(500), validators.le(30_000)])
    #: Length of a hook flash: fxo: as it is sent. fxs: the longest opening of the loop that is one.
    flash_ms: int = field(default=500, validator=[validators.ge(50), validators.le(1500)])


@frozen
class SpanSettings:
    """One trunk: its span's driver, its signalling, and the bearer channels that may be used."""

    name: str = field(validator=validators.min_len(1))
    #: ``sim``: the simulated exchange's sockets, whose path begins with ``address``.
    #: ``dahdi``: a card's span, see ``dahdi``.
    #: ``serial``: a modem on a serial port, see ``serial``.
    driver: Literal["sim", "dahdi", "serial"] = "sim"
    #: ``pri``: Q.931. ``r2``: MFC-R2, variant China, see ``r2``. Analog ports, see ``loop``: ``fxo``: the exchange's
    #: lines; ``fxs``: telephones. A card with both is written as two spans, each with its channels.
    #: At serial ports: ``voicemodem``: an analog line of the exchange behind a voice modem, see ``voicemodem``;
    #: ``gsm``: a GSM or 4G module, see ``gsm``.
    signalling: Literal["pri", "r2", "fxo", "fxs", "voicemodem", "gsm"] = "pri"
    address: str = ""
    channels: tuple[int, ...] = field(default=Factory(_channels_of, takes_self=True))
    role: Literal["cpe", "network"] = "cpe"
    #: Which idle channel an outgoing call takes: the lowest (``up``), the highest (``down``), the one that is idle
    #: longest; ``by_role``: the highest on the user side, the lowest on the network side, so that both seldom meet.
    hunting: Literal["by_role", "up", "down", "most_idle"] = "by_role"
    #: Wait so long for the next digit of an incoming call whose number may be incomplete; 0: numbers come en bloc.
    overlap_ms: int = field(default=0, validator=validators.ge(0))
    #: Send the number of an outgoing call digit by digit after SETUP ACKNOWLEDGE (overlap sending, Q.931 §5.1.3).
    overlap_sending: bool = False
    #: What one dials in front of a national and of an international number; on the line the type of number stands for
    #: it (Q.931 §4.5.8). Empty: that type is left alone.
    national_prefix: str = field(default="0", validator=_digits)
    international_prefix: str = field(default="00", validator=[_digits, _differs_from_national])
    #: Write every D channel frame into this file (pcap), begun anew at each start.
    trace: Path | None = None
    r2: R2Settings = field(factory=R2Settings)
    loop: LoopSettings = field(factory=LoopSettings, validator=_numbers_fit)
    dahdi: DahdiSettings | None = field(default=None, validator=_has_dahdi)
    serial: SerialSettings | None = field(default=None, validator=_has_serial)
    voicemodem: VoiceModemSettings = field(factory=VoiceModemSettings, validator=_has_number)
    gsm: GsmSettings | None = field(default=None, validator=_has_gsm)


@frozen
class LineSettings:
    """The whole table. Times in ms, sizes in bytes."""

    #: The link's Unix socket.
    socket: Path
    #: The IPv4 address that phones are told to send RTP to.
    rtp_address: str = field(default="127.0.0.1", validator=_ip_address)
    #: First and last UDP port for RTP (even) and RTCP (odd): two for every stream that is open at once.
    rtp_ports: tuple[int, int] = field(default=(16384, 17407), validator=_range_of_ports)
    #: Whose tones callers hear and whose ringing and caller's number analog lines have; see ``hw.zones``.
    zone: str = field(default=DEFAULT, validator=_zone)
    #: A stream that wants packets and gets none for so long is reported as ``RtpLost``.
    rtp_silence_ms: int = field(default=5000, validator=validators.ge(200))
    spans: tuple[SpanSettings, ...] = field(default=(), validator=[_names_differ, _tones_are_known])
    #: Folder whose unfinished recordings (``*.part``, left by a killed process) are made whole at start.
    recordings: Path | None = None
    #: Decoded clips that are kept in memory.
    clip_cache_bytes: int = field(default=64 << 20, validator=validators.ge(1 << 20))
    #: Ask the system for SCHED_FIFO at this priority; 0 for not.
    realtime_priority: int = field(default=10, validator=[validators.ge(0), validators.le(50)])
