"""What can happen to calls on a D channel: Q.931 as typed events, free of any library."""

from __future__ import annotations

import math
from typing import Any, Literal

from attrs import define, frozen

Role = Literal["cpe", "network"]
#: In place of a channel (Q.931 §4.5.13): no channel at all (call waiting), and any channel.
NO_CHANNEL = 0
ANY_CHANNEL = 255


@define(eq=False)
class Call:
    """One call of a D channel. ``clearing`` once either side has begun to clear, ``gone`` after its ``Gone``.

    ``patience``: the loop's time (s) when a call that is being cleared is given up.
    """

    handle: Any
    incoming: bool
    answered_setup: bool = False
    clearing: bool = False
    gone: bool = False
    patience: float = math.inf


@frozen
class LinkUp:
    """The data link is established (Q.921 multiple frame)."""


@frozen
class LinkDown:
    """The data link is released or lost; established calls live on for T309."""


@frozen
class Ring:
    """SETUP received. ``channel`` may be ``NO_CHANNEL`` or ``ANY_CHANNEL``; ``exclusive``: no other will do."""

    call: Call
    channel: int
    exclusive: bool
    called: str
    caller: str
    name: str
    restricted: bool
    complete: bool


@frozen
class Information:
    """INFORMATION received with further digits of the called number; ``complete``: with Sending complete."""

    call: Call
    digits: str
    complete: bool


@frozen
class Keypad:
    """INFORMATION received with keypad digits during a call."""

    call: Call
    digits: str


@frozen
class SetupAck:
    """SETUP ACKNOWLEDGE received: the far end wants more digits."""

    call: Call
    channel: int


@frozen
class Proceeding:
    """CALL PROCEEDING received."""

    call: Call
    channel: int
    inband: bool


@frozen
class Ringing:
    """ALERTING received."""

    call: Call
    channel: int
    inband: bool


@frozen
class Progressing:
    """PROGRESS received."""

    call: Call
    inband: bool


@frozen
class Connected:
    """CONNECT received (and acknowledged)."""

    call: Call
    channel: int


@frozen
class Clearing:
    """DISCONNECT received (and answered by RELEASE); ``Gone`` follows."""

    call: Call
    cause: int


@frozen
class Gone:
    """The call is cleared and its channel free. Always the last event of a call.

    ``timed_out``: no message of the far end ended it, but a timer.
    """

    call: Call
    cause: int
    timed_out: bool = False


@frozen
class Restarted:
    """RESTART received (and acknowledged) for one channel, or for all (None)."""

    channel: int | None


@frozen
class RestartAcked:
    """RESTART ACKNOWLEDGE received for one channel, or for all (None)."""

    channel: int | None


Event = (
    LinkUp | LinkDown | Ring | Information | Keypad | SetupAck | Proceeding | Ringing | Progressing | Connected
    | Clearing | Gone | Restarted | RestartAcked
)
