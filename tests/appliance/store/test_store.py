"""The store: order, grouping, failures, and what is on the disk when the process is killed."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from appliance.store.store import Insertion, Store, StoreError
from appliance.store.tables import contact, leg, number


def with_store(tmp_path: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(tmp_path / "a" / "onecall.db")
        try:
            async with asyncio.timeout(10):
                await work(store)
        finally:
            await store.close()

    asyncio.run(main())


def new(name: str, at: float = 1.0) -> Insertion:
    return Insertion(contact, {"id": name, "offered_at": at})


async def names(store: Store) -> list[str]:
    return [row["id"] for row in await store.rows(select(contact.c.id).order_by(contact.c.id))]


def test_what_was_saved_before_is_seen_without_awaiting_it(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        store.save(insert(contact).values(id="c1", offered_at=1.0))
        store.save(update(contact).where(contact.c.id == "c1").values(caller="13800138000", cause=16))
        [row] = await store.rows(select(contact))
        assert (row["caller"], row["cause"], row["talked"]) == ("13800138000", 16, False)

    with_store(tmp_path, work)


def test_what_waits_goes_in_one_commit_and_in_order(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        store.save(insert(number).values(pattern="95001", destination="d0"))
        for n in range(1, 101):
            store.save(update(number).where(number.c.destination == f"d{n - 1}").values(destination=f"d{n}"))
        await store.save()
        [row] = await store.rows(select(number.c.destination))
        assert row["destination"] == "d100"
        assert store.commits == 1

    with_store(tmp_path, work)


def test_a_failing_change_undoes_its_save_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(store: Store) -> None:
        before = store.save(new("c1"))
        failing = store.save(
            insert(contact).values(id="c2", offered_at=2.0), insert(contact).values(id="c1", offered_at=3.0)
        )
        after = store.save(new("c3"))
        await asyncio.gather(before, after)
        with pytest.raises(IntegrityError):
            await failing
        assert await names(store) == ["c1", "c3"]
        assert store.failed == 1
        assert "UNIQUE" in store.failure
        assert "insert contact" in caplog.text

    with_store(tmp_path, work)


@pytest.mark.parametrize("value", [1 << 70, "lone \udcff surrogate", object()])
def test_a_value_that_the_database_cannot_keep_does_not_stop_the_writer(tmp_path: Path, value: object) -> None:
    async def work(store: Store) -> None:
        failing = store.save(insert(contact).values(id="c1", offered_at=1.0, caller=value))
        await store.save(new("c2"))
        with pytest.raises(Exception, match=r"."):
            await failing
        assert await names(store) == ["c2"]

    with_store(tmp_path, work)


def test_nobody_need_await_a_failure(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        store.save(new("c1"), new("c1"))
        await store.save()
        assert (store.failed, told) == (1, [])

    with_store(tmp_path, work)


def test_a_cancelled_caller_does_not_undo_what_he_saved(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        async def call() -> None:
            await store.save(new("c1"))

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.save(new("c2"))
        assert await names(store) == ["c1", "c2"]

    with_store(tmp_path, work)


def test_a_leg_needs_its_contact_and_goes_with_it(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        row = {"id": "l1", "contact": "c1", "line": "e1", "incoming": True, "started_at": 1.0}
        orphan = store.save(insert(leg).values(row))
        await store.save(new("c1"))
        with pytest.raises(IntegrityError):
            await orphan
        await store.save(insert(leg).values(row))
        await store.save(delete(contact))
        assert await store.rows(select(leg)) == []

    with_store(tmp_path, work)


def test_secrets_are_not_in_errors_or_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(store: Store) -> None:
        row = {"id": "l1", "contact": "secret4711", "line": "e1", "incoming": True, "started_at": 1.0}
        failing = store.save(insert(leg).values(row))
        with pytest.raises(IntegrityError) as error:
            await failing
        assert "secret4711" not in str(error.value) + caplog.text

    with_store(tmp_path, work)


def test_the_database_is_told_to_keep_what_it_commits(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        async def pragma(name: str) -> object:
            rows: list[RowMapping] = await store.rows(text(f"PRAGMA {name}"))
            return next(iter(rows[0].values()))

        assert await pragma("journal_mode") == "wal"
        assert await pragma("synchronous") == 2
        assert await pragma("foreign_keys") == 1

    with_store(tmp_path, work)


def test_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await store.save(new("c1"))
        files = [tmp_path / "a" / f"onecall.db{end}" for end in ("", "-wal", "-shm", ".lock")]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 4

    with_store(tmp_path, work)


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    async def main() -> None:
        store = await Store.open(tmp_path / "onecall.db")
        for n in range(1200):
            store.save(new(f"c{n}"))
        await store.close()
        with pytest.raises(StoreError, match="closed"):
            store.save(new("late"))
        again = await Store.open(tmp_path / "onecall.db")
        [row] = await again.rows(select(func.count().label("n")).select_from(contact))
        assert row["n"] == 1200
        await again.close()

    asyncio.run(main())


def test_a_second_process_is_told_that_the_store_is_in_use(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        code = (
            "import asyncio, sys; from pathlib import Path; from appliance.store.store import Store, StoreError\n"
            "try: asyncio.run(Store.open(Path(sys.argv[1])))\n"
            "except StoreError as error: print(error)"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(tmp_path / "a" / "onecall.db"), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert b"in use by another process" in said

    with_store(tmp_path, work)


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/onecall\.db: cannot be opened"):
        asyncio.run(Store.open(tmp_path / "file" / "onecall.db"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "onecall.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreError, match=r"onecall\.db.*not a database"):
        asyncio.run(Store.open(tmp_path / "onecall.db"))


_WRITER = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import insert
from appliance.events.log import EventLog
from appliance.events.types import ServiceEntered
from appliance.store.store import Store
from appliance.store.tables import contact

async def main():
    store = await Store.open(Path(sys.argv[1]))
    log = await EventLog.open(store)
    for n in range(1, 1_000_000):
        change = insert(contact).values(id=f"c{n}", offered_at=float(n))
        row = log.append(ServiceEntered(f"queue:{n}"), f"c{n}", [change])
        if n % 20 == 0:
            await log.flushed()
            print(row.id, flush=True)

asyncio.run(main())
"""


def test_after_kill_9_every_event_up_to_the_last_commit_is_there_with_its_change(tmp_path: Path) -> None:
    database = tmp_path / "onecall.db"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(database)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    promised = 0
    while promised < 400:
        promised = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    promised = max([promised, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()

    connection = sqlite3.connect(database)
    query = "select id, contact, json_extract(data, '$.destination') from event order by id"
    events = connection.execute(query).fetchall()
    contacts = {name for (name,) in connection.execute("select id from contact")}
    connection.close()
    assert len(events) >= promised
    assert events == [(n, f"c{n}", f"queue:{n}") for n in range(1, len(events) + 1)]
    assert contacts == {f"c{n}" for n in range(1, len(events) + 1)}


def test_saves_that_nobody_waits_for_share_a_commit_with_those_that_soon_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Store) -> None:
        first = store.save(new("c1"))
        await asyncio.sleep(0.01)
        second = store.save(new("c2"))
        await asyncio.gather(first, second)
        assert store.commits == 1

    monkeypatch.setattr("appliance.store.store.GROUP_S", 1.0)
    with_store(tmp_path, work)


def test_who_looks_does_not_wait_for_others_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(store: Store) -> None:
        for n in range(3):
            store.save(new(f"c{n}"))
            assert len(await names(store)) == n + 1

    monkeypatch.setattr("appliance.store.store.GROUP_S", 3600.0)
    with_store(tmp_path, work)
