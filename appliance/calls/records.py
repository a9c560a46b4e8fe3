"""What the store keeps of contacts and legs: the changes that go with the events, in the same transaction."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Executable, insert, update

from appliance.calls.leg import Leg
from appliance.store.tables import contact, leg


class Contact(Protocol):
    """What is stored of a call."""

    contact: str
    called: str
    caller: str
    language: str
    destination: str
    offered_at: float
    talked: bool

    @property
    def line(self) -> str:
        """The trunk it came by."""
        ...

    @property
    def channel(self) -> int | None:
        """Its bearer channel."""
        ...


def contact_offered(call: Contact) -> Executable:
    """A new contact."""
    return insert(contact).values(
        id=call.contact,
        channel="phone",
        line=call.line,
        trunk_channel=call.channel,
        called=call.called,
        caller=call.caller,
        language=call.language,
        service="",
        offered_at=call.offered_at,
        talked=False,
    )


def contact_serves(call: Contact) -> Executable:
    """Which service has the contact now; read after a restart."""
    return update(contact).where(contact.c.id == call.contact).values(service=call.destination, language=call.language)


def contact_ended(call: Contact, at: float, cause: int) -> Executable:
    """The contact is over."""
    return (
        update(contact).where(contact.c.id == call.contact).values(ended_at=at, cause=cause, talked=call.talked)
    )


def contact_lost(contact_id: str, at: float, cause: int) -> Executable:
    """A contact whose legs are gone when the control process comes back."""
    return update(contact).where(contact.c.id == contact_id).values(ended_at=at, cause=cause)


def leg_began(of: Leg, contact_id: str, at: float) -> Executable:
    """A new leg."""
    return insert(leg).values(
        id=of.id,
        contact=contact_id,
        line=of.line,
        channel=of.channel,
        number=of.number,
        incoming=of.incoming,
        peer="",
        started_at=at,
    )


def leg_answered(of: Leg, contact_id: str, at: float) -> list[Executable]:
    """The leg is up; the caller's own leg answers its contact too."""
    changes: list[Executable] = [update(leg).where(leg.c.id == of.id).values(answered_at=at, channel=of.channel)]
    if of.incoming:
        changes.append(update(contact).where(contact.c.id == contact_id).values(answered_at=at))
    return changes


def leg_bridged(of: Leg, peer: str) -> Executable:
    """Whom the leg talks with, empty when with nobody: what a restart of the control process needs to know."""
    return update(leg).where(leg.c.id == of.id).values(peer=peer)


def leg_cleared(leg_id: str, at: float, cause: int) -> Executable:
    """The leg is gone."""
    return update(leg).where(leg.c.id == leg_id).values(ended_at=at, cause=cause)
