"""A primary rate trunk: the link's commands as Q.931 on one span, and what the exchange does as the link's events.

Channel choice: we hunt from the top and name the channel exclusively; the exchange hunts from the bottom. When both
take the same channel at once (glare), the network's call has it (Q.931 §5.7) and ours goes on to another channel.
"""

from __future__ import annotations

import asyncio
import logging
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
from hw.line.signalling.restarts import Restarts
from hw.line.signalling.trace import Trace
from hw.line.span import Span
from hw.line.trunk import NoChannel, Trunk
from hw.messages import (
    Alerting,
    Answered,
    Cleared,
    Digit,
    Fault,
    Incoming,
    LegPhase,
    LegState,
    LineEvent,
    LineState,
    Proceeding,
    Progress,
    Refused,
)

log = logging.getLogger(__name__)

#: Q.850: no circuit available, requested circuit not available, out of order, temporary failure.
CONGESTION, NOT_AVAILABLE, OUT_OF_ORDER, TEMPORARY_FAILURE = 34, 44, 27, 41
#: The exchange's first answers to a SETUP that ask for another channel (Q.931 §5.1.2, §5.7).
_OTHER_CHANNEL = frozenset({6, NOT_AVAILABLE})
#: Channels that are tried for one outgoing call.
_TRIES = 3
#: Changes of channels within so many seconds are told in one ``LineState``.
_GATHER_S = 0.1
#: ``close`` waits at most so long for the exchange to agree.
_CLOSE_S = 1.0
By = Literal["far", "us", "fault"]
#: What takes an outgoing call further, and all that can happen to a call once it is there.
_Further = q931.SetupAck | q931.Proceeding | q931.Ringing | q931.Connected
_OfCall = _Further | q931.Information | q931.Keypad | q931.Progressing | q931.Clearing | q931.Gone


@define(eq=False)
class _Leg:
    """One call on the trunk. ``announced``: the control process knows it; ``number`` still grows before."""

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


class PriTrunk(Trunk):
    """Q.931 on one span; see ``Trunk``. A ``Proceeding`` may name another channel than ``dial`` did."""

    def __init__(self, settings: SpanSettings, span: Span) -> None:
        self.name = settings.name
        self.timeslots = span.timeslots
        self._span = span
        self._network = settings.role == "network"
        self._overlap_s = settings.overlap_ms / 1000
        self._trace = settings.trace
        self._channels = Channels(settings.channels, from_top=not self._network)
        self._legs: dict[str, _Leg] = {}
        self._by_call: dict[Call, _Leg] = {}
        self._link_up = False
        self._emit: Callable[[LineEvent], None] = lambda _event: None
        self._gather: asyncio.TimerHandle | None = None
        # Legs of different runs of the process must differ: the control process may remember those of the last run.
        self._numbers = (f"{self.name}-{int(time.time()):x}-{number}" for number in count(1))
        self._d = DChannel(settings.role, transmit=span.send, event=self._on_event)
        self._restarts = Restarts(self._channels, send=self._d.restart, done=self._tell, failed=self._restart_failed)
        self._empty = asyncio.Event()

    # -- the face of a trunk -------------------------------------------------------------------------------------------

    async def start(self, emit: Callable[[LineEvent], None]) -> None:
        """Open the span; the line is up once the data link is established."""
        self._emit = emit
        if self._trace is not None:
            self._d.trace = Trace(self._trace, network=self._network)
        self._tell()
        await self._span.open(self._d.receive, self._on_alarm)

    async def close(self) -> None:
        """Clear what is up, wait a moment for the exchange to agree, and close the span."""
        self._empty.clear()
        for leg in list(self._legs.values()):
            self._clear(leg, TEMPORARY_FAILURE)
        try:
            async with asyncio.timeout(_CLOSE_S):
                if self._legs:
                    await self._empty.wait()
        except TimeoutError:
            log.warning("%s: the exchange did not clear %d calls in time", self.name, len(self._legs))
        self._drop_all(TEMPORARY_FAILURE, "us")
        if self._gather is not None:
            self._gather.cancel()
        self._restarts.end()
        self._d.stop()
        self._span.close()
        if self._d.trace is not None:
            self._d.trace.close()

    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        """Send SETUP on a channel of ours. Raises ``NoChannel``, ``ValueError`` for a leg or number that cannot be."""
        if leg in self._legs:
            raise ValueError(f"leg {leg!r} is there already")
        if not self._link_up:
            raise NoChannel(f"{self.name} is not up")
        channel = self._channels.hunt()
        call = self._d.setup(number, caller, name, channel=channel)
        self._add(_Leg(leg, call, channel, incoming=False, called=number, caller=caller, phase="dialling"))
        return channel

    def proceed(self, leg: str) -> None:
        """Nothing is left to send: an incoming call is answered by CALL PROCEEDING before it is told."""
        self._waiting(leg)

    def alert(self, leg: str) -> None:
        """Send ALERTING, once."""
        if (there := self._waiting(leg)) is not None and there.phase == "offered":
            there.phase = "alerting"
            self._d.alerting(there.call, there.channel)

    def progress(self, leg: str) -> None:
        """Send PROGRESS with in-band information."""
        if (there := self._waiting(leg)) is not None:
            self._d.progress(there.call, there.channel)

    def answer(self, leg: str) -> None:
        """Send CONNECT."""
        if (there := self._waiting(leg)) is not None:
            there.phase = "up"
            self._d.connect(there.call, there.channel)

    def hangup(self, leg: str, cause: int) -> None:
        """Clear a leg. Raises ``KeyError`` for an unknown leg, ``ValueError`` for a cause outside 1 to 127."""
        if cause not in range(1, 128):
            raise ValueError(f"cause {cause}: allowed are 1 to 127 (Q.850)")
        self._clear(self._legs[leg], cause)

    def block(self, channel: int | None, blocked: bool) -> None:
        """Our side only: EuroISDN has no message for it. Raises ``ValueError`` for an unknown channel."""
        self._channels.block(channel, blocked)
        self._tell()

    def restart(self, channel: int | None) -> None:
        """Send RESTART channel by channel; calls on them are gone at once. Raises ``ValueError``."""
        for number in self._channels.some(channel):
            self._drop(self._channels.owner(number), TEMPORARY_FAILURE, "us")
            if self._link_up:
                self._restarts.add(number)
        self._tell()

    def channel_of(self, leg: str) -> int:
        """The channel that the leg has now. Raises ``KeyError``."""
        return self._legs[leg].channel

    def state(self) -> LineState:
        """Up when the span is in order and the data link is established."""
        up = self._link_up and not self._span.alarm
        alarm = self._span.alarm or ("" if self._link_up else "D channel")
        return LineState(self.name, "pri", up, self._channels.states(up=up), alarm)

    def legs(self) -> Sequence[LegState]:
        """Every leg that the control process has been told of, or has dialled."""
        return [
            LegState(leg.name, self.name, leg.phase, leg.incoming, leg.called, leg.caller, leg.channel)
            for leg in self._legs.values()
            if leg.announced
        ]

    def counters(self) -> dict[str, int]:
        """What was dropped or wrong on the span and in the signalling, since the start."""
        return self._span.counters() | self._d.counters()

    # -- commands, inside ----------------------------------------------------------------------------------------------

    def _waiting(self, name: str) -> _Leg | None:
        """The incoming leg that is not answered yet; None when it is too late."""
        leg = self._legs[name]
        if not leg.incoming:
            raise ValueError(f"leg {name!r} is an outgoing call")
        return None if leg.clearing or leg.phase == "up" else leg

    def _clear(self, leg: _Leg, cause: int) -> None:
        if not leg.clearing:
            leg.clearing, leg.by, leg.cause = True, "us", cause
            self._d.hangup(leg.call, cause)

    def _add(self, leg: _Leg) -> None:
        self._legs[leg.name] = self._by_call[leg.call] = leg
        self._channels.take(leg.channel, leg.name)
        self._tell_soon()

    def _end(self, leg: _Leg, cause: int) -> None:
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
        self._tell_soon()

    def _drop(self, name: str, cause: int, by: By) -> None:
        """End a leg without a message to the exchange."""
        if (leg := self._legs.get(name)) is not None:
            leg.by = by
            self._d.destroy(leg.call)
            self._end(leg, cause)

    def _drop_all(self, cause: int, by: By) -> None:
        for name in list(self._legs):
            self._drop(name, cause, by)

    # -- the line's state ----------------------------------------------------------------------------------------------

    def _on_alarm(self, alarm: str) -> None:
        """The span is lost or back. What was up on it is gone: the far end sees the same and clears too."""
        if alarm:
            self._link_up = False
            self._restarts.end()
            self._drop_all(OUT_OF_ORDER, "fault")
            self._d.stop()
        else:
            self._d.start()
        self._tell()

    def _restart_failed(self, channel: int) -> None:
        self._emit(Fault(self.name, f"channel {channel}: RESTART was not acknowledged, blocked now", "Restart"))

    def _tell(self) -> None:
        if self._gather is not None:
            self._gather.cancel()
            self._gather = None
        self._emit(self.state())

    def _tell_soon(self) -> None:
        if self._gather is None:
            self._gather = asyncio.get_running_loop().call_later(_GATHER_S, self._tell)

    # -- what the exchange does ----------------------------------------------------------------------------------------

    def _on_event(self, event: q931.Event) -> None:
        match event:
            case q931.Ring():
                self._ring(event)
            case q931.LinkUp():
                self._link_up = True
                self._tell()
            case q931.LinkDown():
                self._link_up = False
                self._restarts.end()
                self._tell()
            case q931.Restarted(channel):
                for number in self._channels.some(None) if channel is None else (channel,):
                    self._drop(self._channels.owner(number), TEMPORARY_FAILURE, "far")
            case q931.RestartAcked(channel):
                self._restarts.acknowledged(channel)
            case _:
                if (leg := self._by_call.get(event.call)) is not None:
                    self._of_leg(leg, event)

    def _of_leg(self, leg: _Leg, event: _OfCall) -> None:
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
            case q931.Progressing(_, _):
                leg.first_answer = True
                self._emit(Progress(leg.name))
            case _:
                if not leg.clearing and self._on_channel(leg, event):
                    self._goes_on(leg, event)

    def _goes_on(self, leg: _Leg, event: _Further) -> None:
        """Our outgoing call gets further."""
        leg.first_answer = True
        match event:
            case q931.Proceeding():
                self._emit(Proceeding(leg.name, leg.channel))
            case q931.Ringing():
                leg.phase = "alerting"
                self._emit(Alerting(leg.name))
            case q931.Connected():
                leg.phase = "up"
                self._emit(Answered(leg.name))
        if isinstance(event, q931.Proceeding | q931.Ringing) and event.inband:
            self._emit(Progress(leg.name))

    def _on_channel(self, leg: _Leg, event: _Further) -> bool:
        """Follow the exchange to the channel that it names; clear the call (44) if that one is not free."""
        if event.channel in (leg.channel, q931.NO_CHANNEL, q931.ANY_CHANNEL):
            return True
        if not self._channels.idle(event.channel):
            self._clear(leg, NOT_AVAILABLE)
            return False
        self._move(leg, event.channel)
        if not isinstance(event, q931.Proceeding):
            self._emit(Proceeding(leg.name, leg.channel))
        return True

    def _move(self, leg: _Leg, channel: int) -> None:
        self._channels.free(leg.channel, leg.name)
        leg.channel = channel
        self._channels.take(channel, leg.name)
        self._tell_soon()

    def _gone(self, leg: _Leg, cause: int) -> None:
        refused = not leg.incoming and not leg.first_answer and cause in _OTHER_CHANNEL
        if refused and leg.by == "far" and self._try_other(leg):
            return
        # Why we hung up, or what DISCONNECT said: the last message need not repeat it.
        self._end(leg, leg.cause or cause)

    def _try_other(self, leg: _Leg) -> bool:
        """Dial once more on another channel, where there is one; ``Proceeding`` tells it at once."""
        if leg.tries == _TRIES or not self._link_up:
            return False
        self._channels.free(leg.channel, leg.name)
        try:
            channel = self._channels.hunt()
        except NoChannel:
            return False
        leg.tries += 1
        del self._by_call[leg.call]
        leg.call = self._d.setup(leg.called, leg.caller, channel=channel)
        self._by_call[leg.call] = leg
        self._move(leg, channel)
        self._emit(Proceeding(leg.name, channel))
        return True

    # -- incoming calls ------------------------------------------------------------------------------------------------

    def _ring(self, ring: q931.Ring) -> None:
        channel = self._choose(ring)
        if isinstance(channel, _No):
            self._d.hangup(ring.call, channel.cause)
            self._emit(Refused(self.name, ring.called, ring.caller, channel.cause))
            return
        rival = self._legs.get(self._channels.owner(channel))
        leg = _Leg(
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

    def _yield(self, leg: _Leg) -> None:
        """Glare: our call leaves its channel, which the exchange's has now, before that one is told."""
        self._d.hangup(leg.call, NOT_AVAILABLE)
        if not self._try_other(leg):
            self._end(leg, NOT_AVAILABLE)

    def _choose(self, ring: q931.Ring) -> _No | int:
        """The channel of an incoming call (Q.931 §5.2.3.1), or the cause to refuse it with."""
        rival = self._legs.get(self._channels.owner(ring.channel))
        if rival is not None and not (rival.incoming or rival.first_answer or rival.clearing or self._network):
            return ring.channel  # glare: the network's call has it
        if self._channels.idle(ring.channel):
            return ring.channel
        if ring.channel == q931.NO_CHANNEL or not self._channels.any_idle():
            return _No(CONGESTION)
        return _No(NOT_AVAILABLE) if ring.exclusive else self._channels.hunt()

    def _announce(self, leg: _Leg) -> None:
        """The number is complete: answer by CALL PROCEEDING and tell the control process."""
        leg.announced = True
        if leg.digit_timer is not None:
            leg.digit_timer.cancel()
        self._d.proceeding(leg.call, leg.channel)
        self._emit(
            Incoming(leg.name, self.name, leg.called, leg.caller, leg.display, leg.restricted, leg.channel)
        )

    def _more_digits(self, leg: _Leg, digits: str, complete: bool) -> None:
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

    def _digits(self, leg: _Leg, digits: str) -> None:
        for digit in digits:
            self._emit(Digit(leg.name, digit, source="q931"))


@define
class _No:
    """An incoming call is refused with ``cause``."""

    cause: int
