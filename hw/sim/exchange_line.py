"""A line of the simulated exchange to the box, whatever it is: who talks over it, and their audio.

A span over a cable is one (``hw.sim.exchange_span``), a module or modem at a serial port another.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import count

from hw.line.signalling.channels import Channels, Hunting
from hw.sim.exchange_audio import Bearers
from hw.sim.subscriber import Subscriber


class ExchangeLine(ABC):
    """One line with its channels. ``incoming`` takes each call of the box, when its number has come; it rings, answers
    or clears it.
    """

    def __init__(self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None]) -> None:
        self.address = address
        self.bearers = Bearers(len(channels))
        self.up = False
        self._numbers = tuple(channels)
        self._index = {channel: index for index, channel in enumerate(channels)}
        self._channels = Channels(channels, Hunting(channels, "up"))
        self._incoming = incoming
        self._names = (f"{address}#{n}" for n in count())
        self._subscribers: dict[Subscriber, None] = {}
        self._by_name: dict[str, Subscriber] = {}
        self._up_changed = asyncio.Event()

    # -- life ----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def start(self) -> None:
        """Begin, and come back whenever the line process is gone."""

    @abstractmethod
    async def close(self) -> None:
        """End everything; subscribers are cleared."""

    async def wait_up(self, up: bool = True) -> None:
        """Until calls can be made (or not)."""
        while self.up != up:
            self._up_changed.clear()
            await self._up_changed.wait()

    # -- calls ---------------------------------------------------------------------------------------------------------

    @property
    def subscribers(self) -> list[Subscriber]:
        """Everybody with a call that is not cleared."""
        return list(self._subscribers)

    @abstractmethod
    def any_idle(self) -> bool:
        """Whether a call can be offered to the box."""

    @abstractmethod
    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Somebody calls the box; with ``channel`` on that one, whether idle or not. Raises ``NoChannel``."""

    @abstractmethod
    def alert(self, subscriber: Subscriber) -> None:
        """It rings at a called subscriber."""

    @abstractmethod
    def answer(self, subscriber: Subscriber) -> None:
        """A called subscriber answers."""

    @abstractmethod
    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """One more digit of the called number."""

    @abstractmethod
    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """Clear a call, unless it is being cleared."""

    def idle_channels(self) -> int:
        """Channels without a call."""
        return sum(not self._channels.owner(channel) for channel in self._numbers)

    def index(self, channel: int) -> int:
        """The row of a channel in the audio. Raises ``KeyError``."""
        return self._index[channel]

    def _add(self, subscriber: Subscriber, channel: int) -> None:
        self._subscribers[subscriber] = None
        self._on_channel(subscriber, channel)

    def _there(self, channel: int) -> Subscriber | None:
        """Who is on a channel."""
        return self._by_name.get(self._channels.owner(channel))

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
        self._subscribers.pop(subscriber, None)
        self._off_channel(subscriber)
        subscriber.cause = subscriber.cause or cause
        if by == "fault":
            subscriber.by = "fault"
        subscriber.cleared_at = asyncio.get_running_loop().time()
        subscriber.reached("cleared")

    def _set_up(self, up: bool) -> None:
        self.up = up
        self._up_changed.set()
