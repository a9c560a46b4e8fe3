"""The phones' audio: RTP (RFC 3550, 3551) with key presses (RFC 4733), every 20 ms for all phones at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter, deque
from collections.abc import Callable, Iterator

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hw.sim.pattern import FRAME, Ears, Samples

#: RTP payload types (RFC 3551 §6) with how to decode and encode them.
PAYLOADS: dict[int, tuple[Callable[[NDArray[np.uint8]], Samples], Callable[[Samples], NDArray[np.uint8]]]] = {
    8: (alaw_decode, alaw_encode),
    0: (ulaw_decode, ulaw_encode),
}
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_KEYS = "0123456789*#ABCD"
_TICK = 0.02
#: Packets that a buffer gathers before it plays, and at most.
_PREFILL = 2
_DEPTH = 10
#: A key press: length and pause in packets, volume in -dBm0, and how often its end is sent (RFC 4733 §2.5.1.4).
_PRESS = 5
_PAUSE = 4
_VOLUME = 10
_ENDS = 3


@frozen
class Sent:
    """What a stream sends next: one packet's marker, payload type, timestamp and payload."""

    marker: bool
    payload_type: int
    timestamp: int
    payload: bytes


@define
class Figures:
    """Packets of one stream: ``lost`` never came, ``late`` came too late or twice, ``strange`` were not for us."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    late: int = 0
    strange: int = 0


@define
class Buffer:
    """Puts packets in order and gives one a tick; starts again when it ran dry or the sender changed."""

    figures: Figures
    _waiting: dict[int, bytes] = field(factory=dict)
    _next: int = -1
    _source: int = -1
    _playing: bool = False

    def put(self, source: int, sequence: int, payload: bytes) -> None:
        """Take a packet of sender ``source`` (SSRC); an empty payload only keeps its place in the sequence."""
        self.figures.received += 1
        if source != self._source:
            self._source, self._next, self._playing = source, sequence, False
            self._waiting.clear()
        if (sequence - self._next) & 0xFFFF >= 0x8000 or sequence in self._waiting:
            self.figures.late += 1
            return
        self._waiting[sequence] = payload

    def get(self) -> bytes | None:
        """The payload that is due, None when there is none."""
        self._playing = (self._playing and bool(self._waiting)) or len(self._waiting) >= _PREFILL
        if not self._playing:
            return None
        while len(self._waiting) > _DEPTH:
            self._step()
        return self._step()

    def _step(self) -> bytes | None:
        payload = self._waiting.pop(self._next, None)
        self._next = (self._next + 1) & 0xFFFF
        self.figures.lost += payload is None
        return payload


class Stream:
    """One phone's audio in one call. Made by ``Audio.open``; sends and hears from then on, until ``close``.

    ``remote`` is where to send (None: nothing is sent), ``sending`` is off on hold; ``codes`` counts the cycles of each
    code heard, ``keys`` are the key presses received; ``on_code`` and ``on_key`` are called with each.
    """

    def __init__(self, audio: Audio, row: int, sock: socket.socket) -> None:
        self._audio = audio
        self.row = row
        self.socket = sock
        self.address: tuple[str, int] = sock.getsockname()
        self.remote: tuple[str, int] | None = None
        self.sending = True
        self.payload_type = 8
        self.telephone_event: int | None = None
        self.keys = ""
        self.on_code: Callable[[int], None] = _ignore
        self.on_key: Callable[[str], None] = _ignore
        self.codes: Counter[int] = audio.ears.codes[row]
        self.figures = Figures()
        self.buffer = Buffer(self.figures)
        self._frames: list[bytes] = []
        self._source = random.getrandbits(32)
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(31)
        self._at = 0
        self._first = True
        self._presses: deque[str] = deque()
        self._press: Iterator[Sent | None] | None = None
        self._last_key = -1

    def say(self, sound: Samples) -> None:
        """Say ``sound`` (whole frames) over and over, in the codec that is set."""
        octets = PAYLOADS[self.payload_type][1](sound)
        self._frames = [frame.tobytes() for frame in octets.reshape(-1, FRAME)]
        self._at = 0

    def press(self, keys: str) -> None:
        """Press keys as RFC 4733 events of 100 ms. Raises ``ValueError`` for no such keys, or events not agreed on."""
        if self.telephone_event is None:
            raise ValueError("the far end did not agree on telephone-event")
        if strange := set(keys) - set(_KEYS):
            raise ValueError(f"no such keys: {''.join(sorted(strange))}")
        self._presses.extend(keys)

    def close(self) -> None:
        """Close the socket; ``codes``, ``keys`` and ``figures`` stay as they are."""
        self._audio.close(self)

    def packet(self) -> bytes | None:
        """The packet of this tick, None when nothing is to be sent; time goes on either way."""
        due = self._due()
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        if due is None or self.remote is None or not self.sending:
            self._first = True
            return None
        kind = due.payload_type | (0x80 if due.marker else 0)
        self._first = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        return _HEADER.pack(0x80, kind, self._sequence, due.timestamp, self._source) + due.payload

    def _due(self) -> Sent | None:
        if self._press is None and self._presses:
            self._press = self._events(self._presses.popleft())
        if self._press is not None:
            for event in self._press:
                return event
            self._press = None
        if not self._frames:
            return None
        frame = self._frames[self._at % len(self._frames)]
        self._at += 1
        return Sent(self._first, self.payload_type, self._timestamp, frame)

    def _events(self, key: str) -> Iterator[Sent | None]:
        """The packets of one press: one timestamp, growing duration, the end three times (RFC 4733 §2.5.1)."""
        assert self.telephone_event is not None
        start = self._timestamp
        for part in range(1, _PRESS + _ENDS):
            end = 0x80 if part >= _PRESS else 0
            payload = _EVENT.pack(_KEYS.index(key), end | _VOLUME, min(part, _PRESS) * FRAME)
            yield Sent(part == 1, self.telephone_event, start, payload)
        for _ in range(_PAUSE):
            yield None

    def take(self, packet: bytes) -> None:
        """Take one packet from the network."""
        if len(packet) < _HEADER.size or packet[0] != 0x80:
            self.figures.strange += 1
            return
        _, kind, sequence, timestamp, source = _HEADER.unpack_from(packet)
        kind &= 0x7F
        payload = packet[_HEADER.size :]
        if kind == self.payload_type and len(payload) == FRAME:
            self.buffer.put(source, sequence, payload)
        elif kind == self.telephone_event and len(payload) >= _EVENT.size and payload[0] < len(_KEYS):
            self.buffer.put(source, sequence, b"")
            if timestamp != self._last_key:
                self._last_key = timestamp
                key = _KEYS[payload[0]]
                self.keys += key
                self.on_key(key)
        else:
            self.figures.strange += 1


class Audio:
    """All streams of the phones: one tick every 20 ms sends, receives and hears for all of them."""

    def __init__(self, streams: int = 128) -> None:
        self.ears = Ears(streams)
        self._streams: list[Stream | None] = [None] * streams
        self._task: asyncio.Task[None] | None = None
        #: Ticks that came more than one tick late.
        self.late = 0

    def open(self, address: str = "127.0.0.1") -> Stream:
        """A new stream on an even UDP port of ``address``. Raises ``OSError``, also when all streams are taken."""
        row = next((row for row, stream in enumerate(self._streams) if stream is None), None)
        if row is None:
            raise OSError(f"all {len(self._streams)} streams are taken")
        self.ears.clear(row)
        stream = Stream(self, row, _even(address))
        self._streams[row] = stream
        return stream

    def close(self, stream: Stream) -> None:
        """Close a stream; once more does nothing."""
        if self._streams[stream.row] is stream:
            self._streams[stream.row] = None
            stream.socket.close()
            self.ears.clear(stream.row)

    async def run(self) -> None:
        """Tick until cancelled, then close every stream."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                due += _TICK
                now = loop.time()
                self.late += now > due + _TICK
                await asyncio.sleep(max(0.0, due - now))
                self.tick()
        finally:
            for stream in self._streams:
                if stream is not None:
                    self.close(stream)

    def tick(self) -> None:
        """Receive, hear and send one frame for every stream."""
        streams = [stream for stream in self._streams if stream is not None]
        for stream in streams:
            _drain(stream)
        self._hear(streams)
        for stream in streams:
            packet = stream.packet()
            if packet is not None and stream.remote is not None:
                with contextlib.suppress(OSError):  # the far end's port may be closed already
                    stream.socket.sendto(packet, stream.remote)
                    stream.figures.sent += 1

    def _hear(self, streams: list[Stream]) -> None:
        pcm = np.zeros((len(self._streams), FRAME), np.int16)
        for kind, (decode, _) in PAYLOADS.items():
            due = [(s.row, payload) for s in streams if s.payload_type == kind and (payload := s.buffer.get())]
            if due:
                octets = np.frombuffer(b"".join(payload for _, payload in due), np.uint8)
                pcm[[row for row, _ in due]] = decode(octets).reshape(-1, FRAME)
        for row, code in self.ears.feed(pcm):
            stream = self._streams[row]
            if stream is not None:
                stream.on_code(code)


def _ignore(_: object) -> None:
    """Nobody is interested."""


def _drain(stream: Stream) -> None:
    while True:
        try:
            packet = stream.socket.recv(2048)
        except BlockingIOError:
            return
        except OSError:  # an ICMP error about an earlier packet of ours
            stream.figures.strange += 1
            return
        stream.take(packet)


def _even(address: str) -> socket.socket:
    """A UDP socket on a free even port (RFC 3550 §11)."""
    while True:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        sock.bind((address, 0))
        if sock.getsockname()[1] % 2 == 0:
            return sock
        sock.close()
