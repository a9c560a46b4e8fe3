"""How much a call costs: calls a second through one span, and CPU a call for each side. Prints one JSON line.

``python tests/bench/bench_pri.py [CALLS]``: the exchange runs in a process of its own, as in the product; every call
is set up, answered and cleared, 30 at once.
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

from hw.line.settings import SpanSettings
from hw.line.signalling import open_trunk
from hw.messages import Incoming
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings

AT_ONCE = 30
TICKS = 500


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def far_side(address: str, calls: int, result: Connection) -> None:
    """The exchange: ``calls`` calls as fast as they go, then thirty voices for the audio's figure."""

    async def one(exchange: Exchange) -> None:
        caller = exchange.call("4008001111", "13800138000")
        await caller.answered()
        caller.hangup()
        await caller.cleared()

    async def main() -> None:
        exchange = Exchange(ExchangeSettings(spans=(ExchangeSpanSettings(address),)))
        await exchange.start()
        await exchange.wait_up()
        await one(exchange)
        began, cpu = time.perf_counter(), _cpu()

        async def some() -> None:
            for _ in range(calls // AT_ONCE):
                await one(exchange)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        result.send((time.perf_counter() - began, _cpu() - cpu))
        callers = [exchange.call("400", str(n)) for n in range(AT_ONCE)]
        for n, caller in enumerate(callers):
            await caller.answered()
            caller.say(n)
        cpu, ticks = _cpu(), exchange.spans[0].counters["ticks"]
        result.send("ready")
        while exchange.spans[0].counters["ticks"] < ticks + TICKS:
            await asyncio.sleep(0.1)
        result.send(_cpu() - cpu)
        await exchange.close()

    asyncio.run(main())


async def near_side(address: str, calls: int, far: Connection) -> dict[str, float]:
    """Our trunk, answering everything; the figures."""
    trunk = open_trunk(SpanSettings(name="e1", address=address))
    await trunk.start(lambda event: trunk.answer(event.leg) if isinstance(event, Incoming) else None)
    loop = asyncio.get_running_loop()
    cpu = _cpu()
    seconds, far_cpu = await loop.run_in_executor(None, far.recv)
    near_cpu = _cpu() - cpu
    await loop.run_in_executor(None, far.recv)
    frames = np.full((30, 160), 0xD5, np.uint8)
    cpu = _cpu()
    for _ in range(TICKS):
        trunk.timeslots.read(frames)
        trunk.timeslots.write(frames)
        await asyncio.sleep(0.004)
    audio_cpu = _cpu() - cpu
    far_audio_cpu = await loop.run_in_executor(None, far.recv)
    await trunk.close()
    done = calls // AT_ONCE * AT_ONCE
    return {
        "calls": done,
        "calls_per_s": round(done / seconds),
        "trunk_cpu_ms_per_call": round(near_cpu / done * 1000, 3),
        "exchange_cpu_ms_per_call": round(far_cpu / done * 1000, 3),
        "trunk_cpu_us_per_tick_30": round(audio_cpu / TICKS * 1e6, 1),
        "exchange_cpu_us_per_tick_30": round(far_audio_cpu / TICKS * 1e6, 1),
    }


def main() -> None:
    """Run both sides and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "e1")
        near, far = multiprocessing.Pipe()
        other = multiprocessing.get_context("spawn").Process(target=far_side, args=(address, calls, far))
        other.start()
        print(json.dumps({"bench": "pri"} | asyncio.run(near_side(address, calls, near))))
        other.join()


if __name__ == "__main__":
    main()
