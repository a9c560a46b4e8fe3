"""An API server with a real store, event log and socket, over a box whose rows the test writes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.api.client import Client
from appliance.api.dispatch import Method
from appliance.api.live import LiveView
from appliance.api.methods import CoreMethods
from appliance.api.peer import Credentials
from appliance.api.server import ApiServer
from appliance.api.trunk_methods import TrunkMethods
from appliance.api.types import AgentRow, CallRow, ChannelRow, GroupRow, PhoneRow, ProcessRow, QueueRow, Row, TrunkRow
from appliance.calls.blocks import Blocks
from appliance.calls.groups import TrunkGroups
from appliance.calls.trunks import Trunks
from appliance.events.log import EventLog
from appliance.store.store import Store
from hw.messages import Block, ChannelState, LineState, Message


class Rows:
    """What the switchboard would say, and what it was told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.caller = "13800138000"

    def processes(self) -> list[ProcessRow]:
        return [ProcessRow("control", True, os.getpid(), 1.5)]

    def trunks(self) -> list[TrunkRow]:
        return [TrunkRow("e1", "pri", True, "", 30, 1, 1)]

    def channels(self) -> list[ChannelRow]:
        return [ChannelRow("e1", 1, "busy", "c1", self.caller), ChannelRow("e1", 2, "blocked")]

    def calls(self) -> list[CallRow]:
        return [CallRow("c1", self.caller, "95001", "e1", 1, "queued", "queue:service", "", "zh", 1000.0, 1000.0)]

    def phones(self) -> list[PhoneRow]:
        first = PhoneRow("8001", "席位一", True, "10.0.0.9:5060", "test phone", 2000.0)
        return [first, PhoneRow("8002", "席位二", False)]

    def totals(self) -> Mapping[str, int]:
        return {"offered": 7}

    def alarms(self) -> Sequence[str]:
        return ["trunk e2: RED"]

    def hangup(self, contact: str) -> None:
        if contact != "c1":
            raise LookupError(f"no call {contact!r} is up")
        self.done.append(("hangup", contact))

    def groups(self) -> list[GroupRow]:
        return []


async def trunks_of(store: Store, events: EventLog, rows: Rows) -> Trunks:
    """Real trunks of a box that has the line e1, up, whose channel 1 is busy and 2 blocked; what the line process is
    told of blocks is done.
    """

    def told(_: str, message: Message) -> None:
        assert isinstance(message, Block)
        rows.done.append(("block", message.line, message.channel, message.blocked))

    groups, blocks = await TrunkGroups.open(store, events), await Blocks.open(store, events)
    trunks = Trunks(groups, blocks, send=told, legs=lambda: (), caller="95001")
    states: Mapping[int, Any] = {1: "busy", 2: "blocked"}
    channels = tuple(ChannelState(number, states.get(number, "idle")) for number in range(1, 31))
    trunks.line_changed(LineState("e1", "pri", True, channels))
    return trunks


def plugin_rows() -> Mapping[str, Sequence[Row]]:
    return {
        "queues": [QueueRow("service", "客户服务", "longest-idle", 1, 65.0, 2, 0, 10, 8, 1, 6, 20.0)],
        "agents": [
            AgentRow("1001", "王芳", "8001", "talking", 900.0, ("service",), "c1", 3),
            AgentRow("1002", "李雷", "", "out", 0.0),
        ],
    }


class Serving:
    """The server and what stands behind it."""

    def __init__(self, path: Path, events: EventLog, rows: Rows, server: ApiServer, trunks: Trunks) -> None:
        self.path, self.events, self.rows, self.server, self.trunks = path, events, rows, server, trunks

    def client(self) -> Client:
        return Client(self.path)

    async def raw(self, *lines: bytes) -> list[Any]:
        """Send lines as they are; one answer for each."""
        reader, writer = await asyncio.open_unix_connection(str(self.path), limit=1 << 24)
        writer.writelines(line + b"\n" for line in lines)
        answers = [json.loads(await reader.readline()) for _ in lines]
        writer.close()
        return answers


@asynccontextmanager
async def serving(
    folder: Path,
    plugins: Mapping[str, Method] | None = None,
    ask: Callable[[socket.socket], Credentials] | None = None,
    timeout_s: float = 10.0,
) -> AsyncIterator[Serving]:
    store = await Store.open(folder / "onecall.db")
    events = await EventLog.open(store)
    rows = Rows()
    trunks = await trunks_of(store, events, rows)
    view = LiveView(rows, plugin_rows, version="1.2.3", site="测试站", now=lambda: 1065.0)
    methods = CoreMethods(view, events, rows, language="zh", store=lambda: {"commits": store.commits}, api=lambda: {})
    more = {} if ask is None else {"ask": ask}
    server = ApiServer(
        folder / "api.sock",
        core={**methods.table, **TrunkMethods(trunks).table},
        plugins=plugins or {},
        view=view,
        events=events,
        group="no such group",
        timeout_s=timeout_s,
        **more,
    )
    await server.start()
    try:
        async with asyncio.timeout(20):
            yield Serving(folder / "api.sock", events, rows, server, trunks)
    finally:
        await server.close()
        await store.close()


def run(folder: Path, work: Callable[[Serving], Awaitable[None]], **more: Any) -> None:
    async def main() -> None:
        async with serving(folder, **more) as served:
            await work(served)

    asyncio.run(main())
