"""The phone process as the product starts it, in a process of its own, with a control side that scripts decide for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from hw.link import Link, connect
from hw.messages import Cleared, Dial, Message
from tests.hw.phone.conftest import OURS, Box, accounts

E = TypeVar("E")
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody has at the moment, neither of TCP nor of UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])


class PhoneBox:
    """A running phone process. ``on_event`` decides; every event is in ``box`` too."""

    def __init__(self, process: asyncio.subprocess.Process, link: Link, port: int) -> None:
        self.process = process
        self.link = link
        self.port = port
        self.box = Box()
        self.on_event: Callable[[Message], None] = lambda event: None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.link:
            self.box.put(message)
            self.on_event(message)

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.link.send(message)

    async def next(self, kind: type[E], **fields: object) -> E:
        return await self.box.next(kind, **fields)

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        self._reading.cancel()
        self.link.close()
        return await self.process.wait()


@asynccontextmanager
async def phonebox(folder: Path, *names: str, trace: bool = True) -> AsyncIterator[PhoneBox]:
    """Start it with these accounts; it must end with status 0. The ``trace`` is ``sip.pcap`` in the folder."""
    port = free_port()
    config, path = folder / "onecall.toml", folder / "phone.sock"
    config.write_text(
        f'[phone]\nsocket = "{path}"\nlisten = ["udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"]\n'
        + (f'trace = "{folder / "sip.pcap"}"\n' if trace else ""),
        encoding="utf-8",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw.phone", "--config", str(config), cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    async with asyncio.timeout(10):
        while True:
            try:
                link = await connect(path)
                break
            except OSError:
                await asyncio.sleep(0.02)
    made = PhoneBox(process, link, port)
    try:
        made.send(accounts(*names), Dial("known", "phones", "nobody", media=OURS))
        await made.next(Cleared, leg="known")
        yield made
    finally:
        status = await made.stop()
    assert status == 0
