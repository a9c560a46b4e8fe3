"""The event log: every event gets its number, reaches whoever listens, and is saved with the state it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from cattrs.preconf.json import make_converter
from sqlalchemy import Executable, RowMapping, Select, func, select

from appliance.api.types import EventRow
from appliance.events.types import Event
from appliance.store.store import Insertion, Store
from appliance.store.tables import event as event_table

log = logging.getLogger(__name__)

#: Events that one subscriber may be behind before his oldest are dropped.
MAX_BEHIND = 10_000
#: Events that one query gives at most.
MAX_ROWS = 10_000
#: Who calls whom stays in the store, where it is deleted in time; the system's journal is not ours to keep.
_PERSONAL = {"caller", "called", "number", "name", "to"}

_converter = make_converter()
_COLUMNS = tuple(event_table.c[name] for name in ("id", "at", "kind", "contact", "data"))


class Subscription:
    """The events from entering on, in order: ``async with log.subscribe("contact.") as rows: async for row in …``."""

    def __init__(self, subscriptions: set[Subscription], kinds: str, behind: int) -> None:
        """Use ``EventLog.subscribe``."""
        self._subscriptions = subscriptions
        self._kinds = kinds
        self._queue: deque[EventRow] = deque(maxlen=behind)
        self._some = asyncio.Event()
        #: Events that were not delivered because the subscriber was too far behind.
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._subscriptions.add(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._subscriptions.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventRow:
        while not self._queue:
            self._some.clear()
            await self._some.wait()
        return self._queue.popleft()

    def offer(self, row: EventRow) -> None:
        """Take an event if it is of the kinds subscribed to; the oldest goes when there is no room."""
        if row.kind.startswith(self._kinds):
            self.dropped += len(self._queue) == self._queue.maxlen
            self._queue.append(row)
            self._some.set()


class EventLog:
    """The one place where events are numbered. Made by ``EventLog.open``."""

    def __init__(self, store: Store, last_id: int, now: Callable[[], float]) -> None:
        """Use ``open``."""
        self._store = store
        self._now = now
        self._last_id = last_id
        self._subscriptions: set[Subscription] = set()

    @classmethod
    async def open(cls, store: Store, now: Callable[[], float] = time.time) -> EventLog:
        """The log of a store; numbers go on after the last one saved. ``now`` is the wall clock."""
        [row] = await store.rows(select(func.max(event_table.c.id).label("last")))
        return cls(store, row["last"] or 0, now)

    @property
    def last_id(self) -> int:
        """The number of the newest event."""
        return self._last_id

    def append(self, event: Event, contact: str = "", changes: Sequence[Executable] = ()) -> EventRow:
        """Number an event, tell the subscribers, and queue it to be saved in one transaction with ``changes``.

        Does not block. When a change cannot be saved, neither is the event: counted and logged by the store.
        """
        return self._append(event, contact, changes)[0]

    async def commit(self, event: Event, contact: str = "", changes: Sequence[Executable] = ()) -> EventRow:
        """``append``, and wait until it is on the disk; raises what the database says against ``changes``."""
        row, saved = self._append(event, contact, changes)
        await asyncio.gather(saved, self.flushed())
        return row

    def _append(
        self, event: Event, contact: str, changes: Sequence[Executable]
    ) -> tuple[EventRow, asyncio.Future[None]]:
        data: dict[str, Any] = _converter.unstructure(event)
        self._last_id += 1
        row = EventRow(self._last_id, self._now(), event.kind, contact, data)
        values = {"id": row.id, "at": row.at, "kind": row.kind, "contact": contact, "data": data}
        saved = self._store.save(*changes, Insertion(event_table, values))
        for subscription in tuple(self._subscriptions):
            subscription.offer(row)
        if contact:
            about = {"contact": contact} | {field: str(data[field]) for field in ("leg", "queue") if field in data}
            log.info("%s", _said(row.kind, data), extra=about)
        return row, saved

    def flushed(self) -> asyncio.Future[None]:
        """Done when all that was appended is on the disk."""
        return self._store.save()

    def subscribe(self, kinds: str | None = None, behind: int = MAX_BEHIND) -> Subscription:
        """Events whose kind begins with ``kinds`` (all without), at most ``behind`` waiting."""
        return Subscription(self._subscriptions, kinds or "", behind)

    async def rows(self, after: int = 0, kind: str = "", contact: str = "", limit: int = 200) -> list[EventRow]:
        """Saved events numbered over ``after``, oldest first; of a kind (``contact.``: its family), of a contact."""
        query = _of(kind, contact).where(event_table.c.id > after).order_by(event_table.c.id)
        return [_row(found) for found in await self._store.rows(query.limit(min(limit, MAX_ROWS)))]

    async def tail(self, kind: str = "", contact: str = "", limit: int = 200) -> list[EventRow]:
        """The newest saved events of a kind and contact, oldest first."""
        query = _of(kind, contact).order_by(event_table.c.id.desc())
        return [_row(found) for found in reversed(await self._store.rows(query.limit(min(limit, MAX_ROWS))))]


def _said(kind: str, data: Mapping[str, Any]) -> str:
    """An event of a call as a line of the journal: ``queue.answered agent=1001 wait_ms=5200``."""
    told = {name: value for name, value in data.items() if name not in _PERSONAL and value not in ("", None)}
    return " ".join((kind, *(f"{k}={round(v, 1) if isinstance(v, float) else v}" for k, v in told.items())))


def _of(kind: str, contact: str) -> Select[Any]:
    query = select(*_COLUMNS)
    if kind.endswith("."):
        query = query.where(event_table.c.kind >= kind, event_table.c.kind < kind[:-1] + "/")  # "/" follows "."
    elif kind:
        query = query.where(event_table.c.kind == kind)
    if contact:
        query = query.where(event_table.c.contact == contact)
    return query


def _row(found: RowMapping) -> EventRow:
    return EventRow(found["id"], found["at"], found["kind"], found["contact"], found["data"])
