"""Asked inside the machine, with the installed package's own Python: ``/usr/lib/onecall/python probe.py QUESTION``.

Every question prints what it found and ends with status 0 when it is as it must be.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
import tomllib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from appliance.api.client import Client, NotRunningError
from appliance.api.types import EventRow, Live
from appliance.demo import report

API = Path("/run/onecall/api.sock")
REPORT = Path("/run/onecall/sim-report.json")
STORE = Path("/var/lib/onecall/onecall.db")


async def live() -> Live:
    """The live view now."""
    async with Client(API) as client:
        return await client.get(Live, "live")


async def until(what: Callable[[Live], bool], timeout_s: float) -> bool:
    """Wait until the live view is so; says what it was at the end."""
    end = time.monotonic() + timeout_s
    view = None
    while time.monotonic() < end:
        try:
            view = await live()
            if what(view):
                return True
        except NotRunningError as error:
            print(error)
        await asyncio.sleep(0.2)
    if view is not None:
        registered = sum(phone.registered for phone in view.phones)
        print([row for row in view.processes if not row.up], view.trunks, registered, "phones registered", view.calls)
    return False


def _whole(view: Live) -> bool:
    """Three processes, the trunk, and a phone with an agent at each simulated desk."""
    up = {row.process for row in view.processes if row.up}
    return (
        up == {"control", "line", "phone"}
        and any(trunk.up for trunk in view.trunks)
        and sum(phone.registered for phone in view.phones) >= 13
    )


async def ready() -> bool:
    """The site is whole within 90 s: phones forgotten by the phone process register again only after a while."""
    return await until(_whole, 90)


async def up() -> bool:
    """The three processes are together again within 20 s."""
    return await until(lambda view: all(row.up for row in view.processes) and len(view.processes) == 3, 20)


async def talking() -> bool:
    """Somebody talks within 40 s; prints the contact."""
    found = await until(lambda view: any(call.state == "talking" for call in view.calls), 40)
    print(*(call.contact for call in (await live()).calls if call.state == "talking"))
    return found


async def still() -> bool:
    """The contacts given are all up."""
    up = {call.contact for call in (await live()).calls}
    print("up:", *up)
    return up >= set(sys.argv[2:])


async def idle() -> bool:
    """No call is up within 60 s."""
    return await until(lambda view: not view.calls, 60)


async def events() -> list[EventRow]:
    """All events since the install."""
    rows: list[EventRow] = []
    async with Client(API) as client:
        while page := await client.get(list[EventRow], "events.list", after=rows[-1].id if rows else 0, limit=5000):
            rows += page
    return rows


async def audio() -> bool:
    """Callers and agents heard each other, live and in the recordings, in every talk of the simulator's report."""
    sim = report.read_sim(REPORT)
    began = float(sys.argv[2])
    talked = report.talks([event for event in await events() if event.at >= began])
    heard = await report.listen(sorted({talk.recording for talk in talked if talk.recording}))
    found = report.judge(talked, sim, heard)
    print(json.dumps(found, indent=1))
    return bool(found["checked"] >= 12 and found["checked"] == found["right"])


async def ended() -> bool:
    """The contacts given are over in the store, cleared as people do it, after a talk; asked of the file."""
    with sqlite3.connect(f"{STORE.as_uri()}?mode=ro", uri=True) as store:
        marks = ", ".join("?" * len(sys.argv[2:]))
        rows = store.execute(f"SELECT id, ended_at, cause, talked FROM contact WHERE id IN ({marks})", sys.argv[2:])
        found = rows.fetchall()
    print(found)
    return len(found) == len(sys.argv[2:]) and all(at and cause == 16 and talked for _, at, cause, talked in found)


async def migrated() -> bool:
    """The revision ran once, one copy of before is kept, and it has the agents and the events that the store has."""
    copies = list(STORE.parent.glob(f"{STORE.name}.{sys.argv[2]}-*"))
    print(*copies)
    if len(copies) != 1:
        return False
    with sqlite3.connect(STORE) as now, sqlite3.connect(copies[0]) as before:
        runs = now.execute("SELECT count(*) FROM run_of_revision").fetchone()[0]
        desks = now.execute("SELECT count(*) FROM agent WHERE desk = 'none yet'").fetchone()[0]
        agents = before.execute("SELECT count(*) FROM agent").fetchone()[0]
        last = before.execute("SELECT max(id) FROM event").fetchone()[0]
        kept = now.execute("SELECT count(*) FROM event WHERE id <= ?", (last,)).fetchone()[0]
        was = before.execute("SELECT count(*) FROM event").fetchone()[0]
    print(f"{runs} runs, {desks} of {agents} agents, {kept} of {was} events")
    return runs == 1 and 0 < desks == agents and 0 < kept == was


async def agents() -> bool:
    """The number of agents in the store, and whether the first start's passwords are theirs still."""
    made = tomllib.loads(Path("/var/lib/onecall/first-secrets.toml").read_text(encoding="utf-8"))
    print(len(made["pins"]), "PINs")
    return len(made["pins"]) > 10 and await ready()


if __name__ == "__main__":
    questions: dict[str, Callable[[], Coroutine[Any, Any, bool]]] = {
        question.__name__: question for question in (ready, up, talking, still, idle, ended, migrated, audio, agents)
    }
    sys.exit(0 if asyncio.run(questions[sys.argv[1]]()) else 1)
