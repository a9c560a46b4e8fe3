"""A serial port on a pseudo-terminal, as a modem's driver would give it: it comes, goes, and takes no more bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hw.line.serial import port as module
from hw.line.serial.port import MOST_WAITING, SerialPort
from tests.hw.line.serial.cable import Cable, until


class Opened:
    def __init__(self, port: SerialPort) -> None:
        self.port = port
        self.data = bytearray()
        self.alarms: list[str] = []


@asynccontextmanager
async def opened(device: str) -> AsyncIterator[Opened]:
    there = Opened(SerialPort(device))
    there.port.open(there.data.extend, there.alarms.append)
    try:
        async with asyncio.timeout(10):
            yield there
    finally:
        await there.port.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)


@pytest.fixture
def cable(tmp_path: Path) -> Cable:
    return Cable(tmp_path / "usb-ACME_modem-if00")


def test_bytes_go_both_ways(cable: Cable) -> None:
    async def main() -> None:
        cable.plug()
        async with opened(str(cable.name)) as there:
            await until(lambda: not there.port.alarm)
            there.port.write(b"ATI\r")
            await until(lambda: cable.read() == b"ATI\r")
            cable.write(bytes(range(256)))
            await until(lambda: bytes(there.data) == bytes(range(256)))

    asyncio.run(main())


def test_a_modem_that_is_unplugged_is_an_alarm_and_is_found_again(cable: Cable) -> None:
    async def main() -> None:
        async with opened(str(cable.name)) as there:
            for _ in range(3):
                cable.plug()
                await until(lambda: not there.port.alarm)
                cable.unplug()
                await until(lambda: there.port.alarm)
            assert there.alarms == ["", "GONE"] * 3
            assert there.port.counters()["lost"] == 3
            there.port.write(b"AT\r")
            assert there.port.counters()["bytes_dropped"] == 3

    asyncio.run(main())


def test_a_port_is_ours_alone(cable: Cable) -> None:
    async def main() -> None:
        cable.plug()
        async with opened(str(cable.name)) as first:
            await until(lambda: not first.port.alarm)
            async with opened(str(cable.name)) as second:
                await until(lambda: second.port.alarm == "BUSY")
                await first.port.close()
                await until(lambda: not second.port.alarm)

    asyncio.run(main())


def test_a_modem_that_takes_nothing_never_blocks_the_loop(cable: Cable) -> None:
    async def main() -> None:
        cable.plug()
        async with opened(str(cable.name)) as there:
            await until(lambda: not there.port.alarm)
            for _ in range(200):
                there.port.write(bytes(1000))
            assert MOST_WAITING - 1000 < there.port.waiting <= MOST_WAITING
            dropped = there.port.counters()["bytes_dropped"]
            received = 0
            while received + dropped < 200_000:
                received += len(cable.read())
                await asyncio.sleep(0)
            assert (received + dropped, there.port.waiting) == (200_000, 0)

    asyncio.run(main())


def test_what_is_no_terminal_is_an_alarm(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "file").write_text("no modem")
        async with opened(str(tmp_path / "file")) as there:
            await until(lambda: there.alarms == ["FAILED"])

    asyncio.run(main())


def test_a_terminal_server_is_a_port_too() -> None:
    async def main() -> None:
        joined: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _reader, writer: joined.append(writer), "127.0.0.1", 0)
        host, number = server.sockets[0].getsockname()
        async with opened(f"socket://{host}:{number}") as there:
            await until(lambda: joined and not there.port.alarm)
            joined[0].write(b"RING\r\n")
            await until(lambda: there.data == b"RING\r\n")
            joined[0].close()
            await until(lambda: "GONE" in there.alarms)
        server.close()

    asyncio.run(main())


def test_a_url_without_a_descriptor_is_a_port_too() -> None:
    async def main() -> None:
        async with opened("loop://") as there:
            await until(lambda: not there.port.alarm)
            there.port.write(b"echo of the loop")
            await until(lambda: there.data == b"echo of the loop")

    asyncio.run(main())
