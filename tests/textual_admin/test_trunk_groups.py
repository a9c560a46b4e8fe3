"""Trunk groups on the console's trunks screen: made, changed, tried, drained and removed."""

from __future__ import annotations

from pathlib import Path

from appliance.api.types import ChannelRow, GroupRow, TrunkRow
from appliance.calls.trunkgroups import TrunkGroup, member, route
from tests.textual_admin.seeing import LARGE, Seeing, see

CITY = TrunkGroup("city", (member("e1:20"),), routes=(route("0=9"),), most=20)
ROW = GroupRow("city", ("e1:20",), "in_order", "both", "", ("0=9",), 3, 20)


def test_a_group_is_made_for_the_trunk_under_the_cursor_and_changed(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        groups = see.served.trunks.groups
        await see.press("2")
        await see.until("1/30 busy")
        await see.press("e")
        await see.until("this is no trunk group")
        await see.press("n")
        await see.until("New group")
        await see.type("city")
        await see.press("enter", "enter", "enter", "enter")  # the trunk e1 stands there already
        await see.type("0=cheap")
        await see.press(*["enter"] * 5)
        await see.until("must be PREFIX=COST")
        await see.press(*["shift+tab"] * 4, *["end"], *["backspace"] * 5)
        await see.type("9")
        await see.press(*["enter"] * 5)
        await see.until("the trunk group is there")
        assert groups.groups() == [TrunkGroup("city", (member("e1"),), routes=(route("0=9"),))]
        see.served.rows.groups = lambda: [ROW]
        await see.until("3/20 calls")
        await see.press("home", "e")
        await see.until("Edit")
        await see.press(*["enter"] * 5)
        await see.type("95001")
        await see.press("enter", "enter", "enter")
        await see.until("changed: the group city")
        [group] = groups.groups()
        assert (group.members, group.most, group.caller, group.routes) == (
            (member("e1:20"),), 20, "95001", (route("0=9"),)
        )  # fmt: skip

    see(tmp_path, work, size=LARGE)


def test_a_number_is_tried_and_a_group_drained_taken_back_and_removed(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        trunks = see.served.trunks
        await trunks.groups.add(CITY)
        see.served.rows.groups = lambda: [ROW]
        await see.press("2")
        await see.until("3/20 calls")
        await see.press("t")
        await see.until("Outside number")
        await see.type("0101234")
        await see.press("enter")
        await see.until("1  city/e1  0101234  shows 95001, cost 9")
        await see.press("escape", "t")
        await see.type("10086")
        await see.press("enter")
        await see.until("10086 cannot be called now: cause 3 no route.")
        await see.until("city  no route for this number")
        await see.press("escape", "d")
        await see.until("Drain the group city and tell when its last call has ended? No new call will use it. "
                        "Calls on it go on: 3.")  # fmt: skip
        await see.press("y")
        await see.until("is being drained: the group city")
        assert trunks.blocks.groups() == {"city"}
        see.served.rows.groups = lambda: [GroupRow("city", ("e1:20",), "in_order", "both", "", (), 2, 20, True, True)]
        await see.until("… draining")
        await see.press("d")
        await see.until("it is being drained already")
        await see.press("u")
        await see.until("in service again: the group city")
        assert trunks.blocks.groups() == set()
        await see.press("x")
        await see.until("Remove the group city? Its calls go on")
        await see.press("y")
        await see.until("removed: the group city")
        assert trunks.groups.groups() == []

    see(tmp_path, work)


def test_a_trunk_and_a_channel_are_drained(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        rows = see.served.rows
        rows.trunks = lambda: [TrunkRow("e1", "pri", True, "", 30, 1, 29, draining=True), TrunkRow("voip", "sip", True)]
        rows.channels = lambda: [ChannelRow("e1", 1, "busy"), ChannelRow("e1", 2, "busy", draining=True)]
        await see.press("2")
        await see.until("0 calls")
        assert see.sees("… draining")
        await see.press("down", "d")
        await see.until("Drain channel 1 of e1")
        await see.press("y")
        await see.until("is being drained: channel 1 of e1")
        assert see.served.rows.done == [("block", "e1", 1, True)]
        assert see.served.trunks.draining("e1", 1)

    see(tmp_path, work)
