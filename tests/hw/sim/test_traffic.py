"""Traffic by profile: arrivals, wishes, patience, and reports that add up."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from hw.messages import Cleared, Incoming
from hw.settings import SettingsError, structure
from hw.sim.traffic import StepSettings, Traffic, TrafficSettings, WishSettings


def _settings(**changes):
    wishes = (WishSettings("talk", "400", steps=(StepSettings("talk", (20, 40)),)),)
    return TrafficSettings(**{"calls_per_hour": 360_000, "wishes": wishes, "calls": 20} | changes)


async def _box_answers(p):
    """The box takes every call."""
    while True:
        p.trunk.answer((await p.incoming()).leg)


def test_every_caller_is_served_and_reported_and_every_channel_idle_again(pair):
    async def main():
        async with pair() as p:
            box = asyncio.create_task(_box_answers(p))
            traffic = Traffic(p.exchange, _settings(), Random(1))
            await traffic.run()
            box.cancel()
            assert traffic.totals == {"offered": 20, "answered": 20, "served": 20}
            assert len({report.caller for report in traffic.reports}) == 20
            for report in traffic.reports:
                assert (report.called, report.wish, report.cause, report.by) == ("400", "talk", 16, "us")
                assert 0 <= report.answered - report.began < 1
                assert 0.015 < report.ended - report.answered < 1
            await p.until_idle()

    asyncio.run(main())


def test_callers_wait_in_the_queue_until_they_hear_somebody_or_give_up(pair):
    wish = WishSettings("agent", "400", steps=(
        StepSettings("wait", (10, 10)), StepSettings("press", keys="1"), StepSettings("queue", (3000, 3000)),
        StepSettings("talk", (1500, 1500)),
    ))  # fmt: skip
    hasty = WishSettings("hasty", "401", steps=(StepSettings("queue", (50, 50)),))

    async def main():
        async with pair() as p:
            box = asyncio.create_task(_box_answers(p))
            # Two who call for an agent hear each other; nobody speaks to the hasty.
            ticking = asyncio.create_task(p.tick({0: 1, 1: 0}))
            agents = Traffic(p.exchange, _settings(wishes=(wish,), calls=2), Random(1))
            waiting = asyncio.create_task(agents.run())
            await p.until(lambda: agents.totals["answered"] == 2)
            first, second = p.exchange.subscribers
            others = Traffic(p.exchange, _settings(wishes=(hasty,), calls=3), Random(1))
            await others.run()
            assert others.totals == {"offered": 3, "answered": 3, "abandoned": 3}
            assert all(0.04 < report.waited < 0.5 for report in others.reports)
            first.say(4711)  # somebody must begin
            await waiting
            assert agents.totals == {"offered": 2, "answered": 2, "served": 2}
            assert 4711 in second.heard and 1001 in first.heard
            assert all(report.waited < 3 for report in agents.reports)
            box.cancel()
            ticking.cancel()

    asyncio.run(main())


def test_calls_that_the_box_refuses_or_clears_and_blocked_ones_are_told_apart(pair):
    async def main():
        async with pair(channels=(1, 2)) as p:

            async def box():
                while True:
                    call = await p.incoming()
                    if int(call.caller) % 2:
                        p.trunk.hangup(call.leg, 17)
                    else:
                        p.trunk.answer(call.leg)
                        await asyncio.sleep(0.05)
                        p.trunk.hangup(call.leg, 41)

            serving = asyncio.create_task(box())
            long = (WishSettings("long", "400", steps=(StepSettings("talk", (5000, 5000)),)),)
            traffic = Traffic(p.exchange, _settings(calls=30, wishes=long), Random(3))
            await traffic.run()
            serving.cancel()
            totals = traffic.totals
            assert min(totals[key] for key in ("refused", "cleared", "blocked")) > 0 and totals["served"] == 0
            assert totals["offered"] + totals["blocked"] == 30
            assert totals["refused"] + totals["cleared"] == totals["offered"] == len(traffic.reports)
            assert {(r.outcome, r.cause) for r in traffic.reports} == {("refused", 17), ("cleared", 41)}

    asyncio.run(main())


def test_nobody_waits_longer_for_an_answer_than_ring_ms_and_at_once_is_a_limit(pair):
    wish = WishSettings("ring", "400", ring_ms=300)

    async def main():
        async with pair() as p:
            traffic = Traffic(p.exchange, _settings(wishes=(wish,), at_once=3, calls=10), Random(2))
            await traffic.run()
            assert traffic.totals == {"offered": 3, "skipped": 7, "abandoned": 3}
            assert len([e for e in p.history if isinstance(e, Incoming)]) == 3
            await p.until(lambda: len([e for e in p.history if isinstance(e, Cleared)]) == 3)

    asyncio.run(main())


def test_a_seed_gives_the_same_callers_with_the_same_wishes_in_the_shares_asked_for(pair):
    wishes = (WishSettings("a", "1", share=3), WishSettings("b", "2"))

    async def day(p, seed):
        traffic = Traffic(p.exchange, _settings(wishes=wishes, calls=30, calls_per_hour=10**8), Random(seed))
        await traffic.run()
        await p.until_idle()
        return sorted((report.caller, report.wish, report.code) for report in traffic.reports)

    async def main():
        async with pair() as p:
            box = asyncio.create_task(_box_answers(p))
            first = await day(p, 5)
            assert await day(p, 5) == first != await day(p, 6)
            assert len(first) == 30 and 16 <= sum(wish == "a" for _, wish, _ in first) <= 29
            box.cancel()

    asyncio.run(main())


def test_stop_ends_new_calls_and_lets_callers_finish(pair):
    async def main():
        async with pair() as p:
            box = asyncio.create_task(_box_answers(p))
            traffic = Traffic(p.exchange, _settings(calls=0), Random(1))
            running = asyncio.create_task(traffic.run())
            await p.until(lambda: traffic.totals["answered"] >= 3)
            traffic.stop()
            offered = traffic.totals["offered"]
            await running
            assert traffic.totals["served"] == offered == traffic.totals["offered"]
            box.cancel()

    asyncio.run(main())


@pytest.mark.parametrize(
    "table,says",
    [
        ({"calls_per_hour": 0}, "calls_per_hour"),
        ({"wishes": []}, "wishes"),
        ({"first_code": 9500}, "10000"),
        ({"wishes": [{"name": "x", "called": "1", "steps": [{"do": "press"}]}]}, "needs keys"),
        ({"wishes": [{"name": "x", "called": "1", "steps": [{"do": "wait", "ms": [5, 1]}]}]}, "least and most"),
        ({"wishes": [{"name": "x", "called": "1", "steps": [{"do": "fly"}]}]}, "do"),
    ],
)
def test_settings_that_make_no_sense_name_the_key(table, says):
    good = {"calls_per_hour": 60, "wishes": [{"name": "x", "called": "400"}]}
    assert structure(good, TrafficSettings, "[traffic]").at_once == 30
    with pytest.raises(SettingsError, match=says):
        structure(good | table, TrafficSettings, "[traffic]")
