"""Dialogs with several fields, and what is shown once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from attrs import frozen
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from textual_admin.lang import _
from textual_admin.prose import Prose

Values = Mapping[str, str]


@frozen
class Field:
    """One line to type in. ``secret`` is not seen; ``yes`` takes y or n alone."""

    name: str
    label: str
    value: str = ""
    secret: bool = False
    yes: bool = False


class Form(ModalScreen[bool]):
    """Enter goes to the next field, at the last one it sends; closes when ``send`` says that it was done."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)")]

    def __init__(
        self, title: str, note: str, fields: Sequence[Field], send: Callable[[Values], Awaitable[bool]]
    ) -> None:
        """``send`` tells the user itself why something was not done; what was typed stays."""
        super().__init__()
        self._title, self._note, self._fields, self._send_values = title, note, fields, send

    def compose(self) -> ComposeResult:
        """A label and a place to type for each."""
        with VerticalScroll(classes="dialog form", can_focus=False) as box:
            box.border_title = self._title
            yield Prose(self._note, classes="note")
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield Static(field.label, markup=False, classes="label")
                    yield Input(
                        field.value, id=field.name, password=field.secret, compact=True,
                        restrict="[yn]?" if field.yes else None,
                    )  # fmt: skip
            yield Static(_("Enter  next, at the last do it      Esc  leave it"), classes="keys", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        if event.input.id == self._fields[-1].name:
            self._send()
        else:
            self.focus_next(Input)

    @work(exclusive=True)
    async def _send(self) -> None:
        values = {field.name: self.query_one(f"#{field.name}", Input).value.strip() for field in self._fields}
        if await self._send_values(values):
            self.dismiss(True)


class Notice(ModalScreen[None]):
    """Something to read, or to write down; only Esc closes it, which does not slip out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text and the key."""
        with VerticalScroll(classes="dialog"):
            yield Prose(self._text)
            yield Static(_("Esc  close"), classes="keys", markup=False)
