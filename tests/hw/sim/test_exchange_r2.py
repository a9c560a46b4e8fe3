"""The simulated exchange on R2 spans: its traffic and its settings are the same as on primary rate ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import numpy as np
import pytest

from hw.line.settings import R2Settings, SpanSettings
from hw.line.signalling import open_trunk
from hw.messages import Incoming, LineEvent
from hw.sim.exchange import Blocked, Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.traffic import StepSettings, Traffic, TrafficSettings, WishSettings


def test_traffic_goes_over_r2_as_over_anything_else(tmp_path: Path) -> None:
    async def main() -> None:
        address = str(tmp_path / "e1")
        channels = tuple(range(1, 5))
        r2 = R2Settings(called_digits=5)
        trunk = open_trunk(SpanSettings(name="e1", address=address, signalling="r2", channels=channels, r2=r2))
        exchange = Exchange(ExchangeSettings((ExchangeSpanSettings(address, channels, "r2"),)))

        def answer(event: LineEvent) -> None:
            if isinstance(event, Incoming):
                trunk.answer(event.leg)

        async def tick() -> None:
            frames = np.empty((4, 160), np.uint8)
            while True:
                trunk.timeslots.read(frames)
                trunk.timeslots.write(frames)  # everybody hears himself
                await asyncio.sleep(0.001)

        talk = (StepSettings("talk", ms=(100, 300)),)
        settings = TrafficSettings(36_000, (WishSettings("talk", "95001", steps=talk),), at_once=6, calls=25)
        async with asyncio.timeout(30):
            await trunk.start(answer)
            await exchange.start()
            with pytest.raises(Blocked):
                exchange.call("95001")
            await exchange.wait_up()
            ticking = asyncio.create_task(tick())
            traffic = Traffic(exchange, settings, Random(1))
            await traffic.run()
            totals = traffic.totals
            assert totals["served"] == totals["answered"] == totals["offered"] >= 10
            assert totals["offered"] + totals["blocked"] + totals["skipped"] == 25
            assert any(report.heard.get(report.code) for report in traffic.reports)
            await trunk.close()
            ticking.cancel()
            await exchange.close()

    asyncio.run(main())


def test_an_r2_span_with_a_trace_of_its_d_channel_is_refused(tmp_path: Path) -> None:
    settings = SpanSettings(name="e1", address=str(tmp_path / "e1"), signalling="r2", trace=tmp_path / "e1.pcap")
    with pytest.raises(ValueError, match="no D channel"):
        open_trunk(settings)
