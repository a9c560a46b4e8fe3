"""The words of the loop-start machines: their phases, and what they want done. What they tell is in ``notices``."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import frozen

from hw.line.analog import Order
from hw.line.signalling.caller_id import CallerId
from hw.line.signalling.notices import Notice

#: Call-progress tones that a port sends, by their names in the tone plan; empty: none.
Tone = Literal["", "dial", "ringback", "busy", "congestion", "howler"]
#: What a port listens to: call-progress tones, DTMF keys, caller ID by FSK.
Ear = Literal["tones", "keys", "fsk"]


class FxoPhase(Enum):
    """Where an FXO port is; OUT phases have a call of ours, IN phases one of the exchange's."""

    IDLE = "idle"
    RINGING = "in: it rings, the caller's number may still come"
    OFFERED = "in: somebody has to decide"
    REFUSED = "in: given up here, but it may still ring"
    ANSWERED = "in: answered"
    SEIZING = "out: off hook, no dial tone yet"
    DIALLING = "out: the number is being sent"
    WAITING = "out: dialled, nothing heard yet"
    ALERTING = "out: it rings"
    TALKING = "out: answered"
    GUARD = "on hook after a call, the exchange comes to rest"


class FxsPhase(Enum):
    """Where an FXS port is; OUT phases have a call to the telephone, IN phases one of the telephone's."""

    IDLE = "idle"
    DIAL_TONE = "lifted, no digit yet"
    COLLECTING = "in: digits are coming"
    OFFERED = "in: somebody has to decide"
    ALERTING = "in: it rings at the called party"
    ANNOUNCING = "out: the caller's number is sent before the first ring"
    RINGING = "out: it rings"
    TALKING = "answered"
    CLEARED = "the call is over, the telephone is still off hook"


@frozen
class Give:
    """Give the port an order."""

    order: Order


@frozen
class SendTone:
    """Send this tone until another is wanted, in place of speech; empty: none."""

    name: Tone


@frozen
class SendKeys:
    """Send these keys as DTMF once, ``,`` is a pause; ``sent`` is to be called at their end."""

    keys: str


@frozen
class SendCallerId:
    """Send this caller by FSK once; ``sent`` is to be called at the end."""

    caller: CallerId


@frozen
class StopSending:
    """Send no more of the keys or the caller ID; ``sent`` is not called."""


@frozen
class Listen:
    """Listen to just these, from nothing."""

    to: frozenset[Ear]


Action = Give | SendTone | SendKeys | SendCallerId | StopSending | Listen | Notice
