"""Trunk groups as they are written, checked, stored and told; calls that may come in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.calls.admission import Admission, admit, group_of
from appliance.calls.groups import TrunkGroups
from appliance.calls.load import Load
from appliance.calls.trunkgroups import Member, Route, TrunkGroup, checked, fields, member, route, texts
from appliance.events.log import EventLog
from appliance.store.store import Store

FULL = TrunkGroup(
    "长途", (Member("e1"), Member("e2", 10)), "round_robin", "out", "01012340000", ("01012340000-01012340099",), True,
    (Route("0", 0.25), Route("00", 3, 2, "17951"), Route("0086", barred=True)), 20,
)  # fmt: skip


@pytest.mark.parametrize("text", ["e1", "e1:10"])
def test_a_member_is_read_as_it_is_written(text: str) -> None:
    assert str(member(text)) == text


@pytest.mark.parametrize("text", ["=0", "0=0.25", "00=3,strip=2,prepend=17951", "00=barred"])
def test_a_route_is_read_as_it_is_written(text: str) -> None:
    assert str(route(text)) == text


@pytest.mark.parametrize("text", ["0=cheap", "0=1,stripe=2", "0=1,strip=x"])
def test_a_route_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be PREFIX=COST"):
        route(text)
    with pytest.raises(ValueError, match="must be LINE or LINE:MOST"):
        member("e1:many")


def test_a_group_is_what_was_written_of_it() -> None:
    assert TrunkGroup(**fields(texts(FULL))) == FULL


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "two words"}, "without spaces"),
        ({"members": ()}, "one line|a line at least"),
        ({"members": (Member("e1"), Member("e1", 3))}, "each once"),
        ({"most": -1}, "0 \\(no limit\\) or more"),
        ({"caller": "anonymous"}, "1 to 24 digits"),
        ({"caller": "4008", "shows": ("95001",)}, "none of the numbers"),
        ({"shows": ("0100-099",)}, "a range of numbers of one length"),
        ({"routes": (Route("0"), Route("0", 2))}, "given twice"),
        ({"routes": (Route("0", -1),)}, "cost must be 0 or more"),
        ({"routes": (Route("0", float("nan")),)}, "cost must be 0 or more"),
        ({"routes": (Route("zero"),)}, "digits"),
    ],
)
def test_what_a_group_cannot_be_is_refused(given, says) -> None:
    with pytest.raises(ValueError, match=says):
        checked(TrunkGroup(**{"name": "g", "members": (Member("e1"),), **given}))


def with_groups(path: Path, work) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        store = await Store.open(path / "onecall.db")
        try:
            events = await EventLog.open(store)
            await work(await TrunkGroups.open(store, events), events)
        finally:
            await store.close()

    asyncio.run(main())


def test_a_change_holds_after_a_restart_and_is_told_with_who_made_it(tmp_path: Path) -> None:
    async def change(groups: TrunkGroups, events: EventLog) -> None:
        await groups.add(TrunkGroup("out", (Member("e1"),)), by="wang")
        await groups.add(FULL, by="wang")
        await groups.change("out", members=(Member("e1", 5),), most=3, by="li")
        with pytest.raises(ValueError, match="exists already"):
            await groups.add(FULL)
        with pytest.raises(ValueError, match="1 to 24 digits"):
            await groups.change("out", caller="x")
        with pytest.raises(LookupError, match="no group in"):
            await groups.remove("in")
        await groups.add(TrunkGroup("gone", (Member("e1"),)))
        await groups.remove("gone", by="li")
        rows = [(row.kind, row.data["group"], row.data["by"]) for row in await events.tail("group.")]
        assert rows == [
            ("group.changed", "out", "wang"), ("group.changed", "长途", "wang"), ("group.changed", "out", "li"),
            ("group.changed", "gone", ""), ("group.removed", "gone", "li"),
        ]  # fmt: skip
        told = (await events.tail("group.changed"))[1].data
        assert told["routes"] == ["0=0.25", "00=3,strip=2,prepend=17951", "0086=barred"]

    async def again(groups: TrunkGroups, _: EventLog) -> None:
        assert groups.groups() == [TrunkGroup("out", (Member("e1", 5),), most=3), FULL]

    with_groups(tmp_path, change)
    with_groups(tmp_path, again)


BOTH, IN, OUT = (TrunkGroup(name, (Member("e1"),), direction=name) for name in ("both", "in", "out"))


def test_a_call_may_come_in_unless_its_group_says_otherwise() -> None:
    free = Load()
    assert admit("e9", (OUT,), free) == Admission("")
    assert admit("e1", (), free) == Admission("")
    assert admit("e1", (OUT,), free) == Admission("out", 21)
    assert admit("e1", (OUT, IN), free) == Admission("in")
    assert admit("e1", (BOTH,), Load(blocked={"both"})) == Admission("both", 42)
    assert admit("e1", (OUT, BOTH), Load(blocked={"both"})) == Admission("both", 42)
    limited = TrunkGroup("few", (Member("e1", 2),), most=0)
    assert admit("e1", (limited,), Load(calls={("few", "e1"): 1})) == Admission("few")
    assert admit("e1", (limited,), Load(calls={("few", "e1"): 2})) == Admission("few", 34)
    assert admit("e1", (limited, BOTH), Load(calls={("few", "e1"): 2})) == Admission("both")


def test_an_adopted_call_counts_for_the_first_group_that_it_can_have_come_from() -> None:
    assert group_of("e1", True, (OUT, IN, BOTH)) == "in"
    assert group_of("e1", False, (IN, OUT)) == "out"
    assert group_of("e2", True, (BOTH,)) == ""
