"""Two spans and their groups in the running box: least cost, overflow, incoming calls, blocks over a killed process."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from hw.sim.exchange import NumberSettings
from hw.sim.subscriber import Subscriber
from tests.system.box import Box, running

CALLED, DESK = 4712, 1009


async def calls_out(box: Box, number: str) -> tuple[str, Subscriber]:
    """The desk dials, the called party answers and hangs up: over which line, and who it was."""
    [desk] = box.phones
    before = len(await box.events("leg.dialled"))
    call = desk.dial(number)
    await call.heard(CALLED)
    (party,) = box.exchange.subscribers
    party.hangup()
    await call.ended()
    await box.nothing_left()
    return (await box.events("leg.dialled"))[before:][-1].data["line"], party


@pytest.mark.requirement("A1.16", "A1.23")
def test_calls_take_the_cheapest_span_go_on_when_it_is_blocked_and_a_block_outlives_the_line_process(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory(prefix="tg-") as sockets:  # a short path
            spans = [
                {"name": "city", "address": f"{sockets}/e1", "channels": [1, 2], "hunting": "up"},
                {"name": "far", "address": f"{sockets}/e2", "channels": [1, 2, 3]},
            ]
            async with running(tmp_path, settings={"line": {"spans": spans}}) as box, asyncio.timeout(50):
                api = box.client
                await api.call("groups.add", name="near", members=["city"], routes=["=1", "0=9"])
                long = ["0=2,strip=1,prepend=179510"]
                await api.call("groups.add", name="long", members=["far"], routes=long, caller="4008", restricted=True)
                for number in ("66661234", "1795101066661234", "01066661234"):
                    box.exchange.register(NumberSettings(number, code=CALLED, answer_ms=20))
                await box.phone("8009", DESK)

                line, party = await calls_out(box, "966661234")
                assert (line, party.called, party.channel, party.restricted) == ("city", "66661234", 1, False)
                line, party = await calls_out(box, "901066661234")
                assert (line, party.called, party.caller, party.restricted) == ("far", "1795101066661234", "4008", True)

                # Nothing but the dear way is left, and stays so for a new line process.
                drain = await api.call("trunks.drain", line="far")
                assert drain["busy"] == 0
                await box.until_event("line.drained", lambda event: event.data["line"] == "far")
                line, party = await calls_out(box, "901066661234")
                assert (line, party.called) == ("city", "01066661234")
                await box.kill("line")
                await box.start("line")
                await box.exchange.wait_up()
                await box.until(lambda view: {t.blocked for t in view.trunks if t.line == "far" and t.up} == {3})
                found = await api.call("groups.try", number="01066661234")
                assert [(way["group"], way["line"]) for way in found["attempts"]] == [("near", "city")]
                await api.call("trunks.block", line="far", blocked=False)
                await box.until(lambda view: {t.blocked for t in view.trunks if t.line == "far"} == {0})

                # A group that only calls out refuses who calls in; the other span takes him.
                await api.call("groups.change", name="long", direction="out")
                refused = box.exchange.call("95001", "13800138000", span=1)
                assert await refused.cleared() == 21
                blocked = await box.until_event("contact.blocked", lambda event: event.data["group"] == "long")
                assert (blocked.data["line"], blocked.data["cause"]) == ("far", 21)
                caller = box.exchange.call("95001", "13800138000", span=0)
                await caller.answered()
                [row] = [row for row in (await box.live()).groups if row.group == "near"]
                assert row.calls == 1
                caller.hangup()
                await box.nothing_left()

    asyncio.run(main())
