"""Analog telephones at the box's FXS ports: seats whose phone has a wire in place of a registration.

To calls and plugins they are phones like all others, on the line ``phones`` under their seat's account, which is the
telephone's number; only who dials one needs to know the line that has it.
"""

from __future__ import annotations

from appliance.events.log import EventLog
from appliance.events.types import PhoneRegistered, PhoneUnregistered
from hw.messages import LineState

#: What a line of telephones is called in its ``LineState``.
KIND = "fxs"


class Telephones:
    """Owner of what is known of them: number → place, ``desk 2`` for channel 2 of the line ``desk``, while it is up."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._lines: set[str] = set()
        self._places: dict[str, tuple[str, int]] = {}

    def line_changed(self, state: LineState) -> None:
        """A line is as told now; of other kinds than telephones it is nothing to us."""
        if state.kind != KIND:
            return
        self._lines.add(state.line)
        there = {c.number: (state.line, c.channel) for c in state.channels if state.up}
        gone = {number for number, (line, _) in self._places.items() if line == state.line} - set(there)
        for number in sorted(gone):
            del self._places[number]
            self._events.append(PhoneUnregistered(number, state.alarm))
        for number in there.keys() - self._places.keys():
            self._places[number] = there[number]
            self._events.append(PhoneRegistered(number, self.place(number), ""))

    def lost(self) -> None:
        """The line process died, and nobody can be called."""
        for number in sorted(self._places):
            self._events.append(PhoneUnregistered(number, "process away"))
        self._places.clear()

    def has(self, line: str) -> bool:
        """Whether a line is one of telephones."""
        return line in self._lines

    def line_of(self, number: str) -> str:
        """The line that has a telephone; empty for none."""
        return self._places[number][0] if number in self._places else ""

    def place(self, number: str) -> str:
        """Where a telephone is, for people to read; empty when it is not there."""
        line, channel = self._places.get(number, ("", 0))
        return f"{line} {channel}" if line else ""
