"""The tick before other work of the machine, and the threads beside it right behind.

A thread that holds Python's lock keeps the tick waiting. So the threads must not be put aside by other programs while
they hold it (they get a real-time priority too, one lower), and they must give it up soon when the tick asks for it.
"""

from __future__ import annotations

import logging
import os
import sys

_log = logging.getLogger(__name__)

#: Seconds after which a thread is asked to give up Python's lock (the interpreter's own value is ten times that).
_SWITCH_S = 0.0005


def tick_first(priority: int) -> None:
    """Ask for SCHED_FIFO at ``priority`` for this thread and those it starts; does without where it is not allowed."""
    sys.setswitchinterval(_SWITCH_S)
    if priority:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        except PermissionError:
            _log.info("no real-time priority: not allowed")


def behind_the_tick() -> None:
    """Called by a thread beside the tick: one priority lower than it has by birth."""
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(max(os.sched_getparam(0).sched_priority - 1, 1)))
