"""openr2 (Debian's) is the exchange on an R2 channel: the judge of our line and register signals, variant China."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from hw.line.settings import R2Settings, SpanSettings
from hw.line.signalling import open_trunk
from hw.line.trunk import Trunk
from hw.messages import Alerting, Answered, Cleared, Incoming, LineEvent, LineState
from tests.judges import openr2 as judge

pytestmark = pytest.mark.judge("gcc")
E = TypeVar("E")
BOX, OTHER = "95001", "13800138000"


@pytest.fixture(scope="module")
def openr2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The judge's program, built."""
    return judge.build(tmp_path_factory.mktemp("openr2"))


class Line:
    """Our trunk with one channel, its tick running in real time, and openr2 at the other end."""

    def __init__(self, trunk: Trunk, address: str, program: Path) -> None:
        self.trunk = trunk
        self.judge: asyncio.subprocess.Process
        self.address = address
        self.program = program
        self.events: asyncio.Queue[LineEvent] = asyncio.Queue()

    async def start(self, *arguments: str) -> None:
        """openr2 joins the line, to do what its source's head says."""
        self.judge = await judge.start(self.program, self.address, "1", *arguments)
        await self.next(LineState, up=True)

    async def next(self, kind: type[E], **fields: Any) -> E:
        while True:
            event = await self.events.get()
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                return event

    async def told(self) -> list[str]:
        """What openr2 told, when it is through; it is through without an error."""
        return await judge.told(self.judge)

    async def tick(self) -> None:
        frame = np.empty((1, 160), np.uint8)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.trunk.timeslots.read(frame)
            frame.fill(0xD5)
            self.trunk.timeslots.write(frame)
            due += 0.02
            await asyncio.sleep(max(due - loop.time(), 0))


@asynccontextmanager
async def line(path: Path, program: Path, r2: R2Settings | None = None) -> AsyncIterator[Line]:
    address = str(path / "e1")
    settings = r2 or R2Settings()
    trunk = open_trunk(SpanSettings(name="e1", address=address, channels=(1,), signalling="r2", r2=settings))
    joined = Line(trunk, address, program)
    async with asyncio.timeout(30):
        await trunk.start(joined.events.put_nowait)
        ticking = asyncio.create_task(joined.tick())
        try:
            yield joined
        finally:
            await trunk.close()
            ticking.cancel()
            if joined.judge.returncode is None:
                joined.judge.kill()
                await joined.judge.wait()


@pytest.mark.requirement("A1.14")
def test_openr2_takes_our_call_with_both_numbers_and_answers_it(tmp_path: Path, openr2: Path) -> None:
    async def main() -> None:
        async with line(tmp_path, openr2) as joined:
            await joined.start("answer", "24", "11")
            joined.trunk.dial("out", OTHER, BOX, "")
            await joined.next(Alerting)
            await joined.next(Answered)
            joined.trunk.hangup("out", 16)
            assert await joined.next(Cleared) == Cleared("out", 16, "us")
            # It asks for the category and the caller after the first digit; 0 is its national subscriber.
            assert await joined.told() == [
                "idle", "init", f"offered {OTHER} {BOX} 0", "accepted", "disconnect Normal Clearing", "end"
            ]  # fmt: skip

    asyncio.run(main())


@pytest.mark.parametrize(("how", "cause"), [("busy", 17), ("refuse", 1)])
def test_openr2_refuses_our_call(tmp_path: Path, openr2: Path, how: str, cause: int) -> None:
    async def main() -> None:
        async with line(tmp_path, openr2) as joined:
            await joined.start(how, "24", "5")
            joined.trunk.dial("out", "95002", BOX, "")
            assert await joined.next(Cleared) == Cleared("out", cause, "far")
            assert "offered 95002 95001 0" in await joined.told()

    asyncio.run(main())


@pytest.mark.parametrize("digits", [5, 0])
def test_openr2_calls_us_and_we_answer(tmp_path: Path, openr2: Path, digits: int) -> None:
    """With a number of unknown length it is our A-3 pulse that it has to take."""

    async def main() -> None:
        # As a caller in this variant openr2 takes the A-1 behind KA for "next called digit": its own defect, so the
        # caller's number is not asked for here.
        settings = R2Settings(called_digits=digits, pause_ms=1000, caller_wanted=False)
        async with line(tmp_path, openr2, settings) as joined:
            await joined.start("call", OTHER, BOX)
            incoming = await joined.next(Incoming)
            assert incoming.called == BOX
            joined.trunk.answer(incoming.leg)
            assert await joined.next(Cleared) == Cleared(incoming.leg, 16, "far")
            assert await joined.told() == ["idle", "accepted", "answered", "end"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("cause", "told"), [(17, "Busy Number"), (1, "Unallocated Number"), (34, "Network Congestion")]
)
def test_openr2_is_told_why_we_refuse(tmp_path: Path, openr2: Path, cause: int, told: str) -> None:
    async def main() -> None:
        async with line(tmp_path, openr2, R2Settings(called_digits=5, caller_wanted=False)) as joined:
            await joined.start("call", OTHER, BOX)
            incoming = await joined.next(Incoming)
            joined.trunk.hangup(incoming.leg, cause)
            assert await joined.next(Cleared) == Cleared(incoming.leg, cause, "us")
            assert f"disconnect {told}" in await joined.told()

    asyncio.run(main())


def test_openr2_is_cleared_back(tmp_path: Path, openr2: Path) -> None:
    async def main() -> None:
        async with line(tmp_path, openr2, R2Settings(called_digits=5, caller_wanted=False)) as joined:
            await joined.start("stay", OTHER, BOX)
            incoming = await joined.next(Incoming)
            joined.trunk.answer(incoming.leg)
            await judge.until(joined.judge, "answered")
            joined.trunk.hangup(incoming.leg, 16)
            assert (await joined.next(Cleared)).cause == 16
            assert "disconnect Normal Clearing" in await joined.told()

    asyncio.run(main())
