"""A call centre floor: the real switchboard, calls, store and queues; the line and phone processes are played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.api.types import EventRow
from appliance.box import CoreBox
from appliance.calls.numbering import Number
from appliance.calls.services import core_services
from appliance.events.types import ProcessChanged
from appliance.phones import Phones
from appliance.plugin import hookimpl
from appliance.store.store import Store
from hw.messages import Cleared, Dial, Digit, Incoming, Play, Registered, Unregistered
from plugins.acd import plugin
from plugins.acd.dispatcher import Dispatcher
from tests.appliance.calls.desk import THEIRS, Desk, desk

NUMBERS = [
    Number("95001", "queue:service"),
    Number("95003", "queue:sales"),
    Number("*50*", "agent:login"),
    Number("*51", "agent:logout"),
    Number("*52*", "agent:pause"),
    Number("*53", "agent:resume"),
]


class Voice:
    """Says every prompt: one clip named after it."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        #: Called with each prompt that is said.
        self.heard: Callable[[str], None] = lambda _: None

    @hookimpl
    def onecall_speak(self, prompt: str, values: dict[str, Any], language: str) -> Any:
        async def paths() -> list[Path]:
            self.said.append((prompt, dict(values)))
            self.heard(prompt)
            return [Path(f"/{language}/{prompt}.wav")]

        return paths()


class Floor:
    """Callers, agents and phones by short names: agent 1001 sits at 8001."""

    def __init__(self, d: Desk, box: CoreBox, phones: Phones, voice: Voice) -> None:
        self.desk = d
        self.box = box
        self.phones = phones
        self.voice = voice

    @property
    def dispatcher(self) -> Dispatcher:
        return plugin._dispatcher()

    @property
    def methods(self) -> dict[str, Any]:
        return dict(plugin.onecall_methods())

    def plug(self, seat: str) -> None:
        self.phones.handle(Registered(seat, f"sip:{seat}@10.0.0.1", "10.0.0.1:5060", expires_s=3600))

    def unplug(self, seat: str) -> None:
        self.phones.handle(Unregistered(seat, f"sip:{seat}@10.0.0.1", "expired"))

    async def login(self, *agents: str) -> None:
        for agent in agents:
            await self.methods["agents.login"](agent=agent, seat=f"8{agent[1:]}")

    def state(self, agent: str) -> str:
        return self.dispatcher.engine.roster.agents[agent].shown[0]

    async def rings(self, seat: str, after: int = 0) -> Dial:
        """The dial to a seat's phone."""
        async with asyncio.timeout(5):
            while True:
                dials = [m for m in self.desk.phone.sent if isinstance(m, Dial) and m.number == seat]
                if len(dials) > after:
                    return dials[after]
                self.desk.arrived.clear()
                await self.desk.arrived.wait()

    async def event(self, kind: str, after: int = 0, **data: Any) -> EventRow:
        """The event of this kind with this data, past or to come."""

        def fits(row: EventRow) -> bool:
            return row.kind == kind and row.id > after and data.items() <= row.data.items()

        async with asyncio.timeout(5), self.desk.events.subscribe(kind) as coming:
            for row in await self.desk.events.rows(kind=kind, limit=10_000):
                if fits(row):
                    return row
            async for row in coming:
                if fits(row):
                    return row
        raise AssertionError

    def clear(self, leg: str, cause: int = 16) -> None:
        """The far end hangs up."""
        self.desk.say("phone" if "." in leg or leg.startswith("p") else "line", Cleared(leg, cause, "far"))

    def dials_from_seat(self, seat: str, called: str, leg: str = "p1") -> None:
        self.desk.say("phone", Incoming(leg, "phones", called, seat, media=THEIRS))

    def keys(self, leg: str, keys: str) -> None:
        for key in keys:
            self.desk.say("line", Digit(leg, key))

    def hold_prompts(self) -> list[Play]:
        """From now on prompts do not end by themselves; returns those that begin."""
        playing: list[Play] = []
        send = self.desk.line.send

        def hold(message: Any) -> None:
            if isinstance(message, Play) and not message.loop:
                self.desk.line.sent.append(message)
                playing.append(message)
                self.desk.arrived.set()
            else:
                send(message)

        self.desk.line.send = hold  # type: ignore[method-assign]
        return playing

    async def restart_queues(self) -> None:
        """The queues stop and start again on the same store, as after a restart of the control process."""
        await self.desk.events.flushed()
        await plugin.onecall_stop()
        await plugin.onecall_start(self.box)

    def settle(self) -> None:
        """The core tells that it has adopted what goes on, as it does after each start."""
        self.desk.events.append(ProcessChanged("control", True))


@asynccontextmanager
async def floor(path: Path, queues: str, settings: str = "") -> AsyncIterator[Floor]:
    """Agents 1001, 1002 (PIN 2468) and 1003 (none), seats 8001, 8002 with phones; ``queues`` is queues.toml."""
    (path / "queues.toml").write_text(queues, encoding="utf-8")
    config = path / "onecall.toml"
    config.write_text(settings, encoding="utf-8")
    await (await Store.open(path / "test.db", [plugin.onecall_migrations()])).close()
    async with desk(path) as d:
        switchboard = d.switchboard
        switchboard.numbers = NUMBERS
        phones = Phones(d.events, switchboard.people, "onecall", switchboard.now, switchboard.telephones)
        for number in ("1001", "1002"):
            await switchboard.people.add_agent(number, f"座席{number}", pin="2468")
        await switchboard.people.add_agent("1003", "座席1003")
        voice = Voice()
        switchboard.plugins.register(plugin, "acd")
        switchboard.plugins.register(voice, "voice")
        switchboard.plugins.collect(core_services(switchboard), path / "prompts")
        box = CoreBox(
            config=config, etc=path, var=path, store=d.store, switchboard=switchboard, phones=phones, sms=d.sms
        )
        made = Floor(d, box, phones, voice)
        made.plug("8001")
        made.plug("8002")
        await switchboard.plugins.start(box)
        made.settle()
        try:
            yield made
        finally:
            await switchboard.plugins.stop()
