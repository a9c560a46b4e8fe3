"""How much of a core the line process takes, and how late its tick is: ``python tests/bench/bench_tick.py``.

A real line process is started as a child and driven over its link. Half of its ports are trunk timeslots (from memory:
there is no card), half are RTP streams on loopback with real packets both ways; each timeslot is bridged to a stream
and each pair is recorded in two channels. One line of JSON for each size is printed:
``ports``, ``tick_p50_ms``/``tick_p99_ms`` (time in the tick), ``late_p99_ms``/``late_max_ms`` (behind the clock),
``cpu`` (share of one core), ``lost`` (packets that the senders had not back), ``recorded`` (whole recordings).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import hw.build
from hw.g711 import alaw_encode
from hw.line.process import LineProcess
from hw.line.realtime import tick_first
from hw.line.settings import LineSettings
from hw.line.trunk import Octets, Timeslots, Trunk
from hw.link import Link, connect
from hw.messages import (
    Dial,
    LegState,
    LineEvent,
    LineState,
    Media,
    Message,
    Mix,
    OpenRtp,
    Record,
    Recorded,
    RtpOpened,
    SetRtp,
    Stats,
    StopRecord,
)

E = TypeVar("E")
SIZES = (30, 120, 240)


class MemorySlots(Timeslots):
    """Timeslots that say noise at the level of speech, another piece each tick."""

    def __init__(self, count: int) -> None:
        self.channels = range(1, count + 1)
        noise = np.random.default_rng(1).normal(0, 2000, (64, count, 160)).astype(np.int16)
        self._frames = alaw_encode(noise)
        self._at = 0

    def read(self, into: Octets) -> None:
        self._at = (self._at + 1) % len(self._frames)
        into[:] = self._frames[self._at]

    def write(self, frames: Octets) -> None:
        pass

    def counters(self) -> dict[str, int]:
        return {}


class MemoryTrunk(Trunk):
    """Signalling that takes every call at once: the leg named after its number is on that channel."""

    def __init__(self, count: int) -> None:
        self.name = "memory"
        self.timeslots = MemorySlots(count)
        self._channels: dict[str, int] = {}

    async def start(self, emit: Callable[[LineEvent], None]) -> None:
        pass

    async def close(self) -> None:
        pass

    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        self._channels[leg] = int(number)
        return int(number)

    def channel_of(self, leg: str) -> int:
        return self._channels[leg]

    def state(self) -> LineState:
        return LineState(self.name, "memory", True)

    def legs(self) -> Sequence[LegState]:
        return ()

    def counters(self) -> dict[str, int]:
        return {}

    def _nothing(self, *_: object) -> None:
        raise ValueError("not of this trunk")

    proceed = alert = progress = answer = hangup = block = restart = _nothing


class Timed(LineProcess):
    """The line process, with a stop-watch around the tick."""

    def __init__(self, settings: LineSettings, trunks: Sequence[Trunk]) -> None:
        super().__init__(settings, trunks)
        self.ms: list[float] = []

    def _tick(self) -> None:
        begin = time.perf_counter_ns()
        super()._tick()
        self.ms.append((time.perf_counter_ns() - begin) / 1e6)


async def child(folder: Path, count: int) -> None:
    """Be the line process until SIGTERM; leave the tick's times in a file."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = LineSettings(folder / "line.sock", rtp_ports=(20000, 20999))
    tick_first(settings.realtime_priority)
    process = Timed(settings, [MemoryTrunk(count)])
    await process.start()
    await stop.wait()
    await process.close()
    (folder / "ticks.json").write_text(json.dumps(process.ms))


class Phones:
    """The far ends of the RTP streams: the product's own RTP code, in this process, on its own clock."""

    def __init__(self, count: int) -> None:
        from hw.line.switch.rtp import RtpStreams

        self._rtp = RtpStreams("127.0.0.1", (22000, 22999))
        self.streams = [self._rtp.open(f"phone{i}") for i in range(count)]
        noise = np.random.default_rng(2).normal(0, 2000, (64, count, 160)).astype(np.int16)
        self._frames = alaw_encode(noise)
        self._into = np.zeros((count, 160), np.uint8)
        self._at = 0

    def set(self, index: int, media: Media) -> None:
        self._rtp.set(self.streams[index], media)

    def tick(self) -> None:
        self._rtp.receive(self._into, time.monotonic_ns() // 1000)
        self._at = (self._at + 1) % len(self._frames)
        self._rtp.send(self._frames[self._at])

    def received(self) -> tuple[int, int]:
        figures = [self._rtp.figures(stream) for stream in self.streams]
        return sum(f.received for f in figures), sum(f.expected for f in figures)


class Control:
    """The control process's end of the link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._messages = aiter(link)

    async def next(self, kind: type[E]) -> E:
        while True:
            message: Message = await anext(self._messages)
            if isinstance(message, kind):
                return message
            if type(message).__name__ == "Fault":
                raise SystemExit(f"fault: {message}")


async def set_up(control: Control, phones: Phones, folder: Path) -> None:
    """Bridge each timeslot to a stream, record each pair."""
    from hw.line.switch.rtp import CODECS, TELEPHONE_EVENT

    for i, phone in enumerate(phones.streams):
        control.link.send(OpenRtp(f"p{i}"))
        opened = await control.next(RtpOpened)
        phones.set(i, opened.media)
        control.link.send(SetRtp(f"p{i}", Media("127.0.0.1", phone.port, CODECS, TELEPHONE_EVENT)))
        control.link.send(Dial(f"t{i}", "memory", str(i + 1)))
        control.link.send(Mix(f"p{i}", {f"t{i}": 1.0}))
        control.link.send(Mix(f"t{i}", {f"p{i}": 1.0}))
        control.link.send(Record(f"r{i}", f"t{i}", str(folder / f"{i}.wav")))


async def measure(ports: int, seconds: int, folder: Path) -> dict[str, float]:
    """Run one size."""
    from hw.line.switch.clock import Clock

    count = ports // 2
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--child", str(folder), str(count))
    while not (folder / "line.sock").exists():
        await asyncio.sleep(0.05)
    control = Control(await connect(folder / "line.sock"))
    phones = Phones(count)
    clock = Clock(asyncio.get_running_loop(), phones.tick)
    clock.start()
    try:
        await set_up(control, phones, folder)
        await control.next(Stats)
        begin = await control.next(Stats)
        at = time.monotonic()
        stats = [await control.next(Stats) for _ in range(seconds)]
        cpu = (stats[-1].cpu_s - begin.cpu_s) / (time.monotonic() - at)
        received, expected = phones.received()
        for i in range(count):
            control.link.send(StopRecord(f"r{i}"))
        recorded = [await control.next(Recorded) for _ in range(count)]
    finally:
        clock.stop()
        process.terminate()
        await process.wait()
    ticks = np.array(json.loads((folder / "ticks.json").read_text()))[-seconds * 50 :]
    return {
        "bench": "tick", "ports": ports, "tick_p50_ms": round(float(np.percentile(ticks, 50)), 3),
        "tick_p99_ms": round(float(np.percentile(ticks, 99)), 3), "late_p99_ms": max(s.late_p99_ms for s in stats),
        "late_max_ms": max(s.late_max_ms for s in stats), "cpu": round(cpu, 3), "lost": expected - received,
        "recorded": sum(not r.reason for r in recorded),
    }


def main() -> None:
    """Measure every size, or be the child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "TIMESLOTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        asyncio.run(child(Path(arguments.child[0]), int(arguments.child[1])))
        return
    hw.build.build()
    for ports in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(measure(ports, arguments.seconds, Path(folder)))), flush=True)


if __name__ == "__main__":
    main()
