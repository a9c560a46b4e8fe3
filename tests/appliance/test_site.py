"""The default site: who and what is there after the first start, and what a broken file is told."""

import asyncio
import stat
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.calls.numbering import Caller, Number, route
from appliance.events.log import EventLog
from appliance.people.directory import Directory
from appliance.site import seed
from appliance.store import tables
from appliance.store.store import Store
from hw.settings import SettingsError

DEFAULT = Path(__file__).parents[2] / "etc" / "site.toml"


def with_store(tmp_path: Path, work: Callable[[Store, EventLog], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await Store.open(tmp_path / "onecall.db")
        try:
            await work(store, await EventLog.open(store))
        finally:
            await store.close()

    asyncio.run(main())


@pytest.mark.requirement("A1.02")
def test_the_default_site_has_the_agents_and_seats_of_the_tender(tmp_path: Path) -> None:
    async def work(store: Store, log: EventLog) -> None:
        assert await seed(DEFAULT, store, log, realm="onecall", secrets_file=tmp_path / "var" / "first.toml")
        people = await Directory.open(store, log, "onecall")
        numbers = [agent.number for agent in people.agents()]
        assert sum(n.startswith("10") for n in numbers) >= 8
        assert sum(n.startswith("11") for n in numbers) == 3
        assert sum(n.startswith("19") for n in numbers) == 2
        assert {seat.account for seat in people.seats()} >= {str(n) for n in range(8001, 8014)} | {"8100"}
        assert all(agent.has_pin for agent in people.agents())

    with_store(tmp_path, work)


def test_made_secrets_are_written_once_for_the_owner_alone_and_are_the_right_ones(tmp_path: Path) -> None:
    async def work(store: Store, log: EventLog) -> None:
        file = tmp_path / "first.toml"
        await seed(DEFAULT, store, log, realm="onecall", secrets_file=file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        made = tomllib.loads(file.read_text(encoding="utf-8"))
        people = await Directory.open(store, log, "onecall")
        assert await people.check_pin("1001", made["pins"]["1001"])
        await people.add_seat("8999", made["passwords"]["8001"])
        assert people.ha1("8999") != people.ha1("8001") != ""
        assert len(set(made["passwords"].values())) == len(people.seats()) - 1

    with_store(tmp_path, work)


def test_the_numbers_lead_where_they_should(tmp_path: Path) -> None:
    async def work(store: Store, log: EventLog) -> None:
        await seed(DEFAULT, store, log, realm="onecall", secrets_file=tmp_path / "first.toml")
        numbers = [Number(**row) for row in await store.rows(select(tables.number))]
        for called, inside, destination in (
            ("95001", False, "menu:main"),
            ("*501001", True, "agent:login"),
            ("*51", True, "agent:logout"),
            ("*521", True, "agent:pause"),
            ("*53", True, "agent:resume"),
            ("*501001", False, "hangup:1"),
        ):
            assert route(called, Caller(inside), numbers, {}, "9")[0] == destination, called

    with_store(tmp_path, work)


def test_a_store_that_has_anybody_is_left_alone(tmp_path: Path) -> None:
    async def work(store: Store, log: EventLog) -> None:
        people = await Directory.open(store, log, "onecall")
        await people.add_seat("8001", "a-password")
        assert not await seed(DEFAULT, store, log, realm="onecall", secrets_file=tmp_path / "first.toml")
        assert not (tmp_path / "first.toml").exists()
        assert (await Directory.open(store, log, "onecall")).agents() == []

    with_store(tmp_path, work)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[agents]\n1001 = { nmae = 'x' }", "nmae"),
        ("[agents]\n10o1 = { name = 'x' }", "10o1"),
        ("[agents]\n1001 = { name = 'x', pin = '12' }", "a PIN must have 4 to 12 digits"),
        ("[seats]\n8001 = { password = 'short' }", "8 to 64 characters"),
        ("[numbers]\n95001 = { destination = 'menu' }", "destination"),
        ("[numbers]\n95001 = { destination = 'menu:main', language = 'fr' }", "zh or en"),
    ],
)
def test_a_broken_file_is_told_and_nothing_is_seeded(tmp_path: Path, text: str, told: str) -> None:
    async def work(store: Store, log: EventLog) -> None:
        file = tmp_path / "site.toml"
        file.write_text("[seats]\n8002 = {}\n" + text if "[seats]" not in text else text)
        with pytest.raises(SettingsError) as error:
            await seed(file, store, log, realm="onecall", secrets_file=tmp_path / "first.toml")
        assert str(file) in str(error.value)
        assert told in str(error.value)
        assert await store.rows(select(tables.seat)) == []

    with_store(tmp_path, work)
