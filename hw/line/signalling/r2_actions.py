"""The words of ``r2_channel``: its rules and phases, what it wants done, and what it tells."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import frozen

By = Literal["far", "us", "fault"]
Tone = Literal["", "ringback", "busy", "congestion"]


@frozen
class Rules:
    """How incoming numbers are asked for; see ``BackwardRegister``."""

    called_digits: int = 0
    pause_ms: int = 2000
    caller_wanted: bool = True


class Phase(Enum):
    """Where the channel is; OUT phases have a call of ours, IN phases one of the far end's."""

    IDLE = "idle"
    SEIZING = "out: seized, not acknowledged"
    SENDING = "out: the number is being sent"
    ACCEPTED = "out: it rings"
    TALKING = "out: answered"
    RELEASING = "clear forward or reset sent, the far end is not idle yet"
    HELD = "seized and never acknowledged (Q.422: the seizure stays)"
    RECEIVING = "in: the number is being received"
    OFFERED = "in: somebody has to decide"
    ALERTING = "in: it rings"
    ANSWERED = "in: answered"
    ENDING = "in: refused or cleared back, the caller has not cleared forward yet"


@frozen
class SendBits:
    """Show these ABCD bits on the channel."""

    bits: int


@frozen
class Attach:
    """Attach a register's sender and receiver (``forward``: the caller's side), or take it off: None."""

    forward: bool | None


@frozen
class SendSignal:
    """The attached register sends this signal from now on; 0: none."""

    signal: int


@frozen
class CallTone:
    """Send a call-progress tone of the tone plan to the caller; empty: none."""

    name: Tone


@frozen
class Seized:
    """A call comes in; nothing is known of it yet. ``Offered`` or ``Released`` follows."""


@frozen
class Offered:
    """The incoming call's numbers are complete; it is to be alerted, answered or hung up. ``category`` is KA."""

    called: str
    caller: str
    category: int


@frozen
class Acknowledged:
    """Our seizure is acknowledged: the number is being sent."""


@frozen
class Accepted:
    """The called subscriber is free: it rings, and the tone of it is on the channel."""


@frozen
class Answered:
    """The called subscriber has answered."""


@frozen
class Released:
    """The call is over, by a Q.850 cause. ``retry``: the channel was at fault before the call got anywhere. Of an
    incoming call ``called`` and ``caller`` are what had come in of the numbers.
    """

    cause: int
    by: By
    retry: bool = False
    called: str = ""
    caller: str = ""


@frozen
class Blocked:
    """Whether new calls may take the channel has changed; ``reason`` is empty when they may. ``fault``: it is
    neither wanted here nor shown by the far end.
    """

    reason: str
    fault: bool = False


Action = (
    SendBits | Attach | SendSignal | CallTone | Seized | Offered | Acknowledged | Accepted | Answered | Released
    | Blocked
)  # fmt: skip
