"""Carries out the plan of ``appliance.link.adopt``: makes calls of what is still up after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from appliance.calls import records
from appliance.calls.call import Call
from appliance.calls.leg import Leg
from appliance.events.types import ContactAdopted, ContactEnded, LegCleared
from appliance.link.adopt import Adoption, OpenContact, OpenLeg, plan
from appliance.store.store import Store
from appliance.store.tables import contact, leg
from hw.messages import Cleared, Hangup, LegState, Recorded, Snapshot

if TYPE_CHECKING:
    from appliance.calls.switchboard import Switchboard
    from appliance.link.client import Process

#: Why a contact ended that was gone when the control process came back (Q.850: destination out of order).
GONE = 27


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
    at = switchboard.now()
    by_leg = {o.leg: o.contact for o in legs}
    for leg_id in todo.close_legs:
        cause = causes.get(leg_id, GONE)
        switchboard.events.append(
            LegCleared(leg_id, cause, "far"), by_leg[leg_id], [records.leg_cleared(leg_id, at, cause)]
        )
    for row in contacts:
        if row.contact in todo.close_contacts:
            cause = next((causes[o.leg] for o in legs if o.contact == row.contact and o.leg in causes), GONE)
            switchboard.events.append(
                ContactEnded(cause, "far", row.talked, (at - row.offered_at) * 1000),
                row.contact,
                [records.contact_lost(row.contact, at, cause)],
            )
    for adoption in todo.adopt:
        for leg_id in adoption.others:
            switchboard.send(where[leg_id], Hangup(leg_id, 41))
        await _take_over(adoption, switchboard, where)
    for shot in snapshots.values():
        switchboard.clear_strangers(shot)
        for event in shot.missed:
            if isinstance(event, Recorded):
                switchboard.audio.handle(event)  # a recording that was taken over had ended meanwhile
    return len(todo.adopt)


async def _open_in(store: Store, switchboard: Switchboard) -> tuple[list[OpenContact], list[OpenLeg]]:
    contacts = [
        OpenContact(
            r["id"], r["called"], r["caller"], r["language"], r["service"], r["offered_at"], bool(r["talked"])
        )
        for r in await store.rows(select(contact).where(contact.c.ended_at.is_(None)))
        if r["id"] not in switchboard.calls
    ]
    legs = [
        OpenLeg(r["id"], r["contact"], r["line"], r["number"], bool(r["incoming"]), r["peer"])
        for r in await store.rows(select(leg).where(leg.c.ended_at.is_(None)))
        if r["id"] not in switchboard.legs
    ]
    return contacts, legs


async def _take_over(adoption: Adoption, switchboard: Switchboard, where: dict[str, Process]) -> None:
    old = adoption.contact
    caller = await _leg(adoption.leg, switchboard, where, incoming=True)
    call = Call(switchboard, caller, old.contact, called=old.called, caller=old.caller, name="")
    call.offered_at, call.language, call.talked = old.offered_at, old.language or call.language, old.talked
    call.destination = old.service
    call.emit(ContactAdopted(caller.id, adoption.how))
    if adoption.peer is None:
        switchboard.begin(call, old.service)
        return
    peer = await _leg(adoption.peer, switchboard, where, incoming=False)
    call.legs.append(peer)
    call.peer, call.talked = peer, True
    await switchboard.plugins.adopted(call)

    async def talk_on(call: Call, _: str) -> None:
        if await switchboard.join(call, peer, adopted=True) == "fault":
            call.go(old.service)

    switchboard.begin(call, old.service, talk_on)


async def _leg(state: LegState, switchboard: Switchboard, where: dict[str, Process], *, incoming: bool) -> Leg:
    number = state.caller if state.incoming else state.called
    taken = switchboard.leg(
        where[state.leg],
        state.leg,
        state.line,
        number,
        incoming=incoming,
        media=state.media,
        channel=state.channel,
        phase="up",
    )
    await taken.readopt()
    return taken
