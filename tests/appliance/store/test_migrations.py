"""Migrations: they make the tables that the code knows, plugins have branches, and newer data is refused."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from appliance.store import sqlite
from appliance.store.migrations import CORE, MigrationError, current, upgrade
from appliance.store.store import Store, StoreError
from appliance.store.tables import metadata

_PLUGIN = '''
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}
branch_labels = {labels}
depends_on = None

def upgrade() -> None:
    {work}

def downgrade() -> None:
    pass
'''


def revision(folder: Path, name: str, down: str | None, work: str, label: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    labels = (label,) if label else None
    (folder / f"{name}.py").write_text(_PLUGIN.format(revision=name, down=repr(down), labels=repr(labels), work=work))


def tables(database: Path) -> set[str]:
    connection = sqlite3.connect(database)
    found = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    connection.close()
    return found


def schema(database: Path) -> dict[str, str]:
    """Every table and index but the version table, as the database was told to make it."""
    connection = sqlite3.connect(database)
    query = "select name, sql from sqlite_master where sql is not null and tbl_name <> 'version_core'"
    found = {name: " ".join(sql.split()) for name, sql in connection.execute(query)}
    connection.close()
    return found


def test_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    upgrade(tmp_path / "migrated.db")
    engine = create_engine(sqlite.url(tmp_path / "made.db", asynchronous=False))
    metadata.create_all(engine)
    engine.dispose()
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "made.db")


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    upgrade(tmp_path / "onecall.db")
    before = (tmp_path / "onecall.db").read_bytes()
    upgrade(tmp_path / "onecall.db")
    assert (tmp_path / "onecall.db").read_bytes() == before


def test_a_plugin_has_a_branch_of_its_own_and_may_be_switched_off(tmp_path: Path) -> None:
    database, folder = tmp_path / "onecall.db", tmp_path / "my plugin, 50%"
    make = 'op.create_table("memo", sa.Column("id", sa.Integer, primary_key=True))'
    revision(folder, "memo_0001", None, make, "memo")
    upgrade(database, [folder])
    assert {"memo", "version_memo", "version_core", "contact"} <= tables(database)

    upgrade(database)  # without it: nothing is missed
    revision(folder, "memo_0002", "memo_0001", 'op.add_column("memo", sa.Column("text", sa.String))')
    upgrade(database, [folder])
    engine = create_engine(sqlite.url(database, asynchronous=False))
    with engine.connect() as connection:
        assert current(connection, folder) == ("memo_0002",)
        assert current(connection, CORE) == ("core_0003",)
        assert {column["name"] for column in inspect(connection).get_columns("memo")} == {"id", "text"}
    engine.dispose()


def test_a_database_written_by_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "onecall.db"
    upgrade(database)
    connection = sqlite3.connect(database)
    connection.execute("update version_core set version_num = 'core_0999'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"onecall\.db: was written by a newer .*core_0999.*install that version"):
        asyncio.run(Store.open(database))
    upgraded = sqlite3.connect(database)
    assert upgraded.execute("select version_num from version_core").fetchall() == [("core_0999",)]
    upgraded.close()


def test_a_migration_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    database, folder = tmp_path / "onecall.db", tmp_path / "broken"
    work = 'op.create_table("half", sa.Column("id", sa.Integer)); op.execute("select * from nowhere")'
    revision(folder, "broken_0001", None, work, "broken")
    with pytest.raises(MigrationError, match="nowhere"):
        upgrade(database, [folder])
    assert "half" not in tables(database)
    assert "contact" in tables(database)


def test_a_folder_that_is_no_branch_is_named(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="none: no such folder"):
        upgrade(tmp_path / "onecall.db", [tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MigrationError, match=r"empty.*0 revisions without down_revision"):
        upgrade(tmp_path / "onecall.db", [tmp_path / "empty"])
