"""The console: one store, one feed that fills it, and the screen that is looked at. What comes goes one way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.widgets import ContentSwitcher, DataTable

from textual_admin import lang, theme
from textual_admin.bars import Banner, Heading, Keys, Tabs, Typing
from textual_admin.dialogs import Help, Ladder
from textual_admin.feed import Connected, EventsCame, Feed, LiveCame, Trouble
from textual_admin.firstrun import CHANGES, Step, gather
from textual_admin.lang import N_, _
from textual_admin.ordering import give, told
from textual_admin.orders import OPTIONAL, Order, hindrance
from textual_admin.palette import Commands
from textual_admin.panels import PANELS, Panel
from textual_admin.panels.events import Events
from textual_admin.panels.setup import Setup
from textual_admin.settling import Settling
from textual_admin.store import Store

#: How often ages and the log are drawn, in seconds; figures are drawn when they come.
TICK_S = 0.5
_STDIN = 0


class Console(App[None]):
    """``Console(socket, language).run()``. ``clock`` is monotonic, in seconds."""

    TITLE = "OneCall"
    CSS = theme.CSS
    COMMANDS: ClassVar = {Commands}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (theme.WIDE, "-wide")]  # noqa: RUF012  (as Textual declares it)
    NOTIFICATION_TIMEOUT = 6
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"go({number - 1})") for number in range(1, len(PANELS) + 1)),
        Binding("question_mark,f1", "help"),
        Binding("colon", "type(':')"),
        Binding("slash", "type('/')"),
        Binding("f2,ctrl+l", "language", priority=True),
        Binding("ctrl+t", "theme"),
        Binding("space", "pause"),
        Binding("q", "quit"),
        *(
            Binding(order.key, f"order('{order.name}')")
            for order in {order.name: order for panel in PANELS for order in panel.ORDERS}.values()
        ),
    ]

    def __init__(
        self,
        path: Path,
        language: str,
        clock: Callable[[], float] = time.monotonic,
        notes: Sequence[str] = (),
        *,
        config: Path | None = None,
        first_steps: bool = False,
    ) -> None:
        """``path`` is the service's socket, ``language`` zh or en, ``notes`` are lines to keep on the overview.

        ``config`` is the settings file whose lines can be changed here; ``first_steps``: begin with them while the
        site is not set up.
        """
        lang.use(language)
        super().__init__()
        self.theme = theme.first()
        self.store = Store(clock)
        self.store.notes = notes
        self.feed = Feed(path, self.post_message, [order.method for order in OPTIONAL])
        self._config, self._first_steps = config, first_steps
        self.panels: Sequence[Panel] = [panel() for panel in PANELS]
        self._heading, self._tabs, self._banner, self._bar = Heading(), Tabs(), Banner(), Keys()
        self._number = 0
        self._events_new = False
        #: What the console itself can do: key, label, action.
        self.general: Sequence[tuple[str, str, Callable[[], object]]] = (
            ("/", N_("Filter"), lambda: self.action_type("/")),
            (":", N_("Go to"), lambda: self.action_type(":")),
            ("?", N_("Help"), self.action_help),
            ("^t", N_("Light or dark"), self.action_theme),
            ("q", N_("Quit"), self.action_quit),
        )

    @property
    def panel(self) -> Panel:
        """The screen that is looked at."""
        return self.panels[self._number]

    def compose(self) -> ComposeResult:
        """Heading, tabs, banner, the screens of which one is seen, and the lines at the bottom."""
        yield self._heading
        yield self._tabs
        yield self._banner
        with ContentSwitcher(initial=self.panel.NAME):
            yield from self.panels
        yield Typing()
        yield self._bar

    def on_mount(self) -> None:
        """Begin to listen."""
        self._relabel()
        self.action_go(0)
        self.run_worker(self.feed.run(), name="feed", exit_on_error=True)
        self.set_interval(TICK_S, self._tick)

    # -- what comes from the service -----------------------------------------------------------------------------------

    @on(LiveCame)
    def _take_live(self, message: LiveCame) -> None:
        self.store.take_live(message.view)
        self._draw()

    @on(EventsCame)
    def _take_events(self, message: EventsCame) -> None:
        self.store.take_events(message.rows, message.lost)
        self._events_new = True
        if isinstance(self.panel, Setup) and any(row.kind.startswith(CHANGES) for row in message.rows):
            self._ask_setup()
        for screen in self.screen_stack:
            if isinstance(screen, Ladder):
                screen.add(message.rows)

    @on(Connected)
    def _take_connected(self, message: Connected) -> None:
        self.store.missing = message.missing
        self.store.trouble = ""
        self._draw_bars()
        if isinstance(self.panel, Setup):
            self._ask_setup()
        elif self._first_steps:
            self._begin()

    @work
    async def _begin(self) -> None:
        """To the first steps while the site is not set up, unless the user has gone elsewhere meanwhile; asked once."""
        if (state := await told(self, self.feed.call("site.setup"))) is None:
            return
        self._first_steps = False
        if not state["done"] and self._number == 0:
            self.action_go(PANELS.index(Setup))

    @work(exclusive=True, group="setup")
    async def _ask_setup(self) -> None:
        """How the site is set up, and which lines the machine has."""
        if (facts := await told(self, gather(self.feed, self._config))) is not None:
            self.store.setup = facts
            if isinstance(self.panel, Setup):
                self._draw()

    @on(Trouble)
    def _take_trouble(self, message: Trouble) -> None:
        self.store.trouble = message.sentence
        self._draw_bars()

    # -- drawing -------------------------------------------------------------------------------------------------------

    @property
    def _ending(self) -> bool:
        """Whether the widgets are being taken down: what still comes from the feed is not drawn."""
        return not self._heading.is_attached

    def _draw(self) -> None:
        if not self._ending and not isinstance(self.panel, Events):
            self.panel.show(self.store)
        self._draw_bars()

    def _draw_bars(self) -> None:
        if self._ending:
            return
        self.screen_stack[0].set_class(self.store.stale, "stale")
        self._heading.show(self.store)
        self._banner.show(self.store)
        self._bar.show(self._keys())

    def _tick(self) -> None:
        if not (self.is_headless or os.isatty(_STDIN)):  # closed, and SIGHUP did not come through (su, nohup)
            self.exit(return_code=1)
        if self._events_new and not self._ending and isinstance(self.panel, Events):
            self._events_new = False
            self.panel.show(self.store)
        self._draw_bars()

    def _keys(self) -> list[tuple[str, str, bool]]:
        keys = [(order.key, _(order.label), not self.hindrance(order)) for order in self.panel.ORDERS]
        keys += [(key, _(label), True) for key, label in self.panel.KEYS]
        keys += [(key, _(label), True) for key, label, __ in self.general if key in "/:?q" and self._works(key)]
        return [*keys, ("F2", lang.LANGUAGES[lang.other()], True), ("^p", _("Commands"), True)]

    def _works(self, key: str) -> bool:
        return key != "/" or self.panel.FILTERS

    def _relabel(self) -> None:
        for panel in self.panels:
            if panel.is_mounted:
                panel.relabel()
        self._tabs.show([_(panel.TITLE) for panel in self.panels], self._number)
        self.panel.show(self.store)
        self._draw_bars()

    # -- going about ---------------------------------------------------------------------------------------------------

    def action_go(self, number: int) -> None:
        """To a screen by its number, from 0."""
        came = self._number != number
        self._number = number
        if came and isinstance(self.panel, Setup) and self.feed.connected:
            self._ask_setup()
        self.screen_stack[0].query_one(ContentSwitcher).current = self.panel.NAME
        self._tabs.show([_(panel.TITLE) for panel in self.panels], number)
        self.panel.show(self.store)
        self._focus()
        self._draw_bars()

    def _focus(self) -> None:
        for widget in self.panel.query("*").results():
            if widget.can_focus:
                widget.focus()
                return

    def action_language(self) -> None:
        """The other language, at once."""
        lang.use(lang.other())
        self._relabel()

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = theme.other(self.theme)
        self._relabel()

    def action_help(self) -> None:
        """What this screen means and which keys work."""
        keys = [(order.key, _(order.label)) for order in self.panel.ORDERS]
        keys += [(key, _(label)) for key, label in self.panel.KEYS]
        keys += [(key, _(label)) for key, label, __ in self.general]
        keys += [(f"1-{len(PANELS)}", _("Screens")), ("F2", "中文 / English"), ("^p", _("Commands"))]
        self.push_screen(Help(_(self.panel.TITLE), _(self.panel.HELP), keys))

    def action_command_palette(self) -> None:
        """All commands, to be searched."""
        if not self.screen.has_class("--textual-command-palette"):
            self.push_screen(CommandPalette(placeholder=_("Search for a command…")))

    def action_pause(self) -> None:
        """Stop the log, or let it go on."""
        if isinstance(self.panel, Events):
            self.panel.pause()
            self.panel.show(self.store)

    # -- typing --------------------------------------------------------------------------------------------------------

    def action_type(self, mode: str) -> None:
        """Open the line for ``/`` or ``:``."""
        if mode == "/" and not self.panel.FILTERS:
            self.notify(_("there is nothing to filter here"), severity="warning")
            return
        hint = _("text, or !text for all without it") if mode == "/" else "  ".join(_(p.TITLE) for p in self.panels)
        self.query_one(Typing).begin(mode, self.panel.pattern if mode == "/" else "", hint)

    @on(Typing.Filtered)
    def _filter(self, message: Typing.Filtered) -> None:
        self.panel.pattern = message.pattern
        self.panel.show(self.store)

    @on(Typing.Ended)
    def _end_typing(self) -> None:
        self._focus()

    @on(Typing.Named)
    def _go_by_name(self, message: Typing.Named) -> None:
        name = message.name.casefold()
        for number, panel in enumerate(self.panels):
            if name and any(text.casefold().startswith(name) for text in (panel.NAME, panel.TITLE, _(panel.TITLE))):
                self.action_go(number)
                return
        names = ", ".join(panel.NAME for panel in self.panels)
        self.notify(_("no screen {} (there are: {})").format(name, names), severity="warning", markup=False)

    # -- orders --------------------------------------------------------------------------------------------------------

    def hindrance(self, order: Order) -> str:
        """Why an order cannot be given here and now; "" when it can."""
        if self.store.stale:
            return _("the service is silent: nothing can be ordered")
        return hindrance(order, self.panel.chosen, self.store.missing)

    def action_order(self, name: str) -> None:
        """Give an order for the row under the cursor, or say why not. A key of another screen does nothing here."""
        order = next((order for order in self.panel.ORDERS if order.name == name), None)
        if order is None:
            raise SkipAction  # this screen may have another order on the same key
        self.clear_notifications()  # what was said of the last order would cover this one's question
        if why := self.hindrance(order):
            self.notify(why, severity="warning", markup=False)
        else:
            self._order(order, self.panel.chosen)

    @work
    async def _order(self, order: Order, row: object) -> None:
        await give(self, self.feed, order, row)

    @on(DataTable.RowSelected)
    @work
    async def _enter(self, event: DataTable.RowSelected) -> None:
        if event.data_table not in self.panel.query(DataTable) or not any(key == "↵" for key, __ in self.panel.KEYS):
            return
        if isinstance(self.panel, Setup):
            await self._open_step(self.panel.chosen)
            return
        contact = self.panel.contact
        if not contact:
            self.notify(_("no contact in this row"), severity="warning")
            return
        if (rows := await told(self, self.feed.history(contact))) is not None:
            self.push_screen(Ladder(contact, rows))

    async def _open_step(self, step: object) -> None:
        if not isinstance(step, Step) or self.store.setup is None:
            return
        if self.store.stale:
            self.notify(_("the service is silent: nothing can be ordered"), severity="warning")
            return
        calls = len(self.store.live.calls) if self.store.live else 0
        await Settling(self, self.feed, self._config).open(step.name, self.store.setup, calls)
        self._ask_setup()
