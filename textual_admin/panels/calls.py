"""Calls that are up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from appliance.api.types import CallRow
from textual_admin.figures import since
from textual_admin.lang import N_, _
from textual_admin.orders import HANGUP
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell, of
from textual_admin.words import CALLS, state


class Calls(TablePanel):
    """A row for each contact, the oldest first."""

    NAME = "calls"
    TITLE = N_("Calls")
    HELP = N_(
        "Every contact that is up, the oldest first: who calls whom, what serves him now, and for how long. "
        "Enter shows the ladder of the contact: every event from the first ring on. Hanging up asks first."
    )
    ORDERS = (HANGUP,)
    KEYS = (("↵", N_("Ladder")),)
    HEADS = (N_("Caller"), N_("State"), N_("For"), N_("Service"), N_("With"), N_("Up"), N_("Trunk"), N_("Called"),
             N_("Language"), N_("Contact"))  # fmt: skip

    def lines(self, store: Store) -> Mapping[str, Line]:
        """As the service lists them."""
        return {row.contact: _line(row, store.live.at) for row in store.live.calls} if store.live else {}

    def sum_up(self, store: Store) -> str:
        """Calls by state."""
        rows = store.live.calls if store.live else ()
        states = Counter[str](row.state for row in rows)
        found = (f"{word.text()} {states[name]}" for name, word in CALLS.items() if states[name])
        return "  ".join([_("calls up: {}").format(len(rows)), *found])


def _line(row: CallRow, at: float) -> Line:
    trunk = row.line if row.channel is None else f"{row.line}/{row.channel}"
    return Line(
        row,
        (
            Cell(row.caller),
            of(state(CALLS, row.state)),
            Cell(since(row.state_since, at), right=True),
            Cell(row.service),
            Cell(row.peer),
            Cell(since(row.since, at), right=True),
            Cell(trunk),
            Cell(row.called),
            Cell(row.language, "dim"),
            Cell(row.contact, "dim"),
        ),
    )
