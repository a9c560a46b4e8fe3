"""Checks of the service: does it answer, are its three processes there, is its store sound."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from appliance.api.locale import Translate
from appliance.api.types import Status
from appliance.findings import Finding, State
from appliance.store import copies, migrations
from appliance.store.migrations import MigrationError

#: Figures of a process older than this are a process that hangs.
_OLD_S = 10.0


def processes(status: Status, _: Translate) -> Iterator[Finding]:
    """The three processes, alarms, trunks, and changes that could not be saved."""
    for process in status.processes:
        name = f"process.{process.process}"
        todo = _("journalctl -u onecall-{} says why").format(process.process)
        if not process.up:
            yield Finding(name, "fail", _("away"), todo)
        elif process.age_s > _OLD_S:
            yield Finding(name, "warn", _("silent for {:.0f} s").format(process.age_s), todo)
        else:
            yield Finding(name, "ok", _("up, PID {}").format(process.pid))
    for alarm in status.alarms:
        yield Finding("alarm", "warn", alarm)
    state: State = "ok" if status.trunks_up == status.trunks else "fail"
    todo = "" if state == "ok" else _("onecall trunks tells which; look at the cable and at the exchange")
    yield Finding("lines.up", state, _("{} of {} trunks are up").format(status.trunks_up, status.trunks), todo)
    if failed := status.store.get("failed", 0):
        todo = _("journalctl -u onecall-control says which")
        yield Finding("store.saved", "warn", _("{} changes could not be saved").format(failed), todo)


def store(database: Path, folders: list[Path], _: Translate) -> Iterator[Finding]:
    """The file: there, of a version that we know, whole, and writable."""
    if not database.exists():
        yield Finding("store.file", "warn", _("{} is not there; the first start makes it").format(database))
        return
    if not os.access(database, os.R_OK | os.W_OK):
        todo = _("run the doctor as root")
        yield Finding("store.file", "warn", _("{}: this user may not look into it").format(database), todo)
        return
    restore = _("restore a backup: onecall restore FILE")
    try:
        migrations.check(database, folders)
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=5)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            connection.execute("BEGIN IMMEDIATE")  # a lock to write: the disk and the rights allow it
            connection.rollback()
    except MigrationError as error:
        yield Finding("store.file", "fail", str(error), restore)
    except sqlite3.Error as error:
        yield Finding("store.file", "fail", f"{database}: {error}", restore)
    else:
        kept = len(copies.kept(database))
        found = _("{}: sound and writable; {} copies from before migrations").format(database, kept)
        yield Finding("store.file", "ok", found) if said == "ok" else Finding("store.file", "fail", said, restore)
