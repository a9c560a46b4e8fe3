"""The control process's end of a link: connects, reconnects for ever, hands every message on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hw.link import Link, connect
from hw.messages import Message, Snapshot

log = logging.getLogger(__name__)

#: How long to wait before the next try to connect, in seconds: a process that systemd restarts is back in 0.2 s.
RETRY_S = 0.1

Process = Literal["line", "phone"]


class LinkDown(Exception):
    """The process is not there: nothing can be sent to it now."""


class ProcessLink:
    """One process as the control process sees it: up with a snapshot, down, and messages in between."""

    def __init__(self, process: Process, path: Path) -> None:
        self.process: Process = process
        self._path = path
        self._link: Link | None = None

    @property
    def up(self) -> bool:
        """Whether the process is connected now."""
        return self._link is not None

    def send(self, message: Message) -> None:
        """Send a command. Raises ``LinkDown``."""
        if self._link is None:
            raise LinkDown(f"the {self.process} process is not connected")
        self._link.send(message)

    async def run(
        self,
        on_up: Callable[[Process, Snapshot], None],
        on_message: Callable[[Process, Message], None],
        on_down: Callable[[Process], None],
    ) -> None:
        """Connect and hand on messages until cancelled. The first message of a connection must be the snapshot."""
        while True:
            try:
                link = await connect(self._path)
            except OSError:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                await self._converse(link, on_up, on_message)
            finally:
                was_up, self._link = self._link is not None, None
                link.close()
                if was_up:
                    on_down(self.process)
            await asyncio.sleep(RETRY_S)

    async def _converse(
        self,
        link: Link,
        on_up: Callable[[Process, Snapshot], None],
        on_message: Callable[[Process, Message], None],
    ) -> None:
        async for message in link:
            if self._link is not None:
                on_message(self.process, message)
            elif isinstance(message, Snapshot):
                self._link = link
                on_up(self.process, message)
            else:
                log.error("the %s process began with %s instead of a snapshot", self.process, type(message).__name__)
                return
