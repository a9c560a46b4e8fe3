"""Which channel of a trunk is taken next, and who may take it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.line.settings import SpanSettings
from hw.line.signalling.channels import Channels, Hunting, hunting
from hw.line.trunk import NoChannel
from hw.messages import Cleared, Proceeding
from hw.settings import SettingsError, structure
from hw.sim.exchange import NumberSettings

PEOPLE = (NumberSettings("10086", answers="never"),)


@pytest.mark.parametrize(
    ("how", "network", "first"),
    [("by_role", False, 3), ("by_role", True, 1), ("up", False, 1), ("down", True, 3), ("most_idle", False, 3),
     ("most_idle", True, 1)],
)  # fmt: skip
def test_the_first_channel_is_the_one_that_the_settings_say(how, network, first):
    assert hunting((2, 1, 3), how, network=network).choose((1, 2, 3)) == first


def test_without_an_idle_channel_there_is_none():
    with pytest.raises(NoChannel):
        Hunting((1, 2), "up").choose(())


@given(st.lists(st.integers(0, 4), max_size=40), st.booleans())
def test_most_idle_takes_the_channel_that_was_freed_first_and_never_one_that_is_taken(steps, from_top):
    channels = Channels(range(1, 5), Hunting(range(1, 5), "most_idle", from_top=from_top))
    idle = sorted(range(1, 5), reverse=from_top)  # the longest idle first
    taken = []
    for step in steps:
        if step < len(taken):
            number = taken.pop(step)
            channels.free(number, f"leg {number}")
            idle.append(number)
        elif idle:
            number = channels.hunt()
            assert number == idle.pop(0)
            channels.take(number, f"leg {number}")
            taken.append(number)
        else:
            with pytest.raises(NoChannel):
                channels.hunt()


def test_a_hunting_that_there_is_not_is_refused_by_the_settings():
    with pytest.raises(SettingsError, match="hunting"):
        structure({"name": "e1", "hunting": "random"}, SpanSettings, "line.spans[0]")


async def _dialled(p, *legs):
    """The channels that calls get, one after the other; each is up as far as the exchange wants it."""
    channels = []
    for leg in legs:
        channels.append(p.trunk.dial(leg, "10086", "", ""))
        await p.next(Proceeding, leg=leg)
    return channels


@pytest.mark.parametrize(("how", "order"), [("up", [1, 2, 3]), ("down", [3, 2, 1])])
def test_calls_over_a_primary_rate_trunk_take_channels_in_the_order_of_the_settings(pair, how, order):
    async def main():
        async with pair(channels=(1, 2, 3), numbers=PEOPLE, hunting=how) as p:
            assert await _dialled(p, "a", "b", "c") == order
            for leg in "abc":
                p.trunk.hangup(leg, 16)
            await p.until_idle()

    asyncio.run(main())


def test_a_primary_rate_trunk_leaves_a_channel_in_peace_as_long_as_it_can(pair):
    async def main():
        async with pair(channels=(1, 2, 3, 4), numbers=PEOPLE, hunting="most_idle") as p:
            assert await _dialled(p, "a", "b") == [4, 3]
            p.trunk.hangup("b", 16)  # both in the same moment
            p.trunk.hangup("a", 16)
            first = await p.next(Cleared)
            second = await p.next(Cleared)
            freed = [{"a": 4, "b": 3}[cleared.leg] for cleared in (first, second)]
            assert await _dialled(p, "c", "d", "e", "f") == [2, 1, *freed]
            for leg in "cdef":
                p.trunk.hangup(leg, 16)
            await p.until_idle()

    asyncio.run(main())


def test_a_call_that_comes_in_counts_for_the_idle_time_too(pair):
    async def main():
        async with pair(channels=(1, 2), numbers=PEOPLE, hunting="most_idle") as p:
            caller = p.exchange.call("400", "1", channel=2)
            await p.incoming()
            caller.hangup()
            await p.until_idle()
            assert await _dialled(p, "a") == [1]
            p.trunk.hangup("a", 16)
            await p.until_idle()
            assert await _dialled(p, "b") == [2]
            p.trunk.hangup("b", 16)
            await p.until_idle()

    asyncio.run(main())
