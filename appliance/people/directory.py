"""Agents and seats: kept in memory by their one owner, written through to the store with an event for each change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import attrs
from attrs import frozen
from sqlalchemy import Executable, delete, insert, select, update

from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.people import events as happened
from appliance.people import rules, secrets
from appliance.people.lockout import Lockout
from appliance.store import tables
from appliance.store.replacing import Replacement
from appliance.store.store import Store


@frozen
class Agent:
    """A person who logs in at a seat with a number and a PIN. ``language`` is "" where the site's is meant."""

    number: str
    name: str
    has_pin: bool
    language: str = ""


@frozen
class Seat:
    """A desk with a phone: ``account`` at the registrar. ``outside``: its phone may call outside lines."""

    account: str
    display: str
    outside: bool


class Directory:
    """Who works here and which phones there are. Made by ``Directory.open``.

    The changing methods return when the change is on the disk. They raise ``ValueError`` for a value that is not
    allowed or a number that exists, ``LookupError`` for one that does not; the text is a sentence for the user.
    """

    def __init__(self, store: Store, events: EventLog, realm: str, now: Callable[[], float]) -> None:
        """Use ``open``."""
        self._store = store
        self._events = events
        self._realm = realm
        self._now = now
        self._agents: dict[str, Agent] = {}
        self._pins: dict[str, str] = {}
        self._seats: dict[str, Seat] = {}
        self._ha1: dict[str, str] = {}
        self._lockout = Lockout()
        self._checking = asyncio.Lock()
        #: Called after seats changed (the registrar must be told). Set by whoever tells it.
        self.on_seats: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, store: Store, events: EventLog, realm: str, now: Callable[[], float] = time.time) -> Directory:
        """Read the store. ``realm`` is the registrar's, part of every HA1; ``now`` the wall clock."""
        people = cls(store, events, realm, now)
        for row in await store.rows(select(tables.agent)):
            people._agents[row["number"]] = Agent(row["number"], row["name"], bool(row["pin_hash"]), row["language"])
            people._pins[row["number"]] = row["pin_hash"]
        for row in await store.rows(select(tables.seat)):
            people._seats[row["account"]] = Seat(row["account"], row["display"], row["outside"])
            people._ha1[row["account"]] = row["ha1"]
        return people

    # -- asking --------------------------------------------------------------------------------------------------------

    def agent(self, number: str) -> Agent | None:
        """The agent of a number."""
        return self._agents.get(number)

    def agents(self) -> list[Agent]:
        """All agents by number."""
        return [self._agents[number] for number in sorted(self._agents)]

    def seat(self, account: str) -> Seat | None:
        """The seat of an account."""
        return self._seats.get(account)

    def seats(self) -> list[Seat]:
        """All seats by account."""
        return [self._seats[account] for account in sorted(self._seats)]

    def ha1(self, account: str) -> str:
        """What the registrar checks the account's phone with; "" for no such account."""
        return self._ha1.get(account, "")

    async def check_pin(self, number: str, pin: str) -> bool:
        """Whether an agent has this PIN (about 20 ms in a thread, also for numbers that nobody has).

        Five wrong ones in a row lock the number for ten minutes: then even the right one is refused.
        """
        async with self._checking:  # one after the other: tries side by side must not get past the lock-out
            now = self._now()
            if self._lockout.locked(number, now):
                return False
            if await asyncio.to_thread(secrets.pin_matches, pin, self._pins.get(number, "")):
                self._lockout.right(number)
                return True
            if (until := self._lockout.wrong(number, now)) is not None:
                self._events.append(happened.AgentLocked(number, until))
            return False

    def pin_locked(self, number: str) -> bool:
        """Whether the number is locked after wrong PINs."""
        return self._lockout.locked(number, self._now())

    def pin_hash(self, number: str) -> str:
        """The hash of an agent's PIN, for an export; "" for none."""
        return self._pins.get(number, "")

    # -- changing agents -----------------------------------------------------------------------------------------------

    async def add_agent(self, number: str, name: str, *, pin: str = "", language: str = "", by: str = "") -> Agent:
        """A new agent; without a PIN he cannot log in yet."""
        rules.check_number("agent number", number)
        if number in self._agents:
            raise ValueError(f"agent {number} exists already")
        agent = Agent(number, rules.check_name(name), bool(pin), rules.check_language(language))
        pin_hash = await asyncio.to_thread(secrets.hash_pin, pin) if pin else ""
        row = {"number": number, "name": agent.name, "pin_hash": pin_hash, "language": language}
        await self._commit(_agent_changed(agent, bool(pin), by), insert(tables.agent).values(row))
        self._agents[number], self._pins[number] = agent, pin_hash
        return agent

    async def change_agent(
        self, number: str, *, name: str | None = None, pin: str | None = None, language: str | None = None, by: str = ""
    ) -> Agent:
        """Change what is given; a new PIN also unlocks, an empty one takes it away."""
        agent = self._known_agent(number)
        if name is not None:
            agent = attrs.evolve(agent, name=rules.check_name(name))
        if language is not None:
            agent = attrs.evolve(agent, language=rules.check_language(language))
        pin_hash = self._pins[number]
        if pin is not None:
            pin_hash = await asyncio.to_thread(secrets.hash_pin, pin) if pin else ""
            agent = attrs.evolve(agent, has_pin=bool(pin))
        row = {"name": agent.name, "pin_hash": pin_hash, "language": agent.language}
        change = update(tables.agent).where(tables.agent.c.number == number).values(row)
        await self._commit(_agent_changed(agent, pin is not None, by), change)
        self._agents[number], self._pins[number] = agent, pin_hash
        if pin is not None:
            self._lockout.forget(number)
        return agent

    async def remove_agent(self, number: str, *, by: str = "") -> None:
        """Take an agent away; what he did stays in the log."""
        self._known_agent(number)
        change = delete(tables.agent).where(tables.agent.c.number == number)
        await self._commit(happened.AgentRemoved(number, by), change)
        self._agents.pop(number, None)
        self._pins.pop(number, None)

    # -- changing seats ------------------------------------------------------------------------------------------------

    async def add_seat(
        self, account: str, password: str, *, display: str = "", outside: bool = False, by: str = ""
    ) -> Seat:
        """A new seat whose phone registers with ``account`` and ``password``."""
        rules.check_number("account", account)
        if account in self._seats:
            raise ValueError(f"seat {account} exists already")
        ha1 = secrets.ha1(account, self._realm, rules.check_password(password))
        seat = Seat(account, display, outside)
        row = {"account": account, "ha1": ha1, "display": display, "outside": outside}
        await self._commit(_seat_changed(seat, True, by), insert(tables.seat).values(row))
        self._seats[account], self._ha1[account] = seat, ha1
        self.on_seats()
        return seat

    async def change_seat(
        self,
        account: str,
        *,
        password: str | None = None,
        display: str | None = None,
        outside: bool | None = None,
        by: str = "",
    ) -> Seat:
        """Change what is given."""
        seat = self._known_seat(account)
        ha1 = self._ha1[account]
        if password is not None:
            ha1 = secrets.ha1(account, self._realm, rules.check_password(password))
        if display is not None:
            seat = attrs.evolve(seat, display=display)
        if outside is not None:
            seat = attrs.evolve(seat, outside=outside)
        row = {"ha1": ha1, "display": seat.display, "outside": seat.outside}
        change = update(tables.seat).where(tables.seat.c.account == account).values(row)
        await self._commit(_seat_changed(seat, password is not None, by), change)
        self._seats[account], self._ha1[account] = seat, ha1
        self.on_seats()
        return seat

    async def remove_seat(self, account: str, *, by: str = "") -> None:
        """Take a seat away; its phone's binding is dropped."""
        self._known_seat(account)
        change = delete(tables.seat).where(tables.seat.c.account == account)
        await self._commit(happened.SeatRemoved(account, by), change)
        self._seats.pop(account, None)
        self._ha1.pop(account, None)
        self.on_seats()

    def replacement(
        self, agents: Mapping[str, tuple[Agent, str]], seats: Mapping[str, tuple[Seat, str]]
    ) -> Replacement:
        """All people made those given, checked, with their PINs' hashes and HA1, as part of a greater change."""

        def settle() -> None:
            self._agents = {number: agent for number, (agent, _) in agents.items()}
            self._pins = {number: pin_hash for number, (_, pin_hash) in agents.items()}
            self._seats = {account: seat for account, (seat, _) in seats.items()}
            self._ha1 = {account: ha1 for account, (_, ha1) in seats.items()}
            self.on_seats()

        people = [
            {"number": a.number, "name": a.name, "pin_hash": pin_hash, "language": a.language}
            for a, pin_hash in agents.values()
        ]
        phones = [
            {"account": s.account, "ha1": ha1, "display": s.display, "outside": s.outside} for s, ha1 in seats.values()
        ]
        rows = ((tables.agent, people), (tables.seat, phones))
        inserts = [insert(table).values(values) for table, values in rows if values]
        return Replacement((delete(tables.agent), delete(tables.seat), *inserts), settle)

    async def _commit(self, event: Event, change: Executable) -> None:
        """On the disk first, in memory then: of two who add the same at once the second fails at the disk."""
        await self._events.commit(event, changes=[change])

    def _known_agent(self, number: str) -> Agent:
        if number not in self._agents:
            raise LookupError(f"there is no agent {number}")
        return self._agents[number]

    def _known_seat(self, account: str) -> Seat:
        if account not in self._seats:
            raise LookupError(f"there is no seat {account}")
        return self._seats[account]


def _agent_changed(agent: Agent, pin: bool, by: str) -> happened.AgentChanged:
    return happened.AgentChanged(agent.number, agent.name, agent.language, pin, by)


def _seat_changed(seat: Seat, password: bool, by: str) -> happened.SeatChanged:
    return happened.SeatChanged(seat.account, seat.display, seat.outside, password, by)
