"""What every screen is: a title, a help text beside it, orders for its rows, and a way to show what the store knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import frozen
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from textual_admin.lang import _
from textual_admin.orders import Order
from textual_admin.store import Store
from textual_admin.table import Cell, LiveTable


@frozen
class Line:
    """One row of a table: what it is about (for orders), and its cells."""

    row: object
    cells: Sequence[Cell]


def accepted(pattern: str, text: str) -> bool:
    """Whether a text passes a filter: it contains the pattern, whatever the case; with ``!`` in front it does not."""
    wanted = pattern.removeprefix("!").casefold()
    return not wanted or (wanted in text.casefold()) is not pattern.startswith("!")


class Panel(Vertical):
    """``name`` is for ``:``; ``title`` and ``help`` are translated where they are shown."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    HELP: ClassVar[str]
    ORDERS: ClassVar[Sequence[Order]] = ()
    #: Keys beside the orders: key and what it does.
    KEYS: ClassVar[Sequence[tuple[str, str]]] = ()
    #: Whether ``/`` works here.
    FILTERS: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(id=self.NAME)
        self.pattern = ""

    def show(self, store: Store) -> None:
        """Draw the newest of everything; called only while the panel is seen."""
        raise NotImplementedError

    def relabel(self) -> None:
        """The language or the theme changed; ``show`` follows."""

    @property
    def chosen(self) -> object | None:
        """The row under the cursor."""
        return None

    @property
    def contact(self) -> str:
        """The contact that the row under the cursor is about; "" when there is none."""
        return getattr(self.chosen, "contact", "")


class TablePanel(Panel):
    """A summary line over one table."""

    HEADS: ClassVar[Sequence[str]]
    #: The most rows that are shown, the last ones; None: all.
    MOST: ClassVar[int | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._lines: Mapping[str, Line] = {}
        self.summary = Static(classes="summary", markup=False)
        self.table = LiveTable()

    def compose(self) -> ComposeResult:
        """The two."""
        yield self.summary
        yield self.table

    def on_mount(self) -> None:
        """Headings in the language of the start."""
        self.relabel()

    def relabel(self) -> None:
        """New headings."""
        self.table.head([_(head) for head in self.HEADS])
        self.table.redraw()

    def lines(self, store: Store) -> Mapping[str, Line]:
        """All rows by a key that stays the same as long as the row is about the same."""
        raise NotImplementedError

    def sum_up(self, store: Store) -> str:
        """The line over the table."""
        raise NotImplementedError

    def show(self, store: Store) -> None:
        """Filter and draw."""
        every = self.lines(store)
        passed = [
            (key, line) for key, line in every.items() if accepted(self.pattern, " ".join(c.text for c in line.cells))
        ]
        self._lines = dict(passed if self.MOST is None else passed[-self.MOST :])
        text = self.sum_up(store)
        if self.pattern:
            text += "   " + _("filter {}: {} of {}").format(self.pattern, len(passed), len(every))
        self.summary.update(text)
        self.table.show({key: line.cells for key, line in self._lines.items()})

    @property
    def chosen(self) -> object | None:
        """The row under the cursor."""
        line = self._lines.get(self.table.chosen)
        return None if line is None else line.row
