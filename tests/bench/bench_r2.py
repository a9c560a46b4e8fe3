"""How much an R2 call costs: calls a second through one span, and CPU a call for each side. Prints one JSON line.

``python tests/bench/bench_r2.py [CALLS]``: the exchange runs in a process of its own, as in the product; every call is
set up with five digits and the caller's eleven, answered and cleared, 30 at once. The line runs ten times as fast as a
real one; ``line_s_to_answer`` and ``calls_per_line_s`` are in the line's time: a real span does so many, no more.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from hw.line.settings import R2Settings, SpanSettings
from hw.line.signalling import open_trunk
from hw.messages import Incoming, LineEvent
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings

AT_ONCE = 30
#: A tenth of the real period.
PERIOD_S = 0.002


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def far_side(address: str, calls: int, result: Connection) -> None:
    """The exchange: ``calls`` calls as fast as they go, then as many ticks without any, to tell the calls' cost."""

    async def main() -> None:
        exchange = Exchange(ExchangeSettings((ExchangeSpanSettings(address, signalling="r2"),)))
        span = exchange.spans[0]
        waited = 0

        async def some(rounds: int) -> None:
            nonlocal waited
            for _ in range(rounds):
                began = span.counters["ticks"]
                caller = exchange.call("95001", "13800138000")
                await caller.answered()
                waited += span.counters["ticks"] - began
                caller.hangup()
                await caller.cleared()

        await exchange.start()
        await exchange.wait_up()
        await some(1)
        waited = 0
        result.send("begin")
        began, cpu, ticks = time.perf_counter(), _cpu(), span.counters["ticks"]
        await asyncio.gather(*(some(calls // AT_ONCE) for _ in range(AT_ONCE)))
        took, cpu, ticks = time.perf_counter() - began, _cpu() - cpu, span.counters["ticks"] - ticks
        result.send("end")
        idle_cpu, idle_ticks = _cpu(), span.counters["ticks"]
        while span.counters["ticks"] < idle_ticks + 2000:
            await asyncio.sleep(0.01)
        a_tick = (_cpu() - idle_cpu) / (span.counters["ticks"] - idle_ticks)
        result.send((took, ticks, cpu - ticks * a_tick, waited))
        await exchange.close()

    asyncio.run(main())


async def near_side(address: str, calls: int, far: Connection) -> dict[str, float]:
    """Our trunk, answering everything; the figures."""

    def on(event: LineEvent) -> None:
        if isinstance(event, Incoming):
            trunk.answer(event.leg)

    async def tick() -> None:
        frames = np.full((30, 160), 0xD5, np.uint8)
        nonlocal ticks
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            trunk.timeslots.read(frames)
            trunk.timeslots.write(frames)
            ticks += 1
            due += PERIOD_S
            await asyncio.sleep(max(due - loop.time(), 0))

    ticks = 0
    settings = R2Settings(called_digits=5)
    trunk = open_trunk(SpanSettings(name="e1", address=address, signalling="r2", r2=settings))
    await trunk.start(on)
    ticking = asyncio.create_task(tick())
    receive = asyncio.get_running_loop().run_in_executor
    await receive(None, far.recv)
    cpu, began = _cpu(), ticks
    await receive(None, far.recv)
    cpu, during, idle_cpu, idle = _cpu() - cpu, ticks - began, _cpu(), ticks
    took, far_ticks, far_cpu, waited = await receive(None, far.recv)
    a_tick = (_cpu() - idle_cpu) / (ticks - idle)
    ticking.cancel()
    await trunk.close()
    done = calls // AT_ONCE * AT_ONCE
    return {
        "calls": done,
        "calls_per_s": round(done / took),
        "calls_per_line_s": round(done / (far_ticks * 0.02), 1),
        "line_s_to_answer": round(waited * 0.02 / done, 2),
        "trunk_cpu_ms_per_call": round((cpu - during * a_tick) / done * 1000, 2),
        "exchange_cpu_ms_per_call": round(far_cpu / done * 1000, 2),
        "trunk_cpu_us_per_idle_tick_30": round(a_tick * 1e6, 1),
        "frames_missing": trunk.counters()["missing"],
    }


def main() -> None:
    """Run both sides and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "e1")
        near, far = multiprocessing.Pipe()
        other = multiprocessing.get_context("spawn").Process(target=far_side, args=(address, calls, far))
        other.start()
        print(json.dumps({"bench": "r2"} | asyncio.run(near_side(address, calls, near))))
        other.join()


if __name__ == "__main__":
    main()
