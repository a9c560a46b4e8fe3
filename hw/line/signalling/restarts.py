"""RESTART of bearer channels (Q.931 §5.5): one at a time, repeated once, given up after that."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from hw.line.signalling.channels import Channels

#: Q.931 table 9-2: RESTART ACKNOWLEDGE is awaited so long, twice.
T316_S = 120.0
_TRIES = 2


class Restarts:
    """The channels that wait for their restart; they are marked in ``channels`` so that no call takes them.

    ``send`` sends RESTART for one, ``done`` is called when the last is through, ``failed`` for one that the far end did
    not acknowledge: it is blocked.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        send: Callable[[int], None],
        done: Callable[[], None],
        failed: Callable[[int], None],
    ) -> None:
        self._channels = channels
        self._send = send
        self._done = done
        self._failed = failed
        self._waiting: deque[int] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, channel: int) -> None:
        """Restart a channel as soon as those before it are through."""
        if channel not in self._waiting:
            self._channels.restarting(channel, True)
            self._waiting.append(channel)
            if self._timer is None:
                self._begin(_TRIES)

    def acknowledged(self, channel: int | None) -> None:
        """RESTART ACKNOWLEDGE has come, for one channel or without a channel."""
        if self._waiting and channel in (None, self._waiting[0]):
            self._next()

    def end(self) -> None:
        """Forget all: the line is lost, and comes back with every channel idle."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            self._channels.restarting(self._waiting.popleft(), False)

    def _begin(self, tries: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(T316_S, self._expired, tries - 1)
        self._send(self._waiting[0])

    def _expired(self, tries: int) -> None:
        if tries:
            self._begin(tries)
            return
        self._channels.block(self._waiting[0], True)
        self._failed(self._waiting[0])
        self._next()

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._channels.restarting(self._waiting.popleft(), False)
        if self._waiting:
            self._begin(_TRIES)
        else:
            self._done()
