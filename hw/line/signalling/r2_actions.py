"""The words of ``r2_channel``: its rules and phases, what it wants done, and what it tells."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import frozen

from hw.line.signalling.notices import (
    Accepted,
    Acknowledged,
    Answered,
    Blocked,
    By,
    Notice,
    Offered,
    Released,
    Seized,
)

__all__ = [
    "Accepted",
    "Acknowledged",
    "Action",
    "Answered",
    "Attach",
    "Blocked",
    "By",
    "CallTone",
    "Offered",
    "Phase",
    "Released",
    "Rules",
    "Seized",
    "SendBits",
    "SendSignal",
    "Tone",
]

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


Action = SendBits | Attach | SendSignal | CallTone | Notice
