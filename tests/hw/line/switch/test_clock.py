"""The clock: as many ticks as there are periods, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
import time

from hw.line.switch.clock import PERIOD_NS, Clock, TickSource


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


class Card(TickSource):
    """A source whose ticks the test gives."""

    steady = False

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.closed = False

    def due(self) -> int:
        try:
            return os.eventfd_read(self.fd)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self.closed = True
        os.close(self.fd)


def test_a_cards_ticks_pace_the_clock_and_its_pace_is_no_lateness() -> None:
    async def main() -> None:
        card, ticks = Card(), []
        clock = Clock(asyncio.get_running_loop(), lambda: ticks.append(1), lambda: card)
        clock.start()
        for number in range(20):
            os.eventfd_write(card.fd, 1)
            while len(ticks) <= number:
                await asyncio.sleep(0)
            await asyncio.sleep(0.002)  # a card ten times too fast
        assert clock.lateness()[1] < 2
        os.eventfd_write(card.fd, 5)
        await asyncio.sleep(0.01)
        assert len(ticks) == 25, "late ticks are caught up"
        os.eventfd_write(card.fd, 500)
        await asyncio.sleep(0.01)
        assert (len(ticks), clock.skipped) == (75, 450)
        clock.stop()
        assert card.closed

    asyncio.run(main())
