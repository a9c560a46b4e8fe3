"""Channel-associated signalling on the lowest layer: a span whose channels have signalling bits (G.704 §5.1.3).

The simulator's span has two SOCK_SEQPACKET sockets as in ``hw.line.span``, ``<address>.c`` in place of ``<address>.d``:
one packet of two octets for each change, the channel and its ABCD bits (A is 8, D is 1). Both ends send the bits of all
channels when they are joined.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from hw.line.span import SimSpan
from hw.line.trunk import Timeslots


class CasSpan(ABC):
    """Signalling bits and timeslots. ``alarm`` is empty while the span is in order, else the alarm's name."""

    timeslots: Timeslots
    alarm: str

    @abstractmethod
    async def open(self, bits: Callable[[int, int], None], alarm: Callable[[str], None]) -> None:
        """Open it; ``bits(channel, abcd)`` takes every change, and the state of all channels after each alarm's end;
        ``alarm`` every change. Raises ``OSError``.
        """

    @abstractmethod
    def send(self, channel: int, bits: int) -> None:
        """Show these bits on a channel until others are sent; never blocks."""

    @abstractmethod
    def register(self, channel: int, at_work: bool) -> None:
        """Register signals pass on this channel, or no more: what is meant for speech is to leave them alone."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; no callback comes any more."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Changes of bits that were dropped, and the timeslots' counters."""


class SimCasSpan(CasSpan):
    """The span of a simulated exchange that connects to ``<address>.c`` and ``<address>.b``."""

    def __init__(self, address: str, channels: Sequence[int]) -> None:
        """Raises ``ValueError`` without an address."""
        self._span = SimSpan(address, channels, signalling="c")
        self.timeslots = self._span.timeslots
        self.alarm = self._span.alarm
        self._bits: Callable[[int, int], None] = lambda _channel, _bits: None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._malformed = 0

    async def open(self, bits: Callable[[int, int], None], alarm: Callable[[str], None]) -> None:
        """Bind both sockets."""
        self._bits, self._changed = bits, alarm
        await self._span.open(self._packet, self._on_alarm)

    def send(self, channel: int, bits: int) -> None:
        """Send one change to the exchange; without it nothing is to be told."""
        if not self.alarm:
            self._span.send(bytes((channel, bits)))

    def register(self, channel: int, at_work: bool) -> None:
        """Nothing here is meant for speech alone."""

    def close(self) -> None:
        """Close and remove both sockets."""
        self._span.close()

    def counters(self) -> dict[str, int]:
        """``c_dropped``, ``c_malformed`` and the timeslots' counters."""
        return self._span.counters() | {"c_malformed": self._malformed}

    def _on_alarm(self, alarm: str) -> None:
        self.alarm = alarm
        self._changed(alarm)

    def _packet(self, packet: bytes) -> None:
        if len(packet) == 2 and packet[1] < 16:
            self._bits(*packet)
        else:
            self._malformed += 1
