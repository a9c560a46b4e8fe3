"""Both ends of analog ports in one loop, for tests: what they use of the far one, and the line's time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from hw.sim.exchange_loop import LoopExchangeSpan
from tests.hw.conftest import Pair

CALLER = "13800138000"
Loop = Callable[..., AbstractAsyncContextManager[Pair]]


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(main())


def far(p: Pair) -> LoopExchangeSpan:
    span = p.exchange.spans[0]
    assert isinstance(span, LoopExchangeSpan)
    return span


async def seconds_pass(p: Pair, seconds: float) -> None:
    """So much time of the line."""
    there = far(p).counters["ticks"] + seconds * 50
    while far(p).counters["ticks"] < there:
        await asyncio.sleep(0)
