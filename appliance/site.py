"""The site's first people, phones and numbers: read from site.toml into a store that has none yet.

PINs and passwords that the file does not give are made at random and written, once and readable by the owner alone,
to a file for whoever sets the phones up.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import Attribute, field, frozen, validators
from sqlalchemy import Executable, insert, select, union_all

from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.people import rules, secrets
from appliance.store import tables
from appliance.store.store import Store
from hw import settings as files
from hw.settings import SettingsError

log = logging.getLogger(__name__)

_HEADER = """\
# 首次启动时生成的工号密码和话机密码。设置好话机、告知座席之后请删除本文件。
# PINs and phone passwords made at the first start. Delete this file when phones are set up and agents are told.
"""


def _language(_: Any, attribute: Attribute[str], value: str) -> None:
    rules.check_language(value)


@frozen
class SiteSeeded(Event):
    """The default site was read into an empty store."""

    kind: ClassVar[str] = "site.seeded"
    file: str
    agents: int
    seats: int
    numbers: int


@frozen
class SiteAgent:
    """One row of ``[agents]``, by number."""

    name: str
    pin: str = field(default="", repr=False)
    language: str = field(default="", validator=_language)


@frozen
class SiteSeat:
    """One row of ``[seats]``, by account."""

    display: str = ""
    password: str = field(default="", repr=False)
    outside: bool = False


@frozen
class SiteNumber:
    """One row of ``[numbers]``, by pattern."""

    destination: str = field(validator=validators.matches_re(r"[a-z][a-z0-9_-]*:.*"))
    name: str = ""
    language: str = field(default="", validator=_language)


@frozen
class Site:
    """The whole file."""

    agents: Mapping[str, SiteAgent]
    seats: Mapping[str, SiteSeat]
    numbers: Mapping[str, SiteNumber]


def read(path: Path) -> Site:
    """The file's three tables. Raises ``SettingsError`` naming the file, the row and what is allowed."""
    site = Site(
        files.load(path, "agents", dict[str, SiteAgent]),
        files.load(path, "seats", dict[str, SiteSeat]),
        files.load(path, "numbers", dict[str, SiteNumber]),
    )
    for table, row, check in (
        *(("agents", number, rules.check_number) for number in site.agents),
        *(("seats", account, rules.check_number) for account in site.seats),
    ):
        try:
            check(f"[{table}]", row)
        except ValueError as error:
            raise SettingsError(f"{path}: {error}") from None
    return site


async def seed(path: Path, store: Store, events: EventLog, *, realm: str, secrets_file: Path) -> bool:
    """Fill an empty store from the file at ``path``, all or nothing; whether it was empty. Before ``Directory.open``.

    Raises ``SettingsError`` for a file that cannot be used, ``OSError`` when the secrets cannot be written.
    """
    rows = [select(table.c[0]).limit(1).subquery() for table in (tables.agent, tables.seat, tables.number)]
    if await store.rows(union_all(*(select(row.c[0]) for row in rows))):
        return False
    site = read(path)
    pins = {number: agent.pin or secrets.make_pin() for number, agent in site.agents.items()}
    passwords = {account: seat.password or secrets.make_password() for account, seat in site.seats.items()}
    try:
        changes = _rows(site, pins, passwords, realm)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    made = {
        "pins": {number: pin for number, pin in pins.items() if not site.agents[number].pin},
        "passwords": {account: word for account, word in passwords.items() if not site.seats[account].password},
    }
    if any(made.values()):
        _write_secrets(secrets_file, made)
        log.warning("PINs and phone passwords were made at random: see %s", secrets_file)
    seeded = SiteSeeded(str(path), len(site.agents), len(site.seats), len(site.numbers))
    await events.commit(seeded, changes=changes)
    return True


def _rows(site: Site, pins: Mapping[str, str], passwords: Mapping[str, str], realm: str) -> list[Executable]:
    agents = [
        {"number": n, "name": rules.check_name(a.name), "pin_hash": secrets.hash_pin(pins[n]), "language": a.language}
        for n, a in site.agents.items()
    ]
    seats = [
        {
            "account": account,
            "ha1": secrets.ha1(account, realm, rules.check_password(passwords[account])),
            "display": seat.display,
            "outside": seat.outside,
        }
        for account, seat in site.seats.items()
    ]
    numbers = [
        {"pattern": pattern, "destination": n.destination, "name": n.name, "language": n.language}
        for pattern, n in site.numbers.items()
    ]
    found = ((tables.agent, agents), (tables.seat, seats), (tables.number, numbers))
    return [insert(table).values(rows) for table, rows in found if rows]


def _write_secrets(path: Path, made: Mapping[str, Mapping[str, str]]) -> None:
    """Write TOML that appears whole and is readable by the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_HEADER)
        for table, words in made.items():
            file.write(f"\n[{table}]\n")
            file.writelines(f'{name} = "{word}"\n' for name, word in words.items())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
