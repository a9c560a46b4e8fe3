"""One span of the simulated exchange: the network side of a primary rate interface, and its subscribers' audio.

It is the peer of ``hw.line.span.SimSpan``: it connects to the line process's two sockets, again and again, and answers
each packet of audio with one of its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np

from hw.line.signalling import q931
from hw.line.signalling.channels import Channels
from hw.line.signalling.libpri import DChannel
from hw.line.signalling.q931 import Call
from hw.line.signalling.trace import Trace
from hw.line.trunk import FRAME
from hw.sim.exchange_audio import Bearers
from hw.sim.subscriber import Subscriber

log = logging.getLogger(__name__)

_RETRY_S = 0.05
_D_SIZE = 2048
#: Packets that are read before the loop gets its turn: a line process that was stopped has sent some more.
_BURST = 32
_CONGESTION, _NOT_AVAILABLE, _OUT_OF_ORDER, _TEMPORARY_FAILURE = 34, 44, 27, 41


class ExchangeSpan:
    """One span. ``incoming`` takes each call of the box, when its SETUP has come; it rings, answers or clears it."""

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], trace: Trace | None = None
    ) -> None:
        self.address = address
        self.bearers = Bearers(len(channels))
        self.up = False
        #: Fault: every D channel frame that we send is late by so many seconds.
        self.d_delay_s = 0.0
        #: Ticks answered and packets of a wrong size.
        self.counters = {"ticks": 0, "malformed": 0, "dropped": 0}
        self._numbers = tuple(channels)
        self._index = {channel: index for index, channel in enumerate(channels)}
        self._channels = Channels(channels, from_top=False)
        self._incoming = incoming
        self._names = (f"{address}#{n}" for n in count())
        self._d = DChannel("network", transmit=self._transmit, event=self._on_event)
        self._d.trace = trace
        self._subscribers: dict[Call, Subscriber] = {}
        self._by_name: dict[str, Subscriber] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._mended = asyncio.Event()
        self._mended.set()
        self._heard = np.empty((len(channels), FRAME), np.uint8)
        self._said = np.empty((len(channels), FRAME), np.uint8)
        self._up_changed = asyncio.Event()

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
        if self._d.trace is not None:
            self._d.trace.close()

    async def wait_up(self, up: bool = True) -> None:
        """Until the data link is up (or down)."""
        while self.up != up:
            self._up_changed.clear()
            await self._up_changed.wait()

    def cut(self) -> None:
        """Fault: cut the cable. ``mend`` repairs it."""
        self._mended.clear()
        self._disconnect()

    def mend(self) -> None:
        """Repair the cable; the span comes up by itself."""
        self._mended.set()

    # -- calls ---------------------------------------------------------------------------------------------------------

    @property
    def subscribers(self) -> list[Subscriber]:
        """Everybody with a call that is not cleared."""
        return list(self._subscribers.values())

    def any_idle(self) -> bool:
        """Whether a call can be offered to the box."""
        return self.up and self._channels.any_idle()

    def idle_channels(self) -> int:
        """Channels without a call."""
        return sum(not self._channels.owner(channel) for channel in self._numbers)

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Send SETUP; with ``channel`` on that one, whether idle or not. Raises ``NoChannel``."""
        wanted = self._channels.hunt() if channel is None else channel
        call = self._d.setup(called, caller, name, channel=wanted, exclusive=0 < wanted < 255,
                             restricted=restricted, complete=complete)  # fmt: skip
        # A forced call without a channel of its own must not take anybody's.
        own = wanted if self._channels.idle(wanted) else 0
        return self._add(call, called, caller, own, calls=True)

    def alert(self, subscriber: Subscriber) -> None:
        """Send ALERTING for a called subscriber."""
        self._d.alerting(subscriber.call, subscriber.channel)
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """Send CONNECT for a called subscriber."""
        self._d.connect(subscriber.call, subscriber.channel)
        self._connected(subscriber)

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Send one more digit."""
        self._d.information(subscriber.call, digit)

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """Clear a call, unless it is being cleared."""
        if not (subscriber.call.clearing or subscriber.call.gone):
            subscriber.by, subscriber.cause = "us", cause
            self._d.hangup(subscriber.call, cause)

    def restart(self, channel: int) -> None:
        """Restart a channel: the call on it is gone."""
        if (there := self._by_name.get(self._channels.owner(channel))) is not None:
            self._d.destroy(there.call)
            self._end(there, _TEMPORARY_FAILURE, "us")
        self._d.restart(channel)

    def index(self, channel: int) -> int:
        """The row of a channel in the audio. Raises ``KeyError``."""
        return self._index[channel]

    def _add(self, call: Call, called: str, caller: str, channel: int, *, calls: bool) -> Subscriber:
        now = asyncio.get_running_loop().time()
        subscriber = Subscriber(self, call, called, caller, 0, calls, now)
        self._subscribers[call] = subscriber
        self._on_channel(subscriber, channel)
        return subscriber

    def _on_channel(self, subscriber: Subscriber, channel: int) -> None:
        """Give a channel to a subscriber, in place of the one that it has."""
        if channel == subscriber.channel or channel not in self._index:
            return
        self._off_channel(subscriber)
        subscriber.channel = channel
        name = next(self._names)
        self._by_name[name] = subscriber
        self._channels.take(channel, name)
        subscriber.heard = self.bearers.open(self._index[channel])

    def _off_channel(self, subscriber: Subscriber) -> None:
        name = self._channels.owner(subscriber.channel)
        if name and self._by_name.get(name) is subscriber:
            del self._by_name[name]
            self._channels.free(subscriber.channel, name)
            self.bearers.close(self._index[subscriber.channel])

    def _connected(self, subscriber: Subscriber) -> None:
        subscriber.answered_at = asyncio.get_running_loop().time()
        subscriber.reached("up")

    def _end(self, subscriber: Subscriber, cause: int, by: str = "") -> None:
        self._subscribers.pop(subscriber.call, None)
        self._off_channel(subscriber)
        subscriber.cause = subscriber.cause or cause
        if by == "fault":
            subscriber.by = "fault"
        subscriber.cleared_at = asyncio.get_running_loop().time()
        subscriber.reached("cleared")

    # -- what the box does ---------------------------------------------------------------------------------------------

    def _on_event(self, event: q931.Event) -> None:
        match event:
            case q931.Ring():
                self._ring(event)
            case q931.LinkUp() | q931.LinkDown():
                self.up = isinstance(event, q931.LinkUp)
                self._up_changed.set()
            case q931.Restarted(channel):
                for number in self._numbers if channel is None else (channel,):
                    if (there := self._by_name.get(self._channels.owner(number))) is not None:
                        self._d.destroy(there.call)
                        self._end(there, _TEMPORARY_FAILURE)
            case q931.RestartAcked():
                pass
            case _:
                if (subscriber := self._subscribers.get(event.call)) is not None:
                    self._of_call(subscriber, event)

    def _of_call(self, subscriber: Subscriber, event: q931.Event) -> None:
        match event:
            case q931.Proceeding(_, channel, inband):
                self._on_channel(subscriber, channel)
                subscriber.inband |= inband
                subscriber.reached("proceeding")
            case q931.Ringing(_, _, inband):
                subscriber.inband |= inband
                subscriber.reached("alerting")
            case q931.Progressing(_, inband):
                subscriber.inband |= inband
                subscriber.notify()
            case q931.SetupAck(_, channel):
                self._on_channel(subscriber, channel)
                subscriber.digits_wanted = True
                subscriber.notify()
            case q931.Connected():
                self._connected(subscriber)
            case q931.Clearing(_, cause):
                subscriber.cause = subscriber.cause or cause
            case q931.Gone(_, cause):
                self._end(subscriber, cause)

    def _ring(self, ring: q931.Ring) -> None:
        """A call of the box. One on a channel that is taken is refused, glare included: the network's call has it."""
        if not self._channels.idle(ring.channel):
            self._d.hangup(ring.call, _NOT_AVAILABLE if self._channels.any_idle() else _CONGESTION)
            return
        subscriber = self._add(ring.call, ring.called, ring.caller, ring.channel, calls=False)
        self._d.proceeding(ring.call, ring.channel)
        subscriber.reached("proceeding")
        self._incoming(subscriber)

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
        sockets = {kind: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for kind in "db"}
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
        loop.add_reader(sockets["d"], self._on_d)
        loop.add_reader(sockets["b"], self._on_b)
        self._d.start()
        return True

    def _disconnect(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in self._sockets.values():
            loop.remove_reader(connection)
            connection.close()
        self._sockets = {}
        self._d.stop()
        for subscriber in self.subscribers:
            self._end(subscriber, _OUT_OF_ORDER, "fault")
        self.up = False
        self._up_changed.set()
        self._lost.set()

    def _transmit(self, frame: bytes) -> None:
        if self.d_delay_s:
            asyncio.get_running_loop().call_later(self.d_delay_s, self._send, frame)
        else:
            self._send(frame)

    def _send(self, frame: bytes) -> None:
        try:
            self._sockets["d"].send(frame)
        except (KeyError, OSError):
            self.counters["dropped"] += 1

    def _on_d(self) -> None:
        for _ in range(_BURST):
            if (connection := self._sockets.get("d")) is None:
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
            self._d.receive(frame)

    def _on_b(self) -> None:
        """Answer each packet of audio with ours: the line process's tick is the clock."""
        for _ in range(_BURST):
            if (connection := self._sockets.get("b")) is None:
                return
            try:
                size = connection.recv_into(self._heard.data)
                if size == self._heard.nbytes:
                    self.counters["ticks"] += 1
                    heard = self.bearers.tick(self._heard, self._said)
                    connection.send(self._said.data)
                    for index in heard:
                        if (there := self._by_name.get(self._channels.owner(self._numbers[index]))) is not None:
                            there.notify()
            except BlockingIOError:
                return
            except OSError:
                size = 0
            if not size:
                self._disconnect()
                return
            self.counters["malformed"] += size != self._heard.nbytes
