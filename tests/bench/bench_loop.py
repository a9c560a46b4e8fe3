"""How much a call on an analog line costs: calls a second through a card's ports, and CPU a call for each side.

``python tests/bench/bench_loop.py [CALLS] [PORTS]``: the exchange runs in a process of its own, as in the product.
Half of the ports have calls that come in (caller ID by FSK, answered, cleared by the caller's polarity), half have
calls that go out (dial tone, five digits, answered by polarity, cleared by us). The line runs ten times as fast as a
real one; ``line_s_…`` and ``calls_per_line_s`` are in the line's time: real ports do so many, no more. ``wrong``: calls
out that lost a digit with a frame (``frames_missing``), on a machine that was too busy. Prints one JSON line.
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

from hw.line.settings import LoopSettings, SpanSettings
from hw.line.signalling import open_trunk
from hw.messages import Answered, Cleared, Incoming, LineEvent, LineState
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings, NumberSettings

#: A tenth of the real period.
PERIOD_S = 0.002
CALLED = "10000"


def loop_of(ports: int) -> LoopSettings:
    """As many lines, with caller ID and polarity."""
    return LoopSettings(numbers=tuple(str(62310000 + port) for port in range(ports)), polarity=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def far_side(address: str, rounds: int, ports: int, result: Connection) -> None:
    """The exchange: ``rounds`` calls on each port of the lower half, one after the other; then a while without any."""

    async def main() -> None:
        people = (NumberSettings(CALLED, answer_ms=0),)
        spans = (ExchangeSpanSettings(address, tuple(range(1, ports + 1)), "fxo", loop_of(ports)),)
        exchange = Exchange(ExchangeSettings(spans, people))
        span = exchange.spans[0]

        async def some(port: int) -> int:
            waited = 0
            for _ in range(rounds):
                while not span.any_idle():
                    await asyncio.sleep(0.01)
                began = span.counters["ticks"]
                caller = exchange.call("", "13800138000", channel=port)
                await caller.answered()
                waited += span.counters["ticks"] - began
                caller.hangup()
                await caller.cleared()
                await asyncio.sleep(4 * 50 * PERIOD_S)  # both sides come to rest
            return waited

        await exchange.start()
        await exchange.wait_up()
        result.send("begin")
        cpu, ticks = _cpu(), span.counters["ticks"]
        waited = sum(await asyncio.gather(*map(some, range(1, ports // 2 + 1))))
        await asyncio.get_running_loop().run_in_executor(None, result.recv)  # our side has made its calls
        cpu, ticks = _cpu() - cpu, span.counters["ticks"] - ticks
        result.send("end")
        idle_cpu, idle_ticks = _cpu(), span.counters["ticks"]
        while span.counters["ticks"] < idle_ticks + 2000:
            await asyncio.sleep(0.01)
        a_tick = (_cpu() - idle_cpu) / (span.counters["ticks"] - idle_ticks)
        result.send((cpu - ticks * a_tick, waited))
        await exchange.close()

    asyncio.run(main())


async def near_side(address: str, rounds: int, ports: int, far: Connection) -> dict[str, float]:
    """Our trunk: answers what comes, and calls out on the upper half; the figures."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    up: set[str] = set()
    cleared: set[str] = set()
    answered_after: list[int] = []
    ticks = 0

    def on(event: LineEvent) -> None:
        match event:
            case Incoming(leg=leg):
                trunk.answer(leg)
            case Answered(leg=leg):
                up.add(leg)
            case Cleared(leg=leg):
                cleared.add(leg)
            case LineState():
                pass
        changed.set()

    async def tick() -> None:
        nonlocal ticks
        frames = np.full((ports, 160), 0xD5, np.uint8)
        due = loop.time()
        while True:
            trunk.timeslots.read(frames)
            trunk.timeslots.write(frames)
            ticks += 1
            due += PERIOD_S
            await asyncio.sleep(max(due - loop.time(), 0))

    async def until(leg: str, where: set[str]) -> None:
        while leg not in where | cleared:
            changed.clear()
            await changed.wait()

    async def call_out(port: int) -> None:
        for number in range(rounds):
            leg = f"{port}-{number}"
            while not any(c.state == "idle" and c.channel > ports // 2 for c in trunk.state().channels):
                await asyncio.sleep(0.01)
            began = ticks
            trunk.dial(leg, CALLED, "", "")
            await until(leg, up)
            if leg in up - cleared:
                answered_after.append(ticks - began)
                trunk.hangup(leg, 16)
                await until(leg, set())
            await asyncio.sleep(4 * 50 * PERIOD_S)

    channels = tuple(range(1, ports + 1))
    trunk = open_trunk(
        SpanSettings(name="co", address=address, signalling="fxo", channels=channels, loop=loop_of(ports))
    )
    await trunk.start(on)
    ticking = asyncio.create_task(tick())
    await loop.run_in_executor(None, far.recv)
    cpu, began, wall = _cpu(), ticks, time.perf_counter()
    await asyncio.gather(*map(call_out, range(ports // 2)))
    far.send("done")
    await loop.run_in_executor(None, far.recv)
    cpu, during, idle_cpu, idle = _cpu() - cpu, ticks - began, _cpu(), ticks
    wall = time.perf_counter() - wall
    far_cpu, waited = await loop.run_in_executor(None, far.recv)
    a_tick = (_cpu() - idle_cpu) / (ticks - idle)
    ticking.cancel()
    counters = trunk.counters()
    await trunk.close()
    half = rounds * (ports // 2)
    return {
        "calls": 2 * half,
        "calls_per_s": round(2 * half / wall, 1),
        "calls_per_line_s": round(2 * half / (during * 0.02), 2),
        "line_s_to_answer_in": round(waited * 0.02 / half, 2),
        "line_s_to_answer_out": round(sum(answered_after) * 0.02 / max(len(answered_after), 1), 2),
        "wrong": half - len(answered_after),
        "trunk_cpu_ms_per_call": round((cpu - during * a_tick) / (2 * half) * 1000, 2),
        "exchange_cpu_ms_per_call": round(far_cpu / (2 * half) * 1000, 2),
        "trunk_cpu_us_per_idle_tick": round(a_tick * 1e6, 1),
        "frames_missing": counters["missing"],
        "caller_id_errors": counters["caller_id_errors"],
    }


def main() -> None:
    """Run both sides and print."""
    calls, ports = ([int(argument) for argument in sys.argv[1:]] + [96, 24][len(sys.argv) - 1 :])[:2]
    rounds = max(calls // ports, 1)
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "co")
        near, far = multiprocessing.Pipe()
        arguments = (address, rounds, ports, far)
        other = multiprocessing.get_context("spawn").Process(target=far_side, args=arguments)
        other.start()
        figures = asyncio.run(near_side(address, rounds, ports, near))
        print(json.dumps({"bench": "loop", "ports": ports} | figures))
        other.join()


if __name__ == "__main__":
    main()
