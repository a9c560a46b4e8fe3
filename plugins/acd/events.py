"""What happens in queues and to agents, as it stands in the log. Day figures and reports are computed from these."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from appliance.plugin import Event


@frozen
class QueueEntered(Event):
    """A caller began to wait at ``position`` (1 is next); ``agents`` logged in, ``free`` of them at once."""

    kind: ClassVar[str] = "queue.entered"
    queue: str
    position: int
    agents: int
    free: int


@frozen
class QueueAnswered(Event):
    """An agent answered after the caller's ``wait_ms``, of which this agent's phone rang ``ring_ms``."""

    kind: ClassVar[str] = "queue.answered"
    queue: str
    agent: str
    wait_ms: float
    ring_ms: float


@frozen
class QueueAbandoned(Event):
    """The caller hung up before anybody answered."""

    kind: ClassVar[str] = "queue.abandoned"
    queue: str
    wait_ms: float


@frozen
class QueueOverflowed(Event):
    """The caller was sent on to ``destination``: ``max-wait`` or ``unstaffed``."""

    kind: ClassVar[str] = "queue.overflowed"
    queue: str
    wait_ms: float
    destination: str
    reason: str


@frozen
class QueueEnded(Event):
    """The agent's part of a call is over; ``handle_ms`` is its talk with the after-call time that the queue gives."""

    kind: ClassVar[str] = "queue.ended"
    queue: str
    agent: str
    talk_ms: float
    handle_ms: float


@frozen
class QueueChanged(Event):
    """The rules of a queue changed while the box runs."""

    kind: ClassVar[str] = "queue.changed"
    queue: str
    strategy: str
    agents: int


@frozen
class Offered(Event):
    """A call is offered to an agent, ``ms`` after both were there: the waiting caller and the free agent."""

    kind: ClassVar[str] = "acd.offered"
    queue: str
    agent: str
    seat: str
    ms: float


@frozen
class Rings(Event):
    """The agent's phone rings, ``ms`` after the offer."""

    kind: ClassVar[str] = "acd.alerting"
    queue: str
    agent: str
    ms: float


@frozen
class OfferFailed(Event):
    """The agent did not answer within ``ms``; ``cause`` is Q.850."""

    kind: ClassVar[str] = "acd.not_answered"
    queue: str
    agent: str
    cause: int
    ms: float


@frozen
class AgentStateChanged(Event):
    """An agent is in ``state``; he had been in ``was`` for ``was_ms``."""

    kind: ClassVar[str] = "agent.state"
    agent: str
    seat: str
    state: str
    reason: str
    was: str
    was_ms: float
