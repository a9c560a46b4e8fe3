"""What waits to be sent to one client: bounded, so that a client that does not read costs no memory."""

from __future__ import annotations

import asyncio
from collections import deque

from appliance.api import rpc

#: Events that may wait; then the oldest go and the client is told how many.
MAX_EVENTS = 2000
#: Answers that may wait; then no more requests are read.
MAX_ANSWERS = 64


class Outbox:
    """Answers are never dropped, events when there are too many, of the live views only the newest is kept."""

    def __init__(self) -> None:
        """Empty."""
        self._answers: deque[bytes] = deque()
        self._events: deque[bytes] = deque(maxlen=MAX_EVENTS)
        self._live: bytes | None = None
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._untold = 0
        #: Events and live views that were not sent because the client was too slow.
        self.events_dropped = 0
        self.live_skipped = 0

    def answer(self, line: bytes) -> None:
        """Queue an answer."""
        self._answers.append(line)
        if len(self._answers) >= MAX_ANSWERS:
            self._room.clear()
        self._some.set()
        self._empty.clear()

    def event(self, line: bytes) -> None:
        """Queue an event."""
        if len(self._events) == MAX_EVENTS:
            self.events_dropped += 1
            self._untold += 1
        self._events.append(line)
        self._some.set()
        self._empty.clear()

    def live(self, line: bytes) -> None:
        """Queue a live view in place of the one that waits."""
        self.live_skipped += self._live is not None
        self._live = line
        self._some.set()
        self._empty.clear()

    async def room(self) -> None:
        """Wait until another answer may be queued."""
        await self._room.wait()

    async def sent(self) -> None:
        """Wait until all that waits now is given to the connection."""
        if self._some.is_set():
            await self._empty.wait()

    async def take(self) -> bytes:
        """All that waits, answers first; waits for something."""
        await self._some.wait()
        self._some.clear()
        lines = [*self._answers]
        if self._untold:
            lines.append(rpc.notification("dropped", {"events": self._untold}))
        lines += self._events
        if self._live is not None:
            lines.append(self._live)
        self._answers.clear()
        self._events.clear()
        self._live, self._untold = None, 0
        self._room.set()
        self._empty.set()
        return b"".join(lines)
