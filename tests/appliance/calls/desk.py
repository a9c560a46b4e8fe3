"""A switchboard with a store of its own; the test plays the two processes: it keeps what is sent and says events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.api.types import EventRow
from appliance.calls.numbering import Number
from appliance.calls.services import core_services
from appliance.calls.switchboard import Switchboard
from appliance.events.log import EventLog
from appliance.link.client import LinkDown
from appliance.people.directory import Directory
from appliance.pluginmanager import Plugins
from appliance.sms.desk import SmsDesk
from appliance.store.store import Store
from hw.messages import (
    Answered,
    ChannelState,
    Cleared,
    Codec,
    Dial,
    Hangup,
    Incoming,
    LineState,
    Media,
    Message,
    OpenRtp,
    Play,
    Played,
    RtpOpened,
    Snapshot,
)

OURS = Media("127.0.0.1", 40000, (Codec("PCMA", 8),), 101)
THEIRS = Media("127.0.0.1", 50000, (Codec("PCMA", 8),), 101)


class PlayedProcess:
    """A process as the switchboard sees it; the test says what it answers."""

    def __init__(self, desk: Desk, process: str) -> None:
        self.desk = desk
        self.process = process
        self.up = True
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        if not self.up:
            raise LinkDown(self.process)
        self.sent.append(message)
        self.desk.arrived.set()
        match message:
            case OpenRtp(port=port):
                self.desk.say("line", RtpOpened(port, OURS))
            case Hangup(leg=leg, cause=cause):
                self.desk.say(self.process, Cleared(leg, cause, "us"))
            case Play(port=port, player=player, loop=False):
                self.desk.say("line", Played(port, player, "done"))
            case _:
                pass


class Desk:
    """The switchboard and what a test does with it."""

    def __init__(self) -> None:
        self.line = PlayedProcess(self, "line")
        self.phone = PlayedProcess(self, "phone")
        self.arrived = asyncio.Event()
        self.switchboard: Switchboard
        self.sms: SmsDesk
        self.events: EventLog
        self.store: Store

    def say(self, process: str, message: Message) -> None:
        """An event comes up, in the next turn of the loop."""
        asyncio.get_running_loop().call_soon(self._handle, process, message)

    def _handle(self, process: str, message: Message) -> None:
        if not self.sms.handle(message):
            self.switchboard.handle(process, message)

    async def sent(self, kind: type, process: str = "", after: int = 0) -> Any:
        """The next command of a kind that was sent (from index ``after`` of that kind on)."""
        async with asyncio.timeout(5):
            while True:
                found = [
                    m
                    for p in (self.line, self.phone)
                    if process in ("", p.process)
                    for m in p.sent
                    if isinstance(m, kind)
                ]
                if len(found) > after:
                    return found[after]
                self.arrived.clear()
                await self.arrived.wait()

    def caller(self, called: str, caller: str = "13800138000", leg: str = "t1") -> None:
        """A call comes in on channel 5 of the trunk."""
        self.say("line", Incoming(leg, "e1", called, caller, channel=5))

    async def agent_answers(self, after: int = 0) -> Dial:
        """The phone that is dialled next answers."""
        dial: Dial = await self.sent(Dial, "phone", after)
        self.say("phone", Answered(dial.leg, THEIRS))
        return dial

    async def until(self, kind: str) -> EventRow:
        """Wait for an event of this kind, past or to come."""
        async with asyncio.timeout(5), self.events.subscribe(kind) as coming:
            past = await self.events.rows(kind=kind)
            if past:
                return past[-1]
            return await anext(coming)

    async def kinds(self) -> list[str]:
        """Kinds of all events so far."""
        return [row.kind for row in await self.events.rows(limit=10_000)]


@asynccontextmanager
async def desk(path: Path, services: Mapping[str, Any] | None = None, **more: Any) -> AsyncIterator[Desk]:
    """A switchboard with seats 8001 and 8002 (who may call outside); 95001 is the service ``test``, 95002 seat 8001."""
    made = Desk()
    made.store = store = await Store.open(path / "test.db")
    made.events = await EventLog.open(store)
    people = await Directory.open(store, made.events, "onecall")
    await people.add_seat("8001", "secret-8001")
    await people.add_seat("8002", "secret-8002", outside=True)
    plugins = Plugins(made.events.append)
    made.switchboard = Switchboard(
        line=made.line,  # type: ignore[arg-type]
        phone=made.phone,  # type: ignore[arg-type]
        events=made.events,
        people=people,
        plugins=plugins,
        now=time.time,
        numbers=[Number("95001", "test:"), Number("95002", "extension:8001"), Number("*50*", "test:")],
        **more,
    )
    made.sms = SmsDesk(
        store, made.events, plugins, lines=made.switchboard.trunks.lines.values, send=made.line.send, now=time.time
    )
    await made.sms.open()
    made.sms.line_up(Snapshot("line"))
    plugins.services = {**core_services(made.switchboard), **(services or {})}
    made.switchboard.handle("line", LineState("e1", "pri", True, (ChannelState(5, "idle"),)))
    try:
        yield made
    finally:
        await made.sms.close()
        await made.switchboard.stop()
        await store.close()
