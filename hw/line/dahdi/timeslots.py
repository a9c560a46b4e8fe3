"""The audio of a card's bearer channels in the 20 ms tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hw.line.dahdi.channel import BearerChannel
from hw.line.span import SILENCE
from hw.line.trunk import FRAME, Octets, Timeslots

#: Ticks of one frame each before they count as in step.
_STEADY = 5


class DahdiTimeslots(Timeslots):
    """Timeslots of one span; silence while it is not open.

    The card and the tick run at the same rate, but a late tick leaves a channel with too much or too little in the
    kernel's buffers, for ever. So once the ticks are in step again the channels are brought back: ``reserve`` frames
    are sent in advance, and not more wait to be read than so many ticks may have been late. The first channel is
    looked at in each tick, another one in turn.
    """

    def __init__(self, channels: Sequence[int], reserve: int = 1) -> None:
        self.channels = channels
        self._reserve = reserve
        self._open: Sequence[BearerChannel] = ()
        self._lost: Callable[[OSError], None] = lambda _error: None
        self._fresh = False
        self._turn = 0
        #: Frames that are not to be sent, by row; what the first row had left to be read; ticks in step.
        self._skip: list[int] = []
        self._left = 0
        self._in_step = 0
        self._spare = np.full(FRAME, SILENCE, np.uint8)
        self._silence = self._spare.copy()
        self._counts = {"slips": 0, "missing": 0, "dropped": 0, "underruns": 0}

    def attach(self, channels: Sequence[BearerChannel], lost: Callable[[OSError], None]) -> None:
        """Use these, in the order of ``channels``; none: the span is closed. ``lost``: the card is not there."""
        self._open, self._lost, self._fresh = channels, lost, True
        self._skip, self._left, self._in_step = [0] * len(channels), 0, 0

    def read(self, into: Octets) -> None:
        """See ``Timeslots``."""
        if not self._open:
            into.fill(SILENCE)
            return
        try:
            if self._fresh:
                self._begin()
            self._balance()
            for row, channel in enumerate(self._open):
                if not channel.read(into[row]):
                    into[row] = SILENCE
                    self._counts["missing"] += channel.started
        except OSError as error:
            into.fill(SILENCE)
            self._lost(error)

    def write(self, frames: Octets) -> None:
        """See ``Timeslots``."""
        try:
            for row, channel in enumerate(self._open):
                if not channel.started:  # the reserve is being sent: what is sent keeps step with what comes
                    continue
                if self._skip[row]:
                    self._skip[row] -= 1
                    self._counts["slips"] += 1
                elif not channel.write(frames[row]):
                    self._counts["dropped"] += 1
        except OSError as error:
            self._lost(error)

    def counters(self) -> dict[str, int]:
        """Frames: ``slips`` left out, ``missing`` not there in time, ``dropped`` not taken, ``underruns`` filled in."""
        return dict(self._counts)

    def _begin(self) -> None:
        """The first tick: forget what came while nobody read, and give the card its reserve."""
        self._fresh = False
        for channel in self._open:
            channel.flush()
            channel.write(self._silence)
            self._fill(channel)

    def _fill(self, channel: BearerChannel) -> None:
        for _ in range(self._reserve):
            channel.write(self._silence)

    def _balance(self) -> None:
        to_read, to_send = self._open[0].waiting()
        came, self._left = to_read - self._left, max(to_read - 1, 0)
        if came > 1 and not to_send:  # a late tick, late for the others too: they are looked at while it shows
            for each in self._open:
                each.waiting()
        self._in_step = self._in_step + 1 if came == 1 else 0
        if self._in_step < _STEADY:  # ticks may be caught up: what is too much, or too little, now will not be then
            return
        self._turn = (self._turn + 1) % len(self._open)
        wrong = to_send == 0 or max(to_read, to_send) > self._reserve + 1
        for row in range(len(self._open)) if wrong else (self._turn,):
            self._correct(row)

    def _correct(self, row: int) -> None:
        """Bring one channel back to a frame to be read, and the reserve to be sent; all at once is one click."""
        channel = self._open[row]
        to_read, to_send = channel.waiting()
        if to_read > self._reserve + 1:
            for _ in range(to_read - 1):
                self._counts["slips"] += channel.read(self._spare)
            self._left -= (to_read - 1) * (row == 0)
        if to_send > self._reserve + 1:
            self._skip[row] = to_send - self._reserve
        elif to_send == 0:
            self._fill(channel)
            self._counts["underruns"] += 1
