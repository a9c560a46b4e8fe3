"""openr2 (Debian's, unmodified) on one card, our R2 line on the other: each by DAHDI's system calls, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from hw.line.dahdi.cas import DahdiCasSpan
from hw.line.dahdi.timer import CardClock
from hw.line.settings import R2Settings
from hw.line.signalling.r2 import R2Trunk
from hw.line.trunk import FRAME
from hw.messages import Alerting, Answered, Cleared, Incoming
from tests.hw.line.dahdi.conftest import End, Machine, configure, settings
from tests.hw.line.dahdi.fuse_card import Card
from tests.judges import openr2

pytestmark = pytest.mark.judge("gcc")
CHANNEL, ITS_CHANNEL = 1, 32
BOX, OTHER = "95001", "13800138000"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return openr2.build(tmp_path_factory.mktemp("openr2"))


@asynccontextmanager
async def joined(card: Card, r2: R2Settings, peer: Path, *arguments: str) -> AsyncIterator[tuple[End, list[str]]]:
    """Our line, up and ticking with the card's clock, and openr2; what it told is there after the end."""
    spans = [settings(span, signalling="r2", channels=(CHANNEL,), r2=r2) for span in (1, 2)]
    configure(card, *spans)
    box = End(R2Trunk(spans[0], DahdiCasSpan(spans[0], card.devices), "cn"))
    told: list[str] = []
    async with asyncio.timeout(30):
        await box.trunk.start(box.take)
        card.tell("run")
        judge = await openr2.start(peer, str(card.devices), str(ITS_CHANNEL), *arguments)
        ticking = asyncio.create_task(tick(box, card))
        try:
            await box.up()
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


async def tick(box: End, card: Card) -> None:
    """The line's tick, whenever the card's timer has run out."""
    frame, clock = np.empty((1, FRAME), np.uint8), CardClock(card.devices)
    try:
        while True:
            for _ in range(clock.due()):
                box.trunk.timeslots.read(frame)
                frame.fill(0xD5)
                box.trunk.timeslots.write(frame)
            await asyncio.sleep(0.005)
    finally:
        clock.close()


@pytest.mark.requirement("A1.14")
def test_openr2_on_its_own_card_takes_our_call(machine: Machine, peer: Path) -> None:
    async def main() -> None:
        with machine() as card:
            async with joined(card, R2Settings(), peer, "answer", "24", "11") as (box, told):
                await box.idle()
                box.trunk.dial("out", OTHER, BOX, "")
                await box.next(Alerting)
                await box.next(Answered)
                box.trunk.hangup("out", 16)
                assert await box.next(Cleared) == Cleared("out", 16, "us")
            assert [line for line in told if line != "idle"] == [
                "init", f"offered {OTHER} {BOX} 0", "accepted", "disconnect Normal Clearing", "end"
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
            assert [line for line in told if line != "idle"] == ["accepted", "answered", "end"]

    asyncio.run(main())
