"""Holds the engine and carries out what it decides: the plugin's one place where decisions meet the world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from appliance.plugin import Box, Call, Leg

from . import store, words
from .engine import Engine
from .events import AgentStateChanged, QueueAbandoned, QueueChanged, QueueEnded
from .figures import Figures
from .settings import AcdSettings, Queue, read_queues, with_strategy

log = logging.getLogger(__name__)


class Waiter(Protocol):
    """The service of one waiting caller, as the dispatcher sees it. All return at once."""

    def offer(self, offer: words.Offer) -> None:
        """Ring an agent's phone."""

    def withdraw(self, agent: str) -> None:
        """Stop ringing it."""

    def announce(self, announcement: words.Announce) -> None:
        """Tell the caller his place and wait."""

    def overflow(self, overflow: words.Overflow) -> None:
        """The wait is over without an agent."""


class Dispatcher:
    """Made at the start of the box; ``start`` reads what was before."""

    def __init__(self, box: Box, settings: AcdSettings, queues: Mapping[str, Queue]) -> None:
        self.box = box
        self.settings = settings
        self.engine = Engine(queues, settings.max_no_answer)
        self.figures = Figures(lambda name: self._target_ms(name))
        self._waiters: dict[str, Waiter] = {}
        self._followed: set[tuple[str, str]] = set()
        #: Whether the calls and phones of before the start are known: the core has adopted what goes on.
        self._settled = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._epoch = box.now() - self._loop.time()

    @property
    def queues_file(self) -> Path:
        """Where the queues are read from."""
        return self.box.etc / self.settings.queues

    def at(self) -> float:
        """The engine's clock: epoch seconds as of our start, moving with the loop's clock, so that it never jumps."""
        return self._epoch + self._loop.time()

    # -- start and stop ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read today's events and the agents' states, then follow the events."""
        last = await store.last_event_before_today(self.box.store, self.box.now())
        while rows := await self.box.events.rows(after=last, kind="queue.", limit=5000):
            for row in rows:
                self.figures.take(row.kind, row.at, row.contact, row.data)
                if row.kind == "queue.ended":
                    self.engine.handled(row.data["queue"], row.data["handle_ms"] / 1000)
            last = rows[-1].id
        for agent in await store.restored(self.box.store):
            if self.box.people.agent(agent.agent) is not None:
                self.tell(agent)
        following = asyncio.Event()
        self.box.spawn(self._follow_events(following), "acd events")
        await following.wait()

    def stop(self) -> None:
        """No more timers."""
        if self._timer is not None:
            self._timer.cancel()

    def _settle(self) -> None:
        """The core has adopted what was up before the start: what has not come back is over, phones are as they are."""
        self._settled = True
        for agent in list(self.engine.roster.agents.values()):
            if agent.state == "talking" and (agent.contact, agent.number) not in self._followed:
                self.tell(words.CallEnded(agent.contact, agent.number))
            if agent.seat:
                self.check_phone(agent.seat)
        for contact in sorted(self.figures.waiting):
            if self.box.call_of(contact) is None:
                self._contact_over(contact)

    # -- decisions -----------------------------------------------------------------------------------------------------

    def tell(self, event: words.Event) -> None:
        """Give the engine an event and do what it says. Raises ``NotPossibleError``."""
        at = self.at()
        for action in self.engine.handle(event, at):
            if isinstance(action, words.StateChanged):
                self._state_changed(action, at)
            elif (waiter := self._waiters.get(action.contact)) is not None:
                self._pass_on(waiter, action)
        self._set_timer()

    def _pass_on(self, waiter: Waiter, action: words.Action) -> None:
        match action:
            case words.Offer():
                waiter.offer(action)
            case words.Withdraw(agent=agent):
                waiter.withdraw(agent)
            case words.Announce():
                waiter.announce(action)
            case words.Overflow():
                waiter.overflow(action)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.engine.next_due()
        self._timer = None if due is None else self._loop.call_later(max(0.0, due - self.at()), self._due)

    def _due(self) -> None:
        self._timer = None
        self.tell(words.Due())

    def _state_changed(self, change: words.StateChanged, at: float) -> None:
        was_ms = max(0.0, at - change.was_since) * 1000 if change.was_since else 0.0  # his first login: nothing was
        event = AgentStateChanged(change.agent, change.seat, change.state, change.reason, change.was, was_ms)
        self.box.events.append(event, change.contact, store.changes(change, at))

    # -- callers -------------------------------------------------------------------------------------------------------

    def enter(self, call: Call, waiter: Waiter, queue: str, entered_at: float) -> None:
        """A caller begins to wait; decisions about him go to ``waiter`` until ``leave``."""
        for agent in list(self.engine.roster.agents.values()):
            if agent.contact == call.contact and (call.contact, agent.number) not in self._followed:
                self.tell(words.CallEnded(call.contact, agent.number))
        self._waiters[call.contact] = waiter
        self.tell(words.CallEntered(call.contact, queue, entered_at, call.data.get("queue.priority", 0)))

    def leave(self, contact: str) -> None:
        """The caller waits no more, for whatever reason."""
        self.tell(words.CallLeft(contact))
        self._waiters.pop(contact, None)

    def talks(self, contact: str, agent: str, queue: str, leg: Leg) -> None:
        """The agent answered: he talks until his leg is cleared."""
        self.tell(words.Answered(contact, agent))
        self._follow(contact, agent, queue, leg)

    def _follow(self, contact: str, agent: str, queue: str, leg: Leg) -> None:
        self._followed.add((contact, agent))
        self.box.spawn(self._until_cleared(contact, agent, queue, leg), f"agent {agent} talks")

    async def _until_cleared(self, contact: str, agent: str, queue: str, leg: Leg) -> None:
        await leg.cleared()
        self.check_phone(leg.seat)
        self._followed.discard((contact, agent))
        talk_s = self.at() - self.engine.roster.agents[agent].talking_since
        rules = self.engine.queues.get(queue)
        handle_s = talk_s + (rules.wrapup_s if rules else 0.0)
        self.tell(words.CallEnded(contact, agent))
        self.box.events.append(QueueEnded(queue, agent, talk_s * 1000, handle_s * 1000), contact)

    def adopted(self, call: Call) -> None:
        """A call that was up before the restart goes on, perhaps with one of our agents."""
        for leg in call.legs:
            if leg.seat:
                self.check_phone(leg.seat)
        for agent in list(self.engine.roster.agents.values()):
            if call.peer is not None and agent.contact == call.contact and agent.seat == call.peer.seat:
                self._follow(call.contact, agent.number, agent.queue, call.peer)

    def _contact_over(self, contact: str) -> None:
        """A contact is over that nobody here follows: it was up before a restart and did not come back."""
        for agent in list(self.engine.roster.agents.values()):
            if agent.contact == contact and agent.state == "talking" and (contact, agent.number) not in self._followed:
                self.tell(words.CallEnded(contact, agent.number))
        if contact not in self._waiters and contact in self.figures.waiting:
            queue, entered_at = self.figures.waiting[contact]
            self.box.events.append(QueueAbandoned(queue, max(0.0, self.at() - entered_at) * 1000), contact)

    # -- phones --------------------------------------------------------------------------------------------------------

    def login(self, agent: str, seat: str) -> None:
        """An agent sits down. Raises ``NotPossibleError``."""
        self.tell(words.Login(agent, seat))
        self.check_phone(seat)

    def check_phone(self, seat: str) -> None:
        """Tell the engine whether a seat's phone has a call, and whether it is registered, as far as that is known."""
        self.tell(words.SeatBusy(seat) if self.box.busy(seat) else words.SeatFree(seat))
        if self.box.registered(seat):
            self.tell(words.SeatThere(seat))
        elif self._settled:
            self.tell(words.SeatGone(seat))

    async def _follow_events(self, following: asyncio.Event) -> None:
        async with self.box.events.subscribe() as events:
            following.set()
            async for row in events:
                data = row.data
                match row.kind:
                    case "contact.offered" if data["line"] == "phones":
                        self.check_phone(data["caller"])
                    case "leg.dialled" if data["line"] == "phones":
                        self.check_phone(data["number"])
                    case "phone.registered" | "phone.unregistered":
                        self.check_phone(data["account"])
                    case "process.changed" if data["process"] == "control" and data["up"]:
                        self._settle()
                    case "process.changed" if data["process"] == "phone":
                        for seat in sorted({agent.seat for agent in self.engine.roster.agents.values()} - {""}):
                            self.check_phone(seat)
                    case "contact.held":
                        self.tell(words.Held(row.contact, data["on"]))
                    case "contact.ended":
                        self._contact_over(row.contact)
                    case kind if kind.startswith("queue."):
                        self.figures.take(kind, row.at, row.contact, data)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the queues' file again; callers keep their places. Raises ``SettingsError``, ``NotPossibleError``."""
        self._change(read_queues(self.queues_file, self.settings))

    def set_strategy(self, queue: str, strategy: str) -> None:
        """Another strategy for a queue until ``reload`` or the next start. Raises ``ValueError``, ``LookupError``."""
        self._change({**self.engine.queues, queue: with_strategy(self.queue(queue), strategy)})

    def _change(self, queues: Mapping[str, Queue]) -> None:
        before = self.engine.queues
        self.tell(words.QueuesChanged(queues))
        for name, queue in queues.items():
            if before.get(name) != queue:
                self.box.events.append(QueueChanged(name, queue.strategy, len(queue.agents)))

    def queue(self, name: str) -> Queue:
        """The rules of a queue. Raises ``LookupError`` that says which there are."""
        if name not in self.engine.queues:
            known = ", ".join(sorted(self.engine.queues)) or "none"
            raise LookupError(f"there is no queue {name!r} (there are: {known})")
        return self.engine.queues[name]

    def _target_ms(self, name: str) -> float:
        queue = self.engine.queues.get(name)
        return (queue.target_s if queue else self.settings.target_s) * 1000
