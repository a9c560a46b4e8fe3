"""What the ``onecall`` command shows: rows as plain tables, Chinese aligned, nothing in them that moves the cursor."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.api.locale import Translate
from appliance.api.types import (
    AgentRow,
    CallRow,
    EventRow,
    Live,
    PhoneRow,
    QueueRow,
    Status,
    TrunkRow,
)

#: Columns where the output is no terminal: nothing is cut.
_WIDE = 400


def show(table: Table) -> None:
    """Print a table to stdout."""
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else _WIDE, highlight=False, soft_wrap=not terminal)
    console.print(table)


def clean(value: object) -> str:
    """A value as text without control characters: names and numbers come from strangers."""
    return "".join(char if char.isprintable() else "�" for char in str(value))


def clock(at: float) -> str:
    """Local time of an epoch second, with the date unless it is today."""
    if not at:
        return ""
    then = time.localtime(at)
    today = time.strftime("%Y-%m-%d") == time.strftime("%Y-%m-%d", then)
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then)


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table without lines; numbers to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), show_header=any(columns))
    for place, column in enumerate(columns):
        number = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        made.add_row(*(Text(clean(value)) for value in row))
    return made


def status(_: Translate, found: Status) -> Sequence[Table]:
    """The box in short: facts, processes, alarms."""
    facts = [
        (_("Site"), found.site),
        (_("Version"), found.version),
        (_("Up for"), duration(found.at - found.started_at)),
        (_("Calls"), found.calls),
        (_("Agents logged in"), found.agents),
        (_("Phones registered"), f"{found.registered}/{found.phones}"),
        (_("Trunks up"), f"{found.trunks_up}/{found.trunks}"),
        (_("Last event"), found.last_event),
    ]
    processes = [
        (p.process, _("up") if p.up else _("away"), p.pid, f"{p.cpu_s:.1f}", f"{p.late_p99_ms:.1f}", f"{p.age_s:.1f}")
        for p in found.processes
    ]
    shown = [
        table(("", ""), facts),
        table((_("Process"), _("State"), "PID", _("CPU s"), _("Late ms (p99)"), _("Age s")), processes),
    ]
    if found.alarms:
        shown.append(table((_("Alarms"),), [(alarm,) for alarm in found.alarms]))
    return shown


def calls(_: Translate, rows: Sequence[CallRow], now: float) -> Table:
    """Contacts that are up."""
    columns = (_("Contact"), _("Caller"), _("Called"), _("Line"), _("State"), _("Service"), _("Talks with"), _("For"))
    return table(
        columns,
        [
            (
                r.contact,
                r.caller,
                r.called,
                r.line if r.channel is None else f"{r.line}/{r.channel}",
                _(r.state),
                r.service,
                r.peer,
                duration(now - r.since),
            )
            for r in rows
        ],
    )


def agents(_: Translate, rows: Sequence[AgentRow], now: float) -> Table:
    """Agents and what they do."""
    columns = (_("Agent"), _("Name"), _("Seat"), _("State"), _("Reason"), _("For"), _("Queues"), _("Answered"))
    return table(
        columns,
        [
            (
                r.agent,
                r.name,
                r.seat,
                _(r.state),
                r.reason,
                duration(now - r.since) if r.since else "",
                " ".join(r.queues),
                r.answered,
            )
            for r in rows
        ],
    )


def trunks(_: Translate, live: Live) -> Table:
    """Trunks with their channels; which ones are blocked."""
    blocked = {
        row.line: " ".join(str(c.channel) for c in live.channels if c.line == row.line and c.state == "blocked")
        for row in live.trunks
    }
    columns = (_("Line"), _("Kind"), _("State"), _("Channels"), _("Busy"), _("Blocked"), _("Refused"), _("Which"))
    return table(columns, [_trunk(_, row, blocked[row.line]) for row in live.trunks])


def _trunk(_: Translate, r: TrunkRow, blocked: str) -> Sequence[object]:
    up = _("up") if r.duplex else _("up, one way at a time")
    up = up if r.signal_dbm is None else _("up, {} dBm").format(r.signal_dbm)
    return r.line, r.kind, up if r.up else r.alarm or _("down"), r.channels, r.busy, r.blocked, r.refused, blocked


def queues(_: Translate, rows: Sequence[QueueRow]) -> Table:
    """Queues: who waits, who could answer, today's figures."""
    columns = (
        _("Queue"), _("Name"), _("Strategy"), _("Waiting"), _("Longest wait"), _("Agents"), _("Free"), _("Offered"),
        _("Answered"), _("Abandoned"), _("In target"),
    )  # fmt: skip
    return table(
        columns,
        [
            (
                r.queue,
                r.name,
                r.strategy,
                r.waiting,
                duration(r.longest_wait_s),
                r.agents,
                r.free,
                r.offered,
                r.answered,
                r.abandoned,
                f"{r.answered_in_target / r.offered:.0%}" if r.offered else "–",
            )
            for r in rows
        ],
    )


def phones(_: Translate, rows: Sequence[PhoneRow], now: float) -> Table:
    """Seats' phones and where they are registered from."""
    columns = (_("Seat"), _("Name"), _("Registered"), _("Busy"), _("Address"), _("Phone"), _("Expires in"))
    return table(
        columns,
        [
            (
                r.account,
                r.display,
                _("yes") if r.registered else _("no"),
                _("yes") if r.busy else "",
                r.source,
                r.agent,
                duration(r.expires_at - now) if r.registered else "",
            )
            for r in rows
        ],
    )


def event_line(row: EventRow) -> str:
    """One event on one line."""
    data = " ".join(f"{name}={clean(value)}" for name, value in row.data.items())
    return f"{row.id:>8}  {clock(row.at)}  {row.kind:<20}  {clean(row.contact):<14}  {data}".rstrip()
