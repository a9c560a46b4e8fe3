"""Out of service: kept over restarts of every process, drained, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from appliance.calls.blocks import Blocks
from appliance.calls.groups import TrunkGroups
from appliance.calls.leg import Leg
from appliance.calls.trunkgroups import TrunkGroup, member
from appliance.calls.trunks import Drain, Trunks
from appliance.events.log import EventLog
from appliance.store.store import Store
from hw.messages import Block, Cleared, LineState, Message
from tests.appliance.calls.test_outside import line


class Box:
    """Trunks with a store; the test is both processes: what is sent to them, and the legs that they have."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.legs: list[Leg] = []
        self.trunks: Trunks
        self.events: EventLog

    def leg(self, on: str, group: str = "") -> Leg:
        made = Leg(f"l{len(self.legs)}", on, "1", incoming=True, process="line", send=print, audio=None, group=group)
        self.legs.append(made)
        return made

    def states(self, *states: str, name: str = "e1") -> None:
        """The line process tells the states of channels 1, 2, … ."""
        channels = tuple(line(name, number, state=state).channels[0] for number, state in enumerate(states, 1))
        self.trunks.line_changed(LineState(name, "pri", True, channels))

    async def told(self) -> list[tuple[object, ...]]:
        """Events since the start of the store: kind, then line or group, channel or blocked."""
        rows = await self.events.tail()
        return [(row.kind, *(row.data[key] for key in row.data if key in ("line", "group", "channel"))) for row in rows]


def run(path: Path, *works: Callable[[Box], Awaitable[None]]) -> None:
    """Each work in a control process of its own, one after the other, over one store."""

    async def main() -> None:
        for work in works:
            store = await Store.open(path / "onecall.db")
            box = Box()
            box.events = await EventLog.open(store)
            groups, blocks = await TrunkGroups.open(store, box.events), await Blocks.open(store, box.events)
            box.trunks = Trunks(
                groups, blocks, send=lambda _, message, box=box: box.sent.append(message),  # type: ignore[misc]
                legs=lambda box=box: box.legs, caller="",  # type: ignore[misc]
            )  # fmt: skip
            try:
                await work(box)
            finally:
                await store.close()

    asyncio.run(main())


def test_a_block_is_said_again_to_a_line_process_that_was_started_anew(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("idle", "idle", "idle")
        box.trunks.block("e1", 2, True, "wang")
        assert box.sent == [Block("e1", 2, True)]
        box.states("idle", "blocked", "idle")
        assert len(box.sent) == 1
        box.trunks.process_lost("line")
        box.states("idle", "idle", "idle")
        box.states("idle", "blocked", "idle")
        assert box.sent[1:] == [Block("e1", 2, True)]

    run(tmp_path, work)


def test_a_block_is_kept_over_a_restart_of_the_control_process_and_undone_for_good(tmp_path: Path) -> None:
    async def block(box: Box) -> None:
        box.states("idle", "idle", "idle")
        box.trunks.block("e1", None, True, "wang")
        assert box.sent == [Block("e1", None, True)]

    async def unblock_one(box: Box) -> None:
        box.states("idle", "idle", "idle")
        assert box.sent == [Block("e1", None, True)]
        box.trunks.block("e1", 2, False, "wang")
        assert box.sent[1:] == [Block("e1", 2, False)]

    async def unblock_all(box: Box) -> None:
        box.states("idle", "idle", "idle")
        assert box.sent == [Block("e1", 1, True), Block("e1", 3, True)]
        box.trunks.block("e1", None, False, "li")

    async def nothing(box: Box) -> None:
        box.states("idle", "idle", "idle")
        assert box.sent == []
        rows = await box.events.tail("line.blocked")
        assert [(row.data["channel"], row.data["blocked"], row.data["by"]) for row in rows] == [
            (None, True, "wang"), (2, False, "wang"), (None, False, "li"),
        ]  # fmt: skip

    run(tmp_path, block, unblock_one, unblock_all, nothing)


def test_a_drained_line_takes_no_new_calls_and_tells_when_the_last_has_ended(tmp_path: Path) -> None:
    async def begin(box: Box) -> None:
        box.states("busy", "busy", "idle")
        assert box.trunks.drain("e1", None, "wang") == Drain(2, False)
        assert box.trunks.choose("10086").cause == 34
        box.states("busy", "blocked", "blocked")
        assert box.trunks.draining("e1")

    async def end(box: Box) -> None:
        """Also when the control process was started anew meanwhile."""
        assert not await box.events.tail("line.drained")
        box.states("busy", "blocked", "blocked")
        assert box.trunks.draining("e1")
        box.states("blocked", "blocked", "blocked")
        assert not box.trunks.draining("e1")
        assert (await box.told())[-1] == ("line.drained", "e1", None)
        box.states("blocked", "blocked", "blocked")
        assert len(await box.events.tail("line.drained")) == 1

    async def after(box: Box) -> None:
        box.states("idle", "idle", "idle")
        assert box.sent == [Block("e1", None, True)]

    run(tmp_path, begin, end, after)


def test_one_channel_is_drained_while_its_neighbours_go_on(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("busy", "busy")
        assert box.trunks.drain("e1", 1, "wang") == Drain(1, False)
        assert (box.trunks.draining("e1", 1), box.trunks.draining("e1", 2)) == (True, False)
        box.states("blocked", "busy")
        assert (await box.told())[-1] == ("line.drained", "e1", 1)

    run(tmp_path, work)


def test_an_idle_channel_is_drained_only_once_the_line_process_has_blocked_it(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("idle")
        assert box.trunks.drain("e1", None, "wang") == Drain(0, False)
        box.states("busy")  # a call came in between
        assert box.trunks.draining("e1")
        box.states("blocked")
        assert not box.trunks.draining("e1")

    run(tmp_path, work)


def test_unblocking_ends_a_drain(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("busy")
        box.trunks.drain("e1", None, "wang")
        box.trunks.block("e1", None, False, "wang")
        box.states("idle")
        assert not box.trunks.draining("e1")
        assert not await box.events.tail("line.drained")

    run(tmp_path, work)


def test_a_sip_trunk_is_blocked_and_drained_here_its_process_has_no_channels(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.trunks.line_changed(line("carrier", kind="sip"))
        call = box.leg("carrier")
        assert box.trunks.drain("carrier", None, "wang") == Drain(1, False)
        assert box.sent == []
        assert (box.trunks.admit("carrier").cause, box.trunks.choose("10086").cause) == (42, 34)
        call.handle(Cleared(call.id, 16))
        box.trunks.settle()
        assert (await box.told())[-1] == ("line.drained", "carrier", None)
        box.trunks.block("carrier", None, False, "wang")
        assert (box.trunks.admit("carrier").cause, box.trunks.choose("10086").cause) == (0, 0)

    run(tmp_path, work)


def test_a_group_is_drained_though_its_lines_serve_others_too(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("busy", "idle")
        for name in ("a", "b"):
            await box.trunks.groups.add(TrunkGroup(name, (member("e1"),)))
        call = box.leg("e1", "a")
        assert box.trunks.drain_group("a", "wang") == Drain(1, False)
        assert [way.group for way in box.trunks.choose("10086").attempts] == ["b"]
        assert box.trunks.admit("e1").group == "b"
        call.handle(Cleared(call.id, 16))
        box.trunks.settle()
        assert (await box.told())[-1] == ("group.drained", "a")

    async def again(box: Box) -> None:
        box.states("idle", "idle")
        assert box.trunks.admit("e1").group == "b"
        await box.trunks.remove_group("a", "wang")
        await box.trunks.groups.add(TrunkGroup("a", (member("e1"),)))
        assert box.trunks.admit("e1").group == "a"

    run(tmp_path, work, again)


def test_what_is_not_there_cannot_be_taken_out_of_service(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        box.states("idle")
        with pytest.raises(LookupError, match="no line 'e9' \\(there are: e1\\)"):
            box.trunks.drain("e9", None, "wang")
        with pytest.raises(LookupError, match="no channel 4 on line e1"):
            box.trunks.block("e1", 4, True, "wang")
        with pytest.raises(LookupError, match="no group a"):
            box.trunks.drain_group("a", "wang")
        assert await box.told() == []

    run(tmp_path, work)


def test_nobody_calls_out_over_a_line_that_carries_one_way_at_a_time(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        for duplex in (False, True):
            box.trunks.line_changed(LineState("po1", "voicemodem", True, line("po1", 1).channels, duplex=duplex))
            assert box.trunks.two_way("po1") is duplex
            assert bool(box.trunks.choose("10086").attempts) is duplex
        assert box.trunks.two_way("a line that nobody knows")

    run(tmp_path, work)
