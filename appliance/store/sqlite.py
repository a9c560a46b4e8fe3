"""All that is SQLite and nothing else in the store: pragmas, how a transaction begins, and the lock on the file.

Another database means another file like this one; the tables and statements stay.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

#: What every connection is told. FULL with WAL: one fsync a commit, and a commit survives a power cut.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)


def url(path: Path, *, asynchronous: bool) -> URL:
    """Where the database is, for the event loop or (migrations) for a plain thread."""
    return URL.create("sqlite+aiosqlite" if asynchronous else "sqlite", database=str(path))


def dump_json(value: Any) -> str:
    """JSON as it is stored: Chinese as it is read, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def prepare(engine: Engine) -> None:
    """Give every connection the pragmas, and make transactions and savepoints real.

    Python's sqlite3 begins transactions by itself, and not before SAVEPOINT or DDL; so that is switched off and
    BEGIN is sent when SQLAlchemy begins.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def make_private(path: Path) -> None:
    """Make the file, when it is not there, readable by its owner alone (it has PINs' hashes and phones' HA1)."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def copy(database: Path, target: Path) -> None:
    """A whole copy of a database that may be in use (SQLite's online backup), of the same owner, for him alone.

    It appears under its name when it is on the disk. Raises ``OSError`` and ``sqlite3.Error``.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    make_private(part)
    try:
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(part)) as made,
        ):
            source.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        with part.open("rb") as file:
            os.fsync(file.fileno())
        keep_owner(part, database)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def keep_owner(path: Path, like: Path) -> None:
    """Give a file that root has made to whom another belongs: the service is not root."""
    if os.geteuid() == 0:
        state = like.stat()
        os.chown(path, state.st_uid, state.st_gid)


class FileLock:
    """Held while a process has the store open: two would number events twice. Gone when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the database at ``path``. Raises ``BlockingIOError`` when another process holds it."""
        self._file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let it go."""
        os.close(self._file)
