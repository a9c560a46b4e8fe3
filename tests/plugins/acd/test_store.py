"""The plugin's table and its migrations agree; the state of an agent is one row while he is logged in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from appliance.store.store import Store
from plugins.acd import plugin, store
from plugins.acd.words import Restored, StateChanged


def changed(state: str, reason: str = "", contact: str = "", queue: str = "") -> StateChanged:
    return StateChanged("1001", "8001", state, reason, contact, queue, "free", 1.0)  # type: ignore[arg-type]


def test_the_table_is_what_the_migrations_make(tmp_path: Path) -> None:
    async def main() -> None:
        await (await Store.open(tmp_path / "a.db", [plugin.onecall_migrations()])).close()

    asyncio.run(main())
    with create_engine(f"sqlite:///{tmp_path / 'a.db'}").connect() as connection:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name == "acd_agent_state"}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), store.metadata) == []


def test_an_agent_is_restored_as_he_was(tmp_path: Path) -> None:
    async def main() -> None:
        opened = await Store.open(tmp_path / "a.db", [plugin.onecall_migrations()])
        for change, row in (
            (changed("paused", "meal"), Restored("1001", "8001", "paused", 7.0, "meal")),
            (changed("paused", "phone"), Restored("1001", "8001", "free", 7.0)),
            (changed("ringing", contact="c", queue="q"), Restored("1001", "8001", "free", 7.0)),
            (changed("held", contact="c", queue="q"), Restored("1001", "8001", "talking", 7.0, "", "c", "q")),
        ):
            await opened.save(*store.changes(change, 7.0))
            assert await store.restored(opened) == [row]
        await opened.save(*store.changes(changed("out"), 8.0))
        assert await store.restored(opened) == []
        await opened.close()

    asyncio.run(main())
