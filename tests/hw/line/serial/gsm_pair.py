"""A GSM trunk and the simulated module, joined by the pseudo-terminals, in one loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hw.line.serial.gsm import GsmTrunk
from hw.line.serial.settings import GsmSettings, SerialSettings
from hw.line.settings import SpanSettings
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings, NumberSettings
from hw.sim.gsm_module import GsmModule
from hw.sim.gsm_radio import GsmSettings as ModuleSettings
from tests.hw.conftest import Pair


class GsmPair(Pair):
    """See ``Pair``."""

    trunk: GsmTrunk

    @property
    def module(self) -> GsmModule:
        [module] = self.exchange.spans
        assert isinstance(module, GsmModule)
        return module

    async def alarm(self, alarm: str) -> None:
        """Until the line shows this alarm (empty: it is up)."""
        while self.trunk.state().alarm != alarm:
            self._came.clear()
            await self._came.wait()


@asynccontextmanager
async def gsm_pair(
    folder: Path, *numbers: NumberSettings, pcm: Any = "simcom", module_pin: str = "", up: bool = True,
    storage: int = 20, power_cycle: tuple[str, ...] = (), **settings: Any,
) -> AsyncIterator[GsmPair]:  # fmt: skip
    """Both, up; ``settings`` are the trunk's ``GsmSettings``."""
    address = str(folder / "module")
    gsm = GsmSettings(audio=f"{address}.pcm", pcm=pcm, **settings)
    port = SerialSettings(f"{address}.at", rtscts=False, power_cycle=power_cycle, power_pause_ms=0)
    trunk = GsmTrunk(SpanSettings("gsm1", "serial", "gsm", serial=port, gsm=gsm))
    far = ExchangeSpanSettings(address, signalling="gsm", gsm=ModuleSettings(pcm=pcm, pin=module_pin, storage=storage))
    exchange = Exchange(ExchangeSettings((far,), numbers))
    both = GsmPair(trunk, exchange)
    async with asyncio.timeout(30):
        await exchange.start()
        await trunk.start(both.emit)
        try:
            if up:
                await both.line(up=True)
            yield both
        finally:
            await trunk.close()
            await exchange.close()
