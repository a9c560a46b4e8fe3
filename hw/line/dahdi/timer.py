"""The card's clock: DAHDI's timer counts the frames of the card that is its master, and without a card the kernel's."""

from __future__ import annotations

import os
import select
from pathlib import Path

from hw.line.dahdi import abi
from hw.line.dahdi.discovery import DEVICES
from hw.line.switch.clock import TickSource
from hw.line.trunk import FRAME

#: More ticks than this are not counted one by one.
_MOST = 100


class CardClock(TickSource):
    """A tick for every 160 samples that the card has sent and received. Raises ``OSError``."""

    steady = False

    def __init__(self, devices: Path = DEVICES) -> None:
        self._timer = os.open(devices / "timer", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll = select.epoll()
        # Expiry comes as EPOLLPRI, which the loop does not wait for: the loop waits for the epoll.
        self._epoll.register(self._timer, select.EPOLLPRI)
        self.fd = self._epoll.fileno()
        abi.call(self._timer, abi.TIMERCONFIG, FRAME)

    def due(self) -> int:
        """See ``TickSource``; at most a hundred at once."""
        for ticks in range(_MOST):
            if not self._epoll.poll(0):
                return ticks
            abi.call(self._timer, abi.TIMERACK, 1)
        abi.call(self._timer, abi.TIMERACK, -1)
        return _MOST

    def close(self) -> None:
        """Count no more."""
        self._epoll.close()
        os.close(self._timer)
