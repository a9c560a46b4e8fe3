"""A line process of ours in the gate's machine, driven over its link as the control process drives it."""

from __future__ import annotations

import asyncio
import signal
import sys
import wave
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hw.g711 import alaw_decode
from hw.link import Link, connect
from hw.messages import LineState, Message, Play, Played, PlayItem, Record, Recorded, Stats

E = TypeVar("E")


class Line:
    """One line process with one span, ``name``. ``events``: what it told and nobody has taken yet."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, link: Link, folder: Path) -> None:
        self.name, self.process, self.folder = name, process, folder
        self.events: list[Message] = []
        self.state: LineState | None = None
        self.stats: Stats | None = None
        #: The latest tick since somebody set it to 0.
        self.late_ms = 0.0
        self._link = link
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    def send(self, *commands: Message) -> None:
        """Give commands."""
        for command in commands:
            self._link.send(command)

    async def next(self, kind: type[E], **wanted: Any) -> E:
        """Take the first event of a kind with these fields."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in wanted.items()):
                    self.events.remove(event)
                    return event
            self._came.clear()
            await self._came.wait()

    async def until(self, *, up: bool, alarm: str | None = None) -> LineState:
        """Until the line is up, or down with an alarm that begins so."""
        while (state := self.state) is None or state.up != up or not state.alarm.startswith(alarm or ""):
            self._came.clear()
            await self._came.wait()
        return state

    def channel(self, number: int) -> str:
        """The state of a channel."""
        assert self.state is not None
        return next(channel.state for channel in self.state.channels if channel.channel == number)

    def counted(self) -> dict[str, int]:
        """The counters of its trunk that are not 0."""
        counters = self.stats.counters if self.stats else {}
        return {name: count for name, count in counters.items() if count and name.startswith(f"{self.name}.")}

    async def play(self, leg: str, samples: NDArray[np.int16]) -> None:
        """Play samples to a leg, to the end."""
        clip = self.folder / f"{leg}.wav"
        with wave.open(str(clip), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        self.send(Play(leg, "clip", (PlayItem("clip", str(clip)),)))
        reason = (await self.next(Played, port=leg)).reason
        assert reason == "done", f"{self.name}: playing ended by {reason!r}; {self.events}"

    def record(self, leg: str) -> None:
        """Begin to record what a leg says."""
        self.send(Record(f"{self.name}-{leg}", leg, str(self.folder / f"{leg}-heard.wav")))

    async def recorded(self, leg: str) -> NDArray[np.int16]:
        """What the leg said until it was gone."""
        path = (await self.next(Recorded, recorder=f"{self.name}-{leg}")).path
        with wave.open(path, "rb") as file:
            return np.frombuffer(file.readframes(file.getnframes()), np.int16)[::2]

    async def close(self) -> None:
        """End the process as systemd does; it must end well."""
        self._link.close()
        await self._task
        self.process.send_signal(signal.SIGTERM)
        assert await self.process.wait() == 0, "the line process did not end well"

    async def _read(self) -> None:
        async for message in self._link:
            match message:
                case LineState():
                    self.state = message
                case Stats():
                    self.stats = message
                    self.late_ms = max(self.late_ms, message.late_max_ms)
                case _:
                    self.events.append(message)
            self._came.set()


async def start(config: Path, name: str, folder: Path) -> Line:
    """Start ``python -m hw.line`` with a settings file; its link is ``<folder>/line.sock``."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "hw.line", "--config", str(config))
    while process.returncode is None:
        try:
            return Line(name, process, await connect(folder / "line.sock"), folder)
        except OSError:
            await asyncio.sleep(0.1)
    raise RuntimeError(f"the line process of {name} ended with {process.returncode}")


def noise(seed: int, seconds: float) -> NDArray[np.int16]:
    """Samples that A-law keeps as they are, and that no two seeds share."""
    return alaw_decode(np.random.default_rng(seed).integers(0, 256, int(seconds * 8000), np.uint8))


def wrong(said: NDArray[np.int16], heard: NDArray[np.int16]) -> int:
    """Samples that differ between what was said and what was heard, from where it begins; all when it is not there."""
    windows = np.lib.stride_tricks.sliding_window_view(heard, 64)
    starts = np.flatnonzero((windows == said[:64]).all(axis=1))
    if not len(starts) or len(heard) < starts[0] + len(said):
        return len(said)
    return int((heard[starts[0] : starts[0] + len(said)] != said).sum())
