"""The engine's words: what happens (events, in), and what is to be done (actions, out)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from .settings import Queue

AgentStatus = Literal["out", "free", "paused", "offered", "ringing", "talking", "held", "wrapup", "busy"]

#: Reasons that the engine itself gives for "paused".
NO_ANSWER = "no-answer"
PHONE_GONE = "phone"


class NotPossibleError(ValueError):
    """What an agent or a supervisor asked for cannot be done now; the text says why. Nothing has changed."""


# -- events ------------------------------------------------------------------------------------------------------------


@frozen
class CallEntered:
    """A caller joins a queue. ``entered_at`` is when his waiting began, if that was before now."""

    contact: str
    queue: str
    entered_at: float | None = None
    priority: int = 0


@frozen
class CallLeft:
    """A waiting caller is gone: he hung up, or his service ended."""

    contact: str


@frozen
class Login:
    """An agent takes a seat; whoever sat there is logged out."""

    agent: str
    seat: str


@frozen
class Restored:
    """An agent as he was before a restart. Talking: until ``CallEnded`` tells that it is over."""

    agent: str
    seat: str
    state: Literal["free", "paused", "talking"]
    since: float
    reason: str = ""
    contact: str = ""
    queue: str = ""


@frozen
class Logout:
    """An agent leaves his seat; while he talks, after the call."""

    agent: str


@frozen
class Pause:
    """An agent takes no calls for a while; while he talks, after the call."""

    agent: str
    reason: str = ""


@frozen
class Resume:
    """An agent is ready: ends a pause or the time for after-call work."""

    agent: str


@frozen
class Alerting:
    """The agent's phone rings."""

    contact: str
    agent: str


@frozen
class Answered:
    """The agent answered."""

    contact: str
    agent: str


@frozen
class NotAnswered:
    """The agent's phone did not answer; ``cause`` is Q.850. A phone that fails at once is left alone a while."""

    contact: str
    agent: str
    cause: int


@frozen
class CallEnded:
    """The agent's part of a call is over."""

    contact: str
    agent: str


@frozen
class Held:
    """A talking agent's call is on hold, or taken back."""

    contact: str
    on: bool


@frozen
class SeatBusy:
    """The seat's phone has a call."""

    seat: str


@frozen
class SeatFree:
    """The seat's phone has no call."""

    seat: str


@frozen
class SeatGone:
    """The seat's phone is not registered."""

    seat: str


@frozen
class SeatThere:
    """The seat's phone is registered."""

    seat: str


@frozen
class QueuesChanged:
    """New rules; who waits keeps place and waiting time."""

    queues: Mapping[str, Queue]


@frozen
class Due:
    """Time has passed: see ``Engine.next_due``."""


Event = (
    CallEntered | CallLeft | Login | Restored | Logout | Pause | Resume | Alerting | Answered | NotAnswered | CallEnded
    | Held | SeatBusy | SeatFree | SeatGone | SeatThere | QueuesChanged | Due
)


# -- actions -----------------------------------------------------------------------------------------------------------


@frozen
class Offer:
    """Ring the agent's phone for the call. ``since``: from then on both were there to be joined."""

    contact: str
    agent: str
    seat: str
    ring_s: float
    since: float


@frozen
class Withdraw:
    """Stop ringing the agent for the call."""

    contact: str
    agent: str


@frozen
class Announce:
    """Tell the caller his place (1 is next) and the estimated wait; None: unknown, or not told in this queue.

    ``staffed`` is False when nobody is logged in.
    """

    contact: str
    position: int | None
    wait_s: float | None
    staffed: bool


@frozen
class Overflow:
    """The call leaves the queue for ``destination``: nobody is there, or it has waited too long."""

    contact: str
    destination: str
    reason: Literal["unstaffed", "max-wait"]


@frozen
class StateChanged:
    """An agent is in another state than ``was``, in which he had been since ``was_since``."""

    agent: str
    seat: str
    state: AgentStatus
    reason: str
    contact: str
    queue: str
    was: AgentStatus
    was_since: float


Action = Offer | Withdraw | Announce | Overflow | StateChanged
