"""A pseudo-terminal in place of a serial port."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path


class Cable:
    """A modem's end of a pseudo-terminal under a name that stays, as udev's links do."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.master = -1

    def plug(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        self.name.unlink()
        os.close(self.master)
        self.master = -1

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def read(self) -> bytes:
        """What has come so far."""
        try:
            return os.read(self.master, 65_536)
        except (BlockingIOError, OSError):
            return b""


async def until(so: Callable[[], object]) -> None:
    while not so():
        await asyncio.sleep(0.002)
