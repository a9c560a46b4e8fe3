"""Copies of the database from before it was migrated: the way back when a new version has to be taken off again."""

from __future__ import annotations

import logging
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from appliance.store import sqlite

log = logging.getLogger(__name__)

#: The newest so many are kept.
KEPT = 3


def keep(database: Path) -> Path:
    """Copy the database beside itself as ``NAME.before-VERSION-TIME`` and remove copies that are too many; the copy.

    VERSION is the one that is about to migrate it. Raises ``OSError`` and ``sqlite3.Error``: then nothing may be
    migrated.
    """
    made = database.with_name(f"{database.name}.before-{version('onecall')}-{datetime.now():%Y%m%dT%H%M%S}")
    sqlite.copy(database, made)
    log.warning("%s is migrated to the tables of version %s; it is kept as it was: %s", database, version("onecall"),
                made.name)  # fmt: skip
    for old in kept(database)[KEPT:]:
        old.unlink(missing_ok=True)
        log.info("removed the oldest copy %s (%d are kept)", old.name, KEPT)
    return made


def kept(database: Path) -> list[Path]:
    """The copies there are, the newest first."""
    found = [path for path in database.parent.glob(f"{database.name}.before-*") if not path.name.endswith(".part")]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
