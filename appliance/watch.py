"""The two processes as the control process watches them: figures once a second, up and down, alarms, the live view."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter

from appliance.api.types import CallRow, ChannelRow, GroupRow, PhoneRow, ProcessRow, TrunkRow
from appliance.calls.call import Call
from appliance.calls.switchboard import Switchboard
from appliance.events.log import EventLog
from appliance.events.types import FaultReported, LineChanged, ProcessChanged
from appliance.link.client import Process
from appliance.phones import Phones
from appliance.store.store import Store
from hw.messages import Fault, LineState, Message, Stats

#: Figures older than this are an alarm: a process that lives sends them once a second.
SILENT_S = 3.0


class Watch:
    """What the console shows of the box itself; implements the live view's source."""

    def __init__(self, switchboard: Switchboard, phones: Phones, events: EventLog, store: Store) -> None:
        self._switchboard = switchboard
        self._phones = phones
        self._events = events
        self._store = store
        self._stats: dict[Process, tuple[float, Stats]] = {}
        self._up: dict[str, bool] = {}

    def handle(self, process: Process, message: Message) -> None:
        """Take figures, states of lines and faults of a process; lines are also the switchboard's."""
        match message:
            case Stats():
                self._stats[process] = (asyncio.get_running_loop().time(), message)
            case LineState():
                self._line(message)
            case Fault(subject=subject, reason=reason, command=command):
                self._events.append(FaultReported(process, subject, reason, command))
            case _:
                pass

    def process_changed(self, process: Process, up: bool) -> None:
        """The link to a process came up or was lost."""
        self._events.append(ProcessChanged(process, up))
        if not up:
            self._stats.pop(process, None)
            for state in self._switchboard.trunks.lines.values():  # the switchboard has put the process's lines down
                self._line(state)

    def _line(self, state: LineState) -> None:
        if self._up.get(state.line) is not state.up:
            self._up[state.line] = state.up
            self._events.append(LineChanged(state.line, state.up, state.alarm))

    # -- the live view's source ----------------------------------------------------------------------------------------

    def processes(self) -> list[ProcessRow]:
        """The three processes with the age of their figures."""
        loop_now = asyncio.get_running_loop().time()
        rows = [
            ProcessRow("control", True, os.getpid(), time.process_time(), counters=dict(self._switchboard.counters))
        ]
        for process, link in self._switchboard.links.items():
            at, stats = self._stats.get(process, (loop_now, None))
            rows.append(
                ProcessRow(
                    process,
                    link.up,
                    stats.pid,
                    stats.cpu_s,
                    stats.late_p99_ms,
                    stats.late_max_ms,
                    stats.run_late_p99_ms,
                    stats.run_late_max_ms,
                    loop_now - at,
                    stats.gauges,
                    stats.counters,
                )
                if stats
                else ProcessRow(process, link.up)
            )
        return rows

    def trunks(self) -> list[TrunkRow]:
        """One row a trunk."""
        trunks = self._switchboard.trunks
        load = trunks.load()
        rows = []
        for state in trunks.lines.values():
            kinds = Counter(c.state for c in state.channels)
            line = load.lines[state.line]
            busy, blocked = (kinds["busy"], kinds["blocked"]) if state.channels else (line.calls, int(line.blocked))
            rows.append(
                TrunkRow(
                    state.line, state.kind, state.up, state.alarm, len(state.channels), busy, blocked,
                    trunks.refused[state.line], trunks.draining(state.line), state.duplex, state.signal_dbm,
                )
            )  # fmt: skip
        return rows

    def groups(self) -> list[GroupRow]:
        """One row a trunk group."""
        trunks = self._switchboard.trunks
        calls = Counter(leg.group for leg, _ in self._switchboard.legs.values() if leg.alive)
        draining = {block.name for block in trunks.blocks.draining() if block.kind == "group"}
        return [
            GroupRow(
                group.name, tuple(map(str, group.members)), group.hunting, group.direction, group.caller,
                tuple(map(str, group.routes)), calls[group.name], group.most,
                group.name in trunks.blocks.groups(), group.name in draining, group.shows, group.restricted,
            )
            for group in trunks.groups.groups()
        ]  # fmt: skip

    def channels(self) -> list[ChannelRow]:
        """One row a bearer channel, with the call that is on it."""
        on: dict[tuple[str, int | None], Call] = {
            (leg.line, leg.channel): call for leg, call in self._switchboard.legs.values()
        }
        rows = []
        for state in self._switchboard.trunks.lines.values():
            for channel in state.channels:
                draining = self._switchboard.trunks.draining(state.line, channel.channel)
                if (call := on.get((state.line, channel.channel))) is None:
                    rows.append(ChannelRow(state.line, channel.channel, channel.state, draining=draining))
                    continue
                shown = "busy" if channel.state == "idle" else channel.state  # the call came first, its state follows
                rows.append(
                    ChannelRow(
                        state.line, channel.channel, shown, call.contact, call.caller, call.called, call.offered_at,
                        draining,
                    )
                )
        return rows

    def calls(self) -> list[CallRow]:
        """One row a contact that is up, the oldest first."""
        return [
            CallRow(
                c.contact,
                c.caller,
                c.called,
                c.line,
                c.channel,
                c.state,
                c.destination,
                c.peer.number if c.peer else "",
                c.language,
                c.offered_at,
                c.state_since,
            )
            for c in self._switchboard.calls.values()
        ]

    def phones(self) -> list[PhoneRow]:
        """One row a seat."""
        return self._phones.rows(self._switchboard.seat_busy)

    def totals(self) -> dict[str, int]:
        """Counts since the start of the control process."""
        return {**self._switchboard.counters, "up": len(self._switchboard.calls)}

    def alarms(self) -> list[str]:
        """What needs somebody's eye now."""
        found = list(self._switchboard.plugins.alarms)
        if self._store.failed:
            found.append(f"{self._store.failed} changes were not saved; the last: {self._store.failure}")
        found += [f"trunk {s.line}: {s.alarm or 'down'}" for s in self._switchboard.trunks.lines.values() if not s.up]
        for row in self.processes():
            if not row.up:
                found.append(f"the {row.process} process is away")
            elif row.age_s > SILENT_S:
                found.append(f"the {row.process} process is silent for {row.age_s:.0f} s")
        return found
