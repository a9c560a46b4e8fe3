"""A line that rings: when a call is offered, whose it is, and when the caller has given up. Pure; times in seconds."""

from __future__ import annotations

import re

from attrs import define, field

#: Caller ID that came before the first ring (DTMF) belongs to it for so long.
_BEFORE_S = 8.0
#: A name may follow the number.
_MORE_S = 0.1
_LINE = re.compile(r"(DATE|TIME|NMBR|NAME|DDN_NMBR)\s*=\s*(.*)")
#: What stands for a number that is not shown: private, out of area (V.253 §9.2.3.1; GR-30).
_HIDDEN, _UNKNOWN = {"P", "PRIVATE"}, {"O", "OUT OF AREA", "UNKNOWN", "-"}


@define
class Caller:
    """What caller ID told."""

    number: str = ""
    name: str = ""
    restricted: bool = False
    known: bool = False


@define
class Ringing:
    """Rings and caller ID of one line.

    ``wait_s``: a call without caller ID is offered so long after its first ring; ``gap_s``: without a ring for so long
    the caller has given up.
    """

    wait_s: float
    gap_s: float
    caller: Caller = field(factory=Caller)
    rings: int = 0
    _first: float = 0.0
    _last: float = 0.0
    _told: float = -_BEFORE_S

    def ring(self, now: float) -> bool:
        """A burst of ringing; whether it is the first of a call."""
        first = self.rings == 0
        if first:
            self._first = now
            if now - self._told > _BEFORE_S:
                self.caller = Caller()
        self.rings += 1
        self._last = now
        return first

    def line(self, text: str, now: float) -> bool:
        """A line of caller ID; False for anything else."""
        found = _LINE.match(text)
        if found is None:
            return False
        if not self.rings and now - self._told > _BEFORE_S:
            self.caller = Caller()
        self._told = now
        key, value = found[1], found[2].strip()
        if key.endswith("NMBR"):
            self.caller.known = True
            self.caller.restricted = value.upper() in _HIDDEN
            self.caller.number = re.sub(r"[^0-9*#+]", "", "" if value.upper() in _HIDDEN | _UNKNOWN else value)
        elif key == "NAME" and value.upper() not in _HIDDEN | _UNKNOWN:
            self.caller.name = value
        return True

    def due(self, now: float) -> float:
        """Seconds until the call is to be offered, 0 for now: caller ID is there, or will not come any more."""
        if self.rings >= 2:
            return 0.0
        if self.caller.known:
            return max(0.0, self._told + _MORE_S - now)
        return max(0.0, self._first + self.wait_s - now)

    def silent(self, now: float) -> float:
        """Seconds until the caller counts as gone, 0 for now."""
        return max(0.0, self._last + self.gap_s - now)

    def over(self) -> None:
        """Answered, or given up."""
        self.rings = 0
        self.caller = Caller()
        self._told = -_BEFORE_S
