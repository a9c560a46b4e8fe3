"""Analog ports on the lowest layer: what a loop-start port can do, and what it tells (Q.552; DAHDI's events).

An FXO port takes the place of a telephone on an exchange's line; an FXS port feeds a telephone. One object has ports
of one kind: a mixed card is two of them, each with its own channels. A port does what it is told by itself: the burst
and the pause of ringing, and the length of a flash, are the card's to keep.

The simulator's ports have two SOCK_SEQPACKET sockets as in ``hw.line.span``, ``<address>.a`` in place of
``<address>.d``: one packet of two octets for each order and each sign, the channel and its number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import IntEnum

from hw.line.span import SimSpan
from hw.line.trunk import Timeslots

#: Ringing current of an FXS port: on and off, in turn (China: 1 s, 4 s).
RING_MS = (1000, 4000)
#: An FXS port passes audio to the telephone for so long after ``Order.ON_HOOK_TRANSFER``, though it is on hook.
ON_HOOK_TRANSFER_MS = 4000


class Order(IntEnum):
    """What a port is told to do. An order that the port's kind or the card does not know is counted and left alone."""

    #: FXO: open the loop. FXS: stop ringing; a telephone that is off hook has its current interrupted for a moment
    #: (the sign that the far end has cleared) and can dial again after that.
    ON_HOOK = 1
    #: FXO: close the loop: seize the line, or answer it. FXS: stop ringing and feed the telephone that is off hook.
    OFF_HOOK = 2
    #: FXO: open the loop for the length of a flash, and close it again.
    FLASH = 3
    #: FXS: ring with ``RING_MS``, beginning with a burst, until ``ON_HOOK`` or ``OFF_HOOK``.
    RING = 4
    #: FXS: polarity of the line; normal is what it has when it is opened.
    POLARITY_NORMAL = 5
    POLARITY_REVERSED = 6
    #: FXS: pass audio to the telephone on hook for ``ON_HOOK_TRANSFER_MS`` from now on (caller ID).
    ON_HOOK_TRANSFER = 7


class Sign(IntEnum):
    """What a port tells. Debounced by the card; what comes while the span is in alarm is not told."""

    #: FXO: a burst of ringing begins, and ends.
    RING_BEGINS = 1
    RING_ENDS = 2
    #: FXO: the exchange has turned the polarity, from whatever it was; each turn is told.
    POLARITY = 3
    #: FXO, off hook: the loop's current is gone (the exchange clears, or the line is cut); and there again.
    CURRENT_LOST = 4
    CURRENT_BACK = 5
    #: FXO, on hook: the line has no battery (it is not connected); and has it again.
    BATTERY_LOST = 6
    BATTERY_BACK = 7
    #: FXS: the telephone is lifted, and put down (longer than a flash).
    OFF_HOOK = 8
    ON_HOOK = 9
    #: FXS: the hook was pressed for a moment.
    FLASH = 10
    #: FXS: one burst of our ringing has ended.
    RINGER_OFF = 11


_SIGNS = frozenset(Sign)


class AnalogSpan(ABC):
    """Ports of one kind, numbered as ``timeslots.channels``, and their audio, which passes at all times: an FXO port
    hears the line on hook too. ``alarm`` is empty while the card is in order, else the alarm's name.
    """

    timeslots: Timeslots
    alarm: str

    @abstractmethod
    async def open(self, sign: Callable[[int, Sign], None], alarm: Callable[[str], None]) -> None:
        """Open it, every port on hook. ``sign(channel, sign)`` takes what the ports tell, ``alarm`` every change.

        After each alarm's end every port is on hook, and is told of once more where it is not as it should be:
        ``BATTERY_LOST`` of a line without battery, ``OFF_HOOK`` of a telephone that is off hook. Raises ``OSError``.
        """

    @abstractmethod
    def order(self, channel: int, order: Order) -> None:
        """Tell a port what to do; never blocks, and never tells a sign before it returns."""

    @abstractmethod
    def close(self) -> None:
        """Every port on hook, and let go of everything; no callback comes any more."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Orders that were dropped or not known, signs that were malformed, and the timeslots' counters."""


class SimAnalog(AnalogSpan):
    """The ports of a simulated far end that connects to ``<address>.a`` and ``<address>.b``.

    It keeps the times that a card would keep: bursts and pauses of ringing, the length of a flash.
    """

    def __init__(self, address: str, channels: Sequence[int]) -> None:
        """Raises ``ValueError`` without an address."""
        self._span = SimSpan(address, channels, signalling="a")
        self.timeslots = self._span.timeslots
        self.alarm = self._span.alarm
        self._sign: Callable[[int, Sign], None] = lambda _channel, _sign: None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._malformed = 0

    async def open(self, sign: Callable[[int, Sign], None], alarm: Callable[[str], None]) -> None:
        """Bind both sockets."""
        self._sign, self._changed = sign, alarm
        await self._span.open(self._packet, self._on_alarm)

    def order(self, channel: int, order: Order) -> None:
        """Send one order to the far end; without it nothing is to be done."""
        if not self.alarm:
            self._span.send(bytes((channel, order)))

    def close(self) -> None:
        """Close and remove both sockets: the far end takes every port for on hook."""
        self._span.close()

    def counters(self) -> dict[str, int]:
        """``a_dropped``, ``a_malformed`` and the timeslots' counters."""
        return self._span.counters() | {"a_malformed": self._malformed}

    def _on_alarm(self, alarm: str) -> None:
        self.alarm = alarm
        self._changed(alarm)

    def _packet(self, packet: bytes) -> None:
        if len(packet) == 2 and packet[0] in self.timeslots.channels and packet[1] in _SIGNS:
            self._sign(packet[0], Sign(packet[1]))
        else:
            self._malformed += 1
