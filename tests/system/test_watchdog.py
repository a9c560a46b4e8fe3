"""What the service manager hears of the three processes: ready, alive each second, nothing when they hang."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections import Counter
from pathlib import Path

import pytest

from tests.system.box import running


class Manager:
    """The service manager's socket; ``said`` counts who said what, by process id."""

    def __init__(self, path: Path) -> None:
        self.said: Counter[tuple[int, str]] = Counter()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(str(path))

    def hear(self) -> None:
        """Take one word; to be called when there is one."""
        word, [(_, _, credentials)], _, _ = self.socket.recvmsg(100, socket.CMSG_SPACE(12))
        self.said[struct.unpack("3i", credentials)[0], word.decode()] += 1


def test_each_process_is_ready_then_alive_and_says_nothing_while_it_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    said = manager.said

    async def until_alive(pids: set[int], times: int) -> None:
        before = said.copy()
        async with asyncio.timeout(15):
            while any(said[pid, "WATCHDOG=1"] < before[pid, "WATCHDOG=1"] + times for pid in pids):
                await asyncio.sleep(0.1)

    async def main() -> None:
        asyncio.get_running_loop().add_reader(manager.socket, manager.hear)
        async with running(tmp_path) as box:
            pids = {child.pid for child in box.children.values()}
            await until_alive(pids, 2)
            assert {pid: said[pid, "READY=1"] for pid in pids} == dict.fromkeys(pids, 1)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(0.1)
                quiet = said[pid, "WATCHDOG=1"]
                await until_alive(pids - {pid}, 2)
                assert said[pid, "WATCHDOG=1"] == quiet
                os.kill(pid, signal.SIGCONT)
                await until_alive({pid}, 1)
        await asyncio.sleep(0.1)
        assert {pid: said[pid, "STOPPING=1"] for pid in pids} == dict.fromkeys(pids, 1)

    try:
        asyncio.run(main())
    finally:
        manager.socket.close()
