"""The clock: as many ticks as there are periods, whatever happens in between."""

from __future__ import annotations

import asyncio
import time

from hw.line.switch.clock import PERIOD_NS, Clock


def run(seconds: float, tick) -> tuple[Clock, float]:
    async def main() -> tuple[Clock, float]:
        clock = Clock(asyncio.get_running_loop(), tick)
        begin = time.monotonic()
        clock.start()
        await asyncio.sleep(seconds)
        clock.stop()
        return clock, time.monotonic() - begin

    return asyncio.run(main())


def test_late_ticks_are_caught_up_and_their_lateness_is_told() -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 5:
            time.sleep(0.1)

    clock, seconds = run(0.4, tick)
    assert abs(len(ticks) - seconds / (PERIOD_NS / 1e9)) <= 1.5
    assert clock.lateness()[1] >= 75
    assert clock.lateness() == (0.0, 0.0)
    assert 75 <= clock.run_lateness()[0] <= clock.run_lateness()[1] <= 200
    assert clock.skipped == 0


def test_after_a_long_stop_ticks_are_skipped_and_counted() -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            time.sleep(1.2)

    clock, _ = run(1.4, tick)
    assert 8 <= clock.skipped <= 12


def test_a_tick_that_fails_is_counted_and_the_next_one_comes(caplog) -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            raise RuntimeError("broken")

    clock, _ = run(0.15, tick)
    assert clock.failed == 1 and len(ticks) >= 5
    assert "broken" in caplog.text
