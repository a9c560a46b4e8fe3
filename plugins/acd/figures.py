"""A day's figures of queues and agents, folded from events: the only place where they are counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from attrs import define

Formula = Literal[1, 2, 3, 4]


@define
class QueueDay:
    """One queue's day. ``in_target``: within the target time of the queue."""

    offered: int = 0
    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    abandoned_in_target: int = 0
    overflowed: int = 0
    wait_ms: float = 0.0
    longest_wait_ms: float = 0.0

    def service_level(self, formula: Formula = 4) -> float | None:
        """Service level 0..1; None before the first call. With Y the target time:

        1: (answered ≤ Y + abandoned ≤ Y) / (answered + abandoned); 2: answered ≤ Y / answered;
        3: answered ≤ Y / (answered + abandoned); 4: answered ≤ Y / (answered + abandoned after Y).
        """
        good = self.answered_in_target + (self.abandoned_in_target if formula == 1 else 0)
        counted = self.answered
        if formula in (1, 3):
            counted += self.abandoned
        elif formula == 4:
            counted += self.abandoned - self.abandoned_in_target
        return good / counted if counted else None


class Figures:
    """Today, in local time. Feed it every ``queue.`` event in order; it begins anew with the first event of a day."""

    def __init__(self, target_ms: Callable[[str], float]) -> None:
        """``target_ms`` gives the target time of a queue."""
        self._target_ms = target_ms
        self._day: date | None = None
        self.queues: dict[str, QueueDay] = defaultdict(QueueDay)
        self.answered_by: Counter[str] = Counter()
        #: Contacts that entered and have neither been answered nor left: queue and when they entered.
        self.waiting: dict[str, tuple[str, float]] = {}

    def turn(self, at: float) -> None:
        """Begin a new day if ``at`` is in one."""
        if (day := datetime.fromtimestamp(at).date()) != self._day:
            self._day = day
            self.queues.clear()
            self.answered_by.clear()

    def take(self, kind: str, at: float, contact: str, data: Mapping[str, Any]) -> None:
        """Count one event."""
        self.turn(at)
        if kind == "queue.entered":
            self.queues[data["queue"]].offered += 1
            self.waiting[contact] = (data["queue"], at)
        elif kind in ("queue.answered", "queue.abandoned", "queue.overflowed"):
            self.waiting.pop(contact, None)
            self._leave(kind, data)

    def _leave(self, kind: str, data: Mapping[str, Any]) -> None:
        queue, wait_ms = self.queues[data["queue"]], data["wait_ms"]
        in_target = wait_ms <= self._target_ms(data["queue"])
        queue.wait_ms += wait_ms
        queue.longest_wait_ms = max(queue.longest_wait_ms, wait_ms)
        if kind == "queue.answered":
            queue.answered += 1
            queue.answered_in_target += in_target
            self.answered_by[data["agent"]] += 1
        elif kind == "queue.abandoned":
            queue.abandoned += 1
            queue.abandoned_in_target += in_target
        else:
            queue.overflowed += 1
