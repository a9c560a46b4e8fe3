"""kill -9 of each process in the middle of ten calls: what the design promises happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hw.sim.listen import codes
from hw.sim.phone import Phone, PhoneCall
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, own_etc, running

#: Ten seats that callers reach directly, so that each call is one caller with one phone.
SEATS = [f"80{n:02}" for n in range(1, 11)]
Pair = tuple[Subscriber, Phone, PhoneCall]


async def ten_calls(box: Box) -> list[Pair]:
    """Ten callers talk with ten phones; each hears the other."""

    async def one(n: int, seat: str) -> Pair:
        phone = await box.phone(seat, 1000 + n)
        caller = box.exchange.call(f"7{seat}", f"1380013{n:04}")
        call = await phone.ringing()
        call.answer()
        caller.say(3000 + n)
        await call.heard(3000 + n, 2)
        await caller.hears(1000 + n, 2)
        return caller, phone, call

    async with asyncio.timeout(30):
        return list(await asyncio.gather(*(one(n, seat) for n, seat in enumerate(SEATS))))


async def still_talking(pairs: list[Pair]) -> None:
    """Every party hears two more cycles of the other's voice from now on."""
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        for n, (caller, _, call) in enumerate(pairs):
            group.create_task(call.heard(3000 + n, call.report.codes[3000 + n] + 2))
            group.create_task(caller.hears(1000 + n, caller.heard[1000 + n] + 2))


async def hang_up(pairs: list[Pair]) -> None:
    """All callers hang up."""
    async with asyncio.timeout(15):
        for caller, _, call in pairs:
            caller.hangup()
            await caller.cleared()
            await call.ended()


def scenario(tmp_path: Path, work: Callable[[Box, list[Pair]], Awaitable[None]]) -> None:
    etc = own_etc(tmp_path, {f"7{seat}": f"extension:{seat}" for seat in SEATS})

    async def main() -> None:
        async with running(tmp_path, settings={"control": {"etc": str(etc)}}) as box:
            await work(box, await ten_calls(box))
            await box.nothing_left()

    asyncio.run(main())


@pytest.mark.requirement("A2.04")
def test_when_the_control_process_is_killed_calls_talk_on_and_are_adopted(tmp_path: Path) -> None:
    async def work(box: Box, pairs: list[Pair]) -> None:
        before = {c.contact for c in (await box.live()).calls}
        await box.kill("control")
        await still_talking(pairs)
        pairs[9][0].hangup()  # one ends while nobody decides
        await pairs[9][0].cleared()
        await box.start("control")
        view = await box.until(lambda v: len([c for c in v.calls if c.state == "talking"]) == 9)
        assert {c.contact for c in view.calls} < before
        await still_talking(pairs[:9])
        await hang_up(pairs[:9])
        await box.until(lambda v: not v.calls)
        ended = [e.contact for e in await box.events("contact.ended")]
        assert sorted(ended) == sorted(before)
        recordings = await box.until_recordings(10)
        left, right = codes(recordings[0])
        assert left and right

    scenario(tmp_path, work)


def test_when_the_line_process_is_killed_every_leg_is_cleared_and_the_next_call_works(tmp_path: Path) -> None:
    async def work(box: Box, pairs: list[Pair]) -> None:
        await box.kill("line")
        async with asyncio.timeout(15):
            for caller, _, call in pairs:
                await call.ended()
                await caller.cleared()
        await box.until(lambda v: not v.calls and any(not p.up for p in v.processes if p.process == "line"))
        assert {e.data["cause"] for e in await box.events("leg.cleared")} <= {27, 41, 16}
        assert [e.data["up"] for e in await box.events("line.changed")][-1] is False
        await box.start("line")
        await box.until(lambda v: any(t.up for t in v.trunks))
        await talk_again(box, pairs[0][1])

    scenario(tmp_path, work)


def test_when_the_phone_process_is_killed_callers_are_cleared_and_the_next_call_reaches_its_phone_at_once(
    tmp_path: Path,
) -> None:
    async def work(box: Box, pairs: list[Pair]) -> None:
        await box.kill("phone")
        async with asyncio.timeout(15):
            for caller, _, _ in pairs:
                assert await caller.cleared() in (16, 27, 41)
        await box.until(lambda v: not v.calls)
        for _, _, call in pairs:
            call.hangup()
        await box.start("phone")
        await box.until(lambda v: sum(p.registered for p in v.phones) == 10, 5)  # long before any phone refreshes
        await talk_again(box, pairs[0][1])

    scenario(tmp_path, work)


async def talk_again(box: Box, phone: Phone) -> None:
    """A new call to the first seat works, both ways."""
    async with asyncio.timeout(15):
        caller = box.exchange.call(f"7{SEATS[0]}", "13900139000")
        call = await phone.ringing()
        call.answer()
        caller.say(4999)
        await call.heard(4999, 2)
        await caller.hears(1000, 2)
        caller.hangup()
        await call.ended()
