"""Before a database is migrated it is kept as it was; one that a newer version wrote is left alone."""

import logging
import sqlite3
import stat
from pathlib import Path

import pytest

from appliance.store import copies, sqlite
from appliance.store.migrations import MigrationError, check, upgrade
from tests.appliance.store.test_migrations import revision, tables


def older(path: Path, folder: Path) -> Path:
    """A database of the version before: the core's tables, the plugin's first revision, and a row in each."""
    revision(folder, "shop_0001", None, "op.create_table('shop_item', sa.Column('name', sa.String))", "shop")
    upgrade(path, [folder])
    with sqlite3.connect(path) as connection:
        connection.execute("insert into shop_item values ('tea')")
        connection.execute("insert into agent (number, name) values ('1001', '王芳')")
    connection.close()
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = list(connection.execute(query))
    connection.close()
    return found


@pytest.mark.requirement("A9.10")
def test_a_database_of_an_older_revision_is_kept_before_it_is_migrated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "shop"
    database = older(tmp_path / "onecall.db", folder)
    assert copies.kept(database) == []
    revision(folder, "shop_0002", "shop_0001", "op.add_column('shop_item', sa.Column('price', sa.Integer))")
    with caplog.at_level(logging.INFO):
        upgrade(database, [folder])
    [copy] = copies.kept(database)
    assert copy.name.startswith("onecall.db.before-")
    assert copy.name in caplog.text
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert rows(copy, "select * from shop_item") == [("tea",)]
    assert rows(copy, "select name from agent") == [("王芳",)]
    assert rows(database, "select * from shop_item") == [("tea", None)]
    upgrade(database, [folder])
    assert copies.kept(database) == [copy]


def test_a_new_database_is_not_copied(tmp_path: Path) -> None:
    upgrade(tmp_path / "onecall.db")
    assert [path.name for path in tmp_path.iterdir() if "before" in path.name] == []


def test_the_oldest_copies_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "onecall.db"
    upgrade(database)
    made = []
    for number in range(copies.KEPT + 2):
        monkeypatch.setattr(copies, "version", lambda _, number=number: f"0.{number}")
        made.append(copies.keep(database))
    assert sorted(copies.kept(database)) == sorted(made[-copies.KEPT :])


@pytest.mark.requirement("A9.10")
def test_what_a_newer_version_wrote_is_refused_untouched_and_told_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    database = older(tmp_path / "onecall.db", folder)
    revision(folder, "shop_0002", "shop_0001", "op.add_column('shop_item', sa.Column('price', sa.Integer))")
    upgrade(database, [folder])
    (folder / "shop_0002.py").unlink()
    before = database.read_bytes()
    for refuse in (upgrade, check):
        with pytest.raises(MigrationError, match=r"newer version .*shop_0002.*restore a backup.*before-"):
            refuse(database, [folder])
    assert database.read_bytes() == before


def test_without_a_copy_nothing_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shop"
    database = older(tmp_path / "onecall.db", folder)
    revision(folder, "shop_0002", "shop_0001", "op.drop_table('shop_item')")

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sqlite, "copy", full)
    with pytest.raises(MigrationError, match=r"no copy of it can be kept: .*No space left"):
        upgrade(database, [folder])
    assert "shop_item" in tables(database)


def test_a_copy_is_whole_while_the_database_is_written(tmp_path: Path) -> None:
    database = tmp_path / "onecall.db"
    upgrade(database)
    writer = sqlite3.connect(database)
    writer.execute("insert into agent (number, name) values ('1001', 'kept')")
    writer.commit()
    writer.execute("insert into agent (number, name) values ('1002', 'not yet')")
    sqlite.copy(database, tmp_path / "copy.db")
    writer.rollback()
    writer.close()
    assert rows(tmp_path / "copy.db", "select number from agent") == [("1001",)]
    assert rows(tmp_path / "copy.db", "pragma integrity_check") == [("ok",)]
