"""An MFC-R2 trunk, variant China: the link's commands as line and register signals and back as events.

Channels are hunted from opposite ends on the two sides (``hunting`` may say otherwise). A call that meets another one
on its channel (both seized), or whose seizure is not acknowledged, goes on to another channel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count

from attrs import define

from hw.line.cas import CasSpan
from hw.line.settings import SpanSettings
from hw.line.signalling import r2_actions as do
from hw.line.signalling import r2_codes as r2
from hw.line.signalling.channels import hunting
from hw.line.signalling.r2_actions import Rules
from hw.line.signalling.r2_line import Notice, R2Line, R2Timeslots
from hw.line.trunk import NoChannel, Trunk
from hw.messages import (
    Alerting,
    Answered,
    ChannelState,
    Cleared,
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

#: Channels that are tried for one outgoing call.
_TRIES = 3
#: Changes of channels within so many seconds are told in one ``LineState``.
_GATHER_S = 0.1
#: ``close`` waits at most so long for the exchange to agree.
_CLOSE_S = 1.0


@define(eq=False)
class _Leg:
    """One call. ``announced``: the control process knows it."""

    name: str
    channel: int
    incoming: bool
    called: str = ""
    caller: str = ""
    phase: LegPhase = "offered"
    announced: bool = True
    tries: int = 1


class R2Trunk(Trunk):
    """MFC-R2 on one span; see ``Trunk``. A ``Proceeding`` may name another channel than ``dial`` did."""

    def __init__(self, settings: SpanSettings, span: CasSpan) -> None:
        """Raises ``ValueError`` for settings that R2 has nothing for."""
        if settings.trace is not None:
            raise ValueError(f"span {settings.name}: trace is for signalling pri, R2 has no D channel")
        self.name = settings.name
        self._span = span
        self._order = hunting(settings.channels, settings.hunting, network=settings.role == "network")
        rules = Rules(settings.r2.called_digits, settings.r2.pause_ms, settings.r2.caller_wanted)
        self._line = R2Line(settings.channels, rules, send_bits=span.send, tell=self._told)
        self.timeslots = R2Timeslots(span.timeslots, self._line)
        self._legs: dict[str, _Leg] = {}
        self._on: dict[int, _Leg] = {}
        self._emit: Callable[[LineEvent], None] = lambda _event: None
        self._gather: asyncio.TimerHandle | None = None
        self._counts = Counter({"abandoned": 0, "timeouts": 0, "double_seizures": 0})
        # Legs of different runs of the process must differ: the control process may remember those of the last run.
        self._numbers = (f"{self.name}-{int(time.time()):x}-{number}" for number in count(1))
        self._empty = asyncio.Event()

    # -- the face of a trunk -------------------------------------------------------------------------------------------

    async def start(self, emit: Callable[[LineEvent], None]) -> None:
        """Open the span; the line is up once the bits of all channels have come."""
        self._emit = emit
        self._tell()
        await self._span.open(self._line.bits, self._on_alarm)

    async def close(self) -> None:
        """Clear what is up, wait a moment for the exchange to agree, and close the span."""
        self._empty.clear()
        for leg in self._legs.values():
            self._line.hangup(leg.channel, r2.TEMPORARY_FAILURE)
        try:
            async with asyncio.timeout(_CLOSE_S):
                while self._legs:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            log.warning("%s: the exchange did not clear %d calls in time", self.name, len(self._legs))
        for leg in list(self._legs.values()):
            self._end(leg, r2.TEMPORARY_FAILURE, "us")
        if self._gather is not None:
            self._gather.cancel()
        self._span.close()

    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        """Seize a channel; R2 carries no name. Raises ``NoChannel``, ``ValueError`` for what cannot be dialled."""
        if leg in self._legs:
            raise ValueError(f"leg {leg!r} is there already")
        channel = self._hunt()
        self._line.seize(channel, number, caller)
        self._add(_Leg(leg, channel, False, number, caller, "dialling"))
        return channel

    def proceed(self, leg: str) -> None:
        """R2 has nothing for it."""
        self._waiting(leg)

    def alert(self, leg: str) -> None:
        """Tell the exchange that the number is free; the caller hears ringback from here."""
        if (there := self._waiting(leg)) is not None and there.phase == "offered":
            there.phase = "alerting"
            self._line.alert(there.channel)

    def progress(self, leg: str) -> None:
        """Announcements are for the caller: the way is opened by KB1, and no ringback is sent."""
        if (there := self._waiting(leg)) is not None:
            self.alert(leg)
            self._line.hush(there.channel)

    def answer(self, leg: str) -> None:
        """Send ANSWER (after KB1, if it was not sent yet)."""
        if (there := self._waiting(leg)) is not None:
            there.phase = "up"
            self._line.answer(there.channel)

    def hangup(self, leg: str, cause: int) -> None:
        """Clear a leg. Raises ``KeyError`` for an unknown leg, ``ValueError`` for a cause outside 1 to 127."""
        if cause not in range(1, 128):
            raise ValueError(f"cause {cause}: allowed are 1 to 127 (Q.850)")
        self._line.hangup(self._legs[leg].channel, cause)

    def block(self, channel: int | None, blocked: bool) -> None:
        """Show BLOCKED on a channel once it is idle. Raises ``ValueError`` for an unknown channel."""
        for number in self._some(channel):
            self._line.block(number, blocked)
        self._tell()

    def restart(self, channel: int | None) -> None:
        """Show idle, whatever was there; calls are gone at once. Raises ``ValueError`` for an unknown channel."""
        for number in self._some(channel):
            self._line.reset(number)
        self._tell()

    def channel_of(self, leg: str) -> int:
        """The channel that the leg has now. Raises ``KeyError``."""
        return self._legs[leg].channel

    def state(self) -> LineState:
        """Up when the span is in order and the exchange has shown its bits on every channel."""
        known = all(channel.known for channel in self._line.channels.values())
        up = known and not self._span.alarm
        channels = tuple(self._state_of(number, up) for number in self._line.channels)
        return LineState(self.name, "r2", up, channels, self._span.alarm or ("" if known else "no line signals"))

    def legs(self) -> Sequence[LegState]:
        """Every leg that the control process has been told of, or has dialled."""
        return [
            LegState(leg.name, self.name, leg.phase, leg.incoming, leg.called, leg.caller, leg.channel)
            for leg in self._legs.values()
            if leg.announced
        ]

    def counters(self) -> dict[str, int]:
        """The span's; line signals that were ``unexpected``; incoming calls ``abandoned`` before their number was
        complete; ``timeouts`` of registers; ``double_seizures``.
        """
        unexpected = sum(channel.unexpected for channel in self._line.channels.values())
        return self._span.counters() | dict(self._counts) | {"unexpected": unexpected}

    # -- channels and legs ---------------------------------------------------------------------------------------------

    def _hunt(self) -> int:
        if self._span.alarm:
            raise NoChannel(f"{self.name} is not up")
        return self._order.choose(n for n, channel in self._line.channels.items() if n not in self._on and channel.idle)

    def _some(self, channel: int | None) -> list[int]:
        if channel is None:
            return list(self._line.channels)
        if channel not in self._line.channels:
            raise ValueError(f"channel {channel}: allowed are {', '.join(map(str, sorted(self._line.channels)))}")
        return [channel]

    def _state_of(self, number: int, up: bool) -> ChannelState:
        if not up:
            return ChannelState(number, "alarm")
        if number in self._on:
            return ChannelState(number, "busy", self._on[number].name)
        return ChannelState(number, "idle" if self._line.channels[number].idle else "blocked")

    def _waiting(self, name: str) -> _Leg | None:
        """The incoming leg that is not answered yet; None when it is. Raises ``KeyError``, ``ValueError``."""
        leg = self._legs[name]
        if not leg.incoming:
            raise ValueError(f"leg {name!r} is an outgoing call")
        return None if leg.phase == "up" else leg

    def _add(self, leg: _Leg) -> None:
        self._legs[leg.name] = self._on[leg.channel] = leg
        self._tell_soon()

    def _end(self, leg: _Leg, cause: int, by: do.By) -> None:
        del self._legs[leg.name], self._on[leg.channel]
        self._order.freed(leg.channel)
        if leg.announced:
            self._emit(Cleared(leg.name, cause, by))
        self._empty.set()
        self._tell_soon()

    # -- what the exchange does ----------------------------------------------------------------------------------------

    def _on_alarm(self, alarm: str) -> None:
        """The span is lost or back. What was up on it is gone: the far end sees the same and clears too."""
        if alarm:
            self._line.lost()
        else:
            self._line.up()
        self._tell()

    def _told(self, channel: int, notice: Notice) -> None:
        """In the middle of a tick or a command: looked at when that is through."""
        asyncio.get_running_loop().call_soon(self._on_notice, channel, notice)

    def _on_notice(self, channel: int, notice: Notice) -> None:
        leg = self._on.get(channel)
        match notice:
            case do.Blocked(reason, fault):
                if fault:
                    self._emit(Fault(self.name, f"channel {channel}: {reason}"))
                self._tell_soon()
            case do.Seized() if leg is None:
                self._add(_Leg(next(self._numbers), channel, True, announced=False))
            case _ if leg is not None:
                self._of_leg(leg, notice)

    def _of_leg(self, leg: _Leg, notice: Notice) -> None:
        match notice:
            case do.Offered(called, caller, _):
                leg.called, leg.caller, leg.announced = called, caller, True
                self._emit(Incoming(leg.name, self.name, called, caller, channel=leg.channel))
            case do.Acknowledged():
                self._emit(Proceeding(leg.name, leg.channel))
            case do.Accepted():
                leg.phase = "alerting"
                self._emit(Alerting(leg.name))
                self._emit(Progress(leg.name))  # the called side sends its ringback on the channel
            case do.Answered():
                leg.phase = "up"
                self._emit(Answered(leg.name))
            case do.Released():
                self._released(leg, notice)

    def _released(self, leg: _Leg, released: do.Released) -> None:
        self._counts["timeouts"] += released.cause == r2.TIMER_EXPIRED
        self._counts["double_seizures"] += released.retry and released.cause == r2.NOT_AVAILABLE
        if released.retry and self._try_other(leg):
            return
        if not leg.announced and released.by == "far":
            self._counts["abandoned"] += 1
        elif not leg.announced:
            self._emit(Refused(self.name, released.called, released.caller, released.cause))
        self._end(leg, released.cause, released.by)

    def _try_other(self, leg: _Leg) -> bool:
        """Dial once more on another channel, where there is one; ``Proceeding`` will name it."""
        if leg.tries == _TRIES:
            return False
        try:
            channel = self._hunt()
        except NoChannel:
            return False
        leg.tries += 1
        del self._on[leg.channel]
        self._order.freed(leg.channel)
        leg.channel = channel
        self._line.seize(channel, leg.called, leg.caller)
        self._add(leg)
        return True

    # -- the line's state ----------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        if self._gather is not None:
            self._gather.cancel()
            self._gather = None
        self._emit(self.state())

    def _tell_soon(self) -> None:
        if self._gather is None:
            self._gather = asyncio.get_running_loop().call_later(_GATHER_S, self._tell)
