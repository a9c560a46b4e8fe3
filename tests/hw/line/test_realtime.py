"""Priorities: the tick's thread first, the threads beside it one behind, both before other programs."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from hw.line.realtime import behind_the_tick, tick_first


def in_a_thread(work) -> list:
    """What ``work`` gives, done in a thread of its own so that this one keeps its priority."""
    out: list = []
    thread = threading.Thread(target=lambda: out.append(work()))
    thread.start()
    thread.join()
    return out


def priority() -> tuple[int, int]:
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


def test_a_thread_of_the_tick_is_one_behind_it() -> None:
    interval = sys.getswitchinterval()

    def tick() -> tuple[tuple[int, int], tuple[int, int]]:
        tick_first(5)
        return priority(), in_a_thread(lambda: (behind_the_tick(), priority())[1])[0]

    try:
        ((first, behind),) = in_a_thread(tick)
        assert sys.getswitchinterval() <= 0.001
    finally:
        sys.setswitchinterval(interval)
    if first[0] != os.SCHED_FIFO:
        pytest.skip("no real-time priority is allowed here")
    assert first == (os.SCHED_FIFO, 5) and behind == (os.SCHED_FIFO, 4)


def test_without_priority_nothing_is_asked_for() -> None:
    def plain() -> tuple[int, int]:
        tick_first(0)
        behind_the_tick()
        return priority()

    interval = sys.getswitchinterval()
    assert in_a_thread(plain) == [(os.SCHED_OTHER, 0)]
    sys.setswitchinterval(interval)
