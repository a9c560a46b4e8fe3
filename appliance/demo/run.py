"""Runs the demo: starts the site, shows the console or waits, drains, and says what came out of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from appliance.api.client import Client
from appliance.api.types import EventRow, Live
from appliance.demo import children, report, site
from appliance.events.figures import call_figures

#: How long calls that are up may go on after the last was offered, in seconds.
DRAIN_S = 40.0

Say = Callable[[str], None]


class Demo:
    """The running site: three processes and the simulator."""

    def __init__(self, made: site.DemoSite, address: str, say: Say) -> None:
        self.site = made
        self._address = address
        self._say = say
        self._children: dict[str, children.Child] = {}

    async def start(self, traffic: Mapping[str, Any]) -> None:
        """Start everything in order. Raises ``ChildFailed``."""
        config = ["--config", str(self.site.config)]
        for name, module in (("line", "hw.line"), ("phone", "hw.phone")):
            await self._start(name, module, config)
        for name in ("line", "phone"):
            await children.wait_for(self.site.sockets / f"{name}.sock", self._children[name])
        await self._start("control", "appliance", config)
        await children.wait_for(self.site.api, self._children["control"])
        site.simulated(self.site, self._address, traffic)
        await self._start("sim", "hw.sim", [*config, "--report", str(self.site.report)])

    async def _start(self, name: str, module: str, arguments: list[str]) -> None:
        self._say(f"starting the {name} process")
        self._children[name] = await children.start(name, module, arguments, self.site.base / "log")

    def check(self) -> None:
        """Raises ``ChildFailed`` when a process has died."""
        for child in self._children.values():
            if not child.running:
                raise child.failed()

    async def live(self) -> Live:
        """The live view of this moment."""
        async with Client(self.site.api) as client:
            return await client.get(Live, "live")

    async def drain(self) -> dict[str, int]:
        """No new callers; wait until calls are over; what is left over after that."""
        self._children["sim"].signal(signal.SIGUSR1)
        async with Client(self.site.api) as client:
            end = time.monotonic() + DRAIN_S
            while (await client.get(Live, "live")).calls and time.monotonic() < end:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
            await self._children["sim"].stop(DRAIN_S)
            for _ in range(50):
                left = await client.call("leftover")
                view = await client.get(Live, "live")
                line = next(p for p in view.processes if p.process == "line")
                left["channels"] = sum(c.state == "busy" for c in view.channels)
                left["ports"] = line.gauges.get("rtp_ports", 0)
                if not any(left.values()):
                    break
                await asyncio.sleep(0.1)
        return {name: int(count) for name, count in left.items()}

    async def events(self) -> list[EventRow]:
        """All events of the run."""
        rows: list[EventRow] = []
        async with Client(self.site.api) as client:
            while page := await client.get(
                list[EventRow], "events.list", after=rows[-1].id if rows else 0, limit=5000
            ):
                rows += page
        return rows

    async def stop(self) -> bool:
        """Stop everything in reverse order; whether all ended cleanly."""
        clean = True
        for child in reversed(list(self._children.values())):
            clean &= await child.stop()
        return clean


async def headless(demo: Demo, seconds: float, say: Say) -> dict[str, Any]:
    """Let it run, then judge; the figures that ``--json`` prints."""
    began = time.monotonic()
    while (left := seconds - (time.monotonic() - began)) > 0:
        demo.check()
        view = await demo.live()
        busy = sum(c.state == "busy" for c in view.channels)
        say(
            f"{left:5.0f} s to go   channels busy {busy:3}   calls {len(view.calls):3}   "
            f"offered {view.totals.get('offered', 0):4}"
        )
        await asyncio.sleep(min(left, 5.0))
    say("no new callers; calls that are up may end")
    left_over = await demo.drain()
    view = await demo.live()
    events = await demo.events()
    talked = report.talks(events)
    say("listening to the recordings")
    heard = await report.listen(sorted({t.recording for t in talked if t.recording}))
    audio = report.judge(talked, report.read_sim(demo.site.report), heard)
    for sentence in audio.pop("wrong"):
        say(f"wrong: {sentence}")
    processes = {p.process: p for p in view.processes}
    line = processes["line"]
    return {
        **attrs.asdict(call_figures(events)),
        "audio": audio,
        "tick_late_ms": {"p99": line.run_late_p99_ms, "max": line.run_late_max_ms},
        "cpu_s": {name: round(processes[name].cpu_s, 2) for name in ("line", "phone", "control")},
        "leftover": {**left_over, "total": sum(left_over.values())},
    }


def passed(figures: Mapping[str, Any]) -> bool:
    """All audio right, some checked, nothing left over."""
    audio = figures["audio"]
    return bool(audio["checked"] > 0 and audio["checked"] == audio["right"] and figures["leftover"]["total"] == 0)


async def console(made: site.DemoSite, language: str, notes: Sequence[str]) -> int:
    """The console on this terminal, until it is closed; ``notes`` stay on its overview."""
    told = [argument for note in notes for argument in ("--note", note)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "textual_admin", "--socket", str(made.api), "--lang", language, *told
    )
    return await process.wait()


def print_json(figures: Mapping[str, Any]) -> None:
    """One object on one line of stdout."""
    print(json.dumps(figures), flush=True)


def base_folder() -> Path:
    """Where the demo keeps its files: ``var/demo`` in a checkout, the user's state folder when installed."""
    if site.ETC.parent == Path(__file__).resolve().parents[2]:
        return site.ETC.parent / "var" / "demo"
    return Path.home() / ".local" / "state" / "onecall-demo"
