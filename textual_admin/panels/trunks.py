"""Trunk groups, trunks and their channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping

from appliance.api.types import ChannelRow, GroupRow, TrunkRow
from textual_admin.figures import since
from textual_admin.lang import N_, _
from textual_admin.orders import BLOCK, DRAIN, GROUP_CHANGE, GROUP_NEW, GROUP_REMOVE, GROUP_TRY, UNBLOCK
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell, of
from textual_admin.words import CHANNELS, DIRECTIONS, DRAINING, GROUP_OPEN, TRUNK_DOWN, TRUNK_UP, state


class Trunks(TablePanel):
    """A row for each trunk group, then one for each trunk, and under it one for each of its channels."""

    NAME = "trunks"
    TITLE = N_("Trunks")
    HELP = N_(
        "Every trunk and, under it, every channel (timeslot) with its state and the call on it. "
        "A blocked channel takes no new calls; the call that is on it goes on. On a trunk's own row an order is for "
        "all its channels. To drain is to block, and to be told when the last call has ended. "
        "An alarm names what the line process sees: RED is no signal, YELLOW that the far end has none; of a modem: "
        "GONE it is not there, BUSY another program has its port, DENIED the port may not be opened, SILENT it does "
        "not answer, REFUSES it lacks what is needed. "
        "Trunk groups stand first: a call to the outside takes the cheapest group that has a route for its number, and "
        "the next one when that is busy or down. Without groups every trunk may carry every call."
    )
    ORDERS = (BLOCK, UNBLOCK, DRAIN, GROUP_NEW, GROUP_CHANGE, GROUP_REMOVE, GROUP_TRY)
    HEADS = (N_("Trunk"), N_("Channel"), N_("State"), N_("Caller"), N_("Called"), N_("Since"), N_("Contact"))

    def lines(self, store: Store) -> Mapping[str, Line]:
        """Groups by name, then trunks in the order of the settings, each with its channels."""
        if store.live is None:
            return {}
        up = {trunk.line for trunk in store.live.trunks if trunk.up}
        lines: dict[str, Line] = {f"group {row.group}": _group(row, up) for row in store.live.groups}
        for trunk in store.live.trunks:
            lines[trunk.line] = _trunk(trunk)
            for channel in store.live.channels:
                if channel.line == trunk.line:
                    lines[f"{channel.line}/{channel.channel}"] = _channel(channel, store.live.at)
        return lines

    def sum_up(self, store: Store) -> str:
        """Channels by state."""
        states = Counter[str](row.state for row in store.live.channels) if store.live else Counter[str]()
        return "  ".join(f"{word.text()} {states[name]}" for name, word in CHANNELS.items())


def _group(row: GroupRow, up: Container[str]) -> Line:
    usable = any(member.partition(":")[0] in up for member in row.members)
    open_or_down = GROUP_OPEN if usable else TRUNK_DOWN
    word = DRAINING if row.draining else CHANNELS["blocked"] if row.blocked else open_or_down
    calls = _("{}/{} calls").format(row.calls, row.most) if row.most else _("{} calls").format(row.calls)
    return Line(
        row,
        (
            Cell(row.group, "bold"),
            Cell(_("group"), "bold"),
            of(word),
            Cell(calls),
            Cell(" ".join(row.members)),
            Cell(_(DIRECTIONS.get(row.direction, row.direction))),
            Cell(" ".join(row.routes), "dim"),
        ),
    )


def _trunk(row: TrunkRow) -> Line:
    up = DRAINING if row.draining else TRUNK_UP if row.up else TRUNK_DOWN
    talks = "" if row.duplex or not row.up else _("one way at a time")
    text = f"{up.text()} {row.alarm or talks}".strip()
    use = _("{}/{} busy").format(row.busy, row.channels) if row.channels else _("{} calls").format(row.busy)
    use += " " + CHANNELS["blocked"].text() if row.blocked and not row.channels else ""
    signal = "" if row.signal_dbm is None else _("signal {} dBm").format(row.signal_dbm)
    refused = _("{} refused").format(row.refused) if row.refused else ""
    return Line(
        row,
        (
            Cell(row.line, "bold"),
            Cell(row.kind, "bold"),
            Cell(text, up.tone),
            Cell(use),
            Cell(refused),
            Cell(signal),
            Cell(""),
        ),
    )


def _channel(row: ChannelRow, at: float) -> Line:
    return Line(
        row,
        (
            Cell(row.line, "dim"),
            Cell(str(row.channel), right=True),
            of(DRAINING if row.draining else state(CHANNELS, row.state)),
            Cell(row.caller),
            Cell(row.called),
            Cell(since(row.since, at), right=True),
            Cell(row.contact, "dim"),
        ),
    )
