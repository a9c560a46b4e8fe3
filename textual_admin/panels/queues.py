"""Queues: who waits, who could answer, and today's figures."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.types import QueueRow
from textual_admin.figures import duration, share
from textual_admin.lang import N_, _
from textual_admin.orders import STRATEGY
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell
from textual_admin.words import STRATEGIES, Tone


class Queues(TablePanel):
    """A row for each queue."""

    NAME = "queues"
    TITLE = N_("Queues")
    HELP = N_(
        "Every queue: callers who wait and the longest wait, agents ready of those logged in, and today's figures. "
        "In time: the share of the offered calls that were answered within the queue's target. "
        "Another strategy holds at once; callers keep their places."
    )
    ORDERS = (STRATEGY,)
    HEADS = (N_("Queue"), N_("Wait"), N_("Longest"), N_("Ready"), N_("Offered"), N_("Taken"), N_("Lost"),
             N_("In time"), N_("Strategy"), N_("Target"))  # fmt: skip

    def lines(self, store: Store) -> Mapping[str, Line]:
        """As the service lists them."""
        return {row.queue: Line(row, cells(row)) for row in store.live.queues} if store.live else {}

    def sum_up(self, store: Store) -> str:
        """Waiting callers and ready agents of all."""
        rows = store.live.queues if store.live else ()
        if store.live and not rows:
            return _("The service has no queues: is the plugin acd switched on?")
        return _("waiting: {}  queues: {}").format(sum(row.waiting for row in rows), len(rows))


def pressure(row: QueueRow) -> Tone:
    """How a queue stands: nobody waits, somebody does, or somebody waits longer than the target."""
    if not row.waiting:
        return ""
    return "bad" if row.longest_wait_s > row.target_s or not row.agents else "warn"


def cells(row: QueueRow) -> tuple[Cell, ...]:
    """A queue's row."""
    tone = pressure(row)
    overdue = "! " if tone == "bad" else ""
    return (
        Cell(row.name or row.queue, "bold"),
        Cell(f"{overdue}{row.waiting}", tone, right=True),
        Cell(duration(row.longest_wait_s), tone, right=True),
        Cell(f"{row.free}/{row.agents}", "good" if row.free else "", right=True),
        Cell(str(row.offered), right=True),
        Cell(str(row.answered), right=True),
        Cell(str(row.abandoned), right=True),
        Cell(share(row.answered_in_target, row.offered), right=True),
        Cell(_(STRATEGIES.get(row.strategy, row.strategy))),
        Cell(f"{row.target_s:.0f} s", right=True),
    )
