"""The simulator's analog ports: what is told on one side of the sockets is what is heard on the other."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from hw.line.analog import Order, Sign, SimAnalog


def test_orders_go_to_the_far_end_and_signs_come_from_it_and_nonsense_is_counted(tmp_path: Path) -> None:
    async def main() -> None:
        signs: asyncio.Queue[tuple[int, Sign]] = asyncio.Queue()
        alarms: asyncio.Queue[str] = asyncio.Queue()
        ports = SimAnalog(str(tmp_path / "fxo"), (1, 2))
        await ports.open(lambda channel, sign: signs.put_nowait((channel, sign)), alarms.put_nowait)
        ports.order(1, Order.OFF_HOOK)  # nobody there: nothing to be done
        far = {kind: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for kind in "ab"}
        for kind, connection in far.items():
            connection.connect(str(tmp_path / f"fxo.{kind}"))
        assert await alarms.get() == ports.alarm == ""
        ports.order(2, Order.FLASH)
        assert far["a"].recv(9) == bytes((2, Order.FLASH))
        for packet in (b"\x03\x01", b"\x01\xee", b"\x01", b"\x01\x01\x01", bytes((2, Sign.RING_BEGINS))):
            far["a"].send(packet)
        assert await signs.get() == (2, Sign.RING_BEGINS)
        assert ports.counters()["a_malformed"] == 4
        far["a"].close()
        assert await alarms.get() == ports.alarm == "RED"
        ports.close()
        far["b"].close()

    asyncio.run(asyncio.wait_for(main(), 10))
