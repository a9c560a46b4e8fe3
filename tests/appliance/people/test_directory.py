"""Agents and seats: what is kept, who may log in, and that no secret is ever told."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.events.log import EventLog
from appliance.people import secrets
from appliance.people.directory import Agent, Directory, Seat
from appliance.people.lockout import LOCKED_S, MAX_NUMBERS, TRIES, Lockout
from appliance.store import tables
from appliance.store.store import Store


class Office:
    """A directory with the store under it and a clock that the test moves."""

    def __init__(self, store: Store, log: EventLog, people: Directory) -> None:
        self.store, self.log, self.people = store, log, people
        self.clock = [1000.0]

    async def again(self) -> Directory:
        return await Directory.open(self.store, self.log, "onecall")


def with_office(tmp_path: Path, work: Callable[[Office], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(tmp_path / "onecall.db")
        try:
            clock = [1000.0]
            log = await EventLog.open(store, lambda: clock[0])
            office = Office(store, log, await Directory.open(store, log, "onecall", lambda: clock[0]))
            office.clock = clock
            async with asyncio.timeout(10):
                await work(office)
        finally:
            await store.close()

    asyncio.run(main())


def test_agents_and_seats_are_there_after_a_restart(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.people.add_agent("1001", " 王芳 ", pin="4711", language="zh", by="root")
        await office.people.add_agent("1002", "李雷")
        await office.people.add_seat("8001", "a-password", display="席位一", outside=True)
        again = await office.again()
        assert again.agents() == [Agent("1001", "王芳", True, "zh"), Agent("1002", "李雷", False)]
        assert again.seats() == [Seat("8001", "席位一", True)]
        assert again.agent("1001") == office.people.agent("1001")
        assert again.agent("9999") is None
        assert again.seat("9999") is None
        assert await again.check_pin("1001", "4711")

    with_office(tmp_path, work)


def test_changes_hold_and_say_who_made_them(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.people.add_agent("1001", "王芳", pin="4711")
        await office.people.change_agent("1001", name="王小芳", pin="1234", by="alice")
        await office.people.add_seat("8001", "a-password")
        await office.people.change_seat("8001", outside=True, by="alice")
        again = await office.again()
        assert again.agent("1001") == Agent("1001", "王小芳", True)
        assert (await again.check_pin("1001", "1234"), await again.check_pin("1001", "4711")) == (True, False)
        assert again.seat("8001") == Seat("8001", "", True)
        assert again.ha1("8001") == hashlib.md5(b"8001:onecall:a-password").hexdigest()
        await again.remove_agent("1001", by="bob")
        await again.remove_seat("8001", by="bob")
        assert (again.agents(), again.seats(), again.ha1("8001")) == ([], [], "")
        assert [(row.kind, row.data["by"]) for row in await office.log.rows()] == [
            ("agent.changed", ""), ("agent.changed", "alice"), ("seat.changed", ""), ("seat.changed", "alice"),
            ("agent.removed", "bob"), ("seat.removed", "bob"),
        ]  # fmt: skip
        assert (await office.again()).agents() == []

    with_office(tmp_path, work)


def test_a_change_of_seats_is_announced(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        seen: list[list[str]] = []
        office.people.on_seats = lambda: seen.append([seat.account for seat in office.people.seats()])
        await office.people.add_seat("8001", "a-password")
        await office.people.change_seat("8001", password="another-one")
        await office.people.remove_seat("8001")
        assert seen == [["8001"], ["8001"], []]

    with_office(tmp_path, work)


def test_five_wrong_pins_lock_the_number_for_ten_minutes(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        people = office.people
        await people.add_agent("1001", "王芳", pin="4711")
        await people.add_agent("1002", "李雷", pin="4711")
        assert [await people.check_pin("1001", "0000") for _ in range(TRIES)] == [False] * TRIES
        assert not await people.check_pin("1001", "4711")
        assert await people.check_pin("1002", "4711")
        office.clock[0] += LOCKED_S - 1
        assert not await people.check_pin("1001", "4711")
        office.clock[0] += 1
        assert await people.check_pin("1001", "4711")
        [row] = await office.log.rows(kind="agent.locked")
        assert row.data == {"agent": "1001", "until": 1000.0 + LOCKED_S}

    with_office(tmp_path, work)


def test_while_a_pin_is_checked_calls_go_on_and_tries_side_by_side_do_not_get_past_the_lock_out(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.people.add_agent("1001", "王芳", pin="4711")
        turns = 0

        async def call() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        others = asyncio.create_task(call())
        tries = [office.people.check_pin("1001", pin) for pin in ("1", "2", "3", "4", "5", "4711")]
        assert not any(await asyncio.gather(*tries))
        assert turns > 100
        others.cancel()

    with_office(tmp_path, work)


def test_a_right_pin_ends_the_count_and_a_new_pin_unlocks(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        people = office.people
        await people.add_agent("1001", "王芳", pin="4711")
        for _ in range(3):
            assert not any([await people.check_pin("1001", "0000") for _ in range(TRIES - 1)])
            assert await people.check_pin("1001", "4711")
        for _ in range(TRIES):
            await people.check_pin("1001", "0000")
        assert people.pin_locked("1001")
        await people.change_agent("1001", pin="1234")
        assert await people.check_pin("1001", "1234")

    with_office(tmp_path, work)


@pytest.mark.parametrize("pin", ["", "47110", "471", "\ud800", "４７１１", "4711$"])
def test_only_the_pin_itself_matches(pin: str) -> None:
    assert not secrets.pin_matches(pin, secrets.hash_pin("4711"))


def test_who_has_no_pin_and_who_is_not_there_cannot_log_in(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.people.add_agent("1001", "王芳")
        assert [await office.people.check_pin(number, "") for number in ("1001", "9999")] == [False, False]

    with_office(tmp_path, work)


def test_secrets_are_neither_stored_nor_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(office: Office) -> None:
        await office.people.add_agent("1001", "王芳", pin="471147")
        await office.people.add_seat("8001", "pa55word-x")
        await office.people.check_pin("1001", "471147")
        await office.people.check_pin("1001", "999888")
        told = str(await office.log.rows()) + caplog.text
        kept = str(await office.store.rows(select(tables.agent))) + str(await office.store.rows(select(tables.seat)))
        for secret in ("471147", "pa55word-x", "999888"):
            assert secret not in told + kept

    caplog.set_level(logging.DEBUG)
    with_office(tmp_path, work)


def test_what_is_not_allowed_is_refused_with_a_sentence_and_changes_nothing(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        people = office.people
        await people.add_agent("1001", "王芳", pin="4711")
        await people.add_seat("8001", "a-password")
        for wrong, said in (
            (people.add_agent("1001", "again"), "agent 1001 exists already"),
            (people.add_agent("1o", "x"), "agent number '1o' must have 2 to 15 digits"),
            (people.add_agent("1003", " "), "must have 1 to 100 characters"),
            (people.add_agent("1003", "x", pin="12"), "a PIN must have 4 to 12 digits"),
            (people.add_agent("1003", "x", language="fr"), "language 'fr' must be zh or en"),
            (people.change_agent("1001", name="y", pin="12ab"), "a PIN must have 4 to 12 digits"),
            (people.add_seat("8001", "a-password"), "seat 8001 exists already"),
            (people.add_seat("8002", "short"), "a phone's password must have 8 to 64 characters"),
        ):
            with pytest.raises(ValueError, match=said):
                await wrong
        for unknown in (people.change_agent("9999", name="x"), people.remove_agent("9999"), people.remove_seat("9999")):
            with pytest.raises(LookupError, match=r"there is no (agent|seat) 9999"):
                await unknown
        assert (people.agents(), people.seats()) == ([Agent("1001", "王芳", True)], [Seat("8001", "", False)])
        assert await people.check_pin("1001", "4711")

    with_office(tmp_path, work)


def test_dialling_through_all_numbers_does_not_fill_the_memory() -> None:
    lockout = Lockout()
    for n in range(MAX_NUMBERS + 10):
        lockout.wrong(f"a{n}", 0.0)
        for _ in range(TRIES):
            lockout.wrong(f"b{n}", 0.0)
    assert MAX_NUMBERS - 1 <= len(lockout._wrong) <= MAX_NUMBERS
    assert len(lockout._until) == MAX_NUMBERS
