"""Who gets which call. Pure: state, an event and its time go in, actions come out; no clock, no I/O.

Callers wait by priority, then by time. An agent is offered at most one call, and a call that nobody answers goes to an
agent who has not let it ring, as long as there is one. Times are seconds on one clock that never goes back.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from attrs import Factory, define

from . import words
from .roster import AgentState, Roster
from .settings import Queue
from .strategies import STRATEGIES
from .words import NO_ANSWER, Action, NotPossibleError

#: The estimated wait is computed from so many calls of the queue that ended last.
REMEMBERED_CALLS = 50

#: Q.850 causes that say nothing of the agent: his phone cannot be reached (no route, absent, out of order, failure).
UNREACHABLE = frozenset({3, 20, 27, 38, 41, 42, 102})
#: Q.850 17: user busy, or he rejected the call.
USER_BUSY = 17
#: A phone that is busy or cannot be reached is not tried again before, seconds: failures come within milliseconds.
RETRY_S = 5.0


@define
class Waiting:
    """One caller who waits. ``offers``: the agents whose phones ring for him."""

    contact: str
    queue: str
    priority: int
    entered_at: float
    order: tuple[float, float, int]
    #: Since when he could be offered: his coming, or the end of the last offer.
    since: float
    #: When he is next told something; None: no more.
    announce_at: float | None
    offers: set[str] = Factory(set)
    #: Agents who let this call ring, the last one last.
    missed: list[str] = Factory(list)


class Engine:
    """All queues with their callers and agents: the one owner of this state."""

    def __init__(self, queues: Mapping[str, Queue], max_no_answer: int = 2) -> None:
        self.queues = dict(queues)
        self.roster = Roster()
        #: Who waits, the next one first.
        self.line: list[Waiting] = []
        self._waiting: dict[str, Waiting] = {}
        self._max_no_answer = max_no_answer
        self._handled: dict[str, deque[float]] = {}
        self._entered = 0
        self._actions: list[Action] = []
        self._rules: dict[type[Any], Callable[[Any, float], None]] = {
            words.CallEntered: self._call_entered,
            words.CallLeft: self._call_left,
            words.Login: self._login,
            words.Restored: self._restored,
            words.Logout: self._logout,
            words.Pause: self._pause,
            words.Resume: self._resume,
            words.Alerting: self._alerting,
            words.Answered: self._answered,
            words.NotAnswered: self._not_answered,
            words.CallEnded: self._call_ended,
            words.Held: self._held,
            words.SeatBusy: lambda event, at: self.roster.phone(event.seat, at, busy=True),
            words.SeatFree: lambda event, at: self.roster.phone(event.seat, at, busy=False),
            words.SeatGone: self._seat_gone,
            words.SeatThere: lambda event, at: self.roster.phone(event.seat, at, gone=False),
            words.QueuesChanged: self._queues_changed,
            words.Due: self._due,
        }

    # -- the face ------------------------------------------------------------------------------------------------------

    def handle(self, event: words.Event, at: float) -> list[Action]:
        """Take one event; what is to be done, the most urgent first.

        Raises ``NotPossibleError`` for a wish of an agent that cannot be granted. Events that come too late (an answer
        to an offer that was withdrawn) are answered by what is left to do, or nothing.
        """
        self._rules[type(event)](event, at)
        self._match(at)
        if isinstance(event, words.CallEntered | words.Logout | words.Due):
            self._announce(at)
        actions, self._actions = self._actions, []
        return [*actions, *self.roster.changes(at)]

    def next_due(self) -> float | None:
        """When ``Due`` must be given, if nothing else happens before."""
        times = [agent.wrapup_until for agent in self.roster.agents.values() if agent.state == "wrapup"]
        times += [until for until, _ in self.roster.barred.values()]
        for call in self.line:
            if not call.offers:
                times += [at for at in (self._overflow_at(call), call.announce_at) if at is not None]
        return min(times, default=None)

    def waiting(self, contact: str) -> Waiting | None:
        """The caller, if he waits."""
        return self._waiting.get(contact)

    def queue_of(self, agent: str) -> tuple[str, ...]:
        """Names of the queues that an agent serves."""
        return tuple(queue.queue for queue in self.queues.values() if agent in queue.rank)

    def crew(self, queue: str) -> list[AgentState]:
        """Agents of a queue who are logged in."""
        return [self.roster.agents[number] for number in self.queues[queue].agents if self.roster.is_in(number)]

    def handled(self, queue: str, seconds: float) -> None:
        """Learn how long a call of the queue kept an agent (from the events of the day, after a restart)."""
        self._handled.setdefault(queue, deque(maxlen=REMEMBERED_CALLS)).append(seconds)

    def position(self, call: Waiting) -> int:
        """Place in his queue; 1 is next."""
        return 1 + sum(other.queue == call.queue and other.order < call.order for other in self.line)

    def estimate(self, call: Waiting) -> float | None:
        """Seconds until an agent is free for the call, on average; None if nothing is known.

        With n agents who need a mean of H seconds a call, one comes free every H/n: the k-th in the line waits k·H/n.
        In the line are all before him who need one of the same agents, whatever their queue.
        """
        crew = {agent.number for agent in self.crew(call.queue) if agent.state != "paused"}
        times = self._handled.get(call.queue)
        if not crew or not times:
            return None
        rivals = {name for name, queue in self.queues.items() if not crew.isdisjoint(queue.rank)}
        ahead = sum(other.queue in rivals and other.order < call.order for other in self.line)
        return (ahead + 1) * sum(times) / len(times) / len(crew)

    # -- callers -------------------------------------------------------------------------------------------------------

    def _call_entered(self, event: words.CallEntered, at: float) -> None:
        if event.contact in self._waiting:
            return
        queue = self.queues[event.queue]
        entered_at = at if event.entered_at is None else min(event.entered_at, at)
        priority = queue.priority + event.priority
        self._entered += 1
        order = (-priority, entered_at, self._entered)
        call = Waiting(event.contact, event.queue, priority, entered_at, order, since=at, announce_at=at)
        self._waiting[call.contact] = call
        insort(self.line, call, key=lambda other: other.order)

    def _call_left(self, event: words.CallLeft, at: float) -> None:
        if call := self._waiting.get(event.contact):
            self._remove(call, at)

    def _remove(self, call: Waiting, at: float, winner: str = "") -> None:
        """Out of the line; phones that ring for him stop, but the winner's."""
        del self._waiting[call.contact]
        self.line.remove(call)
        for number in sorted(call.offers - {winner}):
            self._actions.append(words.Withdraw(call.contact, number))
            self.roster.become_idle(self.roster.agents[number], self.roster.agents[number].idle_since, at)
        call.offers.clear()

    def _overflow_at(self, call: Waiting) -> float | None:
        longest = self.queues[call.queue].max_wait_s
        return call.entered_at + longest if longest else None

    def _announce(self, at: float) -> None:
        """What callers are told at this moment, and who has waited long enough."""
        places: dict[str, int] = {}
        for call in list(self.line):
            place = places[call.queue] = places.get(call.queue, 0) + 1
            if call.offers:
                continue
            queue = self.queues[call.queue]
            overflow_at = self._overflow_at(call)
            if queue.unstaffed and not self._staffed(queue):
                self._overflow(call, queue.unstaffed, "unstaffed", at)
            elif overflow_at is not None and overflow_at <= at:
                self._overflow(call, queue.overflow, "max-wait", at)
            elif call.announce_at is not None and call.announce_at <= at:
                call.announce_at = at + queue.announce_s if queue.announce_s else None
                self._tell_caller(call, queue, place)

    def _tell_caller(self, call: Waiting, queue: Queue, place: int) -> None:
        staffed = self._staffed(queue)
        if not queue.announce_s and staffed:
            return
        position = place if queue.announce_position else None
        wait_s = self.estimate(call) if queue.announce_wait else None
        self._actions.append(words.Announce(call.contact, position, wait_s, staffed))

    def _overflow(self, call: Waiting, destination: str, reason: Literal["unstaffed", "max-wait"], at: float) -> None:
        self._remove(call, at)
        self._actions.append(words.Overflow(call.contact, destination, reason))

    def _staffed(self, queue: Queue) -> bool:
        return any(self.roster.is_in(number) for number in queue.agents)

    # -- agents --------------------------------------------------------------------------------------------------------

    def _login(self, event: words.Login, at: float) -> None:
        self.roster.sit_down(event.agent, event.seat, at)

    def _restored(self, event: words.Restored, at: float) -> None:
        agent = self.roster.change(event.agent)
        agent.seat, agent.state, agent.reason = event.seat, event.state, event.reason
        agent.idle_since, agent.free_since = event.since, at
        if event.state == "talking":
            agent.contact, agent.queue, agent.talking_since = event.contact, event.queue, event.since
        agent.shown, agent.since = self.roster.status(agent), event.since

    def _logout(self, event: words.Logout, at: float) -> None:
        agent = self.roster.present(event.agent)
        self._take_back(agent, at)
        if agent.state == "talking":
            agent.then = "out"
        else:
            self.roster.go_out(agent)

    def _pause(self, event: words.Pause, at: float) -> None:
        agent = self.roster.present(event.agent)
        self._take_back(agent, at)
        if agent.state == "talking":
            agent.then, agent.then_reason = "paused", event.reason
        else:
            agent.state, agent.reason = "paused", event.reason

    def _resume(self, event: words.Resume, at: float) -> None:
        agent = self.roster.present(event.agent)
        agent.then, agent.missed = "free", 0
        if agent.state in ("paused", "wrapup"):
            self.roster.become_idle(agent, at, at)

    def _take_back(self, agent: AgentState, at: float) -> None:
        """An agent whose phone rings does not want the call: it rings elsewhere."""
        call = self._waiting.get(agent.contact)
        if call is None or agent.number not in call.offers:
            return
        call.offers.discard(agent.number)
        call.since = at
        self._actions.append(words.Withdraw(call.contact, agent.number))
        self.roster.become_idle(agent, at, at)

    def _seat_gone(self, event: words.SeatGone, at: float) -> None:
        self.roster.phone(event.seat, at, gone=True)
        if agent := self.roster.at_seat(event.seat):
            self._take_back(agent, at)

    # -- the talk ------------------------------------------------------------------------------------------------------

    def _offered(self, event: words.Alerting | words.Answered | words.NotAnswered) -> Waiting | None:
        """The call of an event about an offer that still stands."""
        call = self._waiting.get(event.contact)
        return call if call is not None and event.agent in call.offers else None

    def _alerting(self, event: words.Alerting, at: float) -> None:
        if self._offered(event):
            self.roster.change(event.agent).state = "ringing"

    def _answered(self, event: words.Answered, at: float) -> None:
        call = self._offered(event)
        if call is None:
            self._actions.append(words.Withdraw(event.contact, event.agent))
            return
        self._remove(call, at, winner=event.agent)
        agent = self.roster.change(event.agent)
        agent.state, agent.talking_since, agent.missed = "talking", at, 0

    def _not_answered(self, event: words.NotAnswered, at: float) -> None:
        call = self._offered(event)
        if call is None:
            return
        call.offers.discard(event.agent)
        call.missed = [number for number in call.missed if number != event.agent] + [event.agent]
        call.since = at
        agent = self.roster.change(event.agent)
        self.roster.become_idle(agent, at, at)
        if event.cause in UNREACHABLE:
            self.roster.barred[agent.seat] = (at + RETRY_S, "paused")
            return
        if event.cause == USER_BUSY:
            self.roster.barred[agent.seat] = (at + RETRY_S, "busy")
        agent.missed += 1
        if agent.missed >= self._max_no_answer and agent.state == "free":
            agent.state, agent.reason = "paused", NO_ANSWER

    def _call_ended(self, event: words.CallEnded, at: float) -> None:
        agent = self.roster.agents.get(event.agent)
        if agent is None or agent.state != "talking" or agent.contact != event.contact:
            return
        queue = self.queues.get(agent.queue)
        wrapup_s = queue.wrapup_s if queue else 0.0
        if queue:
            self.handled(queue.queue, at - agent.talking_since + wrapup_s)
        if wrapup_s and agent.then == "free":
            self.roster.change(agent.number).state = "wrapup"
            agent.contact, agent.held, agent.wrapup_until = "", False, at + wrapup_s
        else:
            self.roster.become_idle(agent, at, at)

    def _held(self, event: words.Held, at: float) -> None:
        for agent in self.roster.agents.values():
            if agent.contact == event.contact and agent.state == "talking":
                self.roster.change(agent.number).held = event.on

    # -- time and rules ------------------------------------------------------------------------------------------------

    def _due(self, event: words.Due, at: float) -> None:
        self.roster.unbar(at)
        for agent in self.roster.agents.values():
            if agent.state == "wrapup" and agent.wrapup_until <= at:
                self.roster.become_idle(agent, at, at)

    def _queues_changed(self, event: words.QueuesChanged, at: float) -> None:
        if lost := sorted({call.queue for call in self.line} - set(event.queues)):
            raise NotPossibleError(f"callers wait in queue {', '.join(lost)}, which would be gone")
        self.queues = dict(event.queues)

    # -- decisions -----------------------------------------------------------------------------------------------------

    def _match(self, at: float) -> None:
        """Offer calls to agents until one side is empty."""
        if not self.line or not (free := [a for a in self.roster.agents.values() if self.roster.eligible(a)]):
            return
        crews = {name: [a for a in free if a.number in queue.rank] for name, queue in self.queues.items()}
        for call in self.line:
            crew, queue = crews[call.queue], self.queues[call.queue]
            strategy = STRATEGIES[queue.strategy]
            if not crew or (call.offers and not strategy.joins):
                continue
            willing = self._willing(call, crew, strategy.joins)
            for number in [agent.number for agent in strategy.choose(willing, queue.rank)] if willing else ():
                self._offer(call, queue, self.roster.change(number), at)
                crews = {name: [a for a in others if a.number != number] for name, others in crews.items()}

    def _willing(self, call: Waiting, free: Sequence[AgentState], all_at_once: bool) -> Sequence[AgentState]:
        """Free agents who have not let this call ring; if all have, all but the last one; if only he is there, he."""
        if not call.missed or not free:
            return free
        if fresh := [agent for agent in free if agent.number not in call.missed]:
            return fresh
        if call.offers:
            return ()
        last = call.missed[-1:]
        call.missed = [] if all_at_once else last
        return [agent for agent in free if agent.number not in call.missed] or free

    def _offer(self, call: Waiting, queue: Queue, agent: AgentState, at: float) -> None:
        agent.state, agent.contact, agent.queue = "offered", call.contact, call.queue
        call.offers.add(agent.number)
        since = max(call.since, agent.free_since)
        self._actions.append(words.Offer(call.contact, agent.number, agent.seat, queue.ring_s, since))
