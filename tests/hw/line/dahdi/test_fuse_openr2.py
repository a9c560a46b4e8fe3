"""openr2 (Debian's, unmodified) on one card, our R2 line on the other: each by DAHDI's system calls, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.cas import DahdiCasSpan
from hw.line.dahdi.systemconf import IDLE_BITS
from hw.line.settings import R2Settings
from hw.line.signalling.r2 import R2Trunk
from hw.line.trunk import FRAME
from hw.messages import Alerting, Answered, Cleared, Incoming
from tests.hw.line.dahdi.conftest import End, Machine, configure, settings
from tests.hw.line.dahdi.fuse_card import Card
from tests.judges import openr2

pytestmark = pytest.mark.judge("gcc")
CHANNEL, ITS_CHANNEL = 1, 32
#: Where struct dahdi_params has the bits that a channel shows.
_TX_BITS = 7
BOX, OTHER = "95001", "13800138000"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return openr2.build(tmp_path_factory.mktemp("openr2"))


async def ready(card: Card) -> None:
    """Until openr2 shows that it is idle and reads: it has to see our end change, or takes no call.

    Our channel is shown as blocked then, as nobody has it open.
    """
    with discovery.control(card.devices) as ctl:
        while abi.call(ctl, abi.GET_PARAMS, ITS_CHANNEL)[_TX_BITS] == IDLE_BITS:
            await asyncio.sleep(0.01)
    for _ in range(5):
        while not card.step():
            await asyncio.sleep(0.01)


async def tick(box: End, card: Card) -> None:
    """The line and its tick in real time; on a busy machine both wait for openr2, and lose time but no frame."""
    frame, loop = np.empty((1, FRAME), np.uint8), asyncio.get_running_loop()
    due = loop.time()
    while True:
        if card.step():
            box.trunk.timeslots.read(frame)
            frame.fill(0xD5)
            box.trunk.timeslots.write(frame)
            due = max(due + 0.02, loop.time())
        await asyncio.sleep(max(due - loop.time(), 0.001))


@asynccontextmanager
async def joined(card: Card, r2: R2Settings, peer: Path, *arguments: str) -> AsyncIterator[tuple[End, list[str]]]:
    """Our line, idle and ticking, and openr2; what it told is there after the end."""
    spans = [settings(span, signalling="r2", channels=(CHANNEL,), r2=r2) for span in (1, 2)]
    configure(card, *spans)
    box = End(R2Trunk(spans[0], DahdiCasSpan(spans[0], card.devices), "cn"))
    told: list[str] = []
    async with asyncio.timeout(30):
        judge = await openr2.start(peer, str(card.devices), str(ITS_CHANNEL), *arguments)
        await ready(card)
        await box.trunk.start(box.take)
        ticking = asyncio.create_task(tick(box, card))
        try:
            await box.idle()
            yield box, told
            told += await openr2.told(judge)
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await box.trunk.close()
            if judge.returncode is None:
                judge.kill()
                await judge.wait()


@pytest.mark.requirement("A1.14")
def test_openr2_on_its_own_card_takes_our_call(machine: Machine, peer: Path) -> None:
    async def main() -> None:
        with machine() as card:
            async with joined(card, R2Settings(), peer, "answer", "24", "11") as (box, told):
                box.trunk.dial("out", OTHER, BOX, "")
                await box.next(Alerting)
                await box.next(Answered)
                box.trunk.hangup("out", 16)
                assert await box.next(Cleared) == Cleared("out", 16, "us")
            # How long we were idle before we seized it may have been too short for it to see.
            assert [line for line in told if line != "idle"] == [
                "blocked", "init", f"offered {OTHER} {BOX} 0", "accepted", "disconnect Normal Clearing", "end"
            ]  # fmt: skip

    asyncio.run(main())


def test_openr2_on_its_own_card_calls_us(machine: Machine, peer: Path) -> None:
    async def main() -> None:
        with machine() as card:
            settings = R2Settings(called_digits=5, caller_wanted=False)  # it cannot tell its number: its own defect
            async with joined(card, settings, peer, "call", OTHER, BOX) as (box, told):
                incoming = await box.next(Incoming)
                assert incoming.called == BOX
                box.trunk.answer(incoming.leg)
                assert await box.next(Cleared) == Cleared(incoming.leg, 16, "far")
            assert told == ["blocked", "idle", "accepted", "answered", "end"]

    asyncio.run(main())
