"""What the console knows: the newest live view, the newest events, and whether the service speaks. One owner."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from appliance.api.types import EventRow, Live
from textual_admin.firstrun import Facts

#: Without a live view for so long the figures are grey. The service sends one a second at least.
SILENT_S = 3.0
#: Events that are kept for the log.
KEPT = 2000


class Store:
    """Written by the app from the feed's messages, read by the panels. ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing known yet."""
        self._clock = clock
        self.live: Live | None = None
        #: Lines that whoever started the console wants to be seen.
        self.notes: Sequence[str] = ()
        #: Why there is no connection, as a sentence; "" while there is one or the first is being made.
        self.trouble = ""
        self.events: deque[EventRow] = deque(maxlen=KEPT)
        #: Events that were lost on the way because somebody was too slow.
        self.lost = 0
        #: Methods of the API that the service turned out not to have.
        self.missing: frozenset[str] = frozenset()
        #: How the site is set up; None: nobody has asked yet.
        self.setup: Facts | None = None
        #: Share of a core that each process used between the last views, by its pid.
        self.cpu: dict[int, float] = {}
        self._heard = clock()
        self._cpu_before: dict[int, tuple[float, float]] = {}

    def take_live(self, view: Live) -> None:
        """The newest view."""
        self.live, self.trouble, self._heard = view, "", self._clock()
        for row in view.processes:
            at = view.at - row.age_s
            before_at, before_s = self._cpu_before.setdefault(row.pid, (at, row.cpu_s))
            if at - before_at >= 1.0:
                self.cpu[row.pid] = (row.cpu_s - before_s) / (at - before_at)
                self._cpu_before[row.pid] = at, row.cpu_s

    def take_events(self, rows: Iterable[EventRow], lost: int = 0) -> None:
        """The newest events in order; ``lost`` is how many were, altogether."""
        self.events.extend(rows)
        self.lost = lost

    def silent_s(self) -> float:
        """How long ago the last view came, or the console began."""
        return self._clock() - self._heard

    @property
    def stale(self) -> bool:
        """Whether the figures must not be trusted: old, or no connection."""
        return bool(self.trouble) or self.silent_s() >= SILENT_S

    def age_s(self) -> float | None:
        """How old the figures are; None when there are none."""
        return None if self.live is None else self.silent_s()
