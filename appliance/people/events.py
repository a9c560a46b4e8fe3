"""What changes about people and their phones. PINs and passwords never are fields; ``by`` is who changed it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from appliance.events.types import Event


@frozen
class AgentChanged(Event):
    """An agent was added or changed; ``pin`` whether his PIN was set."""

    kind: ClassVar[str] = "agent.changed"
    agent: str
    name: str
    language: str
    pin: bool
    by: str


@frozen
class AgentRemoved(Event):
    """An agent is no more; what he did stays in the log."""

    kind: ClassVar[str] = "agent.removed"
    agent: str
    by: str


@frozen
class AgentLocked(Event):
    """Too many wrong PINs: no login for this number until ``until`` (epoch seconds)."""

    kind: ClassVar[str] = "agent.locked"
    agent: str
    until: float


@frozen
class SeatChanged(Event):
    """A seat was added or changed; ``password`` whether its phone's password was set."""

    kind: ClassVar[str] = "seat.changed"
    seat: str
    display: str
    outside: bool
    password: bool
    by: str


@frozen
class SeatRemoved(Event):
    """A seat is no more; its phone cannot register."""

    kind: ClassVar[str] = "seat.removed"
    seat: str
    by: str
