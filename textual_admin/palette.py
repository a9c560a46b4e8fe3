"""The command palette: every screen, every order of the screen, and what the console itself can do, in the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from textual_admin.lang import LANGUAGES, _, other

if TYPE_CHECKING:
    from textual_admin.app import Console

#: The text in English, the same in the language, what stands against it, and what it does.
Command = tuple[str, str, str, Callable[[], object]]


class Commands(Provider):
    """Asked by Textual's own palette."""

    def _commands(self) -> Iterator[Command]:
        app = cast("Console", self.app)
        for number, panel in enumerate(app.panels):
            yield f"Go to: {panel.TITLE}", _("Go to: {}").format(_(panel.TITLE)), "", partial(app.action_go, number)
        for order in app.panel.ORDERS:
            yield order.label, _(order.label), app.hindrance(order), partial(app.action_order, order.name)
        for __, label, action in app.general:
            yield label, _(label), "", action
        yield LANGUAGES[other()], LANGUAGES[other()], "", app.action_language

    async def discover(self) -> Hits:
        """All, while nothing is typed."""
        for __, title, told, run in self._commands():
            yield DiscoveryHit(title, run, help=told or None)

    async def search(self, query: str) -> Hits:
        """Those that match, in the language or in English: who has no Chinese keyboard at hand types English."""
        matcher = self.matcher(query)
        none = True
        for english, title, told, run in self._commands():
            if score := max(matcher.match(title), matcher.match(english)):
                none = False
                yield Hit(score, matcher.highlight(title), run, help=told or None)
        if none:
            yield Hit(1.0, _("no such command"), lambda: None)
