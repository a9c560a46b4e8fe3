"""The lines around a screen: what this is and how old, the tabs, the banner, the keys, and where one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from textual_admin.figures import age, clean, clock
from textual_admin.lang import _
from textual_admin.store import Store

Key = tuple[str, str, bool]


def heading(store: Store) -> str:
    """Site, version, the service's time of the figures and how old they are now, alarms."""
    parts = ["OneCall"]
    if store.live is not None:
        then = _("{}, data {} old").format(clock(store.live.at), age(store.age_s() or 0.0))
        parts = [clean(store.live.site), store.live.version, then]
        if store.live.alarms:
            parts.append(_("! alarms: {}").format(len(store.live.alarms)))
    return "  ".join(parts)


def banner(store: Store) -> str:
    """Why the figures are grey; "" when they are not."""
    if not store.stale:
        return ""
    silent = _("Service silent for {:.0f} s").format(store.silent_s())
    return "! " + "  ".join(part for part in (store.trouble, silent if store.live or not store.trouble else "") if part)


class Heading(Static):
    """The first line."""

    def show(self, store: Store) -> None:
        """Draw."""
        self.update(Text(heading(store), no_wrap=True, overflow="ellipsis"))


class Tabs(Static):
    """The screens with their keys; a click goes there."""

    def show(self, titles: Sequence[str], current: int) -> None:
        """Draw."""
        text = Text(no_wrap=True)
        for number, title in enumerate(titles, 1):
            style = "reverse bold" if number - 1 == current else ""
            click = {"@click": f"app.go({number - 1})"}
            text.append(f" {number} {title} ", style=style)
            text.apply_meta(click, len(text) - len(title) - 4, len(text))
        self.update(text)


class Banner(Static):
    """Seen only while the figures must not be trusted."""

    def show(self, store: Store) -> None:
        """Draw or hide."""
        text = banner(store)
        self.display = bool(text)
        self.update(Text(text))


class Keys(Static):
    """The last line, two where there is little room: the keys that work here.

    One that cannot be used now is dim and in brackets; pressed, it says why.
    """

    _keys: Sequence[Key] = ()

    def show(self, keys: Sequence[Key]) -> None:
        """Draw."""
        self._keys = keys
        self.update(in_lines(keys, self.content_size.width))

    def on_resize(self) -> None:
        """Other lines for another width."""
        self.show(self._keys)


def in_lines(keys: Sequence[Key], width: int) -> Text:
    """The keys in lines of at most ``width`` cells, no key apart from its label."""
    text, used = Text(no_wrap=True), 0
    for key, label, usable in keys:
        label = label if usable else f"({label})"
        size = cell_len(f"{key} {label}")
        if used and used + 2 + size > width:
            text.append("\n")
            used = 0
        elif used:
            text.append("  ")
            used += 2
        text.append(f"{key} ", "bold" if usable else "dim")
        text.append(label, "" if usable else "dim")
        used += size
    return text


class Typing(Horizontal):
    """The line for ``/`` (filter) and ``:`` (go to a screen); seen only while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up")]

    class Filtered(Message):
        """The filter is now ``pattern``."""

        def __init__(self, pattern: str) -> None:
            super().__init__()
            self.pattern = pattern

    class Named(Message):
        """To the screen ``name``, as far as it was typed."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Ended(Message):
        """The line is hidden again."""

    mode = ""

    def compose(self) -> ComposeResult:
        """The sign of the mode, and the place to type."""
        yield Static(id="mode", markup=False)
        yield Input(id="typed", compact=True)

    def begin(self, mode: str, text: str, hint: str) -> None:
        """Show the line and type into it; ``mode`` is ``/`` or ``:``."""
        self.mode = mode
        self.display = True
        self.query_one("#mode", Static).update(mode)
        line = self.query_one(Input)
        line.placeholder, line.value = hint, text
        line.focus()

    def _end(self) -> None:
        self.mode = ""
        self.display = False
        self.post_message(self.Ended())

    def on_input_changed(self, event: Input.Changed) -> None:
        """A filter works while it is typed."""
        if self.mode == "/":
            self.post_message(self.Filtered(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the filter stays, or the screen is gone to."""
        named = self.mode == ":"
        self._end()
        if named:
            self.post_message(self.Named(event.value.strip()))

    def action_give_up(self) -> None:
        """Esc: the filter goes, the screen stays."""
        if self.mode == "/":
            self.post_message(self.Filtered(""))
        self._end()
