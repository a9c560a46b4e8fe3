"""Call control (Q.931 §5.1 to §5.3, §5.7): every call of one trunk, from its SETUP until its channel is free again.

The legs and their channels are owned here; the trunk (``pri``) owns the span, the data link and the line's state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal

from attrs import define

from hw.line.settings import SpanSettings
from hw.line.signalling import q931
from hw.line.signalling.channels import Channels
from hw.line.signalling.libpri import DChannel
from hw.line.signalling.q931 import Call
from hw.line.trunk import NoChannel
from hw.messages import (
    Alerting,
    Answered,
    Cleared,
    Digit,
    Incoming,
    LegPhase,
    LegState,
    LineEvent,
    Proceeding,
    Progress,
    Refused,
)

#: Q.850: no circuit available, requested circuit not available.
_CONGESTION, _NOT_AVAILABLE = 34, 44
#: Q.850: recovery on timer expiry.
_TIMER_EXPIRED = 102
#: Q.931 table 9-2: the exchange that has all digits has to answer within so many seconds.
T304_S = 20.0
#: The exchange's first answers to a SETUP that ask for another channel (Q.931 §5.1.2, §5.7).
_OTHER_CHANNEL = frozenset({6, _NOT_AVAILABLE})
#: Channels that are tried for one outgoing call.
_TRIES = 3
By = Literal["far", "us", "fault"]
#: What takes an outgoing call further, and all that can happen to a call once it is there.
_NamesChannel = q931.SetupAck | q931.Proceeding | q931.Ringing | q931.Connected
_Further = _NamesChannel | q931.Progressing
OfCall = _Further | q931.Information | q931.Keypad | q931.Clearing | q931.Gone


@define(eq=False)
class Leg:
    """One call on the trunk. ``announced``: the control process knows it; its number still grows before."""

    name: str
    call: Call
    channel: int
    incoming: bool
    called: str
    caller: str
    display: str = ""
    restricted: bool = False
    phase: LegPhase = "offered"
    announced: bool = True
    first_answer: bool = False
    tries: int = 1
    by: By = "far"
    cause: int = 0
    clearing: bool = False
    digit_timer: asyncio.TimerHandle | None = None


class CallControl:
    """The legs of one trunk. ``hunt`` gives the next idle channel or raises ``NoChannel``; ``moved`` is called after
    each change of who has which channel; ``emit`` takes what the control process is to be told.
    """

    def __init__(
        self,
        settings: SpanSettings,
        channels: Channels,
        d: DChannel,
        *,
        hunt: Callable[[], int],
        emit: Callable[[LineEvent], None],
        moved: Callable[[], None],
    ) -> None:
        self._line = settings.name
        self._network = settings.role == "network"
        self._overlap_s = settings.overlap_ms / 1000
        self._digit_by_digit = settings.overlap_sending
        self._channels = channels
        self._d = d
        self._hunt = hunt
        self._emit = emit
        self._moved = moved
        self._legs: dict[str, Leg] = {}
        self._by_call: dict[Call, Leg] = {}
        # Legs of different runs of the process must differ: the control process may remember those of the last run.
        self._numbers = (f"{self._line}-{int(time.time()):x}-{number}" for number in count(1))
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._legs)

    def states(self) -> Sequence[LegState]:
        """Every leg that the control process has been told of, or has dialled."""
        return [
            LegState(leg.name, self._line, leg.phase, leg.incoming, leg.called, leg.caller, leg.channel)
            for leg in self._legs.values()
            if leg.announced
        ]

    def leg(self, name: str) -> Leg:
        """A leg by its name. Raises ``KeyError``."""
        return self._legs[name]

    def waiting(self, name: str) -> Leg | None:
        """The incoming leg that is not answered yet; None when it is too late. Raises ``KeyError``, ``ValueError``."""
        leg = self._legs[name]
        if not leg.incoming:
            raise ValueError(f"leg {name!r} is an outgoing call")
        return None if leg.clearing or leg.phase == "up" else leg

    def dial(self, name: str, called: str, caller: str, display: str, *, restricted: bool = False) -> int:
        """Send SETUP on a channel of ours. Raises ``NoChannel``, ``ValueError`` for a leg or number that cannot be."""
        if name in self._legs:
            raise ValueError(f"leg {name!r} is there already")
        if self._digit_by_digit and not (called.isascii() and called.isprintable()):
            raise ValueError(f"{called!r} is not a number that can be sent digit by digit: printable ASCII characters")
        channel = self._hunt()
        call = self._setup(called, caller, display, restricted, channel)
        self._add(Leg(name, call, channel, False, called, caller, display, restricted, phase="dialling"))
        return channel

    def _setup(self, called: str, caller: str, display: str, restricted: bool, channel: int) -> Call:
        """SETUP with the whole number, or without one where the exchange wants it digit by digit."""
        number = "" if self._digit_by_digit else called
        return self._d.setup(
            number, caller, display, channel=channel, restricted=restricted, complete=not self._digit_by_digit
        )

    # -- clearing ------------------------------------------------------------------------------------------------------

    def clear(self, leg: Leg, cause: int) -> None:
        """Clear a call, unless it is being cleared (§5.3)."""
        if not leg.clearing:
            leg.clearing, leg.by, leg.cause = True, "us", cause
            self._d.hangup(leg.call, cause)

    def drop(self, channel: int, cause: int, by: By) -> None:
        """End the leg on a channel, if there is one, without a message to the exchange."""
        if (leg := self._legs.get(self._channels.owner(channel))) is not None:
            self._drop(leg, cause, by)

    def drop_all(self, cause: int, by: By) -> None:
        """End every leg without a message to the exchange."""
        for leg in list(self._legs.values()):
            self._drop(leg, cause, by)

    async def clear_all(self, cause: int) -> None:
        """Clear every call; returns when the exchange has agreed to all."""
        self._empty.clear()
        for leg in list(self._legs.values()):
            self.clear(leg, cause)
        if self._legs:
            await self._empty.wait()

    def _drop(self, leg: Leg, cause: int, by: By) -> None:
        leg.by = by
        self._d.destroy(leg.call)
        self._end(leg, cause)

    def _end(self, leg: Leg, cause: int) -> None:
        """The call is gone: free its channel, tell."""
        del self._legs[leg.name]
        self._by_call.pop(leg.call, None)
        self._channels.free(leg.channel, leg.name)
        if leg.digit_timer is not None:
            leg.digit_timer.cancel()
        if leg.announced:
            self._emit(Cleared(leg.name, cause, leg.by))
        if not self._legs:
            self._empty.set()
        self._moved()

    def _add(self, leg: Leg) -> None:
        self._legs[leg.name] = self._by_call[leg.call] = leg
        self._channels.take(leg.channel, leg.name)
        self._moved()

    # -- what the exchange does ----------------------------------------------------------------------------------------

    def event(self, event: OfCall) -> None:
        """Something has happened to a call; nothing is done when that call is over for us."""
        if (leg := self._by_call.get(event.call)) is not None:
            self._of_leg(leg, event)

    def _of_leg(self, leg: Leg, event: OfCall) -> None:
        match event:
            case q931.Gone(_, cause, timed_out):
                if timed_out and leg.by == "far":
                    leg.by = "fault"
                self._gone(leg, cause)
            case q931.Clearing():
                leg.clearing = True
                leg.cause = leg.cause or event.cause
            case q931.Information(_, digits, complete):
                self._more_digits(leg, digits, complete)
            case q931.Keypad(_, digits):
                self._digits(leg, digits)
            case _:
                # What the called side sends is ignored on the calling side, and once the call is up (Q.931 §5.8.4).
                if not (leg.incoming or leg.clearing or leg.phase == "up"):
                    self._goes_on(leg, event)

    def _goes_on(self, leg: Leg, event: _Further) -> None:
        """Our outgoing call gets further."""
        if not isinstance(event, q931.Progressing) and not self._on_channel(leg, event):
            return
        leg.first_answer = True
        if isinstance(event, q931.SetupAck):
            self._send_digits(leg)
        elif leg.digit_timer is not None:
            leg.digit_timer.cancel()
        match event:
            case q931.Proceeding():
                self._emit(Proceeding(leg.name, leg.channel))
            case q931.Ringing():
                leg.phase = "alerting"
                self._emit(Alerting(leg.name))
            case q931.Connected():
                leg.phase = "up"
                self._emit(Answered(leg.name))
        if isinstance(event, q931.Progressing) or (
            isinstance(event, q931.Proceeding | q931.Ringing) and event.inband
        ):
            self._emit(Progress(leg.name))

    def _send_digits(self, leg: Leg) -> None:
        """Overlap sending (§5.1.3): the whole number, a digit a message; T304 waits for what it leads to."""
        if not self._digit_by_digit or leg.digit_timer is not None:
            return
        leg.digit_timer = asyncio.get_running_loop().call_later(T304_S, self.clear, leg, _TIMER_EXPIRED)
        for digit in leg.called:
            self._d.information(leg.call, digit)

    def _on_channel(self, leg: Leg, event: _NamesChannel) -> bool:
        """Follow the exchange to the channel that it names; clear the call (44) if that one is not free."""
        if event.channel in (leg.channel, q931.NO_CHANNEL, q931.ANY_CHANNEL):
            return True
        if not self._channels.idle(event.channel):
            self.clear(leg, _NOT_AVAILABLE)
            return False
        self._move(leg, event.channel)
        if not isinstance(event, q931.Proceeding):
            self._emit(Proceeding(leg.name, leg.channel))
        return True

    def _move(self, leg: Leg, channel: int) -> None:
        self._channels.free(leg.channel, leg.name)
        leg.channel = channel
        self._channels.take(channel, leg.name)
        self._moved()

    def _gone(self, leg: Leg, cause: int) -> None:
        refused = not leg.incoming and not leg.first_answer and cause in _OTHER_CHANNEL
        if refused and leg.by == "far" and self._try_other(leg):
            return
        # Why we hung up, or what DISCONNECT said: the last message need not repeat it.
        self._end(leg, leg.cause or cause)

    def _try_other(self, leg: Leg) -> bool:
        """Dial once more on another channel, where there is one; ``Proceeding`` tells it at once."""
        if leg.tries == _TRIES:
            return False
        try:
            channel = self._hunt()  # while it still has its own, which the far end does not want
        except NoChannel:
            return False
        self._channels.free(leg.channel, leg.name)
        leg.tries += 1
        del self._by_call[leg.call]
        leg.call = self._setup(leg.called, leg.caller, leg.display, leg.restricted, channel)
        self._by_call[leg.call] = leg
        self._move(leg, channel)
        self._emit(Proceeding(leg.name, channel))
        return True

    # -- incoming calls ------------------------------------------------------------------------------------------------

    def ring(self, ring: q931.Ring) -> None:
        """SETUP has come: take the call, or refuse it (§5.2)."""
        channel = self._choose(ring)
        if isinstance(channel, _No):
            self._d.hangup(ring.call, channel.cause)
            self._emit(Refused(self._line, ring.called, ring.caller, channel.cause))
            return
        rival = self._legs.get(self._channels.owner(channel))
        leg = Leg(
            next(self._numbers), ring.call, channel, incoming=True, called=ring.called, caller=ring.caller,
            display=ring.name, restricted=ring.restricted, announced=False,
        )  # fmt: skip
        self._add(leg)
        if rival is not None:
            self._yield(rival)
        if ring.complete or not self._overlap_s:
            self._announce(leg)
        else:
            self._d.setup_ack(ring.call, channel)
            self._more_digits(leg, "", complete=False)

    def _yield(self, leg: Leg) -> None:
        """Glare: our call leaves its channel, which the exchange's has now, before that one is told."""
        self._d.hangup(leg.call, _NOT_AVAILABLE)
        if not self._try_other(leg):
            self._end(leg, _NOT_AVAILABLE)

    def _choose(self, ring: q931.Ring) -> _No | int:
        """The channel of an incoming call (Q.931 §5.2.3.1), or the cause to refuse it with."""
        rival = self._legs.get(self._channels.owner(ring.channel))
        if rival is not None and not (rival.incoming or rival.first_answer or rival.clearing or self._network):
            return ring.channel  # glare: the network's call has it
        if self._channels.idle(ring.channel):
            return ring.channel
        if ring.channel == q931.NO_CHANNEL or not self._channels.any_idle():
            return _No(_CONGESTION)
        return _No(_NOT_AVAILABLE) if ring.exclusive else self._hunt()

    def _announce(self, leg: Leg) -> None:
        """The number is complete: answer by CALL PROCEEDING and tell the control process."""
        leg.announced = True
        if leg.digit_timer is not None:
            leg.digit_timer.cancel()
        self._d.proceeding(leg.call, leg.channel)
        self._emit(
            Incoming(leg.name, self._line, leg.called, leg.caller, leg.display, leg.restricted, leg.channel)
        )

    def _more_digits(self, leg: Leg, digits: str, complete: bool) -> None:
        """Overlap receiving (Q.931 §5.2.4): ``#``, Sending complete or a pause ends the number."""
        if leg.announced:
            self._digits(leg, digits)
            return
        if leg.clearing:
            return
        number, hash_, _ = digits.partition("#")
        leg.called += number
        if complete or hash_:
            self._announce(leg)
            return
        if leg.digit_timer is not None:
            leg.digit_timer.cancel()
        leg.digit_timer = asyncio.get_running_loop().call_later(self._overlap_s, self._announce, leg)

    def _digits(self, leg: Leg, digits: str) -> None:
        for digit in digits if leg.announced else "":
            self._emit(Digit(leg.name, digit, source="q931"))


@define
class _No:
    """An incoming call is refused with ``cause``."""

    cause: int
