"""Lines that are joined to their far ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hw.line.settings import LoopSettings
from tests.hw.conftest import Open, Pair
from tests.hw.line.signalling.loop_ends import Loop


@pytest.fixture
def loop(pair: Open) -> Loop:
    """As ``pair``, with two analog lines (or telephones) and a tick that runs as fast as it can."""

    @asynccontextmanager
    async def opened(loop: LoopSettings, *, telephones: bool = False, **settings: Any) -> AsyncIterator[Pair]:
        signalling = "fxs" if telephones else "fxo"
        async with pair(signalling=signalling, channels=(1, 2), loop=loop, **settings) as p:
            ticking = asyncio.create_task(p.tick_fast())
            yield p
            await p.trunk.close()
            ticking.cancel()

    return opened
