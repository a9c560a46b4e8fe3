"""The store: one writer that groups what waits into one commit, and readers beside it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import Executable, RowMapping, Table, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from appliance.store import sqlite
from appliance.store.migrations import MigrationError, upgrade

log = logging.getLogger(__name__)

#: At most so many saves in one transaction: a long queue must not make one commit endless.
MAX_GROUP = 500
#: The first save waits so long for others to share its commit, unless somebody wants to see it (seconds).
GROUP_S = 0.05


class StoreError(Exception):
    """The store cannot be opened or is closed; the text says why."""


@frozen
class Insertion:
    """One new row of a table that nothing else in flight changes (events): a group's rows are sent to it together."""

    table: Table
    values: Mapping[str, Any]


Change = Executable | Insertion


@frozen
class _Save:
    changes: tuple[Change, ...]
    done: asyncio.Future[None]


class Store:
    """A database file, open. Made by ``Store.open``; belongs to one event loop."""

    def __init__(self, engine: AsyncEngine, connection: AsyncConnection, lock: sqlite.FileLock) -> None:
        """Use ``open``."""
        self._engine = engine
        self._connection = connection
        self._lock = lock
        self._waiting: asyncio.Queue[_Save] = asyncio.Queue()
        self._hurry = asyncio.Event()
        self._last: asyncio.Future[None] | None = None
        self._inserts: dict[Table, Executable] = {}
        self._writer = asyncio.create_task(self._write(), name="store writer")
        self._closed = False
        #: Transactions committed, changes that failed, and the reason of the last failure.
        self.commits = 0
        self.failed = 0
        self.failure = ""

    @classmethod
    async def open(cls, path: Path, migrations: Sequence[Path] = ()) -> Store:
        """Open the database at ``path`` (made when missing, as its folder is), brought to this version's tables first.

        ``migrations`` are the plugins' folders of revisions. Raises ``StoreError``.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            sqlite.make_private(path)
            lock = sqlite.FileLock(path)
        except BlockingIOError:
            raise StoreError(f"{path}: is in use by another process; stop that one first") from None
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened: {error.strerror}") from None
        try:
            await asyncio.to_thread(upgrade, path, migrations)
            engine = create_async_engine(
                sqlite.url(path, asynchronous=True),
                json_serializer=sqlite.dump_json,
                poolclass=AsyncAdaptedQueuePool,  # what SQLAlchemy takes by itself from 2.0.38 on
                pool_size=3,
                max_overflow=0,
                hide_parameters=True,
            )
            sqlite.prepare(engine.sync_engine)
            return cls(engine, await engine.connect(), lock)
        except (MigrationError, SQLAlchemyError) as error:
            lock.release()
            raise StoreError(str(error)) from error

    @property
    def waiting(self) -> int:
        """Saves that wait for the writer."""
        return self._waiting.qsize()

    def save(self, *changes: Change) -> asyncio.Future[None]:
        """Queue changes that belong together; they happen all or not at all, after everything saved before.

        Need not be awaited: the future is done when they are on the disk. When one fails, this save alone is undone,
        counted and logged, and the future has the error. Without changes: all saved before goes to the disk now.
        """
        if self._closed:
            raise StoreError("the store is closed")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Save(changes, done))
        if not changes or self._waiting.qsize() >= MAX_GROUP:
            self._hurry.set()
        self._last = done
        return done

    async def rows(self, query: Executable) -> list[RowMapping]:
        """What a query finds, seeing everything that was saved before the call."""
        if self._last is not None and not self._last.done():
            await self.save()
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).mappings())

    async def close(self) -> None:
        """Write what waits, and close."""
        if self._closed:
            return
        last = self.save()
        self._closed = True
        await last
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._connection.close()
        await self._engine.dispose()
        self._lock.release()

    async def _write(self) -> None:
        while True:
            group = [await self._waiting.get()]
            await self._let_gather()
            while len(group) < MAX_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            if self._waiting.empty():
                self._hurry.clear()
            try:
                await self._commit_together(group)
            except Exception:  # noqa: BLE001  (also what sqlite3 throws unwrapped: a number over 64 bits, a lone surrogate)
                await self._commit_apart(group)
            for save in group:
                if not save.done.done():  # cancelled with the one who waited for it, or failed
                    save.done.set_result(None)

    async def _let_gather(self) -> None:
        if not self._hurry.is_set():
            try:
                async with asyncio.timeout(GROUP_S):
                    await self._hurry.wait()
            except TimeoutError:
                return

    async def _commit_together(self, group: Sequence[_Save]) -> None:
        """The fast way: all as one, no savepoints; the first error undoes the group."""
        changes = [change for save in group for change in save.changes]
        if not changes:
            return
        async with self._connection.begin():
            for statement, values in self._batches(changes):
                await self._connection.execute(statement, values)
        self.commits += 1

    async def _commit_apart(self, group: Sequence[_Save]) -> None:
        """The careful way after an error: each save in a savepoint of its own."""
        try:
            async with self._connection.begin():
                for save in group:
                    try:
                        async with self._connection.begin_nested():
                            for statement, values in self._batches(save.changes):
                                await self._connection.execute(statement, values)
                    except Exception as error:  # noqa: BLE001  (whatever a change throws is its own failure)
                        self._fail(save, error)
            self.commits += 1
        except Exception as error:  # noqa: BLE001  (the disk is full or gone: nothing of the group was kept)
            for save in group:
                self._fail(save, error)

    def _batches(self, changes: Sequence[Change]) -> Iterator[tuple[Executable, list[Mapping[str, Any]] | None]]:
        """Statements in their order, then the insertions, one statement a table with all its rows."""
        rows: dict[Table, list[Mapping[str, Any]]] = defaultdict(list)
        for change in changes:
            if isinstance(change, Insertion):
                rows[change.table].append(change.values)
            else:
                yield change, None
        for table, values in rows.items():
            yield self._inserts.setdefault(table, insert(table)), values

    def _fail(self, save: _Save, error: Exception) -> None:
        self.failed += 1
        self.failure = str(getattr(error, "orig", None) or error)
        log.error("a change was not saved: %s: %s", self.failure, [_name(change) for change in save.changes])
        if not save.done.done():
            save.done.set_exception(error)
            save.done.exception()  # seen: it is logged here, whether or not anybody awaits it


def _name(change: Change) -> str:
    """What a change is about, without its values (they may be secret)."""
    if isinstance(change, Insertion):
        return f"insert {change.table.name}"
    table = getattr(change, "table", None)
    return f"{type(change).__name__.lower()} {getattr(table, 'name', '')}".strip()
