"""Whatever comes, an R2 channel ends idle or blocked with a reason, and every call is told as over once.

``python -m tests.hw.line.signalling.r2_random [EVENTS] [SEED]`` throws as many events as one likes.
"""

from __future__ import annotations

import sys
from random import Random

from hw.line.signalling import r2_actions as do
from hw.line.signalling import r2_codes as r2
from hw.line.signalling.r2_actions import Action, Phase, Rules
from hw.line.signalling.r2_channel import R2Channel

LINE_SIGNALS = (r2.IDLE, r2.SEIZE, r2.SEIZE_ACK, r2.ANSWER)
_TIMES = (1, 20, 25, 60, 150, 400, 2000, 9000, 30_000)


class Fuzz:
    """One channel under fire: ``step`` does something by chance, ``settle`` lets the far end become quiet."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 1000
        self.channel = R2Channel(Rules(random.choice((0, 0, 3)), caller_wanted=random.random() < 0.7))
        self.call: str = ""
        self.bits = -1
        self.told = self.channel.blocked
        self.phases: set[Phase] = set()
        self.ended: set[int] = set()
        self.take(self.channel.show())

    def take(self, actions: list[Action]) -> None:
        """Check that what is told makes sense."""
        for action in actions:
            match action:
                case do.SendBits(bits):
                    assert bits in LINE_SIGNALS and bits != self.bits
                    self.bits = bits
                case do.Seized():
                    assert not self.call
                    self.call = "incoming"
                case do.Offered():
                    assert self.call == "incoming"
                    self.call = "offered"
                case do.Acknowledged():
                    assert self.call == "out"
                case do.Accepted():
                    assert self.call == "out"
                    self.call = "accepted"
                case do.Answered():
                    assert self.call == "accepted"
                    self.call = "up"
                case do.Released(cause):
                    assert self.call and cause in range(1, 128)
                    self.ended.add(cause)
                    self.call = ""
                case do.Blocked(reason):
                    assert reason != self.told
                    self.told = reason
        self.phases.add(self.channel.phase)
        assert self.channel.phase in (Phase.IDLE, Phase.RELEASING, Phase.HELD, Phase.ENDING) or self.call
        due = self.channel.due
        assert not due or due > self.now - 1, (due, self.now, self.channel.phase)

    def leap(self, ms: int) -> None:
        """Time passes, and what is due comes in the line's ticks."""
        end = self.now + ms
        while 0 < (due := self.channel.due) <= end:
            self.now = max(due, self.now)
            self.take(self.channel.expire(self.now))
        self.now = end

    def step(self) -> None:
        """Something happens: rather what may be expected, sometimes anything."""
        random, channel = self.random, self.channel
        match random.choice("bbbbsssssssttttcccx"):
            case "b":
                self.take(channel.bits(self.now, random.choice(LINE_SIGNALS)))
                self.leap(random.choice((5, 25, 25, 25)))
            case "s":
                signal = random.choice((1, 1, 1, 3, 3, 6, random.randrange(1, 16)))
                self.take(channel.hear(self.now, signal))
                self.leap(random.choice((1, 60, 400)))
                self.take(channel.hear(self.now, 0))
            case "t":
                self.leap(random.choice(_TIMES))
            case "c":
                self.command()
            case "x":
                self.take(channel.bits(self.now, random.randrange(16)))
                self.take(channel.hear(self.now, random.randrange(16)))

    def command(self) -> None:
        """We want something, at the wrong time too."""
        random, channel, now = self.random, self.channel, self.now
        match random.choice("seeaaahhbrupl"):
            case "s" | "e":
                if channel.idle and not self.call:
                    self.call = "out"
                    number = "".join(random.choices("0123456789", k=random.randrange(1, 6)))
                    self.take(channel.seize(now, number, number[:3]))
            case "a":
                self.take(channel.answer(now))
            case "u":
                self.take(channel.alert(now))
            case "p":
                self.take(channel.hush())
            case "h":
                self.take(channel.hangup(now, random.choice((1, 16, 17, 21, 28, 34, 41))))
            case "b":
                self.take(channel.block(now, random.random() < 0.3))
            case "r":
                self.take(channel.reset(now))
            case "l":
                if random.random() < 0.2:
                    self.take(channel.lost())
                    self.bits = -1
                    self.take(channel.show())

    def settle(self, bits: int) -> None:
        """We hang up, the far end shows ``bits`` from now on, and all time passes."""
        self.take(self.channel.hangup(self.now, 16))
        self.take(self.channel.bits(self.now, bits))
        self.leap(300_000)
        self.take(self.channel.hangup(self.now, 16))
        self.leap(300_000)
        assert not self.call, self.channel.phase
        assert not self.channel.due
        assert self.channel.idle != bool(self.channel.blocked), (self.channel.phase, self.channel.blocked)
        if bits == r2.IDLE and not self.channel.blocked:
            assert self.channel.phase is Phase.IDLE and self.bits == r2.IDLE


def run(events: int, seed: int = 1) -> tuple[set[Phase], set[int]]:
    """So many events, over many channels; returns the phases that were reached, and the causes of the ends."""
    random = Random(seed)
    phases: set[Phase] = set()
    causes: set[int] = set()
    while events > 0:
        fuzz = Fuzz(random)
        for _ in range(500):
            fuzz.step()
        events -= 500
        fuzz.settle(random.choice(LINE_SIGNALS))
        fuzz.settle(r2.IDLE)
        phases |= fuzz.phases
        causes |= fuzz.ended
    return phases, causes


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    reached, ends = run(*(given + [1_000_000, 1][len(given) :]))
    sys.stdout.write(f"{len(reached)} phases, causes {sorted(ends)}\n")
