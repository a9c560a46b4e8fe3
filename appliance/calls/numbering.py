"""Numbering: which destination a dialled number selects. Pure: tables in, destination out.

A destination is ``service:argument``: ``queue:service``, ``menu:main``, ``extension:8001``, ``outside:13800138000``,
``hangup:CAUSE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

#: Q.850: unallocated number, call barred.
UNALLOCATED = "hangup:1"
BARRED = "hangup:21"


@frozen
class Number:
    """One row of the numbering plan. ``pattern`` is exact, or a prefix ending in ``*``; codes that begin with ``*`` are
    feature codes and can be dialled from our phones only. ``language`` is where the contact begins, empty: the site's.
    """

    pattern: str
    destination: str
    name: str = ""
    language: str = ""

    def matches(self, called: str) -> bool:
        """Whether a dialled number selects this row (``*51`` is a code, ``*50*`` a code with what follows)."""
        if len(self.pattern) > 1 and self.pattern.endswith("*"):
            return called.startswith(self.pattern[:-1])
        return called == self.pattern

    @property
    def feature_code(self) -> bool:
        """Only for our phones."""
        return self.pattern.startswith("*")


@frozen
class Caller:
    """Who dials: from outside, or one of our seats, which may be allowed to call outside."""

    inside: bool
    outside_allowed: bool = False


def find(called: str, numbers: Iterable[Number]) -> Number | None:
    """The row that a number selects: the longest pattern wins, an exact one before a prefix of its length."""
    rows = [row for row in numbers if row.matches(called)]
    return max(rows, key=lambda row: (len(row.pattern), not row.pattern.endswith("*")), default=None)


def direct(seat: str, numbers: Iterable[Number]) -> str:
    """The number that outside callers reach a seat by (the first by digits); "" when there is none."""
    rows = (n.pattern for n in numbers if n.destination == f"extension:{seat}" and n.pattern.isdecimal())
    return min((pattern for pattern in rows if pattern != seat), default="")


def route(
    called: str, caller: Caller, numbers: Iterable[Number], seats: Mapping[str, object], outside_prefix: str
) -> tuple[str, Number | None]:
    """The destination of a dialled number and the row that said so.

    Outside calls are denied unless the seat is allowed; from outside neither feature codes, nor seats, nor other
    outside numbers can be reached, only what the numbering plan names.
    """
    row = find(called, (n for n in numbers if caller.inside or not n.feature_code))
    if row is not None:
        return row.destination, row
    if caller.inside:
        if called in seats:
            return f"extension:{called}", None
        if outside_prefix and called.startswith(outside_prefix) and len(called) > len(outside_prefix):
            return (f"outside:{called[len(outside_prefix) :]}" if caller.outside_allowed else BARRED), None
    return UNALLOCATED, None
