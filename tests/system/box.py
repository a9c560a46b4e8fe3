"""The whole box for a test: three processes as children; exchange, callers and phones scripted in the test's loop."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.api.client import Client
from appliance.api.types import EventRow, Live
from appliance.demo import children, site
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.phone import Phone
from hw.sim.rtp import Audio

MODULES = {"line": "hw.line", "phone": "hw.phone", "control": "appliance"}


class Box:
    """Processes by name, the exchange, the phones that a test switched on, and a client of the API."""

    def __init__(self, made: site.DemoSite) -> None:
        self.site = made
        self.children: dict[str, children.Child] = {}
        self.exchange: Exchange
        self.phones: list[Phone] = []
        self.audio = Audio(128)
        self.client: Client

    async def start(self, name: str) -> None:
        """Start (again) one process and wait for its socket."""
        socket = self.site.api if name == "control" else self.site.sockets / f"{name}.sock"
        socket.unlink(missing_ok=True)
        self.children[name] = await children.start(
            name, MODULES[name], ["--config", str(self.site.config)], self.site.base / "log"
        )
        await children.wait_for(socket, self.children[name])
        if name == "control":
            self.client = Client(socket)
            await self.client.connect()

    async def kill(self, name: str) -> None:
        """kill -9."""
        self.children[name].signal(signal.SIGKILL)
        await self.children[name].wait()

    def secret(self, table: str, name: str) -> str:
        """A PIN or password that the first start made."""
        made: dict[str, dict[str, str]] = tomllib.loads(self.site.secrets.read_text(encoding="utf-8"))
        return made[table][name]

    async def phone(self, account: str, code: int, *, password: str = "", **more: Any) -> Phone:
        """Switch a phone on and wait until it is registered."""
        phone = Phone(
            account,
            password or self.secret("passwords", account),
            ("127.0.0.1", self.site.sip_port),
            self.audio,
            code=code,
            **more,
        )
        self.phones.append(phone)
        await phone.start()
        async with asyncio.timeout(10):
            await phone.registered()
        return phone

    async def agent(self, number: str, account: str, code: int) -> Phone:
        """A phone with an agent logged in by the feature code and his PIN."""
        phone = await self.phone(account, code)
        call = phone.dial(f"*50{number}")
        async with asyncio.timeout(15):
            await call.answered()
            await self.until_event("leg.answered", lambda e: True)
            call.press(self.secret("pins", number) + "#")
            await self.until(lambda view: any(a.agent == number and a.state != "out" for a in view.agents))
            await call.ended()
            await self.until(lambda view: any(a.agent == number and a.state == "free" for a in view.agents))
        return phone

    async def seated(self, number: str, account: str, code: int) -> Phone:
        """A phone with an agent whom a supervisor has logged in: quicker than ``agent``, through no prompt."""
        phone = await self.phone(account, code)
        await self.client.call("agents.login", agent=number, seat=account)
        await self.until(lambda view: any(a.agent == number and a.state not in ("out", "paused") for a in view.agents))
        return phone

    async def agent_is(self, number: str, state: str, timeout_s: float = 15) -> None:
        """Wait until an agent is in a state."""
        await self.until(lambda view: any(a.agent == number and a.state == state for a in view.agents), timeout_s)

    async def live(self) -> Live:
        """The live view now."""
        return await self.client.get(Live, "live")

    async def until(self, met: Callable[[Live], bool], timeout_s: float = 15) -> Live:
        """Wait until the live view is as wanted."""
        async with asyncio.timeout(timeout_s):
            while not met(view := await self.live()):
                await asyncio.sleep(0.05)
        return view

    async def events(self, kind: str = "") -> list[EventRow]:
        """All events so far, of a kind."""
        return await self.client.get(list[EventRow], "events.list", after=0, kind=kind, limit=10_000)

    async def until_event(self, kind: str, met: Callable[[EventRow], bool], timeout_s: float = 15) -> EventRow:
        """Wait for an event, past or to come."""
        async with asyncio.timeout(timeout_s):
            while True:
                for event in await self.events(kind):
                    if met(event):
                        return event
                await asyncio.sleep(0.05)

    async def kinds_of(self, caller: str, timeout_s: float = 15) -> list[str]:
        """The kinds of all events of a caller's contact, once it has ended."""
        offered = await self.until_event("contact.offered", lambda e: e.data["caller"] == caller, timeout_s)
        await self.until_event("contact.ended", lambda e: e.contact == offered.contact, timeout_s)
        return [event.kind for event in await self.events() if event.contact == offered.contact]

    async def until_recordings(self, count: int, timeout_s: float = 15) -> list[Path]:
        """Wait until so many recordings are whole; their files."""
        async with asyncio.timeout(timeout_s):
            while len(made := await self.events("recording.made")) < count:
                await asyncio.sleep(0.1)
        return [Path(event.data["path"]) for event in made]

    async def nothing_left(self, timeout_s: float = 15) -> None:
        """Wait until no channel is busy, no port open, no leg, call or task there."""
        left: dict[str, int] = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    left = dict(await self.client.call("leftover"))
                    view = await self.live()
                    left["channels"] = sum(c.state == "busy" for c in view.channels)
                    left["ports"] = next(p for p in view.processes if p.process == "line").gauges.get("rtp_ports", 0)
                    if not any(left.values()):
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"left over: {left}") from None


def own_etc(path: Path, numbers: dict[str, str]) -> Path:
    """A copy of the default site's files, with more called numbers and their destinations."""
    etc = path / "etc"
    shutil.copytree(site.ETC, etc)
    with (etc / "site.toml").open("a", encoding="utf-8") as file:
        file.writelines(f'"{number}" = {{ destination = "{to}" }}\n' for number, to in numbers.items())
    return etc


@asynccontextmanager
async def running(
    path: Path, *, settings: dict[str, dict[str, Any]] | None = None, far: dict[str, dict[str, Any]] | None = None
) -> AsyncIterator[Box]:
    """A box with one E1 of 30 channels and the default site; ``settings`` are put over the settings file's tables.

    ``far``: more settings of the exchange's spans, by the names of the lines.
    """
    box = Box(site.make(path / "box", "127.0.0.1", sip_port=0, settings=settings))
    try:
        for name in MODULES:
            await box.start(name)
        spans = tomllib.loads(box.site.config.read_text(encoding="utf-8"))["line"]["spans"]
        wanted = ("address", "channels", "signalling")
        more = far or {}
        ends = (
            ExchangeSpanSettings(**{key: span[key] for key in wanted if key in span}, **more.get(span["name"], {}))
            for span in spans
        )
        box.exchange = Exchange(ExchangeSettings(tuple(ends)))
        await box.exchange.start()
        talking = asyncio.create_task(box.audio.run())
        async with asyncio.timeout(15):
            await box.exchange.wait_up()
        await box.until(lambda view: {t.line for t in view.trunks if t.up} >= {span["name"] for span in spans})
        yield box
    except BaseException:
        for child in box.children.values():
            tail = "\n".join(child.log.read_text(errors="replace").splitlines()[-30:])
            print(f"--- {child.name}\n{tail}", file=sys.stderr)
        raise
    finally:
        for phone in box.phones:
            await phone.close()
        if hasattr(box, "exchange"):
            talking.cancel()
            await box.exchange.close()
        if hasattr(box, "client"):
            await box.client.close()
        for child in reversed(list(box.children.values())):
            await child.stop(5)
