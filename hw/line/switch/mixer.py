"""Who hears whom. A port with one source at gain 1 gets its octets as they are; the rest are small sparse sums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from hw.line.switch.ports import ALAW_TO_ULAW, ULAW_TO_ALAW, Ports, Rows
from hw.line.trunk import FRAME

Overlays = Mapping[int, NDArray[np.float32]]


def _rows(values: list[int]) -> Rows:
    return np.array(values, np.intp)


@frozen
class _Plan:
    """The work of a tick until somebody hears somebody else: copies to → from, and edges to ← from x gain by target."""

    copy_to: Rows
    copy_from: Rows
    to_ulaw: Rows
    to_alaw: Rows
    mixed: Rows
    place: dict[int, int]
    summed: Rows
    starts: Rows
    edges: Rows
    gains: NDArray[np.float32]


class Mixer:
    """Holds the sources of every row and applies them once a tick."""

    def __init__(self) -> None:
        self._sources: dict[int, dict[int, float]] = {}
        self._overlaid: frozenset[int] = frozenset()
        self._plan: _Plan | None = None

    def set(self, row: int, sources: dict[int, float]) -> None:
        """What ``row`` hears from now on: other rows with a linear gain each."""
        self._sources[row] = sources
        self._plan = None

    def drop(self, row: int) -> None:
        """Nobody hears ``row`` any more, and it hears nobody."""
        self._sources.pop(row, None)
        for sources in self._sources.values():
            sources.pop(row, None)
        self._plan = None

    def laws_changed(self) -> None:
        """A port speaks another law now: which octets can be copied must be found out again."""
        self._plan = None

    def run(self, ports: Ports, overlays: Overlays, instead: Overlays) -> None:
        """Fill what everyone hears; ``overlays`` are added to it, ``instead`` takes the place of it."""
        overlaid = frozenset(overlays) | frozenset(instead)
        if self._plan is None or overlaid != self._overlaid:
            self._overlaid = overlaid
            self._plan = self._compile(ports)
        plan = self._plan
        ports.heard[plan.copy_to] = ports.said[plan.copy_from]
        for rows, table in ((plan.to_ulaw, ALAW_TO_ULAW), (plan.to_alaw, ULAW_TO_ALAW)):
            if len(rows):
                ports.heard[rows] = table[ports.heard[rows]]
        if len(plan.mixed):
            self._mix(plan, ports, overlays, instead)

    @staticmethod
    def _mix(plan: _Plan, ports: Ports, overlays: Overlays, instead: Overlays) -> None:
        total = np.zeros((len(plan.mixed), FRAME), np.float32)
        if len(plan.edges):
            parts = ports.pcm[plan.edges] * plan.gains
            total[plan.summed] = np.add.reduceat(parts, plan.starts, axis=0)
        for row, frame in overlays.items():
            total[plan.place[row]] += frame
        for row, frame in instead.items():
            total[plan.place[row]] = frame
        np.clip(total, -32768, 32767, out=total)
        ports.hear(plan.mixed, total.astype(np.int16))

    def _compile(self, ports: Ports) -> _Plan:
        copy_to: list[int] = []
        copy_from: list[int] = []
        mixed: list[int] = sorted(self._overlaid)
        summed: list[int] = []
        starts: list[int] = []
        edges: list[int] = []
        gains: list[float] = []
        place = {row: i for i, row in enumerate(mixed)}
        for row, sources in self._sources.items():
            if not sources:
                continue
            if len(sources) == 1 and row not in place and 1.0 in sources.values():
                copy_to.append(row)
                copy_from += sources
                continue
            if row not in place:
                place[row] = len(mixed)
                mixed.append(row)
            summed.append(place[row])
            starts.append(len(edges))
            edges += sources
            gains += sources.values()
        to, source = _rows(copy_to), _rows(copy_from)
        return _Plan(
            copy_to=to, copy_from=source,
            to_ulaw=to[ports.mulaw[to] & ~ports.mulaw[source]], to_alaw=to[~ports.mulaw[to] & ports.mulaw[source]],
            mixed=_rows(mixed), place=place, summed=_rows(summed), starts=_rows(starts), edges=_rows(edges),
            gains=np.array(gains, np.float32)[:, None],
        )
