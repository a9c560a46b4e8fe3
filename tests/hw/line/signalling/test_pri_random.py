"""Whatever both sides do at random, no channel is lost and every leg is told once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Incoming, Proceeding, Progress
from hw.sim.exchange import Blocked
from tests.hw.line.signalling.pri_random import run


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_random_events_end_with_every_channel_idle(pair, seed):
    dice = random.Random(seed)

    async def main():
        # Few channels, so that glare, refusal and full spans happen all the time.
        channels = (1, 2, 3, 4, 5) if seed % 2 else (*range(1, 16), *range(17, 32))
        async with pair(channels=channels) as p:
            p.exchange.on_call = lambda _person: None
            done = Counter()

            def far(person):
                if person.phase != "cleared":
                    act = dice.choice(("ring", "answer", "hangup", "hangup"))
                    if act == "hangup":
                        person.hangup(dice.choice((16, 17, 21, 31, 41)))
                    elif not (person.calls or person.call.clearing or person.phase == "up"):
                        getattr(person, act)()

            def near(leg):
                act = dice.choice(("alert", "answer", "progress", "hangup", "hangup"))
                if act == "hangup":
                    p.trunk.hangup(leg.leg, dice.choice((1, 16, 17, 21, 26, 34, 44)))
                elif leg.incoming:
                    getattr(p.trunk, act)(leg.leg)

            for n in range(1000):
                kind = dice.choice(("call", "dial", "far", "near"))
                try:
                    if kind == "call":
                        p.exchange.call("400", str(n), channel=dice.choice((None, None, None, *channels)))
                    elif kind == "dial":
                        p.history.append((f"out-{n}", p.trunk.dial(f"out-{n}", str(n), "", "")))
                    elif kind == "far" and p.exchange.subscribers:
                        far(dice.choice(p.exchange.subscribers))
                    elif kind == "near" and p.trunk.legs():
                        near(dice.choice(p.trunk.legs()))
                    done[kind] += 1
                except (Blocked, NoChannel):
                    done["full"] += 1
                if dice.random() < 0.5:
                    await asyncio.sleep(0)
            for person in p.exchange.subscribers:
                person.hangup()
            for leg in p.trunk.legs():
                p.trunk.hangup(leg.leg, 16)
            await p.until_idle()
            _each_leg_is_told_in_order(p.events)
            _no_channel_has_two_legs(p.history)
            assert min(done[kind] for kind in ("call", "dial", "far", "near")) > 50

    asyncio.run(main())


def _each_leg_is_told_in_order(events):
    """One ``Incoming`` at most, then what happens, then one ``Cleared`` and nothing more."""
    story = {}
    for event in events:
        if isinstance(event, Incoming | Proceeding | Alerting | Progress | Answered | Cleared):
            story.setdefault(event.leg, []).append(type(event).__name__)
    for leg, told in story.items():
        assert told.count("Cleared") == 1 and told[-1] == "Cleared", (leg, told)
        assert told.count("Incoming") == (not leg.startswith("out-")), (leg, told)
        assert told.count("Answered") <= 1, (leg, told)


def _no_channel_has_two_legs(history):
    """The audio follows these events: a leg has its channel from ``dial`` or ``Incoming`` to ``Cleared``."""
    channels = {}
    for event in history:
        if isinstance(event, tuple):
            channels[event[0]] = event[1]
        elif isinstance(event, Incoming | Proceeding):
            channels[event.leg] = event.channel
        elif isinstance(event, Cleared):
            del channels[event.leg]
        assert len(set(channels.values())) == len(channels), event
    assert not channels


@pytest.mark.requirement("A1.14")
def test_after_whatever_an_exchange_sends_every_channel_is_idle_or_blocked_with_a_reason():
    told, causes = run(15_000, seed=1)
    assert set(told) >= {"Incoming", "Proceeding", "Alerting", "Progress", "Answered", "Cleared", "Digit", "Refused"}
    assert set(causes) >= {16, 17, 21, 27, 28, 34, 41, 44, 88, 96}
