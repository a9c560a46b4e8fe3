"""A table updated in place: the cursor stays on its row, the view where it was, and only what changed is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import frozen
from rich.cells import cell_len
from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable
from textual.widgets.data_table import ColumnKey, RowKey

from textual_admin.figures import clean
from textual_admin.theme import COLOURS
from textual_admin.words import State, Tone


@frozen
class Cell:
    """A text with its tone; ``right`` for figures."""

    text: str
    tone: Tone = ""
    right: bool = False


def of(state: State) -> Cell:
    """A state as a cell."""
    return Cell(state.text(), state.tone)


def style_of(app: App[object], tone: Tone) -> str:
    """The Rich style of a tone in the present theme."""
    if tone in ("dim", "bold", ""):
        return tone
    colour = COLOURS[app.current_theme.dark][tone]
    return f"bold {colour}" if tone == "bad" else colour


def drawn(app: App[object], cell: Cell) -> Text:
    """A cell as Rich draws it; never markup."""
    return Text(clean(cell.text), style_of(app, cell.tone), justify="right" if cell.right else "left", no_wrap=True)


class LiveTable(DataTable[Text]):
    """``head`` once a language, ``show`` for each view."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("home", "scroll_top"), Binding("end", "scroll_bottom")]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._columns: tuple[ColumnKey, ...] = ()
        self._shown: dict[str, tuple[Cell, ...]] = {}

    def head(self, labels: Sequence[str]) -> None:
        """Put (new) headings; the rows are drawn anew by the next ``show``, the cursor stays."""
        key, rows = self.chosen, self._shown
        self.clear(columns=True)
        self._columns = tuple(self.add_columns(*labels))
        self._shown = {}
        self.show(rows, at=key)

    @property
    def chosen(self) -> str:
        """The key of the row under the cursor; "" when there is none."""
        if not self.is_valid_coordinate(self.cursor_coordinate):
            return ""
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value or ""

    def show(self, rows: Mapping[str, Sequence[Cell]], at: str = "") -> None:
        """Show these rows in this order; ``at`` moves the cursor to a row."""
        key = at or self.chosen
        wanted = {name: tuple(cells) for name, cells in rows.items()}
        for name in [name for name in self._shown if name not in wanted]:
            self.remove_row(name)
            del self._shown[name]
        if list(self._shown) != list(wanted)[: len(self._shown)]:  # another order: all anew
            top = self.scroll_offset
            self.clear()
            self._shown = {}
            self._put(wanted)
            self.scroll_to(top.x, top.y, animate=False)
        else:
            self._put(wanted)
        self._go(key)

    def _put(self, wanted: Mapping[str, tuple[Cell, ...]]) -> None:
        for name, cells in wanted.items():
            before = self._shown.get(name)
            if before is None:
                self.add_row(*(drawn(self.app, cell) for cell in cells), key=name)
                self.call_after_refresh(self._settle)
            elif before != cells:
                self._change(name, before, cells)
            self._shown[name] = cells

    def _change(self, name: str, before: tuple[Cell, ...], cells: tuple[Cell, ...]) -> None:
        for column, old, new in zip(self._columns, before, cells, strict=True):
            if old != new:
                wider = cell_len(new.text) > self.columns[column].content_width  # columns only grow: nothing jumps
                self.update_cell(RowKey(name), column, drawn(self.app, new), update_width=wider)
                if wider:
                    self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """Columns are measured when the table is idle; what was drawn before, in narrower ones, is drawn again."""
        self._clear_caches()
        self.refresh()

    def _go(self, key: str) -> None:
        """Keep the cursor on its row, wherever that is now; a row that is gone leaves it in place."""
        if key in self._shown and key != self.chosen:
            self.move_cursor(row=self.get_row_index(key), animate=False, scroll=False)
        elif self.cursor_coordinate.row >= self.row_count > 0:
            self.cursor_coordinate = Coordinate(self.row_count - 1, 0)

    def redraw(self) -> None:
        """Draw all rows anew, as in another theme."""
        rows, self._shown = self._shown, {}
        key = self.chosen
        self.clear()
        self.show(rows, at=key)
