"""What a trunk whose channels signal each for itself needs of its signalling, and how that gets into the audio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hw.line.trunk import Octets, Timeslots


class Channel(Protocol):
    """One channel's machine. ``blocked`` says why no new call may take it; ``unexpected`` counts what did not fit."""

    unexpected: int

    @property
    def idle(self) -> bool:
        """Whether a new call may take it."""

    @property
    def blocked(self) -> str:
        """Why none may, though it carries none; empty: it may."""


class Line(Protocol):
    """All channels of a span, and their sounds; each command is for the channel ``number``."""

    @property
    def channels(self) -> Mapping[int, Channel]:
        """By number."""

    def up(self) -> None:
        """The span is in order."""

    def lost(self) -> None:
        """The span is not, and every call is gone."""

    def hear(self, frames: Octets) -> None:
        """20 ms have passed, and this was heard [channels, 160]; signals become silence in it."""

    def say(self, frames: Octets) -> None:
        """Put the signalling's sounds in place of what would be sent [channels, 160]."""

    def alert(self, number: int) -> None:
        """It rings at the called party."""

    def answer(self, number: int) -> None:
        """The called party answers."""

    def hush(self, number: int) -> None:
        """Send no ringback of our own."""

    def hangup(self, number: int, cause: int) -> None:
        """Clear the call."""

    def reset(self, number: int) -> None:
        """Bring the channel back to idle, whatever was there."""

    def block(self, number: int, blocked: bool) -> None:
        """Take it out of service for new calls, or back."""


class SignalledTimeslots(Timeslots):
    """A span's timeslots with the signalling's sounds in them, so that the switch never knows of them."""

    def __init__(self, timeslots: Timeslots, line: Line) -> None:
        self.channels = timeslots.channels
        self._timeslots = timeslots
        self._line = line

    def read(self, into: Octets) -> None:
        """The span's frame, silent where the signalling has the channel."""
        self._timeslots.read(into)
        self._line.hear(into)

    def write(self, frames: Octets) -> None:
        """Send the frame with the signalling's sounds in place of the switch's audio."""
        self._line.say(frames)
        self._timeslots.write(frames)

    def counters(self) -> dict[str, int]:
        """The span's."""
        return self._timeslots.counters()
