"""What the whole box takes, and how soon a free agent's phone rings: ``python -m tests.bench.bench_site``.

The three processes run as in the product, with so many E1 spans as ``--calls`` need; callers with the exchange, and
phones with their people, are two simulator processes beside them. Two lines of JSON are printed:

- ``site``: every caller is bridged to a phone and recorded, for ``--seconds``. ``cpu``: share of one core of the line,
  the phone and the control process and their sum (goal for 120 calls: 0.25); ``late_p99_ms``, ``late_max_ms``: the
  tick's lateness since the start, calls coming and going included (goal: never over 20); ``audio``: directions of some
  calls that were followed, live and in the recording, and how many were right; ``left``: what is left over (goal: 0).
- ``ring``: half as many agents as callers, so that somebody always waits. ``ring_ms``: from the moment when a waiting
  caller and a free agent are both there until the phone has said that it rings (goal: p99 under 20), of which
  ``offer_ms`` until the agent was chosen; the simulated phones' own work is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import attrs

from appliance.api.client import Client
from appliance.api.types import EventRow, Live
from appliance.demo import children, report, site
from appliance.events.figures import call_figures, percentiles
from tests.judges.phonebox import free_port

#: Calls whose audio is followed, and the ceiling of what one page of events holds.
SAMPLE = 10
PAGE = 5000
CONTROL = {"line": "hw.line", "phone": "hw.phone", "control": "appliance"}


def etc(path: Path, desks: int) -> None:
    """The default site's files with so many agents, each with a seat, all in one queue."""
    shutil.copytree(site.ETC, path)
    agents = "".join(f'{1001 + n} = {{ name = "座席{n}", pin = "1234" }}\n' for n in range(desks))
    seats = "".join(f'{8001 + n} = {{ password = "benchmark-{n}" }}\n' for n in range(desks))
    numbers = '"95002" = { destination = "queue:service" }\n'
    (path / "site.toml").write_text(f"[agents]\n{agents}[seats]\n{seats}[numbers]\n{numbers}", encoding="utf-8")
    served = json.dumps([str(1001 + n) for n in range(desks)])
    (path / "queues.toml").write_text(f'[service]\nname = "bench"\nagents = {served}\n', encoding="utf-8")


def callers(spans: list[str], at_once: int, talk_ms: tuple[int, int], *, calls: int, per_s: float) -> str:
    """Settings of the simulator with the exchange."""
    addresses = ", ".join(f'{{ address = "{span}" }}' for span in spans)
    steps = f'[{{ do = "queue", ms = [120000, 120000] }}, {{ do = "talk", ms = {list(talk_ms)} }}]'
    return (
        f"[sim]\ndrain_ms = 40000\n[sim.exchange]\nspans = [{addresses}]\n"
        f"[sim.traffic]\ncalls_per_hour = {round(per_s * 3600)}\nat_once = {at_once}\ncalls = {calls}\n"
        f'first_code = 3000\nwishes = [{{ name = "talk", called = "95002", steps = {steps} }}]\n'
    )


def phones(desks: int, sip_port: int) -> str:
    """Settings of the simulator with the phones, whose people answer soon and never hang up."""
    each = ", ".join(
        f'{{ account = "{8001 + n}", password = "benchmark-{n}", code = {1000 + n}, answer_ms = [200, 1000] }}'
        for n in range(desks)
    )
    return f'[sim]\n[sim.phones]\nregistrar = "127.0.0.1:{sip_port}"\nlist = [{each}]\n'


class Site:
    """The box and its simulators for one run."""

    def __init__(self, base: Path, calls: int) -> None:
        self.calls = calls
        self.sockets = Path(tempfile.mkdtemp(prefix="onecall-"))
        self.spans = [str(self.sockets / f"e{n + 1}") for n in range(-(-calls // 30))]
        etc(base / "etc", calls)
        spans = [{"name": f"e{n + 1}", "address": address} for n, address in enumerate(self.spans)]
        self.made = site.make(
            base, "127.0.0.1", sip_port=free_port(),
            settings={"line": {"spans": spans}, "control": {"etc": str(base / "etc")}},
        )  # fmt: skip
        self.children: dict[str, children.Child] = {}
        self.client = Client(self.made.api)

    async def start(self) -> None:
        """Box and phones; every agent is logged in."""
        for name, module in CONTROL.items():
            await self._child(name, module, "--config", str(self.made.config))
            socket = self.made.api if name == "control" else self.made.sockets / f"{name}.sock"
            await children.wait_for(socket, self.children[name], 60)
        await self.client.connect()
        await self.simulate("phones", phones(self.calls, self.made.sip_port))
        await self.until(lambda v: sum(p.registered for p in v.phones) == self.calls)
        for n in range(self.calls):
            await self.client.call("agents.login", agent=str(1001 + n), seat=str(8001 + n))

    async def _child(self, name: str, module: str, *arguments: str) -> None:
        self.children[name] = await children.start(name, module, list(arguments), self.made.base / "log")

    async def simulate(self, name: str, settings: str) -> None:
        """Start a simulator."""
        config = self.made.base / f"{name}.toml"
        config.write_text(settings, encoding="utf-8")
        await self._child(name, "hw.sim", "--config", str(config), "--report", str(self._report(name)))

    def _report(self, name: str) -> Path:
        return self.made.base / f"{name}.json"

    async def simulated(self, name: str) -> dict[str, Any]:
        """Stop a simulator (its calls may end first); its report."""
        await self.children.pop(name).stop(60)
        return report.read_sim(self._report(name))

    async def live(self) -> Live:
        """The live view now."""
        return await self.client.get(Live, "live")

    async def until(self, met: Any, timeout_s: float = 90) -> Live:
        """Wait until the live view is as wanted; asks seldom, so as not to be the load."""
        async with asyncio.timeout(timeout_s):
            while not met(view := await self.live()):
                await asyncio.sleep(0.5)
        return view

    async def events(self, after: int = 0) -> list[EventRow]:
        """All events from ``after`` on."""
        rows: list[EventRow] = []
        while page := await self.client.get(list[EventRow], "events.list", after=after, limit=PAGE):
            rows += page
            after = page[-1].id
        return rows

    async def cpu(self, seconds: int) -> dict[str, float]:
        """The share of a core that each process takes in the next ``seconds``, and the sum."""
        began, before = time.monotonic(), {p.process: p.cpu_s for p in (await self.live()).processes}
        await asyncio.sleep(seconds)
        took, after = time.monotonic() - began, (await self.live()).processes
        shares = {p.process: round((p.cpu_s - before[p.process]) / took, 3) for p in after}
        return {**shares, "sum": round(sum(shares.values()), 3)}

    async def left(self) -> int:
        """What is left over once nobody calls any more."""
        for _ in range(100):
            left = await self.client.call("leftover")
            if not any(left.values()):
                break
            await asyncio.sleep(0.1)
        return int(sum(left.values()))

    async def stop(self) -> None:
        """Everything ends."""
        await self.client.close()
        for child in reversed(list(self.children.values())):
            await child.stop(20)
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.made.sockets, ignore_errors=True)


async def bridged(box: Site, seconds: int) -> dict[str, Any]:
    """Everybody talks: what it takes."""
    ramp_s = 2 + box.calls / 15
    talk_ms = round((2 * ramp_s + seconds + 5) * 1000)
    await box.simulate(
        "callers", callers(box.spans, box.calls, (talk_ms, talk_ms), calls=box.calls, per_s=box.calls / ramp_s)
    )
    await box.until(lambda v: sum(c.state == "talking" for c in v.calls) == box.calls)
    await asyncio.sleep(1)
    box.children["callers"].signal(signal.SIGUSR1)
    cpu = await box.cpu(seconds)
    view = await box.live()
    assert sum(c.state == "talking" for c in view.calls) == box.calls, "somebody was cut off"
    await box.until(lambda v: not v.calls)
    left = await box.left()
    line = next(p for p in (await box.live()).processes if p.process == "line")
    heard_by_callers = await box.simulated("callers")
    heard_by_phones = await box.simulated("phones")
    talked = report.talks(await box.events())
    step = max(1, len(talked) // SAMPLE)
    sample = talked[::step]
    heard = await report.listen([talk.recording for talk in sample])
    audio = report.judge(sample, {"calls": heard_by_callers["calls"], "phones": heard_by_phones["phones"]}, heard)
    return {
        "bench": "site", "calls": box.calls, "seconds": seconds, "cpu": cpu,
        "late_p99_ms": line.run_late_p99_ms, "late_max_ms": line.run_late_max_ms,
        "recorded": sum(bool(talk.recording) for talk in talked), "audio": audio, "left": left,
    }  # fmt: skip


async def ringing(box: Site, seconds: int) -> dict[str, Any]:
    """Half of the agents serve twice as many callers: how soon a phone rings."""
    agents = box.calls // 2
    for n in range(agents, box.calls):
        await box.client.call("agents.logout", agent=str(1001 + n))
    await box.simulate("phones", phones(agents, box.made.sip_port))
    await box.until(lambda v: sum(a.state == "free" for a in v.agents) == agents)
    after = (await box.events())[-1].id
    await box.simulate("callers", callers(box.spans, box.calls, (4000, 12000), calls=0, per_s=box.calls / 4))
    await asyncio.sleep(5)
    cpu = await box.cpu(seconds)
    box.children["callers"].signal(signal.SIGUSR1)
    await box.simulated("callers")
    await box.until(lambda v: not v.calls)
    events = await box.events(after)
    figures = call_figures(events)
    chosen = percentiles([event.data["ms"] for event in events if event.kind == "acd.offered"])
    line = next(p for p in (await box.live()).processes if p.process == "line")
    return {
        "bench": "ring", "agents": agents, "callers": box.calls, "served": figures.bridged,
        "calls_per_s": round(figures.bridged / (seconds + 5), 1), "ring_ms": attrs.asdict(figures.ring_ms),
        "offer_ms": attrs.asdict(chosen), "cpu": cpu, "late_p99_ms": line.run_late_p99_ms,
        "late_max_ms": line.run_late_max_ms, "left": await box.left(),
    }  # fmt: skip


async def main(calls: int, seconds: int) -> None:
    """Both measurements on one box."""
    with tempfile.TemporaryDirectory() as folder:
        box = Site(Path(folder) / "box", calls)
        try:
            await box.start()
            print(json.dumps(await bridged(box, seconds)), flush=True)
            print(json.dumps(await ringing(box, seconds)), flush=True)
        finally:
            await box.stop()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=120)
    options.add_argument("--seconds", type=int, default=30)
    given = options.parse_args()
    asyncio.run(main(given.calls, given.seconds))
