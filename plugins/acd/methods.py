"""What the API can ask and tell: agents and queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from appliance.plugin import AgentRow, Method, QueueRow

from . import words
from .dispatcher import Dispatcher
from .figures import Formula


class Methods:
    """The methods of the dispatcher that runs. They raise ``LookupError`` or ``ValueError`` with a sentence to show."""

    def __init__(self, running: Callable[[], Dispatcher]) -> None:
        """``running`` gives the dispatcher; methods are offered before there is one."""
        self._running = running

    def table(self) -> Mapping[str, Method]:
        """By name."""
        return {
            "agents.login": self.login,
            "agents.logout": self.logout,
            "agents.pause": self.pause,
            "agents.resume": self.resume,
            "queues.list": self.queues,
            "queues.set_strategy": self.set_strategy,
            "queues.reload": self.reload,
        }

    async def login(self, agent: str, seat: str) -> AgentRow:
        """Put an agent at a seat (a supervisor may, without the PIN)."""
        dispatcher = self._running()
        people = dispatcher.box.people
        if people.agent(agent) is None:
            raise LookupError(f"there is no agent {agent}")
        if people.seat(seat) is None:
            raise LookupError(f"there is no seat {seat}")
        dispatcher.login(agent, seat)
        return agent_row(dispatcher, agent)

    async def logout(self, agent: str) -> AgentRow:
        """Log an agent out; while he talks, after the call."""
        return self._tell(agent, words.Logout(agent))

    async def pause(self, agent: str, reason: str = "") -> AgentRow:
        """Pause an agent; while he talks, after the call."""
        return self._tell(agent, words.Pause(agent, reason))

    async def resume(self, agent: str) -> AgentRow:
        """Make an agent ready again."""
        return self._tell(agent, words.Resume(agent))

    def _tell(self, agent: str, event: words.Event) -> AgentRow:
        dispatcher = self._running()
        dispatcher.tell(event)
        return agent_row(dispatcher, agent)

    async def queues(self) -> list[dict[str, Any]]:
        """Every queue: its row, who waits, who serves it, its service level by each of the four formulas."""
        dispatcher = self._running()
        return [_detail(dispatcher, row) for row in queue_rows(dispatcher)]

    async def set_strategy(self, queue: str, strategy: str) -> dict[str, Any]:
        """Another strategy for a queue, at once; callers keep their places."""
        self._running().set_strategy(queue, strategy)
        return next(detail for detail in await self.queues() if detail["row"].queue == queue)

    async def reload(self) -> list[dict[str, Any]]:
        """Read the file of queues again; callers keep their places."""
        self._running().reload()
        return await self.queues()


def queue_rows(dispatcher: Dispatcher) -> list[QueueRow]:
    """The live rows of all queues."""
    engine, figures, at = dispatcher.engine, dispatcher.figures, dispatcher.at()
    figures.turn(dispatcher.box.now())
    rows = []
    for name, queue in engine.queues.items():
        day, crew = figures.queues[name], engine.crew(name)
        entered = [call.entered_at for call in engine.line if call.queue == name]
        rows.append(
            QueueRow(
                queue=name,
                name=queue.name,
                strategy=queue.strategy,
                waiting=len(entered),
                longest_wait_s=at - min(entered, default=at),
                agents=len(crew),
                free=sum(engine.roster.eligible(agent) for agent in crew),
                offered=day.offered,
                answered=day.answered,
                abandoned=day.abandoned,
                answered_in_target=day.answered_in_target,
                target_s=queue.target_s,
            )
        )
    return rows


def agent_rows(dispatcher: Dispatcher) -> list[AgentRow]:
    """The live rows of all agents there are, logged in or not."""
    return [agent_row(dispatcher, agent.number) for agent in dispatcher.box.people.agents()]


def agent_row(dispatcher: Dispatcher, number: str) -> AgentRow:
    """One agent as he is now."""
    engine, person = dispatcher.engine, dispatcher.box.people.agent(number)
    name = person.name if person is not None else ""
    answered = dispatcher.figures.answered_by[number]
    agent = engine.roster.agents.get(number)
    if agent is None:
        return AgentRow(number, name, "", "out", 0.0, engine.queue_of(number), answered=answered)
    state, reason, contact, seat = agent.shown
    return AgentRow(number, name, seat, state, agent.since, engine.queue_of(number), contact, answered, reason)


def _detail(dispatcher: Dispatcher, row: QueueRow) -> dict[str, Any]:
    engine, day, at = dispatcher.engine, dispatcher.figures.queues[row.queue], dispatcher.at()
    formulas: tuple[Formula, ...] = (1, 2, 3, 4)
    return {
        "row": row,
        "callers": [
            {
                "contact": call.contact,
                "position": engine.position(call),
                "wait_s": at - call.entered_at,
                "estimate_s": engine.estimate(call),
                "offered_to": sorted(call.offers),
            }
            for call in engine.line
            if call.queue == row.queue
        ],
        "agents": [agent_row(dispatcher, number) for number in engine.queues[row.queue].agents],
        "overflowed": day.overflowed,
        "longest_wait_today_s": day.longest_wait_ms / 1000,
        "service_level": {str(formula): day.service_level(formula) for formula in formulas},
    }
