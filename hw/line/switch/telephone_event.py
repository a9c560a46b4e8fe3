"""Keys as RFC 4733 telephone events: what comes made one key each, what goes made packets tick by tick."""

from __future__ import annotations

from collections import deque

from attrs import define, field, frozen

from hw.line.dsp.dtmf import Edge

#: Event codes 0 to 15 (RFC 4733 §3.2).
KEYS = "0123456789*#ABCD"
_TICK_SAMPLES = 160
#: What is sent: 100 ms of tone, 60 ms of audio between two.
_ON_TICKS, _GAP_TICKS = 5, 3
#: Ticks without a packet after which a key whose end was lost is over (packets come every 20 to 50 ms).
_LOST_TICKS = 8


@define
class Receiver:
    """The keys of one stream. An event is one key by its timestamp, however many packets tell it (§2.5.1.2)."""

    _timestamp: int = -1
    _key: str = ""
    _duration: int = 0
    _silent: int = 0

    @property
    def down(self) -> bool:
        """Whether a key is held."""
        return bool(self._key)

    def packet(self, event: int, timestamp: int, *, end: bool, duration: int) -> list[Edge]:
        """One packet; gives the keys that go down and up by it. Events that are no keys give nothing."""
        if event >= len(KEYS):
            return []
        edges: list[Edge] = []
        if timestamp != self._timestamp:
            if self._timestamp >= 0 and (timestamp - self._timestamp) & 0xFFFFFFFF >= 1 << 31:
                return []  # a copy of an older key's end
            edges = self._finish()
            self._timestamp, self._key, self._duration = timestamp, KEYS[event], 0
            edges.append(("down", self._key, 0))
        self._silent = 0
        if self._key:
            self._duration = max(self._duration, duration)
            if end:
                edges += self._finish()
        return edges

    def tick(self) -> list[Edge]:
        """20 ms went by; gives the key whose end was lost."""
        if not self._key:
            return []
        self._silent += 1
        return self._finish() if self._silent > _LOST_TICKS else []

    def _finish(self) -> list[Edge]:
        if not self._key:
            return []
        edge: Edge = ("up", self._key, self._duration // 8)
        self._key = ""
        return [edge]


@frozen
class Packet:
    """What is sent in one tick in place of audio: ``copies`` of an event's packet."""

    event: int
    first: bool
    end: bool
    duration: int
    copies: int


@define
class Sender:
    """The keys still to be sent on one stream."""

    _keys: deque[int] = field(factory=deque)
    _tick: int = 0

    def add(self, keys: str) -> None:
        """Send ``keys`` after those that wait. Raises ``ValueError`` for what is no key."""
        self._keys.extend([KEYS.index(key) for key in keys])

    @property
    def idle(self) -> bool:
        """Whether there is nothing to send."""
        return not self._keys

    def tick(self) -> Packet | None:
        """What to send in this tick; None for audio. The end is sent three times (§2.5.1.4)."""
        if not self._keys:
            return None
        self._tick += 1
        if self._tick > _ON_TICKS:
            if self._tick == _ON_TICKS + _GAP_TICKS:
                self._keys.popleft()
                self._tick = 0
            return None
        end = self._tick == _ON_TICKS
        return Packet(self._keys[0], self._tick == 1, end, self._tick * _TICK_SAMPLES, 3 if end else 1)
