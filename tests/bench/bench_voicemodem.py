"""How much a call over a voice modem costs: calls a second through one, and CPU on our side. Prints one JSON line.

``python tests/bench/bench_voicemodem.py [CALLS]``: the simulated modem runs in a process of its own; every call rings,
brings its caller's number, is answered (both ways at once) and cleared by us. A modem's line rings at once here, a real
one needs seconds for it. ``cpu_ms_talking_s``: milliseconds of CPU for each second of talking, both ways.
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

from hw.line.serial.settings import SerialSettings, VoiceModemSettings
from hw.line.settings import SpanSettings
from hw.line.signalling import open_trunk
from hw.messages import Cleared, Incoming, LineEvent
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.modem import ModemSettings

_TALK_S = 10.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def far_side(address: str, calls: int, near: Connection) -> None:
    """The modem: ``calls`` calls one after the other, then one that stays up."""

    async def main() -> None:
        settings = ModemSettings(caller_id="dtmf", ring_ms=500)
        exchange = Exchange(ExchangeSettings((ExchangeSpanSettings(address, signalling="voicemodem", modem=settings),)))
        await exchange.start()
        await asyncio.to_thread(near.recv)
        for _ in range(calls):
            while not exchange.spans[0].any_idle():
                await asyncio.sleep(0.001)
            caller = exchange.call("95001", "13800138000")
            await caller.answered()
            await caller.cleared()
        while not exchange.spans[0].any_idle():
            await asyncio.sleep(0.001)
        caller = exchange.call("95001", "13800138000")
        caller.say(1234)
        await asyncio.to_thread(near.recv)
        near.send(caller.heard[1234])
        await exchange.close()

    asyncio.run(main())


async def near_side(address: str, calls: int, far: Connection) -> dict[str, float]:
    """Our trunk: answers and clears ``calls`` calls, then talks; the figures."""
    span = SpanSettings(
        name="po1", driver="serial", signalling="voicemodem", serial=SerialSettings(f"{address}.tty"),
        voicemodem=VoiceModemSettings(number="95001"),
    )  # fmt: skip
    trunk = open_trunk(span)
    cleared = 0
    over, up = asyncio.Event(), asyncio.Event()

    def on(event: LineEvent) -> None:
        nonlocal cleared
        if isinstance(event, Incoming):
            trunk.answer(event.leg)
            if cleared < calls:
                asyncio.get_running_loop().call_later(0.05, trunk.hangup, event.leg, 16)
        elif isinstance(event, Cleared):
            cleared += 1
            if cleared == calls:
                over.set()
        if trunk.state().up:
            up.set()

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        due, frame = loop.time(), np.empty((1, 160), np.uint8)
        while True:
            trunk.timeslots.read(frame)
            trunk.timeslots.write(frame)
            due = max(due + 0.02, loop.time())
            await asyncio.sleep(due - loop.time())

    await trunk.start(on)
    await up.wait()
    ticking = asyncio.create_task(tick())
    idle = _cpu()
    await asyncio.sleep(2.0)
    idle = (_cpu() - idle) / 2.0
    far.send("begin")
    began, cpu = time.perf_counter(), _cpu()
    await over.wait()
    took, cpu = time.perf_counter() - began, _cpu() - cpu
    await asyncio.sleep(1.0)
    talking = _cpu()
    await asyncio.sleep(_TALK_S)
    talking = (_cpu() - talking) / _TALK_S
    far.send("enough")
    heard = await asyncio.to_thread(far.recv)
    ticking.cancel()
    await trunk.close()
    return {
        "calls": calls, "calls_per_s": round(calls / took, 2),
        "cpu_ms_per_call": round(1000 * (cpu - idle * took) / calls, 2),
        "cpu_ms_talking_s": round(1000 * (talking - idle), 2), "cpu_ms_idle_s": round(1000 * idle, 2),
        "cycles_heard": heard, "slips": trunk.counters()["slips"] + trunk.counters()["slips_out"],
        "missing": trunk.counters()["missing"],
    }  # fmt: skip


def main() -> None:
    """Run both sides and print the figures."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "modem")
        near, far = multiprocessing.Pipe()
        child = multiprocessing.Process(target=far_side, args=(address, calls, far))
        child.start()
        print(json.dumps(asyncio.run(near_side(address, calls, near))))
        child.join()


if __name__ == "__main__":
    main()
