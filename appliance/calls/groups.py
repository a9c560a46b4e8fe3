"""The trunk groups: in memory by their one owner, written through to the store with an event for each change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import attrs
from attrs import frozen
from sqlalchemy import Executable, delete, insert, select, update

from appliance.calls.trunkgroups import TrunkGroup, checked, fields, texts
from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.store import tables
from appliance.store.replacing import Replacement
from appliance.store.store import Store


@frozen
class GroupChanged(Event):
    """A trunk group was added or changed; its lines and routes as they are written; ``by`` is who changed it."""

    kind: ClassVar[str] = "group.changed"
    group: str
    members: list[str]
    hunting: str
    direction: str
    caller: str
    shows: list[str]
    restricted: bool
    routes: list[str]
    most: int
    by: str


@frozen
class GroupRemoved(Event):
    """A trunk group is no more; its calls go on."""

    kind: ClassVar[str] = "group.removed"
    group: str
    by: str


class TrunkGroups:
    """The groups by name, and the line that each used last. Made by ``TrunkGroups.open``.

    The changing methods return when the change is on the disk; the next call is routed by it. They raise
    ``ValueError`` for what is not allowed or exists, ``LookupError`` for what does not; the text is a sentence.
    """

    def __init__(self, events: EventLog, groups: Collection[TrunkGroup]) -> None:
        """Use ``open``."""
        self._events = events
        self._groups = {group.name: group for group in groups}
        #: The line that each group used last, for its round robin.
        self.last: dict[str, str] = {}

    @classmethod
    async def open(cls, store: Store, events: EventLog) -> TrunkGroups:
        """Read the store."""
        return cls(events, [TrunkGroup(**fields(dict(row))) for row in await store.rows(select(tables.trunk_group))])

    def groups(self) -> list[TrunkGroup]:
        """All groups by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def known(self, name: str) -> TrunkGroup:
        """The group of a name. Raises ``LookupError``."""
        if name not in self._groups:
            raise LookupError(f"there is no group {name}")
        return self._groups[name]

    async def add(self, group: TrunkGroup, *, by: str = "") -> TrunkGroup:
        """A new group."""
        checked(group)
        if group.name in self._groups:
            raise ValueError(f"group {group.name} exists already")
        await self._commit(_changed(group, by), insert(tables.trunk_group).values(texts(group)))
        self._groups[group.name] = group
        return group

    async def change(self, name: str, *, by: str = "", **given: Any) -> TrunkGroup:
        """Change what is given (the fields of ``TrunkGroup``, None for what stays)."""
        wanted = {key: value for key, value in given.items() if value is not None}
        group = checked(attrs.evolve(self.known(name), **wanted))
        table = tables.trunk_group
        await self._commit(_changed(group, by), update(table).where(table.c.name == name).values(texts(group)))
        self._groups[name] = group
        return group

    async def remove(self, name: str, *, by: str = "") -> None:
        """Take a group away; calls that are up go on."""
        self.known(name)
        table = tables.trunk_group
        await self._commit(GroupRemoved(name, by), delete(table).where(table.c.name == name))
        self._groups.pop(name, None)
        self.last.pop(name, None)

    def replacement(self, groups: Mapping[str, TrunkGroup]) -> Replacement:
        """All groups made those given (checked), as part of a greater change."""

        def settle() -> None:
            self._groups = dict(groups)

        rows = [texts(group) for group in groups.values()]
        inserts: list[Executable] = [insert(tables.trunk_group).values(rows)] if rows else []
        return Replacement((delete(tables.trunk_group), *inserts), settle)

    async def _commit(self, event: Event, change: Executable) -> None:
        """On the disk first, in memory then."""
        await self._events.commit(event, changes=[change])


def _changed(group: TrunkGroup, by: str) -> GroupChanged:
    written = texts(group)
    return GroupChanged(written.pop("name"), **{**written, "by": by})
