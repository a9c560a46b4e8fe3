"""Whatever comes, a loop-start port ends idle or blocked with a reason, and every call is told as over once.

``python -m tests.hw.line.signalling.loop_random [EVENTS] [SEED]`` throws as many events as one likes.
"""

from __future__ import annotations

import sys
from enum import Enum
from random import Random
from typing import get_args

from attrs import evolve

from hw.line.analog import Order, Sign
from hw.line.dsp.call_progress import Found
from hw.line.settings import LoopSettings
from hw.line.signalling import loop_actions as do
from hw.line.signalling import notices as told
from hw.line.signalling.caller_id import CallerId
from hw.line.signalling.loop_actions import Action, FxoPhase
from hw.line.signalling.loop_fxo import FxoPort
from hw.line.signalling.loop_fxs import FxsPort
from hw.line.signalling.loop_port import LoopPort

TONES: tuple[Found, ...] = get_args(Found)
_TIMES = (1, 20, 100, 400, 1000, 4000, 5000, 7000, 30_000, 200_000)
_SENDING_MS = 700
_FXO_ORDERS = {Order.ON_HOOK, Order.OFF_HOOK, Order.FLASH}
_OPPOSITE = {Order.POLARITY_NORMAL: Order.POLARITY_REVERSED, Order.POLARITY_REVERSED: Order.POLARITY_NORMAL}


class Fuzz:
    """One port under fire: ``step`` does something by chance, ``settle`` lets the far end become quiet."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 1000
        settings = evolve(
            LoopSettings(), cid=random.choice(("fsk", "dtmf", "none")), polarity=random.random() < 0.5,
            release_by_tone=random.random() < 0.8,
        )  # fmt: skip
        self.fxo = random.random() < 0.5
        self.port: LoopPort = FxoPort("95001", settings) if self.fxo else FxsPort("801", settings)
        self.call = ""
        self.told = ""
        self.sent_at = 0
        self.hook, self.polarity = Order.ON_HOOK, Order.POLARITY_NORMAL
        self.phases: set[Enum] = set()
        self.ended: set[int] = set()
        self.take(self.port.show())

    @property
    def phase(self) -> Enum:
        phase = getattr(self.port, "phase")  # noqa: B009  the two kinds have phases of their own
        assert isinstance(phase, Enum)
        return phase

    def take(self, actions: list[Action]) -> None:
        """Check that what is wanted and told makes sense."""
        for action in actions:
            match action:
                case do.Give(order):
                    self.ordered(order)
                case do.SendKeys() | do.SendCallerId():
                    self.sent_at = self.now + _SENDING_MS
                case do.StopSending():
                    self.sent_at = 0
                case told.Seized():
                    assert not self.call
                    self.call = "incoming"
                case told.Offered(called=called):
                    assert self.call == "incoming" and called
                    self.call = "offered"
                case told.Acknowledged() | told.InBand():
                    assert self.call == "out"
                case told.Accepted():
                    assert self.call == "out"
                    self.call = "accepted"
                case told.Answered():
                    assert self.call in ("out", "accepted")
                    self.call = "up"
                case told.Flashed():
                    assert not self.fxo and self.call
                case told.Released(cause):
                    assert self.call and cause in range(1, 128)
                    self.ended.add(cause)
                    self.call = ""
                case told.Blocked(reason):
                    assert reason != self.told
                    self.told = reason
        self.phases.add(self.phase)
        assert not (self.port.idle and (self.call or self.port.blocked))
        assert not self.port.due or self.port.due > self.now - 1, (self.port.due, self.now, self.phase)

    def ordered(self, order: Order) -> None:
        if order in _OPPOSITE:
            assert not self.fxo and self.polarity is _OPPOSITE[order]
            self.polarity = order
        elif order is Order.FLASH:
            assert self.fxo and self.hook is Order.OFF_HOOK
        elif order is not Order.ON_HOOK_TRANSFER:
            assert order in _FXO_ORDERS or not self.fxo
            assert order is not Order.OFF_HOOK or self.hook is not order
            self.hook = order

    def leap(self, ms: int) -> None:
        """Time passes, and what is due and what is sent come in their order."""
        end = self.now + ms
        while times := [time for time in (self.port.due, self.sent_at) if 0 < time <= end]:
            self.now = max(min(times), self.now)
            if 0 < self.sent_at <= self.now:
                self.sent_at = 0
                self.take(self.port.sent(self.now))
            else:
                self.take(self.port.expire(self.now))
        self.now = end

    def step(self) -> None:
        """Something happens: rather what may be expected, sometimes anything."""
        random, port = self.random, self.port
        match random.choice("sssssskkktttuccc" + "cwwww"):
            case "s":
                self.take(port.sign(self.now, random.choice(tuple(Sign))))
            case "k":
                for key in random.choice(("1", "9", "#", "D138C", "D1", "801#", "A")):
                    self.take(port.key(self.now, key))
            case "t":
                self.take(port.tone(self.now, random.choice((*TONES, "dial", "dial", "ringback"))))
            case "u":
                self.take(port.caller_id(self.now, CallerId(random.choice(("", "138")))))
            case "w":
                self.leap(random.choice(_TIMES))
            case "c":
                self.command()

    def command(self) -> None:
        """We want something, at the wrong time too."""
        random, port, now = self.random, self.port, self.now
        match random.choice("ssssaaahhuprfbl"):
            case "s":
                if port.idle:
                    self.call = "out"
                    self.take(port.seize(now, random.choice(("10000", "0,138", "801")), CallerId("139")))
            case "a":
                self.take(port.answer(now))
            case "u":
                self.take(port.alert(now))
            case "p":
                self.take(port.hush())
            case "h":
                self.take(port.hangup(now, random.choice((16, 17, 34, 41))))
            case "f":
                try:
                    self.take(port.flash(now))
                except ValueError:
                    assert self.call != "up" or not self.fxo
            case "b":
                self.take(port.block(random.random() < 0.3))
            case "r":
                self.take(port.reset(now))
            case "l":
                if random.random() < 0.2:
                    self.take(port.lost())
                    self.hook, self.polarity = Order.ON_HOOK, Order.POLARITY_NORMAL
                    self.take(port.show())

    def settle(self) -> None:
        """We hang up, the far end comes to rest, and all time passes."""
        self.take(self.port.hangup(self.now, 16))
        if not self.fxo:
            self.take(self.port.sign(self.now, Sign.ON_HOOK))
        self.leap(300_000)
        assert not self.call, self.phase
        assert not self.port.due
        assert self.port.idle != bool(self.port.blocked), (self.phase, self.port.blocked)
        assert self.phase.value == FxoPhase.IDLE.value, self.phase
        assert self.hook is Order.ON_HOOK and self.polarity is Order.POLARITY_NORMAL


def run(events: int, seed: int = 1) -> tuple[set[Enum], set[int]]:
    """So many events, over many ports; returns the phases that were reached, and the causes of the ends."""
    random = Random(seed)
    phases: set[Enum] = set()
    causes: set[int] = set()
    while events > 0:
        fuzz = Fuzz(random)
        for _ in range(500):
            fuzz.step()
        events -= 500
        fuzz.settle()
        phases |= fuzz.phases
        causes |= fuzz.ended
    return phases, causes


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    reached, ends = run(*(given + [1_000_000, 1][len(given) :]))
    sys.stdout.write(f"{len(reached)} phases, causes {sorted(ends)}\n")
