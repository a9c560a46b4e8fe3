"""Calls to outside numbers: over the cheapest line, on to the next when one fails; calls over lines that take none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.calls.numbering import Number
from appliance.calls.trunkgroups import TrunkGroup, member, route
from hw.messages import Alerting, Answered, ChannelState, Cleared, Dial, Fault, Hangup, Incoming, LineState, Progress
from tests.appliance.calls.desk import THEIRS, Desk, desk

OUT = TrunkGroup("city", (member("e1"), member("e2")), direction="out", routes=(route("=1"), route("00=9")))
VOIP = TrunkGroup(
    "voip", (member("carrier:2"),), caller="4008", routes=(route("0=5"), route("00=2,strip=2,prepend=9900"))
)


def line(name: str, *channels: int, kind: str = "pri", state: str = "idle") -> LineState:
    return LineState(name, kind, True, tuple(ChannelState(number, state) for number in channels))  # type: ignore[arg-type]


def run(path: Path, scenario, *groups: TrunkGroup) -> None:  # type: ignore[no-untyped-def]
    """The lines e1 (channel 5), e2 (1 and 2) and the SIP trunk carrier; seat 8002 may call outside."""

    async def main() -> None:
        async with desk(path, outside_caller="95001") as d, asyncio.timeout(10):
            d.switchboard.handle("line", line("e2", 1, 2))
            d.switchboard.handle("phone", line("carrier", kind="sip"))
            for group in groups:
                await d.switchboard.trunks.groups.add(group)
            await scenario(d)
            while any(d.switchboard.leftover().values()):
                await asyncio.sleep(0)

    asyncio.run(main())


def phone_dials(d: Desk, number: str) -> None:
    d.say("phone", Incoming("p1", "phones", number, "8002", media=THEIRS))


async def dialled(d: Desk, attempt: int) -> Dial:
    dial: Dial = await d.sent(Dial, after=attempt)
    return dial


@pytest.mark.requirement("A1.23")
def test_a_call_abroad_goes_over_the_cheapest_group_with_its_digits_and_its_number(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        phone_dials(d, "90033123456")
        dial = await d.sent(Dial, "phone")
        assert (dial.line, dial.number, dial.caller) == ("carrier", "990033123456", "4008")
        assert (await d.until("leg.dialled")).data["group"] == "voip"
        d.say("phone", Answered(dial.leg, THEIRS))
        await d.until("contact.bridged")
        d.say("phone", Cleared("p1", 16))
        await d.until("contact.ended")

    run(tmp_path, scenario, OUT, VOIP)


@pytest.mark.requirement("A1.23")
@pytest.mark.parametrize("cause", [27, 34, 38, 41, 42, 44, 69])
def test_a_call_goes_on_to_the_next_line_and_the_next_group_while_the_way_is_at_fault(
    tmp_path: Path, cause: int
) -> None:
    async def scenario(d: Desk) -> None:
        phone_dials(d, "9021123456")
        ways = []
        for attempt in range(3):
            dial = await dialled(d, attempt)
            ways.append((dial.line, dial.number, dial.caller))
            if attempt < 2:
                d.say(d.switchboard.trunks.process_of(dial.line), Cleared(dial.leg, cause))
        assert ways == [("e1", "021123456", "95001"), ("e2", "021123456", "95001"), ("carrier", "021123456", "4008")]
        d.say("phone", Answered(dial.leg, THEIRS))
        await d.until("contact.bridged")
        over = [(row.data["line"], row.data["cause"]) for row in await d.events.rows(kind="trunk.overflowed")]
        assert over == [("e1", cause), ("e2", cause)]
        d.say("phone", Cleared("p1", 16))
        await d.until("contact.ended")

    run(tmp_path, scenario, OUT, VOIP)


@pytest.mark.parametrize("cause", [1, 16, 17, 21, 28])
def test_a_call_whose_number_or_party_says_no_goes_nowhere_else(tmp_path: Path, cause: int) -> None:
    async def scenario(d: Desk) -> None:
        phone_dials(d, "9021123456")
        dial = await dialled(d, 0)
        d.say("line", Cleared(dial.leg, cause))
        await d.until("contact.ended")
        assert Hangup("p1", cause) in d.phone.sent
        assert "trunk.overflowed" not in await d.kinds()

    run(tmp_path, scenario, OUT, VOIP)


def test_a_party_that_has_rung_is_not_called_again_over_another_line(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        phone_dials(d, "9021123456")
        dial = await dialled(d, 0)
        d.say("line", Alerting(dial.leg))
        d.say("line", Progress(dial.leg))
        d.say("line", Cleared(dial.leg, 41))
        await d.until("contact.ended")
        assert len([m for m in d.line.sent if isinstance(m, Dial)]) == 1

    run(tmp_path, scenario, OUT, VOIP)


def test_when_every_way_fails_the_caller_hears_what_the_last_one_said(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        phone_dials(d, "966661234")
        d.say("line", Cleared((await dialled(d, 0)).leg, 38))
        d.say("line", Fault((await dialled(d, 1)).leg, "no idle channel", "Dial"))
        await d.until("contact.ended")
        assert Hangup("p1", 41) in d.phone.sent

    run(tmp_path, scenario, OUT, VOIP)


def test_without_groups_a_call_takes_the_first_line_that_is_free(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.switchboard.handle("line", line("e1", 5, state="busy"))
        phone_dials(d, "966661234")
        dial = await dialled(d, 0)
        assert (dial.line, dial.number, dial.caller, dial.restricted) == ("e2", "66661234", "95001", False)
        d.say("line", Cleared(dial.leg, 17))
        await d.until("contact.ended")

    run(tmp_path, scenario)


def test_a_phone_with_a_direct_number_shows_it_where_the_group_may(tmp_path: Path) -> None:
    shows = TrunkGroup("city", (member("e1"),), shows=("95001", "01012340000-01012340099"), restricted=True)

    async def scenario(d: Desk) -> None:
        d.switchboard.numbers = [Number("01012340042", "extension:8002"), Number("8888", "extension:8001")]
        phone_dials(d, "966661234")
        dial = await dialled(d, 0)
        assert (dial.caller, dial.restricted) == ("01012340042", True)
        d.say("line", Cleared(dial.leg, 17))
        await d.until("contact.ended")

    run(tmp_path, scenario, shows)


def test_a_group_has_at_most_so_many_calls_and_the_next_goes_elsewhere(tmp_path: Path) -> None:
    few = TrunkGroup("few", (member("e2:1"),), routes=(route("=0"),))

    async def scenario(d: Desk) -> None:
        phone_dials(d, "966661234")
        first = await d.sent(Dial, "line")
        d.say("phone", Incoming("p2", "phones", "966661234", "8002", media=THEIRS))
        second = await d.sent(Dial, "phone")
        assert (first.line, second.line) == ("e2", "carrier")
        d.say("line", Cleared(first.leg, 17))
        d.say("phone", Cleared(second.leg, 17))
        while d.switchboard.calls:
            await asyncio.sleep(0)

    run(tmp_path, scenario, few, TrunkGroup("dear", (member("carrier"),), routes=(route("=5"),)))


def test_a_call_over_a_group_for_outgoing_calls_is_refused_and_told(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        row = await d.until("contact.blocked")
        assert (row.data["line"], row.data["cause"], row.data["group"]) == ("e1", 21, "city")
        assert Hangup("t1", 21) in d.line.sent
        assert (d.switchboard.counters["blocked"], d.switchboard.trunks.refused["e1"]) == (1, 1)

    run(tmp_path, scenario, OUT)
