"""Bringing a database to the tables that this version of the code knows.

The core and each plugin have a folder of Alembic revisions and a version table of their own (``version_core``,
``version_acd``: the branch label of the folder's first revision, else its id). So a plugin can be switched off and on
again without its revisions being missed, and no folder can hold up another. The core's folder always runs first.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from appliance.store import copies, sqlite

_HERE = Path(__file__).parent
CORE = _HERE / "versions"


class MigrationError(Exception):
    """The database cannot be brought to this version's tables; the text says why and what to do."""


def upgrade(database: Path, folders: Sequence[Path] = ()) -> None:
    """Migrate the database file (made when missing): the core, then each plugin's folder. Blocks; own connection.

    A database that has tables is copied before the first of them is changed. Raises ``MigrationError``: a newer
    OneCall wrote it, a folder is no branch, the copy cannot be made, a revision failed (it is rolled back).
    """
    engine = create_engine(sqlite.url(database, asynchronous=False), hide_parameters=True)
    sqlite.prepare(engine)
    folder = CORE
    try:
        behind = []
        for folder in (CORE, *folders):
            with engine.connect() as connection:
                if _behind(connection, folder, database):
                    behind.append(folder)
                used = bool(inspect(connection).get_table_names())
        if behind and used:
            _keep(database)
        for folder in behind:
            with engine.connect() as connection:
                _upgrade(connection, folder, database)
                connection.commit()
    except SQLAlchemyError as error:
        raise MigrationError(f"{database}: {folder}: {error}") from error
    finally:
        engine.dispose()


def check(database: Path, folders: Sequence[Path] = ()) -> None:
    """Raise ``MigrationError`` when the database cannot be brought to this version's tables; it is not changed."""
    engine = create_engine(sqlite.url(database, asynchronous=False), hide_parameters=True)
    try:
        with engine.connect() as connection:
            for folder in (CORE, *folders):
                _behind(connection, folder, database)
    except SQLAlchemyError as error:
        raise MigrationError(f"{database}: {error}") from error
    finally:
        engine.dispose()


def _keep(database: Path) -> None:
    try:
        copies.keep(database)
    except (OSError, sqlite3.Error) as error:
        raise MigrationError(f"{database}: is not migrated, because no copy of it can be kept: {error}") from error


def current(connection: Connection, folder: Path) -> tuple[str, ...]:
    """The revisions of a folder that the database has reached."""
    table = version_table(_script(folder))
    return MigrationContext.configure(connection, opts={"version_table": table}).get_current_heads()


def version_table(script: ScriptDirectory) -> str:
    """The table in which a folder's revision is kept. Raises ``MigrationError`` unless it has exactly one base."""
    try:
        bases = script.get_bases()
    except CommandError as error:
        raise MigrationError(f"{script.version_locations}: {error}") from error
    if len(bases) != 1:
        raise MigrationError(
            f"{script.version_locations}: has {len(bases)} revisions without down_revision, must have one to begin with"
        )
    base = script.get_revision(bases[0])
    label = next(iter(sorted(base.branch_labels)), base.revision) if base else bases[0]
    return f"version_{label}"


def _behind(connection: Connection, folder: Path, database: Path) -> bool:
    """Whether the folder has revisions that the database has not. Raises ``MigrationError`` when it has newer ones."""
    script = _script(folder)
    table = version_table(script)
    known = {revision.revision for revision in script.walk_revisions()}
    reached = current(connection, folder)
    if newer := sorted(set(reached) - known):
        found = copies.kept(database)
        copy = f" (the newest copy from before a migration: {found[0]})" if found else ""
        raise MigrationError(
            f"{database}: was written by a newer version ({table} is at {', '.join(newer)}, this one knows up"
            f" to {', '.join(script.get_heads())}); install that version again or restore a backup from before it{copy}"
        )
    return set(reached) != set(script.get_heads())


def _upgrade(connection: Connection, folder: Path, database: Path) -> None:
    config = _config(folder)
    config.attributes.update(connection=connection, version_table=version_table(_script(folder)))
    try:
        command.upgrade(config, "heads")
    except CommandError as error:
        raise MigrationError(f"{database}: {folder}: {error}") from error


def _script(folder: Path) -> ScriptDirectory:
    if not folder.is_dir():
        raise MigrationError(f"{folder}: no such folder of migrations")
    return ScriptDirectory.from_config(_config(folder))


def _config(folder: Path) -> Config:
    config = Config()
    locations = {"script_location": _HERE, "version_locations": folder}
    for key, place in locations.items():
        config.set_main_option(key, str(place.resolve()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")  # the word since Alembic 1.16
    config.set_main_option("version_path_separator", "os")  # and before
    if os.pathsep in str(folder.resolve()):
        raise MigrationError(f"{folder}: a folder of migrations must not have {os.pathsep!r} in its path")
    return config
