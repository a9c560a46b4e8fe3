"""Simulated phones talk SIP and RTP with each other, without a box between them."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hw.sim.phone import Phone, RefusedError
from hw.sim.rtp import Audio
from hw.sim.session import CallEnded


@asynccontextmanager
async def phones():
    """201 and 202; what 201 dials goes to 202."""
    audio = Audio(16)
    ticking = asyncio.create_task(audio.run())
    two = Phone("202", "", ("127.0.0.1", 9), audio, code=2222)
    await two.start()
    one = Phone("201", "", two.local, audio, code=1111)
    await one.start()
    try:
        async with asyncio.timeout(10):
            yield one, two
    finally:
        one.vanish()
        two.vanish()
        ticking.cancel()


@asynccontextmanager
async def talking():
    """A call from 201 to 202 that is up: both sides of it."""
    async with phones() as (one, two):
        call = one.dial("202")
        came = await two.ringing()
        came.answer()
        await call.answered()
        await came.answered()
        yield call, came


def test_a_call_rings_is_answered_and_both_hear_each_other():
    async def main():
        async with phones() as (one, two):
            call = one.dial("202")
            came = await two.ringing()
            await call.alerting()
            assert came.report.number == "201"
            came.answer()
            await asyncio.gather(call.answered(), came.answered(), call.heard(2222), came.heard(1111))
            call.hangup()
            dialled, taken = await call.ended(), await came.ended()
            assert (dialled.by, taken.by) == ("us", "far")
            assert set(dialled.codes) == {2222}
            assert set(taken.codes) == {1111}
            assert dialled.began <= dialled.rang <= dialled.answered <= dialled.ended
            assert [report.number for report in one.reports() + two.reports()] == ["202", "201"]
            assert one.calls == two.calls == []

    asyncio.run(main())


@pytest.mark.parametrize(("status", "reason"), [(486, "Busy Here"), (603, "Decline"), (480, "Temporarily Unavailable")])
def test_a_call_is_refused(status, reason):
    async def main():
        async with phones() as (one, two):
            call = one.dial("202")
            (await two.ringing()).decline(status)
            report = await call.ended()
            assert (report.status, report.reason, report.answered) == (status, reason, None)
            with pytest.raises(CallEnded, match=f"{status} {reason}"):
                await call.answered()

    asyncio.run(main())


def test_nobody_is_there_under_another_number():
    async def main():
        async with phones() as (one, _):
            assert (await one.dial("203").ended()).status == 404

    asyncio.run(main())


def test_a_caller_who_gives_up_ends_the_ringing():
    async def main():
        async with phones() as (one, two):
            call = one.dial("202")
            came = await two.ringing()
            await call.alerting()
            call.hangup()
            assert (await came.ended()).by == "far"

    asyncio.run(main())


@pytest.mark.parametrize("way", ["rfc4733", "info"])
def test_keys_arrive(way):
    async def main():
        async with talking() as (call, came):
            call.press("19*#", way)
            await came.pressed("19*#")
            came.hangup()
            assert (await came.ended()).keys == "19*#"

    asyncio.run(main())


def test_who_is_put_on_hold_hears_nothing_until_taken_back():
    async def main():
        async with talking() as (call, came):
            await came.heard(1111)
            await call.hold()
            await came.directed("recvonly")
            sent = call.report.packets.sent
            await asyncio.sleep(0.2)
            assert call.report.packets.sent == sent
            await call.resume()
            await came.directed("sendrecv")
            again = came.report.codes[1111] + 1
            await came.heard(1111, again)

    asyncio.run(main())


def test_a_phone_that_cannot_transfer_refuses_and_the_call_goes_on():
    async def main():
        async with talking() as (call, came):
            with pytest.raises(RefusedError, match="405"):
                await call.transfer("203")
            await came.heard(1111)

    asyncio.run(main())


def test_a_phone_that_vanishes_says_nothing_and_can_come_back():
    async def main():
        async with phones() as (one, two):
            call = one.dial("202")
            came = await two.ringing()
            came.answer()
            await call.answered()
            one.vanish()
            assert (await call.ended()).by == "fault"
            await came.heard(1111, came.report.codes.get(1111, 0))
            assert came.report.ended is None
            with pytest.raises(OSError, match="the phone is off"):
                one.dial("202")
            await one.start()
            again = one.dial("202")
            await two.ringing()
            await again.alerting()

    asyncio.run(main())
