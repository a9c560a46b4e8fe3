"""The ladder of a contact: its events as arrows among the caller, the box and whom it called. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from appliance.api.types import EventRow
from textual_admin.happenings import details, kind_of, tone
from textual_admin.table import Cell

Lane = Literal["caller", "box", "peer"]

#: Cells of the line between two lanes.
_WIDE = 12


@frozen
class Rung:
    """One event: ``after_s`` the first, from lane to lane; the same lane twice is a thing of the box itself."""

    row: EventRow
    after_s: float
    source: Lane
    target: Lane


def rungs(rows: Sequence[EventRow]) -> list[Rung]:
    """Who told whom, from a contact's events in order. The first leg that is offered is the caller's."""
    caller = next((row.data.get("leg") for row in rows if row.kind == "contact.offered"), None)
    return [Rung(row, row.at - rows[0].at, *_lanes(row, caller)) for row in rows]


def _lanes(row: EventRow, caller: str | None) -> tuple[Lane, Lane]:
    party: Lane = "caller" if row.data.get("leg") == caller else "peer"
    match row.kind:
        case "contact.offered":
            return "caller", "box"
        case "leg.dialled":
            return "box", "peer"
        case "leg.answered":
            return ("box", "caller") if party == "caller" else ("peer", "box")
        case "leg.alerting":
            return party, "box"
        case "leg.cleared":
            return ("box", party) if row.data.get("by") == "us" else (party, "box")
        case "contact.bridged" | "contact.unbridged":
            return "caller", "peer"
        case "contact.held" | "contact.transferred" | "digit.ignored":
            return party, "box"
    return "box", "box"


def drawing(rung: Rung) -> str:
    """The three lanes as one text: ``│──────>│      │``."""
    left, right = _arrow(rung, "caller", "box"), _arrow(rung, "box", "peer")
    if {rung.source, rung.target} == {"caller", "peer"}:
        on = rung.row.kind == "contact.bridged"
        return "│<" + ("═" if on else "╌") * (2 * _WIDE - 1) + ">│"
    middle = "●" if rung.source == rung.target else "│"
    return f"│{left}{middle}{right}│"


def _arrow(rung: Rung, left: Lane, right: Lane) -> str:
    if (rung.source, rung.target) == (left, right):
        return "─" * (_WIDE - 1) + ">"
    if (rung.source, rung.target) == (right, left):
        return "<" + "─" * (_WIDE - 1)
    return " " * _WIDE


def cells(rung: Rung) -> tuple[Cell, ...]:
    """A rung as a row of the ladder's table: time, arrows, what, data."""
    return (
        Cell(f"+{rung.after_s:.3f}", "dim", right=True),
        Cell(drawing(rung), tone(rung.row)),
        Cell(kind_of(rung.row), tone(rung.row)),
        Cell(details(rung.row)),
    )
