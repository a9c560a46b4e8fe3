"""A serial device that is none: a pseudo-terminal under a name that stays, as udev's names below by-id do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

_READ = 65_536
_MOST_WAITING = 16_384


class Terminal:
    """The device's side; who opens ``path`` is the computer's. Plugged in and out at will."""

    def __init__(self, path: Path, data: Callable[[bytes], None]) -> None:
        """``path`` becomes a link to the pseudo-terminal; ``data`` takes what the computer writes."""
        self.path = path
        self._data = data
        self._device = -1
        self._computer = -1  # kept open, so that the device does not see the computer come and go
        self._waiting = bytearray()
        #: Bytes that the computer did not take.
        self.dropped = 0

    @property
    def plugged(self) -> bool:
        """Whether the device is there."""
        return self._device >= 0

    def plug(self) -> None:
        """The device appears. Raises ``OSError``."""
        self._device, self._computer = os.openpty()
        tty.setraw(self._computer)
        os.set_blocking(self._device, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._computer))
        asyncio.get_running_loop().add_reader(self._device, self._on_readable)

    def unplug(self) -> None:
        """The device is gone, and its name with it; once more does nothing."""
        if self._device < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._device)
        loop.remove_writer(self._device)
        self.path.unlink(missing_ok=True)
        os.close(self._computer)
        os.close(self._device)
        self._device = self._computer = -1
        self._waiting.clear()

    def write(self, data: bytes) -> None:
        """To the computer, behind what waits; what cannot wait is dropped whole and counted."""
        if self._device < 0 or len(self._waiting) + len(data) > _MOST_WAITING:
            self.dropped += len(data)
            return
        self._waiting += data
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._waiting[: os.write(self._device, self._waiting)]
        loop = asyncio.get_running_loop()
        if self._waiting:
            loop.add_writer(self._device, self._flush)
        else:
            loop.remove_writer(self._device)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._device, _READ)
        except BlockingIOError:
            return
        self._data(data)
