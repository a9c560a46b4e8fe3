"""Figures as text: times, ages, shares. Pure, without a clock."""

from __future__ import annotations

import time


def clean(value: object) -> str:
    """A value as text that cannot move the cursor: names and numbers come from strangers."""
    return "".join(char if char.isprintable() else "�" for char in str(value))


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``, whole seconds, never negative."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def since(then: float, at: float) -> str:
    """How long ago ``then`` was; both epoch seconds. Nothing for what never began (0)."""
    return duration(at - then) if then else ""


def age(seconds: float) -> str:
    """An age: tenths of a second below ten, then whole ones."""
    return f"{max(0.0, seconds):.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def clock(at: float) -> str:
    """Local time of day of an epoch second; nothing for 0."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if at else ""


def share(part: int, whole: int) -> str:
    """Per cent, or a dash where there is nothing to divide by."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def millis(value: float) -> str:
    """Milliseconds from an event as the unit that reads best: ``7 ms``, ``2.0 s``, ``1:05``."""
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if value < 60_000 else duration(value / 1000)
