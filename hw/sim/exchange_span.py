"""One span of the simulated exchange, whatever its signalling: its cable, its subscribers and their audio.

It is the peer of ``hw.line.span.SimSpan``: it connects to the line process's two sockets, again and again, and answers
each packet of audio with one of its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from hw.line.trunk import FRAME, Octets
from hw.sim.exchange_line import ExchangeLine
from hw.sim.subscriber import Subscriber

log = logging.getLogger(__name__)

_RETRY_S = 0.05
_SIZE = 2048
#: Packets that are read before the loop gets its turn: a line process that was stopped has sent some more.
_BURST = 32
NOT_AVAILABLE, OUT_OF_ORDER, TEMPORARY_FAILURE = 44, 27, 41


class ExchangeSpan(ExchangeLine):
    """One span. ``signalling`` is the letter of the signalling's socket."""

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], *, signalling: str
    ) -> None:
        super().__init__(address, channels, incoming)
        #: Ticks answered and packets of a wrong size.
        self.counters = {"ticks": 0, "malformed": 0, "dropped": 0}
        self._signalling = signalling
        self._sockets: dict[str, socket.socket] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._mended = asyncio.Event()
        self._mended.set()
        self._heard = np.empty((len(channels), FRAME), np.uint8)
        self._said = np.empty((len(channels), FRAME), np.uint8)

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect, and to come back whenever the line process is gone."""
        self._keeper = asyncio.create_task(self._keep_connected(), name=f"span {self.address}")

    async def close(self) -> None:
        """Drop the connections; subscribers are cleared with cause 27."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._disconnect()

    def cut(self) -> None:
        """Fault: cut the cable. ``mend`` repairs it."""
        self._mended.clear()
        self._disconnect()

    def mend(self) -> None:
        """Repair the cable; the span comes up by itself."""
        self._mended.set()

    @abstractmethod
    def restart(self, channel: int) -> None:
        """Restart a channel: the call on it is gone."""

    # -- the signalling's part -----------------------------------------------------------------------------------------

    @abstractmethod
    def _plugged(self) -> None:
        """The cable is there."""

    @abstractmethod
    def _unplugged(self) -> None:
        """The cable is gone; the subscribers are ended afterwards."""

    @abstractmethod
    def _packet(self, packet: bytes) -> None:
        """A packet of the signalling's socket."""

    @abstractmethod
    def _hear(self, heard: Octets) -> None:
        """A frame [channels, 160] has come, before the subscribers hear it."""

    @abstractmethod
    def _say(self, said: Octets) -> None:
        """A frame is about to be sent."""

    # -- the cable -----------------------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        while True:
            await self._mended.wait()
            self._lost.clear()
            if self._connect():
                await self._lost.wait()
            else:
                await asyncio.sleep(_RETRY_S)

    def _connect(self) -> bool:
        """Connect to both sockets of the line process, or to none."""
        sockets = {kind: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for kind in (self._signalling, "b")}
        try:
            for kind, connection in sockets.items():
                connection.setblocking(False)
                connection.connect(f"{self.address}.{kind}")
        except OSError:
            for connection in sockets.values():
                connection.close()
            return False
        self._sockets = sockets
        loop = asyncio.get_running_loop()
        loop.add_reader(sockets[self._signalling], self._on_signalling)
        loop.add_reader(sockets["b"], self._on_b)
        self._plugged()
        return True

    def _disconnect(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in self._sockets.values():
            loop.remove_reader(connection)
            connection.close()
        self._sockets = {}
        self._unplugged()
        for subscriber in self.subscribers:
            self._end(subscriber, OUT_OF_ORDER, "fault")
        self._set_up(False)
        self._lost.set()

    def _send(self, frame: bytes) -> None:
        try:
            self._sockets[self._signalling].send(frame)
        except (KeyError, OSError):
            self.counters["dropped"] += 1

    def _on_signalling(self) -> None:
        for _ in range(_BURST):
            if (connection := self._sockets.get(self._signalling)) is None:
                return
            try:
                frame = connection.recv(_SIZE)
            except BlockingIOError:
                return
            except OSError:
                frame = b""
            if not frame:
                self._disconnect()
                return
            self._packet(frame)

    def _on_b(self) -> None:
        """Answer each packet of audio with ours: the line process's tick is the clock."""
        for _ in range(_BURST):
            if (connection := self._sockets.get("b")) is None:
                return
            try:
                size = connection.recv_into(self._heard.data)
                if size == self._heard.nbytes:
                    self.counters["ticks"] += 1
                    self._hear(self._heard)
                    heard = self.bearers.tick(self._heard, self._said)
                    self._say(self._said)
                    connection.send(self._said.data)
                    for index in heard:
                        if (there := self._there(self._numbers[index])) is not None:
                            there.notify()
            except BlockingIOError:
                return
            except OSError:
                size = 0
            if not size:
                self._disconnect()
                return
            self.counters["malformed"] += size != self._heard.nbytes
