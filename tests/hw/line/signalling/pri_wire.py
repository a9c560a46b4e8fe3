"""A D channel in memory, with somebody on it: frames are lost, doubled, altered, and messages are put in between.

What is put in has a number of its own in the data link: the numbers of all that follow are changed on the way, and
acknowledgements back again (Q.921 §3.5.2), so that both ends take the link for a sound one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from hw.line.span import Span
from hw.line.trunk import Octets, Timeslots

_SABME, _P = 0x6F, 0x10


class Silent(Timeslots):
    """Timeslots without a sound."""

    def __init__(self, channels: Sequence[int]) -> None:
        self.channels = channels

    def read(self, into: Octets) -> None:
        into.fill(0xD5)

    def write(self, frames: Octets) -> None:
        """Nobody hears it."""

    def counters(self) -> dict[str, int]:
        return {}


class WireSpan(Span):
    """Our end of the wire."""

    def __init__(self, wire: Wire, channels: Sequence[int]) -> None:
        self.timeslots = Silent(channels)
        self.alarm = "RED"
        self.frame: Callable[[bytes], None] = lambda _frame: None
        self._wire = wire
        self._changed: Callable[[str], None] = lambda _alarm: None

    async def open(self, frame: Callable[[bytes], None], alarm: Callable[[str], None]) -> None:
        self.frame, self._changed = frame, alarm

    def send(self, frame: bytes) -> None:
        self._wire.from_us(frame)

    def close(self) -> None:
        self._changed = lambda _alarm: None

    def counters(self) -> dict[str, int]:
        return {}

    def set_alarm(self, alarm: str) -> None:
        self.alarm = alarm
        self._changed(alarm)


class Numbers:
    """The numbers of what one end sends (N(S)) as the other end gets them, with what was put in between."""

    def __init__(self) -> None:
        self._expected = self._next = 0
        self._given: dict[int, int] = {}
        self._acknowledged = {0: 0}

    def passing(self, number: int) -> int:
        """The number that a frame gets; one that is repeated gets its old one."""
        if number == self._expected:
            self._given[number] = self._next
            self._expected, self._next = (number + 1) % 128, (self._next + 1) % 128
            self._acknowledged[self._next] = self._expected
        return self._given.get(number, number)

    def put_in(self) -> int:
        """The number of a frame that was never sent."""
        number, self._next = self._next, (self._next + 1) % 128
        self._acknowledged[self._next] = self._expected
        return number

    def acknowledged(self, number: int) -> int:
        """What an acknowledgement (N(R)) means to the sender."""
        return self._acknowledged.get(number, number)


class Wire:
    """``far`` takes what we send; ``tamper`` may alter a message on its way to us.

    While it is ``faulty`` one frame in 5000 is lost, and one comes twice.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.far: Callable[[bytes], None] = lambda _frame: None
        self.tamper: Callable[[bytes], bytes] = lambda message: message
        self.span: WireSpan
        self.whole = False
        self.faulty = False
        #: Call references that were seen, in the octets that they came in.
        self.references: list[bytes] = []
        self._numbers = Numbers()
        self._header = b"\x02\x01"
        self._acknowledged = 0

    def from_us(self, frame: bytes) -> None:
        """One of our frames."""
        self._look_for_start(frame)
        if len(frame) > 3 and frame[2] & 3 != 3:
            back = self._numbers.acknowledged(frame[3] >> 1)
            frame = frame[:3] + bytes((back << 1 | frame[3] & 1,)) + frame[4:]
        self._see(frame)
        self._pass(frame, lambda frame: self.far(frame))

    def from_far(self, frame: bytes) -> None:
        """One of the exchange's."""
        self._look_for_start(frame)
        if len(frame) > 3 and frame[2] & 3 != 3:
            self._acknowledged = frame[3] & 0xFE
        if len(frame) > 4 and not frame[2] & 1:
            self._header = frame[:2]
            self._see(frame)
            number = self._numbers.passing(frame[2] >> 1)
            message = self.tamper(frame[4:]) if self.faulty else frame[4:]
            frame = frame[:2] + bytes((number << 1, frame[3])) + message
        self._pass(frame, lambda frame: self.span.frame(frame))

    def put_in(self, message: bytes) -> None:
        """A message to us that the exchange has never sent."""
        numbers = bytes((self._numbers.put_in() << 1, self._acknowledged))
        self._pass(self._header + numbers + message, lambda frame: self.span.frame(frame))

    def cut(self) -> None:
        """Nothing passes until ``mend``, and both ends see it."""
        self.whole = False
        self.span.set_alarm("RED")

    def mend(self) -> None:
        self.whole = True
        self._numbers = Numbers()
        self.span.set_alarm("")

    def _look_for_start(self, frame: bytes) -> None:
        """Both ends count from 0 after SABME (Q.921 §5.5.1)."""
        if len(frame) == 3 and frame[2] & ~_P == _SABME:
            self._numbers, self._acknowledged = Numbers(), 0

    def _see(self, frame: bytes) -> None:
        """Q.931 in an I frame: remember its call reference (§4.3)."""
        if len(frame) > 8 and not frame[2] & 1 and frame[4:6] == b"\x08\x02":
            self.references = [*self.references[-9:], frame[6:8]]

    def _pass(self, frame: bytes, to: Callable[[bytes], None]) -> None:
        if not self.whole:
            return
        fault = self.random.randrange(5000) if self.faulty else -1
        for _ in range({0: 0, 1: 2}.get(fault, 1)):
            asyncio.get_running_loop().call_soon(self._arrive, frame, to)

    def _arrive(self, frame: bytes, to: Callable[[bytes], None]) -> None:
        if self.whole:
            to(frame)
