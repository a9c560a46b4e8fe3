"""The switchboard: owner of all legs and calls. Takes the events of both links, begins and ends calls.

Everything is found by name: a leg's id names its port, a contact's id its call.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Executable

from appliance.calls import bridge, records, runner
from appliance.calls.audio import LineAudio
from appliance.calls.blocks import Blocks
from appliance.calls.call import Call, Service, new_contact_id
from appliance.calls.groups import TrunkGroups
from appliance.calls.leg import Leg, NotAnswered
from appliance.calls.numbering import Caller, Number, route
from appliance.calls.telephones import Telephones
from appliance.calls.trunks import Trunks
from appliance.events.log import EventLog
from appliance.events.types import (
    ContactBlocked,
    ContactEnded,
    ContactOffered,
    DigitIgnored,
    Event,
    LegAlerting,
    LegCleared,
    ServiceFailed,
)
from appliance.link.client import LinkDown, Process, ProcessLink
from appliance.people.directory import Directory
from appliance.pluginmanager import Plugins
from appliance.tasks import Tasks
from hw.messages import (
    Alerting,
    Cleared,
    Fault,
    Hangup,
    Incoming,
    LegEvent,
    LineState,
    Message,
    Played,
    PlayItem,
    Recorded,
    Refused,
    RtpLost,
    RtpOpened,
    Snapshot,
)

log = logging.getLogger(__name__)

#: A leg that was told to hang up and is not cleared after this is taken for gone.
CLEAR_S = 10.0
#: A service is cancelled so many times, ``CLEAR_S`` apart, when its caller is gone; then it is left behind.
CANCELS = 3


class Switchboard:
    """Legs, calls, and the two processes they live in."""

    def __init__(
        self,
        *,
        line: ProcessLink,
        phone: ProcessLink,
        events: EventLog,
        people: Directory,
        plugins: Plugins,
        now: Callable[[], float],
        language: str = "zh",
        default_destination: str = "hangup:41",
        numbers: Iterable[Number] = (),
        outside_prefix: str = "9",
        outside_caller: str = "",
        groups: TrunkGroups | None = None,
        blocks: Blocks | None = None,
        ring_s: float = 30.0,
        ring_out_s: float = 60.0,
        music: Sequence[PlayItem] = (),
    ) -> None:
        self.links: dict[Process, ProcessLink] = {"line": line, "phone": phone}
        self.events = events
        self.people = people
        self.plugins = plugins
        self.now = now
        self.language = language
        self.default_destination = default_destination
        self.numbers: Iterable[Number] = numbers
        self.outside_prefix = outside_prefix
        self.ring_s = ring_s
        self.ring_out_s = ring_out_s
        self.music: Sequence[PlayItem] = music
        self.audio = LineAudio(lambda message: self.send("line", message))
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, tuple[Leg, Call]] = {}
        self.trunks = Trunks(
            groups or TrunkGroups(events, ()), blocks or Blocks(events),
            send=self.send, legs=lambda: (leg for leg, _ in self.legs.values()), caller=outside_caller,
        )  # fmt: skip
        self.telephones = Telephones(events)
        self.counters: dict[str, int] = {"offered": 0, "blocked": 0, "unsent": 0, "unknown_leg": 0}
        self.draining = False
        #: The control process ends while calls are up: nothing more is sent or recorded, the next start adopts them.
        self.stopping = False
        self._tasks: dict[str, asyncio.Task[int]] = {}
        self._call_ended = asyncio.Event()
        self.beside = Tasks()
        # From the clock: a contact that lives over a restart must not give a leg's name twice.
        self._leg_numbers = itertools.count(int(now() * 1000))

    # -- what calls use ------------------------------------------------------------------------------------------------

    def send(self, process: Process, message: Message) -> None:
        """Send a command; when the process is not there it is counted, its legs are cleared already."""
        if self.stopping:
            return
        try:
            self.links[process].send(message)
        except LinkDown:
            self.counters["unsent"] += 1

    def record(self, event: Event, contact: str, changes: Sequence[Executable]) -> None:
        """Append an event of a contact, unless the next start is to find the contact as it is."""
        if not self.stopping:
            self.events.append(event, contact, changes)

    async def speak(self, prompt: str, values: Mapping[str, Any], language: str) -> Sequence[Path]:
        """Sound files that say a prompt; nothing when no plugin can."""
        return await self.plugins.speak(prompt, values, language)

    async def join(self, call: Call, peer: Leg, *, adopted: bool = False) -> str:
        """Bridge a call with a leg until it is over; why."""
        return await bridge.run(call, peer, self, adopted=adopted)

    def joined(self, call: Call, peer: Leg) -> None:
        """Tell the plugins that two talk."""
        self.beside.spawn(self.plugins.bridged(call, peer), "bridged")

    def new_leg(self, call: Call, line: str, number: str, group: str = "") -> Leg:
        """A leg of ours to be dialled. Raises ``NotAnswered`` (41) when its process is away."""
        via = self.telephones.line_of(number) if line == "phones" else ""
        process = "line" if via else self.trunks.process_of(line)
        if not self.links[process].up or not self.links["line"].up:
            raise NotAnswered(41)
        leg_id = f"{call.contact}.{next(self._leg_numbers):x}"
        leg = self.leg(process, leg_id, line, number, incoming=False, group=group, via=via)
        call.legs.append(leg)
        self.legs[leg.id] = (leg, call)
        return leg

    def leg(self, process: Process, leg_id: str, line: str, number: str, **more: Any) -> Leg:
        """A leg that lives in ``process``; the phone process's legs have their audio on RTP ports."""
        audio = self.audio if process == "phone" else None
        return Leg(leg_id, line, number, process=process, send=lambda m: self.send(process, m), audio=audio, **more)

    def two_way(self, line: str) -> bool:
        """Whether one can talk over a line."""
        return self.trunks.two_way(line)

    def line_of(self, line: str) -> str:
        """The line that calls on ``line`` of a process are on, for us: analog telephones are phones."""
        return "phones" if self.telephones.has(line) else line

    def seat_busy(self, seat: str) -> bool:
        """Whether a phone has a call already."""
        return any(leg.seat == seat and leg.alive for leg, _ in self.legs.values())

    def route_from_seat(self, number: str, seat: str) -> str:
        """Where a number leads that a seat dials."""
        allowed = getattr(self.people.seat(seat), "outside", False)
        seats: Mapping[str, object] = {s.account: s for s in self.people.seats()}
        return route(number, Caller(True, allowed), self.numbers, seats, self.outside_prefix)[0]

    # -- events of the links -------------------------------------------------------------------------------------------

    def handle(self, process: Process, message: Message) -> bool:
        """Take an event about calls or audio; whether it was one."""
        match message:
            case Incoming():
                self._incoming(process, message)
            case RtpOpened() | Played() | Recorded():
                self.audio.handle(message)
            case Refused(line=line, called=called, caller=caller, cause=cause):
                self._blocked(line, called, caller, cause)
            case LineState():
                self.trunks.line_changed(message)
                self.telephones.line_changed(message)
            case RtpLost(port=port) if port in self.legs:
                self.fail(self.legs[port][0], 27)
            case Fault(subject=subject, command="Dial" | "Hangup") if subject in self.legs:
                # Its process does not have it: it was never dialled, for want of an RTP port or of the line.
                self._leg_event(Cleared(subject, 41, "fault"))
            case Fault(subject=subject) if self.audio.handle(message):
                log.warning("line process: %s: %s", subject, message.reason, extra={"leg": subject})
            case _ if isinstance(message, LegEvent):
                self._leg_event(message)
            case _:
                return False
        return True

    def _incoming(self, process: Process, offer: Incoming) -> None:
        line = self.line_of(offer.line)
        inside = line == "phones"
        admission = self.trunks.admit(line)
        cause = 42 if self.draining else 41 if not self.links["line"].up else admission.cause
        if cause:
            self.send(process, Hangup(offer.leg, cause))
            group = admission.group if admission.cause else ""
            self._blocked(line, offer.called, offer.caller, cause, group)
            return
        number = offer.caller if inside else offer.called
        leg = self.leg(
            process, offer.leg, line, number,
            incoming=True, media=offer.media, channel=offer.channel, group=admission.group,
        )  # fmt: skip
        contact = new_contact_id(self.now())
        caller = "" if offer.restricted else offer.caller
        call = Call(self, leg, contact, called=offer.called, caller=caller, name=offer.name)
        seat = self.people.seat(offer.caller) if inside else None
        seats: Mapping[str, object] = {s.account: s for s in self.people.seats()}
        destination, row = route(
            offer.called, Caller(inside, getattr(seat, "outside", False)), self.numbers, seats, self.outside_prefix
        )
        if row is not None and row.language:
            call.language = row.language
        self.counters["offered"] += not inside
        call.emit(
            ContactOffered(leg.id, line, offer.channel, offer.called, caller, offer.name),
            records.contact_offered(call),
            records.leg_began(leg, contact, self.now()),
        )
        leg.proceed()
        self.begin(call, destination)

    def begin(self, call: Call, destination: str, first: Service | None = None) -> None:
        """Enter a call and serve it from a destination; an adopted call goes on with ``first`` before that."""
        self.calls[call.contact] = call
        for leg in call.legs:
            self.legs[leg.id] = (leg, call)
        work = runner.run(call, destination, self.plugins.services, self.default_destination, first)
        task = asyncio.get_running_loop().create_task(work, name=f"call {call.contact}")
        self._tasks[call.contact] = task
        # Not inside the task: a caller who is gone at once cancels it before it has begun.
        task.add_done_callback(lambda task: self._served(call, task))

    def _served(self, call: Call, task: asyncio.Task[int]) -> None:
        """The last service is over, or the caller hung up and what was running for him was cancelled."""
        if self._tasks.pop(call.contact, None) is None:
            return  # it was left behind
        cause = 16
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is not None:
                about = {"contact": call.contact}
                log.error("contact %s could not be served", call.contact, exc_info=error, extra=about)
            cause = 41 if error is not None else task.result()
        if not self.stopping:
            for leg in call.legs:
                leg.hangup(cause)
                if leg.alive:
                    asyncio.get_running_loop().call_later(CLEAR_S, self.fail, leg, 102)
            self._end_if_over(call)

    def _leg_event(self, event: LegEvent) -> None:
        known = self.legs.get(event.leg)
        if known is None:
            self.counters["unknown_leg"] += not isinstance(event, Cleared)
            return
        leg, call = known
        leg.handle(event)
        match event:
            case Alerting():
                call.emit(LegAlerting(leg.id, leg.elapsed_ms()))
            case Cleared():
                self._cleared(leg, call)

    def _cleared(self, leg: Leg, call: Call) -> None:
        del self.legs[leg.id]
        for _ in range(leg.digits_ignored + len(leg.digits)):
            call.emit(DigitIgnored(leg.id))
        call.emit(LegCleared(leg.id, leg.cause, leg.by), records.leg_cleared(leg.id, self.now(), leg.cause))
        if leg.seat:
            self.beside.spawn(self.plugins.seat_cleared(leg.seat, leg.cause), "seat cleared")
        if leg is call.leg:
            self._end_service(call)
        self._end_if_over(call)
        self.trunks.settle()

    def _end_service(self, call: Call, cancels: int = 0) -> None:
        """The caller is gone: cancel what serves him, again if it goes on all the same, and in the end go without."""
        task = self._tasks.get(call.contact)
        if task is None or self.stopping:
            return
        if cancels < CANCELS:
            task.cancel()
            asyncio.get_running_loop().call_later(CLEAR_S, self._end_service, call, cancels + 1)
            return
        about = {"contact": call.contact}
        log.error("service %s of contact %s does not end", call.destination, call.contact, extra=about)
        call.emit(ServiceFailed(call.destination, "it does not end though the caller is gone", ""))
        self._served(call, task)

    def _end_if_over(self, call: Call) -> None:
        if call.contact in self._tasks or any(leg.alive for leg in call.legs) or call.contact not in self.calls:
            return
        del self.calls[call.contact]
        self._call_ended.set()
        at, cause = self.now(), call.leg.cause
        call.emit(
            ContactEnded(cause, call.leg.by, call.talked, (at - call.offered_at) * 1000),
            records.contact_ended(call, at, cause),
        )

    def fail(self, leg: Leg, cause: int) -> None:
        """A leg whose far end has vanished, or whose process has: cleared here and now, by ``fault``."""
        if leg.alive and leg.id in self.legs:
            leg.hangup(cause)
            self._leg_event(Cleared(leg.id, cause, "fault"))

    def clear_strangers(self, snapshot: Snapshot) -> None:
        """After a link came up: legs that its process has and nobody here knows are hung up, their RTP ports closed.

        Calls that it refused and recordings that it ended while nobody listened are taken in.
        """
        for state in snapshot.legs:
            if state.leg not in self.legs:
                self.send(snapshot.process, Hangup(state.leg, 41))
        timeslots = {state.leg for state in snapshot.legs} if snapshot.process == "line" else set()
        for port in snapshot.ports:
            if port not in self.legs and port not in timeslots:
                self.audio.close_rtp(port)
        for event in snapshot.missed:
            if isinstance(event, Recorded | Refused):
                self.handle(snapshot.process, event)

    def process_lost(self, process: Process) -> None:
        """A process died: its legs are cleared (27); without the line process phones have no audio: theirs too (41)."""
        for leg, _ in list(self.legs.values()):
            if leg.process == process or process == "line":
                self.fail(leg, 27 if leg.process == process else 41)
        if process == "line":
            self.audio.lost()
            self.telephones.lost()
        self.trunks.process_lost(process)

    def _blocked(self, line: str, called: str, caller: str, cause: int, group: str = "") -> None:
        self.counters["blocked"] += 1
        self.trunks.refused[line] += 1
        self.events.append(ContactBlocked(line, called, caller, cause, group))

    # -- what the API can do -------------------------------------------------------------------------------------------

    def hangup(self, contact: str) -> None:
        """End a contact. Raises ``LookupError`` when it is not up."""
        if contact not in self.calls:
            raise LookupError(f"no call {contact!r} is up")
        self.calls[contact].leg.hangup(16)

    # -- the end -------------------------------------------------------------------------------------------------------

    async def drain(self, timeout_s: float) -> None:
        """Take no new calls and wait until those that are up have ended, at most ``timeout_s``."""
        self.draining = True
        try:
            async with asyncio.timeout(timeout_s):
                while self.calls:
                    self._call_ended.clear()
                    await self._call_ended.wait()
        except TimeoutError:
            log.warning("%d calls are still up; they go on without us", len(self.calls))

    async def stop(self) -> None:
        """Cancel everything; calls that are up are left to the next start, which adopts them."""
        self.stopping = True
        for task in self._tasks.values():
            task.cancel()
        await self.beside.stop()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=CLEAR_S)

    def leftover(self) -> dict[str, int]:
        """What is still there: all 0 when no call is up."""
        return {
            "calls": len(self.calls),
            "legs": len(self.legs),
            "tasks": len(self._tasks) + len(self.beside),
            "pending": self.audio.pending,
        }
