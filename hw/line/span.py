"""The lowest layer of a digital trunk: a D channel and the bearer channels' audio, of a card or of the simulator.

The simulator's span is two SOCK_SEQPACKET Unix sockets, bound by the line process: ``<address>.d`` carries the D
channel, one Q.921 frame a packet; ``<address>.b`` the audio, one packet a tick with 160 A-law octets of every bearer
channel, in the order of the channels. The line process's tick clocks both directions: the exchange answers each audio
packet with one of its own. The span is in RED alarm while the exchange is not connected to both.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hw.line.trunk import FRAME, Octets, Timeslots

log = logging.getLogger(__name__)

#: A-law silence (G.711: the smallest positive value, even bits inverted).
SILENCE = 0xD5
#: Frames from the exchange that wait for their tick before the oldest is skipped: 40 ms.
DEPTH = 2
#: More than any Q.921 frame.
_D_SIZE = 2048
#: Frames of the D channel that are read before the loop gets its turn.
_BURST = 64


class Span(ABC):
    """A D channel and timeslots. ``alarm`` is empty while the span is in order, else the alarm's name (G.775: RED)."""

    timeslots: Timeslots
    alarm: str

    @abstractmethod
    async def open(self, frame: Callable[[bytes], None], alarm: Callable[[str], None]) -> None:
        """Open it; ``frame`` takes D channel frames without FCS, ``alarm`` every change. Raises ``OSError``."""

    @abstractmethod
    def send(self, frame: bytes) -> None:
        """Send one D channel frame; never blocks, what cannot be sent is dropped and counted (Q.921 repeats it)."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; no callback comes any more."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Frames of the D channel that were dropped, and the timeslots' counters."""


class SimTimeslots(Timeslots):
    """Audio of a simulated span over one packet socket; silence while there is none."""

    def __init__(self, channels: Sequence[int]) -> None:
        self.channels = channels
        self._socket: socket.socket | None = None
        self._lost: Callable[[], None] = lambda: None
        self._spare = [np.empty((len(channels), FRAME), np.uint8) for _ in range(DEPTH + 1)]
        self._queue: deque[Octets] = deque()
        self._started = False
        self._counts = {"slips": 0, "missing": 0, "dropped": 0, "malformed": 0}

    def attach(self, connection: socket.socket | None, lost: Callable[[], None] = lambda: None) -> None:
        """Use another connection, or none; ``lost`` is called when it turns out to be broken."""
        self._socket, self._lost = connection, lost
        self._started = False
        self._spare.extend(self._queue)
        self._queue.clear()

    def read(self, into: Octets) -> None:
        """The next frame into ``into``; of frames that have piled up the oldest are skipped: each is a slip."""
        while self._receive():
            if len(self._queue) > DEPTH:
                self._spare.append(self._queue.popleft())
                self._counts["slips"] += 1
        if self._queue:
            frame = self._queue.popleft()
            into[:] = frame
            self._spare.append(frame)
        else:
            into.fill(SILENCE)
            self._counts["missing"] += self._started

    def write(self, frames: Octets) -> None:
        """Send one frame; dropped when the exchange does not keep up."""
        if self._socket is None:
            return
        try:
            self._socket.send(frames.data)
        except BlockingIOError:
            self._counts["dropped"] += 1
        except OSError:
            self._lost()

    def counters(self) -> dict[str, int]:
        """``slips`` skipped, ``missing`` not there in time, ``dropped`` not sent, ``malformed`` of a wrong size."""
        return dict(self._counts)

    def _receive(self) -> bool:
        """Take one packet into the queue; False when there is none."""
        if self._socket is None:
            return False
        frame = self._spare[-1]
        try:
            size = self._socket.recv_into(frame.data)
        except BlockingIOError:
            return False
        except OSError:
            size = 0
        if size == 0:  # a peer of packets shows its end so
            self._lost()
            return False
        self._started = True
        if size != frame.nbytes:
            self._counts["malformed"] += 1
            frame.fill(SILENCE)
        self._queue.append(self._spare.pop())
        return True


class SimSpan(Span):
    """The span of a simulated exchange that connects to ``<address>.d`` and ``<address>.b``.

    ``signalling`` is the letter of the signalling's socket, if its packets are no D channel's frames (``hw.line.cas``).
    """

    def __init__(self, address: str, channels: Sequence[int], *, signalling: str = "d") -> None:
        """Raises ``ValueError`` without an address."""
        if not address:
            raise ValueError("address: a simulated span needs the path that its sockets' names begin with")
        self.timeslots: SimTimeslots = SimTimeslots(channels)
        self.alarm = "RED"
        self._paths = {kind: Path(f"{address}.{kind}") for kind in (signalling, "b")}
        self._signalling = signalling
        self._listeners: dict[str, socket.socket] = {}
        self._connections: dict[str, socket.socket] = {}
        self._frame: Callable[[bytes], None] = lambda _frame: None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._dropped = 0

    async def open(self, frame: Callable[[bytes], None], alarm: Callable[[str], None]) -> None:
        """Bind both sockets, in place of those that a dead process left behind."""
        self._frame, self._changed = frame, alarm
        loop = asyncio.get_running_loop()
        for kind, path in self._paths.items():
            path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._listeners[kind] = listener
            listener.setblocking(False)
            listener.bind(str(path))
            listener.listen(4)
            loop.add_reader(listener, self._accept, kind)

    def send(self, frame: bytes) -> None:
        """Send one frame to the exchange, if it is there and keeps up."""
        try:
            self._connections[self._signalling].send(frame)
        except (KeyError, OSError):
            self._dropped += 1

    def close(self) -> None:
        """Close and remove both sockets."""
        self._changed = lambda _alarm: None
        loop = asyncio.get_running_loop()
        self._disconnect()
        for kind, listener in self._listeners.items():
            loop.remove_reader(listener)
            listener.close()
            self._paths[kind].unlink(missing_ok=True)
        self._listeners.clear()

    def counters(self) -> dict[str, int]:
        """``d_dropped`` (by the signalling's letter) and the timeslots' counters."""
        return {f"{self._signalling}_dropped": self._dropped} | self.timeslots.counters()

    def _accept(self, kind: str) -> None:
        try:
            connection, _ = self._listeners[kind].accept()
        except OSError:  # it has gone again
            return
        if kind in self._connections:  # a new exchange takes the old one's place
            self._disconnect()
        connection.setblocking(False)
        self._connections[kind] = connection
        if kind == "b":  # read by the tick
            self.timeslots.attach(connection, self._disconnect)
        else:
            asyncio.get_running_loop().add_reader(connection, self._on_signalling)
        if len(self._connections) == 2:
            self._set_alarm("")

    def _on_signalling(self) -> None:
        for _ in range(_BURST):
            connection = self._connections.get(self._signalling)
            if connection is None:
                return
            try:
                frame = connection.recv(_D_SIZE)
            except BlockingIOError:
                return
            except OSError:
                frame = b""
            if not frame:
                self._disconnect()
                return
            self._frame(frame)

    def _disconnect(self) -> None:
        """One of the two is gone: both go, so that the exchange comes back with both."""
        self.timeslots.attach(None)
        if (connection := self._connections.get(self._signalling)) is not None:
            asyncio.get_running_loop().remove_reader(connection)
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._set_alarm("RED")

    def _set_alarm(self, alarm: str) -> None:
        if alarm != self.alarm:
            self.alarm = alarm
            self._changed(alarm)
