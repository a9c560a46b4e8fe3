"""The overview: is the box well, who calls, who waits, which channels are in use."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from appliance.api.types import AgentRow, ChannelRow, EventRow, Live, ProcessRow, QueueRow, TrunkRow
from textual_admin.figures import age, clock, duration, share
from textual_admin.happenings import details, kind_of, tone
from textual_admin.lang import N_, _
from textual_admin.panels.panel import Panel
from textual_admin.panels.queues import pressure
from textual_admin.store import Store
from textual_admin.table import Cell, drawn
from textual_admin.words import AGENTS, CHANNELS, PROCESSES, TRUNK_DOWN, TRUNK_UP, state

Spans = Sequence[Cell]

#: Events that are shown.
_LATEST = 8
#: Channels in one row of the map: an E1 has 30.
_MAP = 30


class Overview(Panel):
    """Boxes side by side where there is room for two, one under the other where there is not."""

    NAME = "overview"
    TITLE = N_("Overview")
    HELP = N_(
        "The whole box at a glance. Alarms: what needs somebody now. Trunks: one sign for each channel, "
        "■ busy · idle × blocked ! alarm. Processes: the part of a core each uses, how late the 20 ms tick was at most "
        "(99 of 100 ticks were better than p99), and how old these figures are. Totals count since the service began."
    )
    FILTERS = False

    def __init__(self) -> None:
        super().__init__()
        self._boxes = {name: Static(classes=f"box {name}", markup=False) for name in _BOXES}

    def compose(self) -> ComposeResult:
        """All boxes; they scroll where the terminal is low."""
        *side_by_side, below = self._boxes.values()
        with VerticalScroll(can_focus=True):
            with Grid():
                yield from side_by_side
            yield below

    def on_mount(self) -> None:
        """Titles in the language of the start."""
        self.relabel()

    def relabel(self) -> None:
        """Titles of the boxes."""
        for name, box in self._boxes.items():
            box.border_title = _(_BOXES[name])

    def show(self, store: Store) -> None:
        """Draw all boxes."""
        if store.live is None:
            return
        view = store.live
        drawings = {
            "calls": [*totals(view), *([Cell(note)] for note in store.notes)],
            "alarms": alarms(view),
            "trunks": trunks(view.trunks, view.channels),
            "queues": queues(view.queues, view.agents),
            "processes": processes(view.processes, store.cpu),
            "latest": latest(list(store.events)[-_LATEST:]),
        }
        for name, lines in drawings.items():
            self._boxes[name].update(Text("\n").join(self._text(line) for line in lines))

    def _text(self, spans: Spans) -> Text:
        return Text.assemble(*(drawn(self.app, span) for span in spans))


_BOXES = {
    "calls": N_("Calls"),
    "alarms": N_("Alarms"),
    "trunks": N_("Trunks"),
    "queues": N_("Queues"),
    "processes": N_("Processes"),
    "latest": N_("Latest events"),
}


def totals(view: Live) -> list[Spans]:
    """What is up now, and what came since the start."""
    talking = sum(row.state in ("talking", "held") for row in view.calls)
    waiting = sum(row.waiting for row in view.queues)
    there = sum(row.registered for row in view.phones)
    now = _("up {}  talking {}  waiting {}").format(len(view.calls), talking, waiting)
    came = _("offered {}  blocked {}").format(view.totals.get("offered", 0), view.totals.get("blocked", 0))
    return [[Cell(now, "bold")], [Cell(came), Cell("   "), Cell(_("phones {}/{}").format(there, len(view.phones)))]]


def alarms(view: Live) -> list[Spans]:
    """A line for each, or that there is none."""
    if not view.alarms:
        return [[Cell(_("✓ none"), "good")]]
    return [[Cell(f"! {sentence}", "bad")] for sentence in view.alarms]


def trunks(rows: Sequence[TrunkRow], channels: Sequence[ChannelRow]) -> list[Spans]:
    """For each trunk a line of figures, and its channels as signs, thirty a line."""
    lines: list[Spans] = []
    for row in rows:
        up = TRUNK_UP if row.up else TRUNK_DOWN
        use = "  " + _("{}/{} busy").format(row.busy, row.channels) if row.channels else ""
        blocked = "  " + _("{} blocked").format(row.blocked) if row.blocked else ""
        refused = "  " + _("{} refused").format(row.refused) if row.refused else ""
        alarm = f" {row.alarm}" if row.alarm else ""
        lines.append([Cell(f"{row.line} ", "bold"), Cell(up.text() + alarm, up.tone), Cell(use + blocked + refused)])
        signs = [state(CHANNELS, channel.state) for channel in channels if channel.line == row.line]
        for first in range(0, len(signs), _MAP):
            lines.append([Cell(sign.symbol, sign.tone) for sign in signs[first : first + _MAP]])
    return lines


def queues(rows: Sequence[QueueRow], agents: Sequence[AgentRow]) -> list[Spans]:
    """A line a queue, and the agents by state."""
    lines: list[Spans] = []
    for row in rows:
        tone = pressure(row)
        wait = _("{} wait").format(row.waiting) + (f" {duration(row.longest_wait_s)}" if row.waiting else "")
        rest = _("ready {}/{}  in time {}").format(row.free, row.agents, share(row.answered_in_target, row.offered))
        lines.append([Cell(f"{row.name or row.queue} ", "bold"), Cell(wait, tone), Cell(f"  {rest}")])
    counts = {name: sum(agent.state == name for agent in agents) for name in AGENTS}
    lines.append([Cell("  ".join(f"{_(AGENTS[name].word)} {count}" for name, count in counts.items() if count), "dim")])
    return lines


def processes(rows: Sequence[ProcessRow], cpu: dict[int, float]) -> list[Spans]:
    """A line a process: up, part of a core, lateness of its tick, age of the figures."""
    lines: list[Spans] = []
    for row in rows:
        name = _(PROCESSES.get(row.process, row.process))
        if not row.up:
            lines.append([Cell(f"{name}  "), Cell(_("! away"), "bad")])
            continue
        used = f"{100 * cpu[row.pid]:.0f} %" if row.pid in cpu else "–"
        late = f"p99 {row.run_late_p99_ms:.1f}  max {row.run_late_max_ms:.1f} ms" if row.process == "line" else ""
        text = _("  CPU {}  age {}  {}").format(used, age(row.age_s), late)
        lines.append([Cell(name, "bold"), Cell(f" {TRUNK_UP.text()}", "good"), Cell(text.rstrip())])
    return lines


def latest(rows: Sequence[EventRow]) -> list[Spans]:
    """A line an event, the newest last."""
    return [
        [Cell(f"{clock(row.at)}  ", "dim"), Cell(f"{kind_of(row)}  ", tone(row)), Cell(details(row))] for row in rows
    ]
