"""The numbering plan: rows in memory by their one owner, written through to the store with an event for each change."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import ClassVar

import attrs
from attrs import frozen
from sqlalchemy import Executable, delete, insert, select, update

from appliance.calls.numbering import Number
from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.people import rules
from appliance.store import tables
from appliance.store.replacing import Replacement
from appliance.store.store import Store

_PATTERN = re.compile(r"\+?[0-9*#]{1,24}")
_DESTINATION = re.compile(r"([a-z][a-z0-9_-]*):.*")


@frozen
class NumberChanged(Event):
    """A number was added or leads somewhere else; ``by`` is who changed it."""

    kind: ClassVar[str] = "number.changed"
    pattern: str
    destination: str
    name: str
    language: str
    by: str


@frozen
class NumberRemoved(Event):
    """A number is no more."""

    kind: ClassVar[str] = "number.removed"
    pattern: str
    by: str


class NumberingPlan:
    """What called numbers reach; an iterable of ``Number`` for ``numbering.route``. Made by ``NumberingPlan.open``.

    The changing methods return when the change is on the disk; the next call is routed by it. They raise
    ``ValueError`` for what is not allowed or exists, ``LookupError`` for what does not; the text is a sentence.
    """

    def __init__(self, events: EventLog, rows: Collection[Number]) -> None:
        """Use ``open``."""
        self._events = events
        self._rows = {row.pattern: row for row in rows}
        #: The services that a destination may name. Set by whoever knows them; without any, all are allowed.
        self.services: Callable[[], Collection[str]] = tuple

    @classmethod
    async def open(cls, store: Store, events: EventLog) -> NumberingPlan:
        """Read the store."""
        rows = await store.rows(select(tables.number))
        return cls(events, [Number(row["pattern"], row["destination"], row["name"], row["language"]) for row in rows])

    def __iter__(self) -> Iterator[Number]:
        return iter(list(self._rows.values()))

    def numbers(self) -> list[Number]:
        """All rows by pattern."""
        return [self._rows[pattern] for pattern in sorted(self._rows)]

    async def add(
        self, pattern: str, destination: str, *, name: str = "", language: str = "", by: str = ""
    ) -> Number:
        """A new number."""
        row = self.checked(Number(pattern, destination, name, language))
        if pattern in self._rows:
            raise ValueError(f"number {pattern} exists already")
        await self._commit(_changed(row, by), insert(tables.number).values(attrs.asdict(row)))
        self._rows[pattern] = row
        return row

    async def change(
        self,
        pattern: str,
        *,
        destination: str | None = None,
        name: str | None = None,
        language: str | None = None,
        by: str = "",
    ) -> Number:
        """Change what is given."""
        given = {"destination": destination, "name": name, "language": language}
        row = attrs.evolve(self._known(pattern), **{key: value for key, value in given.items() if value is not None})
        row = self.checked(row)
        change = update(tables.number).where(tables.number.c.pattern == pattern).values(attrs.asdict(row))
        await self._commit(_changed(row, by), change)
        self._rows[pattern] = row
        return row

    async def remove(self, pattern: str, *, by: str = "") -> None:
        """Take a number away; calls that are up go on."""
        self._known(pattern)
        await self._commit(NumberRemoved(pattern, by), delete(tables.number).where(tables.number.c.pattern == pattern))
        self._rows.pop(pattern, None)

    def replacement(self, rows: Mapping[str, Number]) -> Replacement:
        """All rows made those given (checked), as part of a greater change."""

        def settle() -> None:
            self._rows = dict(rows)

        values = [attrs.asdict(row) for row in rows.values()]
        inserts: list[Executable] = [insert(tables.number).values(values)] if values else []
        return Replacement((delete(tables.number), *inserts), settle)

    def checked(self, row: Number) -> Number:
        """The row. Raises ``ValueError`` saying what is allowed."""
        if not _PATTERN.fullmatch(row.pattern):
            raise ValueError(f"number {row.pattern!r} must be 1 to 24 digits, * and #; a * at the end makes a prefix")
        found = _DESTINATION.fullmatch(row.destination)
        services = sorted(self.services())
        if found is None or (services and found[1] not in services):
            allowed = f" (services: {', '.join(services)})" if services else ""
            raise ValueError(
                f"number {row.pattern}: destination {row.destination!r} must be SERVICE:ARGUMENT, such as"
                f" queue:service{allowed}"
            )
        rules.check_language(row.language)
        if len(row.name) > 100:
            raise ValueError(f"number {row.pattern}: the name must have at most 100 characters")
        return row

    def _known(self, pattern: str) -> Number:
        if pattern not in self._rows:
            raise LookupError(f"there is no number {pattern}")
        return self._rows[pattern]

    async def _commit(self, event: Event, change: Executable) -> None:
        """On the disk first, in memory then."""
        await self._events.commit(event, changes=[change])


def _changed(row: Number, by: str) -> NumberChanged:
    return NumberChanged(row.pattern, row.destination, row.name, row.language, by)
