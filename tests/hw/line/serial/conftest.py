"""A voice modem's trunk and a simulated modem with its line, joined by a pseudo-terminal, in one loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hw.line.serial import at, device, port
from hw.line.serial.settings import SerialSettings, VoiceModemSettings
from hw.line.settings import SpanSettings
from hw.line.signalling import open_trunk
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings, NumberSettings
from hw.sim.modem import ModemLine, ModemSettings
from tests.hw.conftest import Pair

#: Rings of the tests: a ring each 100 ms, and the caller has given up after a second without.
FAST = {"ring_ms": 100}


class ModemPair(Pair):
    """The trunk, the exchange, and the modem between them."""

    @property
    def modem(self) -> ModemLine:
        [line] = self.exchange.spans
        assert isinstance(line, ModemLine)
        return line

    def all_idle(self) -> bool:
        return super().all_idle() and not self.modem.off_hook


OpenModem = Callable[..., AbstractAsyncContextManager[ModemPair]]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A modem that is lost is looked for at once."""
    monkeypatch.setattr(port, "RETRY_S", 0.01)
    monkeypatch.setattr(device, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(at, "QUIET_S", 0.02)
    monkeypatch.setattr(at, "ATTENTION_S", 0.3)


@pytest.fixture
def modem_pair(tmp_path: Path) -> OpenModem:
    """``async with modem_pair(sim={…}, numbers=…, **settings of the voice modem) as p``: up, and closed at the end."""

    @asynccontextmanager
    async def opened(
        sim: dict[str, Any] | None = None, numbers: tuple[NumberSettings, ...] = (), tick: bool = True, **settings: Any
    ) -> AsyncIterator[ModemPair]:
        address = tmp_path / "modem"
        span = SpanSettings(
            name="po1", driver="serial", signalling="voicemodem", serial=SerialSettings(f"{address}.tty"),
            voicemodem=VoiceModemSettings(**{"number": "95001", "ring_gap_ms": 1000} | settings),
        )  # fmt: skip
        far = ExchangeSpanSettings(str(address), signalling="voicemodem", modem=ModemSettings(**FAST | (sim or {})))
        exchange = Exchange(ExchangeSettings((far,), numbers))
        both = ModemPair(open_trunk(span), exchange)
        async with asyncio.timeout(25):
            await exchange.start()
            await both.trunk.start(both.emit)
            ticking = asyncio.create_task(both.tick({0: 0}) if tick else asyncio.sleep(0))
            try:
                await both.line(up=True)
                yield both
            finally:
                ticking.cancel()
                await both.trunk.close()
                await exchange.close()

    return opened
