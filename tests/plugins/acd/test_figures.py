"""A day's figures are folded from the events alone; the service level by four formulas."""

from __future__ import annotations

from datetime import datetime

from plugins.acd.figures import Figures, QueueDay

NOON = datetime(2026, 3, 2, 12).timestamp()


def left(kind: str, wait_s: float, **more: object) -> tuple[str, dict]:
    return f"queue.{kind}", {"queue": "service", "wait_ms": wait_s * 1000, **more}


def test_the_four_service_levels() -> None:
    figures = Figures(lambda _: 20_000.0)
    waits = [left("answered", wait, agent="1001") for wait in (1, 5, 20, 21, 60, 90)]
    waits += [left("abandoned", wait) for wait in (2, 3, 30, 40)] + [left("overflowed", 600)]
    for n, (kind, data) in enumerate(waits):
        figures.take("queue.entered", NOON, f"c{n}", {"queue": "service"})
        figures.take(kind, NOON, f"c{n}", data)
    day = figures.queues["service"]
    assert (day.offered, day.answered, day.abandoned, day.overflowed) == (11, 6, 4, 1)
    assert (day.answered_in_target, day.abandoned_in_target, day.longest_wait_ms) == (3, 2, 600_000.0)
    assert [day.service_level(formula) for formula in (1, 2, 3, 4)] == [5 / 10, 3 / 6, 3 / 10, 3 / 8]
    assert figures.answered_by == {"1001": 6}
    assert QueueDay().service_level() is None


def test_a_new_day_begins_at_local_midnight_and_who_waits_still_waits() -> None:
    figures = Figures(lambda _: 20_000.0)
    figures.take("queue.entered", NOON, "a", {"queue": "service"})
    figures.turn(NOON + 86_400)
    assert figures.queues["service"].offered == 0
    assert figures.waiting == {"a": ("service", NOON)}
