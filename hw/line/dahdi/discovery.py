"""What DAHDI knows of the machine's cards: spans with their state, channels with their use."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from hw.line.dahdi import abi

T = TypeVar("T")

DEVICES = Path("/dev/dahdi")
#: DAHDI's limits (user.h).
MAX_SPANS, MAX_CHANNELS = 128, 1024

_WORDS = {
    abi.SIG_CLEAR: "bchan", abi.SIG_HDLCFCS: "dchan", abi.SIG_HARDHDLC: "hardhdlc", abi.SIG_CAS: "cas",
    abi.SIG_FXSKS: "fxsks", abi.SIG_FXOKS: "fxoks",
}  # fmt: skip
#: What system.conf has a channel with audio configured as, by the trunk's signalling.
WORD_OF = {"pri": "bchan", "r2": "cas", "fxo": "fxsks", "fxs": "fxoks"}


@frozen
class SpanStatus:
    """A span as ``SPANSTAT`` tells it. ``sync_source``: the span that the card takes its clock from, 0 its own."""

    number: int
    name: str
    description: str
    alarms: int
    errors: dict[str, int]
    irq_misses: int
    sync_source: int
    configured: int
    channels: int
    line_config: int
    manufacturer: str
    device_type: str
    kind: str

    @property
    def cable(self) -> bool:
        """Whether there is a cable at it, with framing and a clock; a dynamic span has neither."""
        return not self.kind.upper().startswith("DYN")

    @property
    def alarm(self) -> str:
        """The alarm's name, empty while the span is in order."""
        return abi.alarm_name(self.alarms)


@frozen
class ChannelStatus:
    """A channel as ``GET_PARAMS`` tells it; ``position`` is its timeslot on an E1, ``idle_bits`` are shown while it is
    not open (``cas=``), ``alarms`` are its own: an FXO port's line has no battery.
    """

    number: int
    span: int
    position: int
    signalling: int
    capabilities: int
    name: str
    idle_bits: int = 0
    alarms: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """What it can be configured as."""
        return tuple(word for signalling, word in _WORDS.items() if self.capabilities & signalling == signalling)

    @property
    def word(self) -> str:
        """What it is configured as, as system.conf has it (``bchan``); empty for what is not used here."""
        return _WORDS.get(self.signalling, "")

    @property
    def bearer(self) -> bool:
        """Whether it carries audio (``bchan=``)."""
        return self.word == "bchan"

    @property
    def data(self) -> bool:
        """Whether it carries HDLC with FCS (``dchan=``, ``hardhdlc=``)."""
        return self.word in ("dchan", "hardhdlc")


@contextmanager
def control(devices: Path = DEVICES) -> Iterator[int]:
    """``/dev/dahdi/ctl``, open. Raises ``OSError``."""
    fd = os.open(devices / "ctl", os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def span(ctl: int, number: int) -> SpanStatus:
    """One span. Raises ``OSError`` (ENODEV, EINVAL: there is none of that number)."""
    found = abi.call(ctl, abi.SPANSTAT, number)
    numbers = [value for value in found if isinstance(value, int)]
    (_, alarms, _, _, bpv, crc4, ebit, fas, *_, misses, sync, configured, channels, _, _, config, _, _) = numbers
    texts = [abi.text(value) for value in found if isinstance(value, bytes)]
    name, description, _, _, manufacturer, device, kind = texts
    return SpanStatus(
        number, name, description, alarms, {"bpv": bpv, "crc4": crc4, "ebit": ebit, "fas": fas}, misses, sync,
        configured, channels, config, manufacturer, device, kind,
    )  # fmt: skip


def spans(ctl: int) -> list[SpanStatus]:
    """All spans that have a number."""
    return list(_each(range(1, MAX_SPANS), lambda number: span(ctl, number)))


def channel(ctl: int, number: int) -> ChannelStatus:
    """One channel. Raises ``OSError``."""
    found = abi.call(ctl, abi.GET_PARAMS, number)
    numbers = [value for value in found if isinstance(value, int)]
    _, span, position, signalling, capabilities, *_ = numbers
    alarms = numbers[-1]
    return ChannelStatus(number, span, position, signalling, capabilities, abi.text(found[12]), numbers[11], alarms)


def channels(ctl: int) -> list[ChannelStatus]:
    """All channels, in DAHDI's order."""
    return list(_each(range(1, MAX_CHANNELS), lambda number: channel(ctl, number)))


def channels_of(ctl: int, number: int) -> list[ChannelStatus]:
    """A span's channels. Raises ``OSError``, in words where it has none."""
    found = [channel for channel in channels(ctl) if channel.span == number]
    if not found:
        raise OSError(errno.ENODEV, f"span {number}: DAHDI has no such span, or it has no channels")
    return found


def _each(numbers: range, get: Callable[[int], T]) -> Iterator[T]:
    for number in numbers:
        try:
            yield get(number)
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.EINVAL, errno.ENXIO):
                raise
