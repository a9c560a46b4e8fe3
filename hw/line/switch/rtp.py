"""All RTP streams: their sockets, their far ends, and one C call a tick each for what comes and what goes."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct

import numpy as np
from attrs import define, field, fields, frozen

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hw.line.dsp.conceal import HISTORY, conceal
from hw.line.dsp.dtmf import Edge
from hw.line.switch import telephone_event
from hw.line.switch._native import ffi, lib
from hw.line.switch.ports import ALAW_SILENCE, ALAW_TO_ULAW, ULAW_TO_ALAW, Octets
from hw.line.trunk import FRAME
from hw.messages import Codec, Media

#: The payload types that we offer (RFC 3551; the dynamic one as everybody has it).
CODECS = (Codec("PCMA", 8), Codec("PCMU", 0))
TELEPHONE_EVENT = 101
_NONE = 255
_LOST = 1
_EVENTS = 4096
_LOW_DELAY_EF = 46 << 2  # DSCP EF (RFC 4594), for what leaves the machine


@define
class Stream:
    """One open stream. ``remote`` is None until it is told; ``events`` and ``sender`` are its keys both ways."""

    name: str
    slot: int
    rtp: socket.socket
    rtcp: socket.socket
    port: int
    ssrc: int
    remote: Media | None = None
    events: telephone_event.Receiver = field(factory=telephone_event.Receiver)
    sender: telephone_event.Sender = field(factory=telephone_event.Sender)

    @property
    def law(self) -> str:
        """The codec that is sent."""
        return self.remote.codecs[0].name if self.remote else "PCMA"

    @property
    def has_events(self) -> bool:
        """Whether telephone events were agreed, so that keys are not looked for in the audio."""
        return self.remote is not None and self.remote.telephone_event is not None

    @property
    def listens(self) -> bool:
        """Whether the far end should be sending."""
        return self.remote is not None and self.remote.direction in ("sendrecv", "sendonly")

    @property
    def talks(self) -> bool:
        """Whether the far end wants our packets (RFC 3264 §8.4: none to address 0.0.0.0)."""
        r = self.remote
        return r is not None and r.direction in ("sendrecv", "recvonly") and r.address != "0.0.0.0" and r.port != 0  # noqa: S104


@frozen
class Figures:
    """A stream as RFC 3550 counts it: packets sent with their octets, received, expected, ``late`` for their turn.

    ``jitter`` in samples; ``heard_us`` is when the last packet came on the monotonic clock, 0 before the first;
    ``timestamp`` is the next one to be sent, ``highest`` the extended sequence number received.
    """

    ssrc: int
    remote_ssrc: int
    timestamp: int
    highest: int
    sent: int
    octets: int
    received: int
    expected: int
    late: int
    latched_ip: int
    latched_port: int
    jitter: float
    heard_us: int

    @property
    def address(self) -> str:
        """Where packets go: where the far end said, or whence it was heard."""
        return socket.inet_ntoa(struct.pack("=I", self.latched_ip))


_FIGURES = [each.name for each in fields(Figures)]


class RtpStreams:
    """Opens, sets and closes streams and moves their audio. A stream's slot is its row in the block of RTP ports."""

    def __init__(self, address: str, ports: tuple[int, int]) -> None:
        first, last = ports
        self._address = address
        self._pairs = list(range(first + first % 2, last, 2))
        self._next_pair = secrets.randbelow(len(self._pairs)) if self._pairs else 0
        self.slots = len(self._pairs)
        self._streams: dict[int, Stream] = {}
        self._free = list(range(self.slots))[::-1]
        self._laws = ffi.from_buffer(ALAW_TO_ULAW), ffi.from_buffer(ULAW_TO_ALAW)
        self._native = ffi.gc(lib.rtp_new(self.slots, *self._laws), lib.rtp_free)
        self._frames = np.full((self.slots, FRAME), ALAW_SILENCE, np.uint8)
        self._states = np.full(self.slots, 2, np.uint8)
        self._history = np.full((self.slots, HISTORY), ALAW_SILENCE, np.uint8)
        self._lost_run = np.zeros(self.slots, np.intp)
        self._events = ffi.new("struct rtp_event[]", _EVENTS)
        self._tones = ffi.new("struct rtp_tone[]", self.slots)
        self._sending: set[int] = set()
        self._pressed: set[int] = set()

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def used(self) -> int:
        """Slots up to the last one in use: what a tick must look at."""
        return max(self._streams, default=-1) + 1

    def all(self) -> list[Stream]:
        """All open streams."""
        return list(self._streams.values())

    def stream(self, slot: int) -> Stream:
        """The stream in a slot. Raises ``KeyError``."""
        return self._streams[slot]

    def open(self, name: str) -> Stream:
        """Open a stream on the next free pair of UDP ports. Raises ``OSError`` when there is none."""
        if not self._free:
            raise OSError("no UDP ports left")
        rtp, rtcp, port = self._bind()
        slot = self._free.pop()
        stream = Stream(name, slot, rtp, rtcp, port, secrets.randbits(32))
        error = lib.rtp_add(self._native, slot, rtp.fileno(), stream.ssrc, secrets.randbits(15), secrets.randbits(32))
        if error:
            self._free.append(slot)
            rtp.close()
            rtcp.close()
            raise OSError(-error, "RTP socket refused")
        self._streams[slot] = stream
        self._free.sort(reverse=True)
        self._history[slot] = ALAW_SILENCE
        self._lost_run[slot] = 0
        return stream

    def set(self, stream: Stream, remote: Media) -> None:
        """Tell a stream its far end. Raises ``ValueError`` for media that cannot be used."""
        if not remote.codecs:
            raise ValueError("media without a codec that is known here (PCMA, PCMU)")
        ip = _network_order(remote.address)
        if not 0 <= remote.port <= 65535:
            raise ValueError(f"{remote.port} is no UDP port")
        stream.remote = remote
        payloads = {codec.name: codec.payload for codec in reversed(remote.codecs)}
        event = _NONE if remote.telephone_event is None else remote.telephone_event
        own_event = TELEPHONE_EVENT if event != _NONE and TELEPHONE_EVENT not in payloads.values() else event
        native = ffi.new("struct rtp_remote *", {
            "ip": ip, "source": _network_order(remote.source) if remote.source else ip, "port": remote.port,
            "mulaw": stream.law == "PCMU",
            "sends": stream.talks, "receives": stream.listens, "payload": remote.codecs[0].payload,
            "payload_alaw": payloads.get("PCMA", _NONE), "payload_mulaw": payloads.get("PCMU", _NONE),
            "payload_event": event, "payload_event_own": own_event,
        })
        lib.rtp_set(self._native, stream.slot, native)

    def close(self, stream: Stream) -> None:
        """Close a stream and its sockets."""
        lib.rtp_remove(self._native, stream.slot)
        del self._streams[stream.slot]
        self._sending.discard(stream.slot)
        self._pressed.discard(stream.slot)
        self._free.append(stream.slot)
        self._free.sort(reverse=True)
        stream.rtp.close()
        stream.rtcp.close()

    def receive(self, into: Octets, now_us: int) -> list[tuple[Stream, Edge]]:
        """Read all packets, put this tick's frame of each slot into ``into`` [used, 160], give the keys.

        A key is given when it goes down and when it comes up.
        """
        used = len(into)
        count = lib.rtp_receive(self._native, now_us, self._events, _EVENTS)
        lib.rtp_play(
            self._native, used, ffi.from_buffer("uint8_t[]", self._frames), ffi.from_buffer("uint8_t[]", self._states)
        )
        self._conceal(used)
        into[:] = self._frames[:used]
        self._history[:used, :-FRAME] = self._history[:used, FRAME:]
        self._history[:used, -FRAME:] = into
        return self._keys(count)

    def send(self, frames: Octets) -> None:
        """Send a frame [used, 160] or a key's packet on every stream whose far end wants some."""
        for slot in list(self._sending):
            self._send_key(slot)
        lib.rtp_send(self._native, len(frames), ffi.from_buffer("uint8_t[]", frames), self._tones)

    def send_keys(self, stream: Stream, keys: str) -> None:
        """Send keys as telephone events. Raises ``ValueError`` for what is no key."""
        stream.sender.add(keys)
        self._sending.add(stream.slot)

    def figures(self, stream: Stream) -> Figures:
        """The stream's figures since it was opened."""
        native = ffi.new("struct rtp_figures *")
        lib.rtp_figures(self._native, stream.slot, native)
        return Figures(**{name: getattr(native, name) for name in _FIGURES})

    def counters(self) -> dict[str, int]:
        """What was dropped and why, over all streams since the start."""
        c = ffi.new("struct rtp_counters *")
        lib.rtp_counters(self._native, c)
        dropped = {f"rtp_dropped_{name}": int(getattr(c, name)) for name in _DROPPED}
        return dropped | {"rtp_unsent": int(c.unsent)} | {f"jitter_{name}": int(getattr(c, name)) for name in _JITTER}

    def _bind(self) -> tuple[socket.socket, socket.socket, int]:
        for _ in self._pairs:
            port = self._pairs[self._next_pair % len(self._pairs)]
            self._next_pair += 1
            rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            try:
                rtp.bind((self._address, port))
                rtcp.bind((self._address, port + 1))
            except OSError:  # somebody else's
                rtp.close()
                rtcp.close()
                continue
            for sock in (rtp, rtcp):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _LOW_DELAY_EF)
            return rtp, rtcp, port
        raise OSError("no UDP ports left")

    def _conceal(self, used: int) -> None:
        lost = np.flatnonzero(self._states[:used] == _LOST)
        if not len(lost):
            if self._lost_run.any():
                self._lost_run[:used] = 0
            return
        self._lost_run[:used] = np.where(self._states[:used] == _LOST, self._lost_run[:used] + 1, 0)
        for law, decode, encode in (("PCMA", alaw_decode, alaw_encode), ("PCMU", ulaw_decode, ulaw_encode)):
            rows = np.array([slot for slot in lost if self._streams[int(slot)].law == law], np.intp)
            if len(rows):
                self._frames[rows] = encode(conceal(decode(self._history[rows]), self._lost_run[rows]))

    def _keys(self, count: int) -> list[tuple[Stream, Edge]]:
        found: list[tuple[Stream, Edge]] = []
        for i in range(count):
            e = self._events[i]
            stream = self._streams.get(e.slot)
            if stream is None:
                continue
            edges = stream.events.packet(e.event, e.timestamp, end=bool(e.end), duration=e.duration)
            found += [(stream, edge) for edge in edges]
            self._pressed.add(stream.slot)
        for slot in list(self._pressed):
            stream = self._streams[slot]
            found += [(stream, edge) for edge in stream.events.tick()]
            if not stream.events.down:
                self._pressed.discard(slot)
        return found

    def _send_key(self, slot: int) -> None:
        sender, tone = self._streams[slot].sender, self._tones[slot]
        packet = sender.tick()
        tone.copies = packet.copies if packet else 0
        if packet:
            tone.event, tone.first, tone.end, tone.duration = packet.event, packet.first, packet.end, packet.duration
        elif sender.idle:
            self._sending.discard(slot)


_DROPPED = ("source", "early", "direction", "malformed", "payload", "duplicate")
_JITTER = ("late", "concealed", "inserted", "skipped", "restarts")


def _network_order(address: str) -> int:
    """An IPv4 address as the system's calls want it. Raises ``ValueError``."""
    try:
        return int(struct.unpack("=I", ipaddress.IPv4Address(address).packed)[0])
    except ValueError:
        raise ValueError(f"{address!r} is no IPv4 address") from None
