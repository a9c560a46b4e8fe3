"""``queue:NAME``: the caller waits with music and announcements while agents' phones ring for him."""

from __future__ import annotations

import asyncio
import math

from appliance.plugin import Call, Leg, NotAnswered, log_fields

from . import words
from .dispatcher import Dispatcher
from .events import Offered, OfferFailed, QueueAbandoned, QueueAnswered, QueueEntered, QueueOverflowed, Rings
from .settings import Queue

#: Q.850 26, non-selected user clearing: for the phone that answers after another one did.
_NOT_SELECTED = 26


async def serve(dispatcher: Dispatcher, call: Call, name: str) -> None:
    """Wait in queue ``name`` until an agent answers, then talk. Raises ``LookupError`` for a queue there is not."""
    queue = dispatcher.queue(name)
    log_fields(queue=name)
    await call.answer()
    if not call.two_way:
        await call.say("acd.one_way")
        call.need_two_way()
    outcome = await _Wait(dispatcher, call, queue).run()
    if isinstance(outcome, words.Overflow):
        if outcome.reason == "max-wait":
            await call.say("acd.sorry")
        else:
            await call.say("acd.unstaffed")
        call.go(outcome.destination)
    agent, leg = outcome
    call.data["queue.priority"] = dispatcher.settings.returned_priority
    over = await call.bridge(leg, agent=agent)
    if over == "fault":
        call.go(f"queue:{name}")  # the phone died, not the conversation: the next agent takes the caller


class _Wait:
    """One caller's wait: what rings for him, what is said to him, and how it ends."""

    def __init__(self, dispatcher: Dispatcher, call: Call, queue: Queue) -> None:
        self._dispatcher = dispatcher
        self._call = call
        self._queue = queue
        self._end: asyncio.Future[words.Overflow | tuple[str, Leg]] = asyncio.get_running_loop().create_future()
        self._rings: dict[str, asyncio.Task[None]] = {}
        self._saying: asyncio.Task[None] | None = None

    async def run(self) -> words.Overflow | tuple[str, Leg]:
        """Until an agent answers (his number and leg) or the call overflows. A caller who hangs up cancels it."""
        call, dispatcher = self._call, self._dispatcher
        was_waiting = dispatcher.figures.waiting.get(call.contact)
        self._entered_at = was_waiting[1] if was_waiting else dispatcher.at()
        call.state = "queued"
        call.music()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                dispatcher.enter(call, self, self._queue.queue, self._entered_at)
                if was_waiting is None:
                    self._emit_entered()
                outcome = await self._end
                if self._saying is not None:
                    self._saying.cancel()
        finally:
            dispatcher.leave(call.contact)
            if not call.leg.alive and not self._answered():
                call.emit(QueueAbandoned(self._queue.queue, self._wait_ms()))
        return outcome

    def _answered(self) -> bool:
        return self._end.done() and not self._end.cancelled()

    def _wait_ms(self) -> float:
        return max(0.0, self._dispatcher.at() - self._entered_at) * 1000

    def _emit_entered(self) -> None:
        engine = self._dispatcher.engine
        waiting, crew = engine.waiting(self._call.contact), engine.crew(self._queue.queue)
        position = engine.position(waiting) if waiting is not None else 1
        free = sum(engine.roster.eligible(agent) for agent in crew)
        self._call.emit(QueueEntered(self._queue.queue, position, len(crew), free))

    # -- what the dispatcher tells -------------------------------------------------------------------------------------

    def offer(self, offer: words.Offer) -> None:
        """Ring an agent's phone, at once: whatever is being said goes on meanwhile."""
        if self._end.done():
            return  # the caller is hanging up and about to leave: then the agent is free again
        self._rings[offer.agent] = self._tasks.create_task(self._ring(offer), name=f"ring {offer.seat}")

    def withdraw(self, agent: str) -> None:
        """Stop ringing an agent's phone."""
        if ring := self._rings.pop(agent, None):
            ring.cancel()

    def announce(self, announcement: words.Announce) -> None:
        """Say place and wait, unless the last announcement is still being said."""
        if (self._saying is None or self._saying.done()) and not self._end.done():
            self._saying = self._tasks.create_task(self._say(announcement), name="announcement")

    def overflow(self, overflow: words.Overflow) -> None:
        """The wait is over without an agent."""
        if self._end.done():
            return
        self._call.emit(
            QueueOverflowed(self._queue.queue, self._wait_ms(), overflow.destination, overflow.reason)
        )
        self._end.set_result(overflow)

    # -- what runs meanwhile -------------------------------------------------------------------------------------------

    async def _ring(self, offer: words.Offer) -> None:
        call, queue, dispatcher = self._call, self._queue.queue, self._dispatcher
        began = dispatcher.at()

        def rings() -> None:
            dispatcher.tell(words.Alerting(offer.contact, offer.agent))
            call.emit(Rings(queue, offer.agent, (dispatcher.at() - began) * 1000))

        call.emit(Offered(queue, offer.agent, offer.seat, (began - offer.since) * 1000))
        try:
            leg = await call.dial_seat(offer.seat, ring_s=offer.ring_s, display=self._queue.name, on_alerting=rings)
        except NotAnswered as missed:
            self._rings.pop(offer.agent, None)
            call.emit(OfferFailed(queue, offer.agent, missed.cause, (dispatcher.at() - began) * 1000))
            dispatcher.check_phone(offer.seat)
            dispatcher.tell(words.NotAnswered(offer.contact, offer.agent, missed.cause))
            return
        if self._rings.pop(offer.agent, None) is None or self._end.done():
            leg.hangup(_NOT_SELECTED)
            return
        ring_ms = (dispatcher.at() - began) * 1000
        call.emit(QueueAnswered(queue, offer.agent, self._wait_ms(), ring_ms))
        self._end.set_result((offer.agent, leg))
        dispatcher.talks(offer.contact, offer.agent, queue, leg)

    async def _say(self, announcement: words.Announce) -> None:
        call = self._call
        if not announcement.staffed:
            await call.say("acd.unstaffed")
        elif announcement.position == 1:
            await call.say("acd.next")
        elif announcement.position is not None:
            await call.say("acd.position", position=announcement.position)
        if announcement.staffed and announcement.wait_s is not None:
            minutes = math.ceil(announcement.wait_s / 60)
            await (call.say("acd.wait", minutes=minutes) if minutes > 1 else call.say("acd.wait_short"))
        call.music()
