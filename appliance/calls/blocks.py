"""What we have taken out of service, channels, lines and trunk groups: kept in the store, so that it stays so.

The line process forgets its blocks when it ends; who owns them here says them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import ClassVar, Literal

from attrs import frozen
from sqlalchemy import ColumnElement, Executable, delete, insert, select, update

from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.store import tables
from appliance.store.store import Store

Kind = Literal["line", "group"]
#: In place of a channel: all of the line, or of the group.
ALL = 0


@frozen
class LineBlocked(Event):
    """A channel (None: all of the line) was taken out of service, or back; ``draining``: until its calls have ended."""

    kind: ClassVar[str] = "line.blocked"
    line: str
    channel: int | None
    blocked: bool
    by: str
    draining: bool = False


@frozen
class GroupBlocked(Event):
    """A trunk group was taken out of service, or back; ``draining``: somebody waits for its calls to end."""

    kind: ClassVar[str] = "group.blocked"
    group: str
    blocked: bool
    by: str
    draining: bool = False


@frozen
class LineDrained(Event):
    """No call is left on a channel (None: on all of the line) that was taken out of service."""

    kind: ClassVar[str] = "line.drained"
    line: str
    channel: int | None


@frozen
class GroupDrained(Event):
    """No call of a trunk group is left that was taken out of service."""

    kind: ClassVar[str] = "group.drained"
    group: str


@frozen
class Block:
    """One thing that is out of service; ``channel`` may be ``ALL``."""

    kind: Kind
    name: str
    channel: int = ALL


class Blocks:
    """All of them, and which are being drained. Made by ``Blocks.open``. A change is seen at once, and saved."""

    def __init__(self, events: EventLog, rows: Iterable[tuple[Block, bool]] = ()) -> None:
        """Use ``open``."""
        self._events = events
        self._draining = dict(rows)

    @classmethod
    async def open(cls, store: Store, events: EventLog) -> Blocks:
        """Read the store."""
        rows = await store.rows(select(tables.block))
        return cls(events, [(Block(row["kind"], row["name"], row["channel"]), row["draining"]) for row in rows])

    def channels(self, line: str) -> set[int]:
        """The blocked channels of a line; ``ALL`` among them: every one."""
        return {block.channel for block in self._draining if (block.kind, block.name) == ("line", line)}

    def groups(self) -> set[str]:
        """The groups that are out of service."""
        return {block.name for block in self._draining if block.kind == "group"}

    def draining(self) -> list[Block]:
        """What waits for its calls to end."""
        return [block for block, draining in self._draining.items() if draining]

    def block(self, block: Block, *, draining: bool, by: str) -> None:
        """Take out of service; a whole line stands for each of its channels too."""
        gone = self._of(block) if block.channel == ALL else {block} & self._draining.keys()
        self._change(gone, [block], draining, _event(block, True, by, draining))

    def unblock(self, block: Block, channels: Collection[int], *, by: str) -> None:
        """Take back into service. ``channels`` are all of the line: one that is taken out of a blocked line leaves the
        others blocked.
        """
        whole = Block(block.kind, block.name)
        there = self._of(block)
        if block.channel == ALL or whole not in there:
            self._change(there if block.channel == ALL else {block} & there, [], False, _event(block, False, by))
            return
        rest = [Block(block.kind, block.name, each) for each in channels if each != block.channel]
        self._change(there, rest, False, _event(block, False, by))

    def drained(self, block: Block) -> None:
        """The last call has ended: it stays out of service."""
        self._draining[block] = False
        done = (
            GroupDrained(block.name) if block.kind == "group" else LineDrained(block.name, block.channel or None)
        )
        self._events.append(done, changes=[update(tables.block).where(*_is(block)).values(draining=False)])

    def _of(self, block: Block) -> set[Block]:
        return {each for each in self._draining if (each.kind, each.name) == (block.kind, block.name)}

    def _change(self, gone: Iterable[Block], new: Iterable[Block], draining: bool, event: Event) -> None:
        changes: list[Executable] = []
        for block in gone:
            del self._draining[block]
            changes.append(delete(tables.block).where(*_is(block)))
        for block in new:
            self._draining[block] = draining
            values = {"kind": block.kind, "name": block.name, "channel": block.channel, "draining": draining}
            changes.append(insert(tables.block).values(values))
        self._events.append(event, changes=changes)


def _is(block: Block) -> tuple[ColumnElement[bool], ...]:
    table = tables.block
    return (table.c.kind == block.kind, table.c.name == block.name, table.c.channel == block.channel)


def _event(block: Block, blocked: bool, by: str, draining: bool = False) -> Event:
    if block.kind == "group":
        return GroupBlocked(block.name, blocked, by, draining)
    return LineBlocked(block.name, block.channel or None, blocked, by, draining)
