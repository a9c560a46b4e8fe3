"""Who may not try a PIN now. Pure: time is given."""

from __future__ import annotations

#: So many wrong tries in a row, and so long no more (seconds).
TRIES = 5
LOCKED_S = 600.0
#: At most so many numbers are remembered: somebody who dials through all numbers must not fill the memory.
MAX_NUMBERS = 10_000


class Lockout:
    """Counts wrong tries by number. A try while locked does not make the time longer."""

    def __init__(self) -> None:
        """Nobody has tried yet."""
        self._wrong: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def locked(self, number: str, now: float) -> bool:
        """Whether no try is allowed at ``now`` (epoch seconds)."""
        until = self._until.get(number)
        if until is not None and now >= until:
            del self._until[number]
        return number in self._until

    def right(self, number: str) -> None:
        """A right PIN ends the count."""
        self._wrong.pop(number, None)

    def wrong(self, number: str, now: float) -> float | None:
        """Count a wrong PIN; the time until which the number is now locked, if it is."""
        count = self._wrong.pop(number, 0) + 1
        if count < TRIES:
            if len(self._wrong) >= MAX_NUMBERS:
                del self._wrong[next(iter(self._wrong))]
            self._wrong[number] = count
            return None
        if len(self._until) >= MAX_NUMBERS:
            del self._until[next(iter(self._until))]
        self._until[number] = now + LOCKED_S
        return self._until[number]

    def forget(self, number: str) -> None:
        """A new PIN, a new beginning."""
        self._wrong.pop(number, None)
        self._until.pop(number, None)
