"""One E1 of 30 channels, full: 30 calls at once, and what happens to the 31st."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from hw.sim.exchange import Blocked
from hw.sim.phone import Phone
from hw.sim.subscriber import CallCleared, Subscriber
from tests.system.box import running


@pytest.mark.requirement("A1.01")
@pytest.mark.requirement("A1.13")
@pytest.mark.time_limit(120)
def test_thirty_calls_are_up_at_once_and_the_thirty_first_is_blocked_counted_and_shown(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box:
            agents = [await box.agent(f"100{n}", f"800{n}", 1000 + n) for n in range(1, 4)]
            callers = [box.exchange.call("95002", f"139{n:08}") for n in range(30)]
            async with asyncio.timeout(30):
                await asyncio.gather(*(caller.answered() for caller in callers))
            await box.until(lambda v: sum(c.state == "busy" for c in v.channels) == 30 and len(v.calls) == 30)
            await box.until(lambda v: v.trunks[0].busy == 30)  # as the line tells, a moment later

            with pytest.raises(Blocked):  # the exchange has no channel left and gives congestion itself
                box.exchange.call("95002", "13700000000")
            forced = box.exchange.call("95002", "13700000001", channel=5)  # it tries one that is taken all the same
            assert await forced.cleared() == 34
            await box.until(lambda v: v.totals["blocked"] == 1 and v.trunks[0].refused == 1)
            [blocked] = await box.events("contact.blocked")
            assert (blocked.data["cause"], blocked.data["caller"]) == (34, "13700000001")

            await asyncio.gather(*(serve_all(phone, callers) for phone in agents))
            await box.until(lambda v: not v.calls, 30)
            answered = await box.events("queue.answered")
            assert len(answered) == 30, "nobody who waited was lost"
            served = [sum(e.data["agent"] == f"100{n}" for e in answered) for n in range(1, 4)]
            assert max(served) - min(served) <= 2, "equal agents get equal shares"
            await box.nothing_left()

    async def serve_all(phone: Phone, callers: Sequence[Subscriber]) -> None:
        """Answer one call after the other; the caller hangs up soon after he hears somebody."""
        while any(caller.phase != "cleared" for caller in callers):
            try:
                async with asyncio.timeout(3):
                    call = await phone.ringing()
            except TimeoutError:
                return
            call.answer()
            number = call.report.number
            [caller] = [c for c in callers if c.caller == number]
            await hear_and_leave(caller, phone)
            await call.ended()

    async def hear_and_leave(caller: Subscriber, phone: Phone) -> None:
        try:
            await caller.hears(phone.code)
        except CallCleared:
            return
        caller.hangup()

    asyncio.run(main())
