"""Phones: the accounts of the registrar."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.types import PhoneRow
from textual_admin.figures import duration
from textual_admin.lang import N_, _
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell, of
from textual_admin.words import PHONE_BUSY, PHONE_GONE, PHONE_THERE


class Phones(TablePanel):
    """A row for each seat's phone, registered or not."""

    NAME = "phones"
    TITLE = N_("Phones")
    HELP = N_(
        "Every seat's phone: whether it is registered, from which address, what it calls itself, and when its "
        "registration ends unless it renews it. A phone that is not there cannot be rung."
    )
    HEADS = (N_("Account"), N_("Name"), N_("State"), N_("Agent"), N_("Address"), N_("Expires in"), N_("Device"))

    def lines(self, store: Store) -> Mapping[str, Line]:
        """As the service lists them, with the agent who sits there."""
        if store.live is None:
            return {}
        sitting = {row.seat: row.agent for row in store.live.agents if row.seat}
        return {row.account: _line(row, sitting.get(row.account, ""), store.live.at) for row in store.live.phones}

    def sum_up(self, store: Store) -> str:
        """How many are there."""
        rows = store.live.phones if store.live else ()
        there, busy = sum(row.registered for row in rows), sum(row.busy for row in rows)
        return _("{} of {} phones registered, {} in a call").format(there, len(rows), busy)


def _line(row: PhoneRow, agent: str, at: float) -> Line:
    word = PHONE_GONE if not row.registered else PHONE_BUSY if row.busy else PHONE_THERE
    expires = duration(row.expires_at - at) if row.registered and row.expires_at else ""
    return Line(
        row,
        (
            Cell(row.account, "bold"),
            Cell(row.display),
            of(word),
            Cell(agent),
            Cell(row.source),
            Cell(expires, right=True),
            Cell(row.agent, "dim"),
        ),
    )
