"""The event log: a live tail."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.types import EventRow
from textual_admin import happenings
from textual_admin.figures import clock
from textual_admin.lang import N_, _
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell


class Events(TablePanel):
    """The newest event is the last row, and the cursor follows it while it stands there."""

    NAME = "events"
    TITLE = N_("Events")
    HELP = N_(
        "Everything that happens, as it is stored, the newest last. The cursor at the end follows; moved up it stays. "
        "Space stops and goes on. The filter looks at time, kind, contact and data: /queue. shows what happens in "
        "queues, /!leg. all but legs, a contact's number one call. Enter shows the ladder of the event's contact."
    )
    KEYS = (("↵", N_("Ladder")), ("space", N_("Pause")))
    MOST = 300  # the filter looks at all that the store keeps
    HEADS = (N_("Time"), N_("Event"), N_("Details"), N_("Contact"), N_("Kind"))

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self._held: list[EventRow] = []
        self._known: dict[int, Line] = {}

    def lines(self, store: Store) -> Mapping[str, Line]:
        """The newest that pass the filter; while paused, those of the moment when it began."""
        if not self.paused:
            self._held = list(store.events)
        self._known = {row.id: self._known.get(row.id) or Line(row, _cells(row)) for row in self._held}
        return {str(number): line for number, line in self._known.items()}

    def relabel(self) -> None:
        """The words change too."""
        self._known = {}
        super().relabel()

    def sum_up(self, store: Store) -> str:
        """Whether it runs, and what is not shown."""
        text = _("stopped: space goes on") if self.paused else _("live")
        lost = "  " + _("events lost on the way: {}").format(store.lost) if store.lost else ""
        return text + lost

    def show(self, store: Store) -> None:
        """Draw, at the end if that is where the cursor was."""
        following = self.table.cursor_coordinate.row >= self.table.row_count - 1
        super().show(store)
        if following and not self.paused and self.table.row_count:
            self.table.move_cursor(row=self.table.row_count - 1, animate=False)

    def pause(self) -> None:
        """Stop or go on."""
        self.paused = not self.paused


def _cells(row: EventRow) -> tuple[Cell, ...]:
    tone = happenings.tone(row)
    return (
        Cell(clock(row.at), "dim"),
        Cell(happenings.kind_of(row), tone),
        Cell(happenings.details(row)),
        Cell(row.contact, "dim"),
        Cell(row.kind, "dim"),
    )
