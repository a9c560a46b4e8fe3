"""Carries out the plan of ``appliance.link.adopt``: makes calls of what is still up after a restart."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from appliance.calls import records
from appliance.calls.audio import AudioError
from appliance.calls.call import Call
from appliance.calls.leg import HELD, Leg
from appliance.events.types import ContactAdopted, ContactEnded, LegCleared
from appliance.link.adopt import Adoption, OpenContact, OpenLeg, plan
from appliance.store.store import Store
from appliance.store.tables import contact, leg
from hw.messages import Cleared, Hangup, LegState, Snapshot

if TYPE_CHECKING:
    from appliance.calls.switchboard import Switchboard
    from appliance.link.client import Process

log = logging.getLogger(__name__)

#: Why a contact ended that was gone when the control process came back (Q.850: destination out of order).
GONE = 27
#: Why a leg is hung up that nobody goes on with (temporary failure).
NOBODY = 41


async def adopt(
    switchboard: Switchboard, store: Store, snapshots: Mapping[Process, Snapshot], since: Mapping[str, Cleared]
) -> int:
    """Adopt or end every call of the time before; how many go on. ``since``: legs cleared after the snapshots."""
    where: dict[str, Process] = {state.leg: process for process, shot in snapshots.items() for state in shot.legs}
    reported = {
        state.leg: state
        for shot in snapshots.values()
        for state in shot.legs
        if state.leg not in switchboard.legs and state.leg not in since
    }
    contacts, legs = await _open_in(store, switchboard)
    todo = plan(contacts, legs, reported)
    causes = {e.leg: e.cause for shot in snapshots.values() for e in shot.missed if isinstance(e, Cleared)}
    causes |= {leg_id: event.cause for leg_id, event in since.items()}
    taken: set[str] = set()
    lost = set(todo.close_contacts)
    for adoption in todo.adopt:
        for leg_id in adoption.others:
            switchboard.send(where[leg_id], Hangup(leg_id, NOBODY))
        try:
            taken |= await _take_over(adoption, switchboard, where)
        except AudioError as error:  # the line process went away meanwhile, and the call with it
            log.error("contact %s cannot be taken over: %s", adoption.contact.contact, error)
            lost.add(adoption.contact.contact)
    at = switchboard.now()
    for old in legs:
        if old.leg not in taken:
            cause = causes.get(old.leg, NOBODY if old.leg in reported else GONE)
            switchboard.events.append(
                LegCleared(old.leg, cause, "us" if old.leg in reported else "far"),
                old.contact,
                [records.leg_cleared(old.leg, at, cause)],
            )
    for row in contacts:
        if row.contact in lost:
            cause = next((causes[o.leg] for o in legs if o.contact == row.contact and o.leg in causes), GONE)
            switchboard.events.append(
                ContactEnded(cause, "far", row.talked, (at - row.offered_at) * 1000),
                row.contact,
                [records.contact_lost(row.contact, at, cause)],
            )
    _catch_up(switchboard, snapshots, where, since)
    return len(contacts) - len(lost)


def _catch_up(
    switchboard: Switchboard, snapshots: Mapping[Process, Snapshot], where: Mapping[str, Process],
    since: Mapping[str, Cleared],
) -> None:  # fmt: skip
    """What happened while calls were being taken over: legs cleared, a process lost; and what is nobody's."""
    for event in list(since.values()):
        if event.leg in switchboard.legs and event.leg in where:
            switchboard.handle(where[event.leg], event)
    for process, shot in snapshots.items():
        if switchboard.links[process].up:
            switchboard.clear_strangers(shot)
        else:
            switchboard.process_lost(process)


async def _open_in(store: Store, switchboard: Switchboard) -> tuple[list[OpenContact], list[OpenLeg]]:
    contacts = [
        OpenContact(
            r["id"], r["called"], r["caller"], r["language"], r["service"], r["offered_at"], bool(r["talked"])
        )
        for r in await store.rows(select(contact).where(contact.c.ended_at.is_(None)).order_by(contact.c.offered_at))
        if r["id"] not in switchboard.calls
    ]
    legs = [
        OpenLeg(r["id"], r["contact"], r["line"], r["number"], bool(r["incoming"]), r["peer"])
        for r in await store.rows(select(leg).where(leg.c.ended_at.is_(None)))
        if r["id"] not in switchboard.legs
    ]
    return contacts, legs


async def _take_over(adoption: Adoption, switchboard: Switchboard, where: dict[str, Process]) -> set[str]:
    """Go on with a contact; its legs that are ours again. Raises ``AudioError``: then none is."""
    old = adoption.contact
    caller = await _leg(adoption.leg, switchboard, where, incoming=True)
    peer = None if adoption.peer is None else await _leg(adoption.peer, switchboard, where, incoming=False)
    call = Call(switchboard, caller, old.contact, called=old.called, caller=old.caller, name="")
    call.offered_at, call.language, call.talked = old.offered_at, old.language or call.language, old.talked
    call.destination = old.service
    call.emit(ContactAdopted(caller.id, adoption.how))
    if peer is None:
        switchboard.begin(call, old.service)
        return {caller.id}
    call.legs.append(peer)
    call.peer, call.talked = peer, True
    await switchboard.plugins.adopted(call)

    async def talk_on(call: Call, _: str) -> None:
        if await switchboard.join(call, peer, adopted=True) == "fault":
            call.go(old.service)

    switchboard.begin(call, old.service, talk_on)
    return {caller.id, peer.id}


async def _leg(state: LegState, switchboard: Switchboard, where: dict[str, Process], *, incoming: bool) -> Leg:
    number = state.caller if state.incoming else state.called
    line = switchboard.line_of(state.line)
    taken = switchboard.leg(
        where[state.leg],
        state.leg,
        line,
        number,
        incoming=incoming,
        media=state.media,
        channel=state.channel,
        phase="up",
        group="" if line == "phones" else switchboard.trunks.group_of(line, incoming=incoming),
    )
    taken.held = state.media is not None and state.media.direction in HELD
    await taken.readopt()
    return taken
