"""The agents: what each does, at which seat, and what is shown of it. Pure; the engine's other half."""

from __future__ import annotations

from typing import Literal

from attrs import define

from .words import PHONE_GONE, AgentStatus, NotPossibleError, StateChanged


@define
class AgentState:
    """One agent. ``state`` is what he does himself; what is shown also depends on his phone (``Roster.status``)."""

    number: str
    seat: str = ""
    state: Literal["out", "free", "paused", "offered", "ringing", "talking", "wrapup"] = "out"
    reason: str = ""
    contact: str = ""
    queue: str = ""
    #: Since when he has been idle, for the strategy "longest idle".
    idle_since: float = 0.0
    #: Since when he can be offered a call: as ``idle_since``, but an offer that was withdrawn begins it anew.
    free_since: float = 0.0
    talking_since: float = 0.0
    wrapup_until: float = 0.0
    #: Calls in a row that he let ring.
    missed: int = 0
    held: bool = False
    #: What he wants to be when his call is over, and why.
    then: Literal["free", "paused", "out"] = "free"
    then_reason: str = ""
    #: Status, reason, contact and seat as last told by ``StateChanged``; ``since``: when the status began.
    shown: tuple[AgentStatus, str, str, str] = ("out", "", "", "")
    since: float = 0.0


class Roster:
    """All agents who have been here, and which phones are busy or gone."""

    def __init__(self) -> None:
        self.agents: dict[str, AgentState] = {}
        self.busy: set[str] = set()
        self.gone: set[str] = set()
        #: Phones that are left alone for a while after a failed dial: until when, and what is shown meanwhile.
        self.barred: dict[str, tuple[float, AgentStatus]] = {}
        self._touched: dict[str, AgentState] = {}

    # -- asking --------------------------------------------------------------------------------------------------------

    def is_in(self, number: str) -> bool:
        """Whether the agent is logged in."""
        agent = self.agents.get(number)
        return agent is not None and agent.state != "out"

    def at_seat(self, seat: str) -> AgentState | None:
        """Who sits there."""
        return next((a for a in self.agents.values() if a.seat == seat and a.state != "out"), None)

    def eligible(self, agent: AgentState) -> bool:
        """Whether he can be offered a call now."""
        return agent.state == "free" and not any(agent.seat in seats for seats in (self.busy, self.gone, self.barred))

    def status(self, agent: AgentState) -> tuple[AgentStatus, str, str, str]:
        """Status, reason, contact and seat as everybody sees them: a free agent whose phone is gone takes no calls."""
        status: AgentStatus = agent.state
        reason = agent.reason
        if agent.state == "free" and agent.seat in self.barred:
            status = self.barred[agent.seat][1]
            reason = PHONE_GONE if status == "paused" else ""
        elif agent.state == "free" and agent.seat in self.gone:
            status, reason = "paused", PHONE_GONE
        elif agent.state == "free" and agent.seat in self.busy:
            status = "busy"
        elif agent.state == "talking" and agent.held:
            status = "held"
        return status, reason, agent.contact, agent.seat

    # -- changing ------------------------------------------------------------------------------------------------------

    def change(self, number: str) -> AgentState:
        """The agent, about to change."""
        agent = self.agents.setdefault(number, AgentState(number))
        self._touched[number] = agent
        return agent

    def present(self, number: str) -> AgentState:
        """An agent who is logged in, about to change. Raises ``NotPossibleError``."""
        if not self.is_in(number):
            raise NotPossibleError(f"agent {number} is not logged in")
        return self.change(number)

    def sit_down(self, number: str, seat: str, at: float) -> None:
        """Log in; whoever sat there is logged out. Raises ``NotPossibleError`` when one of them has a call."""
        agent, other = self.agents.get(number), self.at_seat(seat)
        if agent is not None and agent.contact and agent.seat != seat:
            raise NotPossibleError(f"agent {number} is in a call at seat {agent.seat}")
        if other is not None and other is not agent:
            if other.contact:
                raise NotPossibleError(f"agent {other.number} is in a call at seat {seat}")
            self.go_out(self.change(other.number))
        agent = self.change(number)
        agent.seat, agent.then, agent.missed = seat, "free", 0
        if not agent.contact:
            self.become_idle(agent, at, at)

    def go_out(self, agent: AgentState) -> None:
        """Logged out."""
        agent.state, agent.seat, agent.reason, agent.contact, agent.queue = "out", "", "", "", ""
        agent.then, agent.held = "free", False

    def become_idle(self, agent: AgentState, idle_since: float, at: float) -> None:
        """Free, or what he wanted to be after the call."""
        self._touched[agent.number] = agent
        agent.contact, agent.queue, agent.held, agent.reason = "", "", False, ""
        wanted, agent.then = agent.then, "free"
        if wanted == "out":
            self.go_out(agent)
        elif wanted == "paused":
            agent.state, agent.reason = "paused", agent.then_reason
        else:
            agent.state, agent.idle_since, agent.free_since = "free", idle_since, at

    def phone(self, seat: str, at: float, *, busy: bool | None = None, gone: bool | None = None) -> None:
        """The phone of a seat is busy or gone, or no more."""
        agent = self.at_seat(seat)
        before = agent is not None and self.eligible(agent)
        for seats, is_so in ((self.busy, busy), (self.gone, gone)):
            if is_so is not None:
                (seats.add if is_so else seats.discard)(seat)
        if agent is not None:
            self._touched[agent.number] = agent
            if not before and self.eligible(agent):
                agent.idle_since = agent.free_since = at

    def unbar(self, at: float) -> None:
        """Phones that were left alone long enough can be tried again."""
        for seat in [seat for seat, (until, _) in self.barred.items() if until <= at]:
            del self.barred[seat]
            self.phone(seat, at)
            if (agent := self.at_seat(seat)) is not None and self.eligible(agent):
                agent.free_since = at

    # -- telling -------------------------------------------------------------------------------------------------------

    def changes(self, at: float) -> list[StateChanged]:
        """What is different from what was last told."""
        told = []
        for agent in self._touched.values():
            now = self.status(agent)
            if now == agent.shown:
                continue
            was, was_since = agent.shown[0], agent.since
            if now[0] != was:
                agent.since = at
            agent.shown = now
            status, reason, contact, seat = now
            told.append(StateChanged(agent.number, seat, status, reason, contact, agent.queue, was, was_since))
        self._touched.clear()
        return told
