"""After a restart of the control process: which of the calls that are up go on, and how. The decision is pure.

What the store knows (open contacts and their legs) is held against what the two processes report. A bridged pair that
is still up goes on talking; a caller alone on an answered leg is served again by the service he was in; what is gone is
closed in the store, and legs that nobody wants are hung up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

from hw.messages import LegState


@frozen
class OpenLeg:
    """A leg that the store believes to be up."""

    leg: str
    contact: str
    line: str
    number: str
    incoming: bool
    peer: str


@frozen
class OpenContact:
    """A contact that the store believes to be up; ``service`` is its last destination."""

    contact: str
    called: str
    caller: str
    language: str
    service: str
    offered_at: float
    talked: bool


@frozen
class Adoption:
    """One contact that goes on: ``bridge`` with ``peer``, or ``serve`` again. ``others`` are legs of it to hang up."""

    contact: OpenContact
    how: Literal["bridge", "serve"]
    leg: LegState
    peer: LegState | None = None
    others: tuple[str, ...] = ()


@frozen
class Plan:
    """What to do: contacts to adopt; contacts and legs to close because they are gone. Legs left over are hung up."""

    adopt: tuple[Adoption, ...]
    close_contacts: tuple[str, ...]
    close_legs: tuple[str, ...]


def plan(contacts: Sequence[OpenContact], legs: Sequence[OpenLeg], reported: Mapping[str, LegState]) -> Plan:
    """Hold the store's open contacts against the legs that the processes report."""
    adopt: list[Adoption] = []
    gone: list[str] = []
    for contact in contacts:
        own = [leg for leg in legs if leg.contact == contact.contact]
        alive = {leg.leg: reported[leg.leg] for leg in own if leg.leg in reported}
        callers = [leg for leg in own if leg.incoming and leg.leg in alive and alive[leg.leg].phase == "up"]
        if not callers:
            gone.append(contact.contact)
            continue
        caller = callers[0]
        peer = alive.get(caller.peer)
        talking = peer is not None and peer.phase == "up"
        keep = {caller.leg, caller.peer} if talking else {caller.leg}
        adopt.append(
            Adoption(
                contact,
                "bridge" if talking else "serve",
                alive[caller.leg],
                peer if talking else None,
                tuple(leg for leg in alive if leg not in keep),
            )
        )
    return Plan(
        tuple(adopt),
        tuple(gone),
        tuple(leg.leg for leg in legs if leg.leg not in reported),
    )
