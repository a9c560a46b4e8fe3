"""Dialogs: a question before what is hard to take back, one more word for an order, help, and a contact's ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from appliance.api.types import EventRow
from textual_admin import ladder
from textual_admin.lang import _
from textual_admin.prose import Prose
from textual_admin.table import LiveTable


class Question(ModalScreen[bool]):
    """Yes only by y: Enter and everything else that slips out does nothing, Esc and n are no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "dismiss(True)"), Binding("n,escape", "dismiss(False)")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(classes="dialog asking"):
            yield Prose(self._question)
            yield Static(_("y  yes      n  no"), classes="keys", markup=False)


class Word(ModalScreen[str]):
    """One word from the user; "" is never given: Esc gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')")]

    def __init__(self, prompt: str) -> None:
        super().__init__()
        self._prompt = prompt

    def compose(self) -> ComposeResult:
        """The prompt and a place to type."""
        with Vertical(classes="dialog"):
            yield Prose(self._prompt)
            yield Input(id="word")
            yield Static(_("Enter  do it      Esc  leave it"), classes="keys", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        if event.value.strip():
            self.dismiss(event.value.strip())


class Help(ModalScreen[None]):
    """What the screen means, and the keys that work on it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,f1", "app.pop_screen")]

    def __init__(self, title: str, meaning: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._meaning, self._keys = title, meaning, keys

    def compose(self) -> ComposeResult:
        """Both in one scroll."""
        with VerticalScroll(classes="dialog help") as box:
            box.border_title = self._title
            yield Prose(self._meaning)
            yield Static("\n".join(f"{key:>8}  {what}" for key, what in self._keys), classes="keys", markup=False)


class Ladder(ModalScreen[None]):
    """A contact from its first event on; goes on while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.pop_screen")]

    def __init__(self, contact: str, rows: list[EventRow]) -> None:
        super().__init__()
        self.contact = contact
        self._rows = rows
        self._table = LiveTable()

    def compose(self) -> ComposeResult:
        """A table with the arrows in a column."""
        with Vertical(classes="dialog ladder") as box:
            box.border_title = _("Contact {}").format(self.contact)
            box.border_subtitle = _("Esc  close")
            yield self._table

    def on_mount(self) -> None:
        """The lanes are named in the heading."""
        caller, peer = _("caller"), _("called party")
        self._table.head([_("After"), f"{caller} ── OneCall ── {peer}", _("Event"), _("Details")])
        self._draw()

    def add(self, rows: Sequence[EventRow]) -> None:
        """Events that came since."""
        last = self._rows[-1].id if self._rows else 0
        more = [row for row in rows if row.contact == self.contact and row.id > last]
        if more:
            self._rows += more
            self._draw()

    def _draw(self) -> None:
        self._table.show({str(rung.row.id): ladder.cells(rung) for rung in ladder.rungs(self._rows)})
