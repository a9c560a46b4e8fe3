"""The event log: numbers, order, subscribers, and one transaction with the state that an event changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from appliance.events.log import EventLog
from appliance.events.types import ContactAdopted, ContactOffered, LegAnswered, PhoneRegistered, ServiceEntered
from appliance.store.store import Store
from appliance.store.tables import contact
from hw.journal import fields_of
from plugins.acd.events import QueueAbandoned


def with_log(tmp_path: Path, work: Callable[[Store, EventLog], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(tmp_path / "onecall.db")
        try:
            async with asyncio.timeout(10):
                await work(store, await EventLog.open(store, lambda: 1234.5))
        finally:
            await store.close()

    asyncio.run(main())


def test_an_event_is_numbered_at_once_and_stored_as_it_was(tmp_path: Path) -> None:
    async def work(_: Store, log: EventLog) -> None:
        event = ContactOffered("l1", "e1", 7, "95001", "13800138000", "王芳")
        row = log.append(event, "c1")
        assert (row.id, row.at, row.kind, row.contact) == (1, 1234.5, "contact.offered", "c1")
        assert row.data == {
            "leg": "l1", "line": "e1", "channel": 7, "called": "95001", "caller": "13800138000", "name": "王芳"
        }  # fmt: skip
        assert await log.rows() == [row]

    with_log(tmp_path, work)


@pytest.mark.requirement("A9.06")
def test_the_journal_has_a_call_s_events_by_contact_leg_and_queue_without_who_calls_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(_: Store, log: EventLog) -> None:
        log.append(ContactOffered("l1", "e1", 7, "95001", "13800138000", "王芳"), "c1")
        log.append(QueueAbandoned("service", 5200.04321), "c1")
        log.append(PhoneRegistered("8001", "192.0.2.1", ""))

    caplog.set_level(logging.INFO, "appliance.events")
    with_log(tmp_path, work)
    assert [(record.getMessage(), fields_of(record)) for record in caplog.records] == [
        ("contact.offered leg=l1 line=e1 channel=7", {"contact": "c1", "leg": "l1"}),
        ("queue.abandoned queue=service wait_ms=5200.0", {"contact": "c1", "queue": "service"}),
    ]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    async def first(_: Store, log: EventLog) -> None:
        log.append(ServiceEntered("menu:main"), "c1")
        log.append(ServiceEntered("queue:service"), "c1")

    async def second(_: Store, log: EventLog) -> None:
        assert log.last_id == 2
        assert log.append(ContactAdopted("l1", "talking"), "c1").id == 3
        assert [row.id for row in await log.rows()] == [1, 2, 3]

    with_log(tmp_path, first)
    with_log(tmp_path, second)


def test_the_event_and_the_change_are_saved_together_or_not_at_all(tmp_path: Path) -> None:
    async def work(store: Store, log: EventLog) -> None:
        change = insert(contact).values(id="c1", offered_at=1.0)
        log.append(ServiceEntered("menu:main"), "c1", [change])
        log.append(ServiceEntered("menu:twice"), "c1", [change])
        assert [row.data["destination"] for row in await log.rows()] == ["menu:main"]
        assert len(await store.rows(select(contact))) == 1
        assert store.failed == 1

    with_log(tmp_path, work)


def test_a_subscriber_gets_what_happens_after_he_came_of_the_kinds_he_wants(tmp_path: Path) -> None:
    async def work(_: Store, log: EventLog) -> None:
        log.append(ServiceEntered("before"), "c1")
        async with log.subscribe("service.") as services, log.subscribe() as everything:
            log.append(LegAnswered("l1", 3.0), "c1")
            log.append(ServiceEntered("after"), "c1")
            assert (await anext(services)).data == {"destination": "after"}
            assert [(await anext(everything)).kind for _ in range(2)] == ["leg.answered", "service.entered"]
        log.append(ServiceEntered("gone"), "c1")
        assert services.dropped == 0

    with_log(tmp_path, work)


def test_a_slow_subscriber_loses_the_oldest_and_it_is_counted(tmp_path: Path) -> None:
    async def work(_: Store, log: EventLog) -> None:
        async with log.subscribe(behind=3) as slow:
            for n in range(5):
                log.append(ServiceEntered(str(n)))
            assert slow.dropped == 2
            assert [(await anext(slow)).data["destination"] for _ in range(3)] == ["2", "3", "4"]

    with_log(tmp_path, work)


def test_a_waiting_subscriber_is_woken(tmp_path: Path) -> None:
    async def work(_: Store, log: EventLog) -> None:
        async with log.subscribe() as rows:
            waiting = asyncio.ensure_future(anext(rows))
            await asyncio.sleep(0)
            assert not waiting.done()
            log.append(ServiceEntered("now"))
            assert (await waiting).data == {"destination": "now"}

    with_log(tmp_path, work)


@pytest.mark.requirement("A9.06")
def test_events_are_found_by_number_kind_family_and_contact(tmp_path: Path) -> None:
    async def work(_: Store, log: EventLog) -> None:
        log.append(ServiceEntered("a"), "c1")
        log.append(LegAnswered("l1", 1.0), "c1")
        log.append(ServiceEntered("b"), "c2")
        log.append(PhoneRegistered("8001", "10.0.0.9:5060", "phone"))

        async def ids(**what: object) -> list[int]:
            return [row.id for row in await log.rows(**what)]  # type: ignore[arg-type]

        assert await ids(after=1) == [2, 3, 4]
        assert await ids(kind="service.entered") == [1, 3]
        assert await ids(kind="service.") == [1, 3]
        assert await ids(kind="service") == []
        assert await ids(contact="c1") == [1, 2]
        assert await ids(limit=2) == [1, 2]
        assert [row.id for row in await log.tail(limit=2)] == [3, 4]
        assert [row.id for row in await log.tail("service.", limit=1)] == [3]

    with_log(tmp_path, work)
