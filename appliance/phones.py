"""Phones: which account is registered from where, as the phone process says; it is given the accounts from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from appliance.api.types import PhoneRow
from appliance.calls.telephones import Telephones
from appliance.events.log import EventLog
from appliance.events.types import PhoneRefused, PhoneRegistered, PhoneUnregistered
from appliance.people.directory import Directory
from hw.messages import (
    Account,
    AuthFailed,
    Binding,
    Message,
    Registered,
    RestoreBindings,
    SetAccounts,
    Unregistered,
)


@frozen
class _Binding:
    source: str
    transport: Literal["udp", "tcp"]
    agent: str
    expires_at: float


class Phones:
    """Owner of the bindings as the control process knows them: account → contact URI → binding. ``telephones`` have
    none, and are there all the same.
    """

    def __init__(
        self, events: EventLog, people: Directory, realm: str, now: Callable[[], float], telephones: Telephones
    ) -> None:
        self._events = events
        self._people = people
        self._realm = realm
        self._now = now
        self._telephones = telephones
        self._bindings: dict[str, dict[str, _Binding]] = {}
        self._before: dict[str, dict[str, _Binding]] = {}

    def accounts(self) -> SetAccounts:
        """What the phone process must know: every seat's account with its digest secret (HA1)."""
        people = self._people
        accounts = (Account(s.account, people.ha1(s.account), s.display) for s in people.seats())
        return SetAccounts(self._realm, tuple(accounts))

    def handle(self, message: Message) -> bool:
        """Take an event about registrations; whether it was one."""
        match message:
            case Registered(account=account, contact=contact, source=source, agent=agent, expires_s=expires_s):
                bindings = self._bindings.setdefault(account, {})
                if contact not in bindings:
                    self._events.append(PhoneRegistered(account, source, agent))
                bindings[contact] = _Binding(source, message.transport, agent, self._now() + expires_s)
            case Unregistered(account=account, contact=contact, reason=reason):
                self._before.get(account, {}).pop(contact, None)
                if self._bindings.get(account, {}).pop(contact, None) is not None:
                    self._events.append(PhoneUnregistered(account, reason))
            case AuthFailed(account=account, source=source, reason=reason):
                self._events.append(PhoneRefused(account, source, reason))
            case _:
                return False
        return True

    def lost(self) -> None:
        """The phone process is gone and its bindings with it; the next one is told them by ``remembered``."""
        self._before |= self._bindings
        self._bindings = {}

    def remembered(self) -> RestoreBindings:
        """What a phone process that was started anew should know: phones refresh only every few minutes."""
        now = self._now()
        return RestoreBindings(
            tuple(
                Binding(account, contact, b.source, b.transport, b.agent, int(b.expires_at - now))
                for account, bindings in self._before.items()
                for contact, b in bindings.items()
                if b.expires_at > now + 1
            )
        )

    def registered(self, account: str) -> bool:
        """Whether a phone is registered under the account, or a telephone has its number."""
        return bool(self._bindings.get(account) or self._telephones.place(account))

    def rows(self, busy: Callable[[str], bool]) -> list[PhoneRow]:
        """One row a seat, registered or not."""
        rows = []
        for seat in self._people.seats():
            bindings = self._bindings.get(seat.account, {})
            first = next(iter(bindings.values()), None)
            place = self._telephones.place(seat.account)
            rows.append(
                PhoneRow(
                    seat.account,
                    seat.display,
                    first is not None or place != "",
                    first.source if first else place,
                    first.agent if first else "",
                    first.expires_at if first else 0.0,
                    busy(seat.account),
                )
            )
        return rows
