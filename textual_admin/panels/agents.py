"""Agents and what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from appliance.api.types import AgentRow
from textual_admin.figures import since
from textual_admin.lang import N_, _
from textual_admin.orders import LOGIN, LOGOUT, PAUSE, RESUME
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell, of
from textual_admin.words import AGENTS, state


class Agents(TablePanel):
    """A row for each agent there is, logged in or not."""

    NAME = "agents"
    TITLE = N_("Agents")
    HELP = N_(
        "Every agent: the seat (phone) he sits at, his state and for how long, his queues, the calls answered today. "
        "Pausing and logging out wait for the end of a call. Logging in here needs no PIN: it is the supervisor's."
    )
    ORDERS = (PAUSE, RESUME, LOGIN, LOGOUT)
    KEYS = (("↵", N_("Ladder")),)
    HEADS = (N_("Agent"), N_("Name"), N_("Seat"), N_("State"), N_("For"), N_("Answered"), N_("Queues"), N_("Reason"),
             N_("Contact"))  # fmt: skip

    def lines(self, store: Store) -> Mapping[str, Line]:
        """As the service lists them."""
        return {row.agent: _line(row, store.live.at) for row in store.live.agents} if store.live else {}

    def sum_up(self, store: Store) -> str:
        """Agents by state."""
        rows = store.live.agents if store.live else ()
        if store.live and not rows:
            return _("The service has no agents: is the plugin acd switched on?")
        states = Counter[str](row.state for row in rows)
        return "  ".join(f"{word.text()} {states[name]}" for name, word in AGENTS.items() if states[name])


def _line(row: AgentRow, at: float) -> Line:
    return Line(
        row,
        (
            Cell(row.agent, "bold"),
            Cell(row.name),
            Cell(row.seat),
            of(state(AGENTS, row.state)),
            Cell(since(row.since, at), right=True),
            Cell(str(row.answered), right=True),
            Cell(" ".join(row.queues)),
            Cell(row.reason),
            Cell(row.contact, "dim"),
        ),
    )
