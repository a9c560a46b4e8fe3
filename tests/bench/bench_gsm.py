"""How much a GSM module costs: calls and messages a second through one, and our CPU for each. Prints one JSON line.

``python -m tests.bench.bench_gsm [CALLS]``: the simulated module runs in a process of its own. Calls are answered and
cleared one after the other, then as many messages of one part go out and come in. A real network needs seconds for
each; ``talk_cpu_ms_per_s`` is what a second of a call costs, audio both ways and the list of calls included.
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

from hw.line.serial.gsm import GsmTrunk
from hw.line.serial.settings import GsmSettings, SerialSettings
from hw.line.settings import SpanSettings
from hw.messages import Incoming, LineEvent, SendSms, SmsReceived, SmsSent
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.gsm_module import GsmModule

TALK_S = 3.0
#: A call lasts so long at least, and so long is the pause to the next.
MOMENT_S = 0.02


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def far_side(address: str, calls: int, turns: Connection) -> None:
    """The module and its callers; each phase begins with a word from the near side."""

    async def main() -> None:
        receive = asyncio.get_running_loop().run_in_executor
        exchange = Exchange(ExchangeSettings((ExchangeSpanSettings(address, signalling="gsm"),)))
        [module] = exchange.spans
        assert isinstance(module, GsmModule)
        module.messages.reports = None
        await exchange.start()
        await receive(None, turns.recv)
        began = time.perf_counter()
        for _ in range(calls):
            caller = exchange.call("95001", "13800138000")
            await caller.answered()
            await asyncio.sleep(MOMENT_S)
            caller.hangup()
            await caller.cleared()
            await asyncio.sleep(MOMENT_S)
        turns.send(time.perf_counter() - began)
        await receive(None, turns.recv)
        caller = exchange.call("95001", "13800138000")
        await caller.answered()
        caller.say(1234)
        await receive(None, turns.recv)
        caller.hangup()
        await receive(None, turns.recv)
        for number in range(calls):
            module.messages.text("13800138000", f"message {number}")
            while module.messages.stored > 10:
                await asyncio.sleep(0.001)
        await receive(None, turns.recv)
        await exchange.close()

    asyncio.run(main())


async def near_side(address: str, calls: int, far: Connection) -> dict[str, float]:
    """Our trunk; the figures."""
    receive = asyncio.get_running_loop().run_in_executor
    came = asyncio.Event()
    got: list[LineEvent] = []

    def on(event: LineEvent) -> None:
        got.append(event)
        came.set()
        if isinstance(event, Incoming):
            trunk.answer(event.leg)
        elif isinstance(event, SmsReceived):
            trunk.sms_taken(event.id)

    async def until(kind: type, count: int) -> None:
        while sum(isinstance(event, kind) for event in got) < count:
            came.clear()
            await came.wait()

    async def tick() -> None:
        frame = np.full((1, 160), 0xD5, np.uint8)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            trunk.timeslots.read(frame)
            trunk.timeslots.write(frame)
            due = max(due + 0.02, loop.time())
            await asyncio.sleep(due - loop.time())

    gsm = GsmSettings(audio=f"{address}.pcm")
    port = SerialSettings(f"{address}.at", rtscts=False)
    trunk = GsmTrunk(SpanSettings("gsm1", "serial", "gsm", serial=port, gsm=gsm))
    await trunk.start(on)
    while not trunk.state().up:
        await asyncio.sleep(0.01)
    ticking = asyncio.create_task(tick())

    far.send("calls")
    cpu = _cpu()
    calls_took = await receive(None, far.recv)
    calls_cpu = _cpu() - cpu

    far.send("talk")
    await until(Incoming, calls + 1)
    cpu = _cpu()
    await asyncio.sleep(TALK_S)
    talk_cpu = _cpu() - cpu
    far.send("end")

    got.clear()
    cpu, began = _cpu(), time.perf_counter()
    for number in range(calls):
        trunk.send_sms(SendSms(f"m{number}", "gsm1", "13900000000", "您的运单已到达", 1, report=False))
        await until(SmsSent, number + 1)
    out_took, out_cpu = time.perf_counter() - began, _cpu() - cpu

    cpu, began = _cpu(), time.perf_counter()
    far.send("messages")
    await until(SmsReceived, calls)
    in_took, in_cpu = time.perf_counter() - began, _cpu() - cpu
    far.send("over")
    ticking.cancel()
    await trunk.close()
    return {
        "calls": calls,
        "calls_per_s": round(calls / calls_took, 1),
        "cpu_ms_per_call": round(calls_cpu / calls * 1000, 2),
        "talk_cpu_ms_per_s": round(talk_cpu / TALK_S * 1000, 2),
        "sms_out_per_s": round(calls / out_took),
        "cpu_ms_per_sms_out": round(out_cpu / calls * 1000, 2),
        "sms_in_per_s": round(calls / in_took),
        "cpu_ms_per_sms_in": round(in_cpu / calls * 1000, 2),
    }


def main() -> None:
    """Run both sides and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "m")
        near, far = multiprocessing.Pipe()
        other = multiprocessing.get_context("spawn").Process(target=far_side, args=(address, calls, far))
        other.start()
        print(json.dumps({"bench": "gsm"} | asyncio.run(near_side(address, calls, near))))
        other.join()


if __name__ == "__main__":
    main()
