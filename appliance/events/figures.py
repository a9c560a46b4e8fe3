"""Figures of calls, computed from events alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from attrs import field, frozen

from appliance.api.types import EventRow


@frozen
class Percentiles:
    """Of a list of times in ms; 0 where there are none."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


@frozen
class CallFigures:
    """Calls from outside and how they went.

    ``ring_ms``: a free agent and a waiting call both there → the agent's phone rings. ``answer_ms``: call offered →
    answered by us. ``abandoned``: the caller hung up before he talked with anybody.
    """

    offered: int = 0
    answered: int = 0
    bridged: int = 0
    abandoned: int = 0
    blocked: int = 0
    ring_ms: Percentiles = field(factory=Percentiles)
    answer_ms: Percentiles = field(factory=Percentiles)


def percentiles(values: Sequence[float]) -> Percentiles:
    """Nearest-rank percentiles, rounded to 0.1."""
    if not values:
        return Percentiles()
    ranked = sorted(values)

    def at(share: float) -> float:
        return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 1)

    return Percentiles(at(0.50), at(0.95), at(0.99))


def call_figures(events: Iterable[EventRow]) -> CallFigures:
    """Count what the events say. Calls that our own phones begin are not offered calls."""
    outside: dict[str, str] = {}
    answered: set[str] = set()
    bridged: set[str] = set()
    abandoned: set[str] = set()
    offered_ms: dict[str, float] = {}
    blocked = 0
    ring: list[float] = []
    answer: list[float] = []
    for event in events:
        match event.kind:
            case "contact.offered" if event.data["line"] != "phones":
                outside[event.contact] = event.data["leg"]
            case "contact.blocked":
                blocked += 1
            case "leg.answered" if outside.get(event.contact) == event.data["leg"]:
                answered.add(event.contact)
                answer.append(event.data["ms"])
            case "contact.bridged" if event.contact in outside:
                bridged.add(event.contact)
            case "contact.ended" if event.contact in outside:
                if event.data["by"] == "far" and not event.data["talked"]:
                    abandoned.add(event.contact)
            case "acd.offered":
                offered_ms[event.contact] = event.data["ms"]
            case "acd.alerting":
                ring.append(offered_ms.pop(event.contact, 0.0) + event.data["ms"])
            case _:
                pass
    return CallFigures(
        len(outside), len(answered), len(bridged), len(abandoned), blocked, percentiles(ring), percentiles(answer)
    )
