"""A switch whose ticks the test gives, timeslots that it speaks into, and a phone that is a bare UDP socket."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode
from hw.line.settings import LineSettings
from hw.line.switch.switch import Switch
from hw.line.trunk import Octets, Timeslots
from hw.messages import Codec, Direction, LineEvent, Media

E = TypeVar("E")
SILENCE = 0xD5


class Slots(Timeslots):
    """Timeslots 1 to ``count``; ``says`` holds frames still to be said by channel, ``heard`` all that was written."""

    def __init__(self, count: int) -> None:
        self.channels = range(1, count + 1)
        self.says: dict[int, deque[Octets]] = {channel: deque() for channel in self.channels}
        self.heard: list[Octets] = []

    def say(self, channel: int, pcm: Any) -> None:
        """Say samples, whole frames of them, from the next tick on."""
        self.says[channel] += list(alaw_encode(np.asarray(pcm).astype(np.int16)).reshape(-1, 160))

    def hears(self, channel: int) -> Any:
        """All that a channel has heard, as samples."""
        return alaw_decode(np.concatenate([frames[channel - 1] for frames in self.heard]))

    def read(self, into: Octets) -> None:
        for row, channel in enumerate(self.channels):
            into[row] = self.says[channel].popleft() if self.says[channel] else SILENCE

    def write(self, frames: Octets) -> None:
        self.heard.append(frames.copy())

    def counters(self) -> dict[str, int]:
        return {"slips": 0}


class Phone:
    """The far end of an RTP port: sends what it is told, keeps what comes."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.host, self.port = self.socket.getsockname()
        self.sequence, self.timestamp, self.ssrc = 65530, 0xFFFFFF00, 77  # both are about to wrap

    def media(
        self, *codecs: str, telephone_event: int | None = None, direction: Direction = "sendrecv"
    ) -> Media:
        types = {"PCMA": 8, "PCMU": 0}
        used = tuple(Codec(name, types[name]) for name in codecs or ("PCMA",))  # type: ignore[arg-type]
        return Media(self.host, self.port, used, telephone_event, direction)

    def packet(self, payload: bytes, *, type: int = 8, timestamp: int | None = None, marker: bool = False) -> bytes:
        """The next packet; its timestamp moves on by the payload unless one is given."""
        at = self.timestamp if timestamp is None else timestamp
        data = struct.pack("!BBHII", 0x80, type | marker << 7, self.sequence, at, self.ssrc) + payload
        self.sequence = (self.sequence + 1) & 0xFFFF
        if timestamp is None:
            self.timestamp = (self.timestamp + len(payload)) & 0xFFFFFFFF
        return data

    def send(self, data: bytes, to: Media) -> None:
        self.socket.sendto(data, (to.address, to.port))

    def say(self, octets: Octets, to: Media, type: int = 8) -> None:
        self.send(self.packet(octets.tobytes(), type=type), to)

    def skip(self) -> None:
        """A frame that gets lost on the way."""
        self.packet(bytes(160))

    def received(self) -> list[tuple[int, bool, int, int, bytes]]:
        """All packets that have come: payload type, marker, sequence, timestamp, payload."""
        packets = []
        while True:
            try:
                data = self.socket.recv(2000)
            except BlockingIOError:
                return packets
            first, second, sequence, timestamp, _ = struct.unpack_from("!BBHII", data)
            assert first == 0x80
            packets.append((second & 0x7F, bool(second >> 7), sequence, timestamp, data[12:]))


class Rig:
    """A switch with four timeslots, bound to the legs ``a`` to ``d``, and what it has told."""

    def __init__(self, settings: LineSettings) -> None:
        self.events: list[LineEvent] = []
        self.slots = Slots(4)
        self.loop = asyncio.new_event_loop()
        self.switch = Switch(settings, [self.slots], self.events.append, self.loop)
        for channel, leg in enumerate("abcd", 1):
            self.switch.bind(leg, 0, channel)
        self._phones: list[Phone] = []

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.switch.tick()

    def phone(self, port: str, **settings: Any) -> tuple[Phone, Media]:
        """An RTP port with a phone at its far end, and where the phone sends to."""
        phone = Phone()
        self._phones.append(phone)
        ours = self.switch.open_rtp(port)
        self.switch.set_rtp(port, phone.media(*settings.pop("codecs", ()), **settings))
        return phone, ours

    def told(self, kind: type[E]) -> list[E]:
        """The events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, done: Callable[[], bool]) -> None:
        """Run the loop until something is so: what threads tell comes through it."""

        async def wait() -> None:
            async with asyncio.timeout(5):
                while not done():
                    await asyncio.sleep(0.002)

        self.loop.run_until_complete(wait())

    def close(self) -> None:
        self.switch.close()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        for phone in self._phones:
            phone.socket.close()


#: Each worker of the tests has 200 pairs of its own: one test takes all of them.
_FIRST = 20000 + 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
RTP_PORTS = (_FIRST, _FIRST + 400)


@pytest.fixture
def settings(tmp_path: Path) -> LineSettings:
    return LineSettings(socket=tmp_path / "line.sock", rtp_ports=RTP_PORTS, realtime_priority=0)


@pytest.fixture
def rig(settings: LineSettings) -> Iterator[Rig]:
    made = Rig(settings)
    yield made
    made.close()


@pytest.fixture
def speech() -> Any:
    """Half a second of something with pitch and melody, in whole frames."""
    time = np.arange(160 * 25) / 8000
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 3 * time)) / 8000
    return sum(6000 / n * np.sin(2 * np.pi * n * pitch) for n in range(1, 8)).astype(np.int16)
