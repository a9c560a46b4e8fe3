"""Two R2 channels wired to each other without audio: bits and signals arrive after a delay, time jumps."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from hw.line.signalling import r2_actions as do
from hw.line.signalling.r2_actions import Action, Rules
from hw.line.signalling.r2_channel import R2Channel

A = TypeVar("A")


class End:
    """One end: its channel, what it told, and what is on its wire to the other."""

    def __init__(self, rules: Rules) -> None:
        self.channel = R2Channel(rules)
        self.told: list[Action] = []
        self.bits = -1
        self.signal = 0
        self.forward: bool | None = None
        self.tone = ""
        #: Faults: signals that are sent but never arrive, by their number in order; and bits.
        self.sent = 0
        self.lost_signals: set[int] = set()
        self.deaf_bits = False

    def last(self, kind: type[A]) -> A:
        """The last that was told of a kind."""
        return [action for action in self.told if isinstance(action, kind)][-1]

    def tells(self, kind: type[A]) -> bool:
        """Whether something of a kind was told."""
        return any(isinstance(action, kind) for action in self.told)


class Wire:
    """``a`` and ``b`` joined. Signals take ``tone_ms`` to be heard, bits 1 ms."""

    def __init__(self, rules_a: Rules | None = None, rules_b: Rules | None = None, *, tone_ms: int = 60) -> None:
        self.now = 1000
        self.a, self.b = End(rules_a or Rules()), End(rules_b or Rules())
        self._tone_ms = tone_ms
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        for end in (self.a, self.b):
            self.perform(end, end.channel.show())
        self.run(100)

    def other(self, end: End) -> End:
        return self.b if end is self.a else self.a

    def perform(self, end: End, actions: list[Action]) -> None:
        """Do what a channel wants done."""
        other = self.other(end)
        for action in actions:
            match action:
                case do.SendBits(bits):
                    end.bits = bits
                    if not end.deaf_bits:
                        self.later(1, lambda bits=bits: self.perform(other, other.channel.bits(self.now, bits)))
                case do.Attach(forward):
                    end.forward = forward
                    if end.signal:
                        self._say(end, 0)
                case do.SendSignal(signal):
                    self._say(end, signal)
                case do.CallTone(name):
                    end.tone = name
                case _:
                    end.told.append(action)

    def _say(self, end: End, signal: int) -> None:
        end.signal = signal
        if signal:
            end.sent += 1
        if end.sent not in end.lost_signals:
            other, forward = self.other(end), end.forward
            self.later(self._tone_ms, lambda: self._hear(other, signal, forward))

    def _hear(self, end: End, signal: int, forward: bool | None) -> None:
        """A register hears only what is of the other kind, and the end of it."""
        if end.forward is not None and (not signal or end.forward != forward):
            self.perform(end, end.channel.hear(self.now, signal))

    def later(self, ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + ms, next(self._order), act))

    def step(self) -> bool:
        """The next thing that happens; False when nothing will."""
        ends = [(end.channel.due, end) for end in (self.a, self.b) if end.channel.due]
        due, end = min(ends, key=lambda each: each[0], default=(0, None))
        if self._queue and (end is None or self._queue[0][0] <= due):
            self.now, _, act = heapq.heappop(self._queue)
            act()
        elif end is not None:
            self.now = max(self.now, due)
            self.perform(end, end.channel.expire(self.now))
        else:
            return False
        return True

    def run(self, ms: int) -> None:
        """Let so much time pass."""
        over = [False]
        self.later(ms, lambda: over.__setitem__(0, True))
        while not over[0]:
            self.step()

    def until(self, met: Callable[[], bool], ms: int = 60_000) -> int:
        """Until something holds; returns how many ms it took. Fails after ``ms``."""
        began = self.now
        while not met():
            assert self.step() and self.now < began + ms, (self.a.channel.phase, self.b.channel.phase)
        return self.now - began
