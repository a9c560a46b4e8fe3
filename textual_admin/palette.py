"""The command palette: every screen, every order of the screen, and what the console itself can do, in the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from textual_admin.lang import LANGUAGES, _, other

if TYPE_CHECKING:
    from textual_admin.app import Console

Command = tuple[str, str, Callable[[], object]]


class Commands(Provider):
    """Asked by Textual's own palette."""

    def _commands(self) -> Iterator[Command]:
        app = cast("Console", self.app)
        for number, panel in enumerate(app.panels):
            yield _("Go to: {}").format(_(panel.TITLE)), "", partial(app.action_go, number)
        for order in app.panel.ORDERS:
            yield _(order.label), app.hindrance(order), partial(app.action_order, order.name)
        for __, label, action in app.general:
            yield _(label), "", action
        yield LANGUAGES[other()], "", app.action_language

    async def discover(self) -> Hits:
        """All, while nothing is typed."""
        for title, told, run in self._commands():
            yield DiscoveryHit(title, run, help=told or None)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for title, told, run in self._commands():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=told or None)
