"""What saving costs: events a second appended, and CPU at the rate of a busy site. Prints one JSON line.

``python -m tests.bench.bench_store [EVENTS]``: first as fast as it goes, then for some seconds the load of 120 calls at
once (40 events a second, every fourth with a new contact and its end), each commit on the disk (synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import update

from appliance.events.log import EventLog
from appliance.events.types import ContactEnded, LegAnswered
from appliance.store.store import Insertion, Store
from appliance.store.tables import contact

RATE = 40
SECONDS = 5


async def flood(log: EventLog, events: int) -> tuple[float, float]:
    """Wall and CPU seconds of so many events, the loop given way as calls would."""
    began, cpu = time.perf_counter(), time.process_time()
    for n in range(events):
        log.append(LegAnswered(f"c{n}.1", 12.5), f"c{n}")
        if n % 50 == 0:
            await asyncio.sleep(0)
    await log.flushed()
    return time.perf_counter() - began, time.process_time() - cpu


async def busy(store: Store, log: EventLog) -> tuple[float, float]:
    """The share of a core at the busy site's rate, and the longest that one turn of the loop was late, ms."""
    loop = asyncio.get_running_loop()
    before, began, late = time.process_time(), loop.time(), 0.0
    for n in range(RATE * SECONDS):
        if n % 4 == 0:
            store.save(Insertion(contact, {"id": f"b{n}", "offered_at": 1.0, "caller": "13800138000"}))
            end = update(contact).where(contact.c.id == f"b{n - 40}").values(ended_at=2.0, cause=16, talked=True)
            log.append(ContactEnded(16, "far", True, 60_000.0), f"b{n - 40}", [end])
        else:
            log.append(LegAnswered(f"b{n}.1", 12.5), f"b{n}")
        due = began + (n + 1) / RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        late = max(late, loop.time() - due)
    await log.flushed()
    return (time.process_time() - before) / (loop.time() - began), late * 1000


async def main(events: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        store = await Store.open(Path(folder) / "onecall.db")
        opened = time.perf_counter() - began
        log = await EventLog.open(store)
        wall, cpu = await flood(log, events)
        commits = store.commits
        core, late = await busy(store, log)
        await store.close()
    figures = {
        "bench": "store",
        "events": events,
        "events_per_s": round(events / wall),
        "cpu_us_per_event": round(cpu / events * 1e6, 1),
        "events_per_commit": round(events / commits, 1),
        f"core_percent_at_{RATE}_events_per_s": round(core * 100, 2),
        "loop_late_max_ms": round(late, 1),
        "open_ms": round(opened * 1000),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
