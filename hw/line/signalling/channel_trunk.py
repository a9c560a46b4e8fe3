"""A trunk whose channels signal each for itself: what R2 and loop start have in common.

The signalling is a *line*: pure machines by channel, with their sounds on the timeslots. Here its notices become the
link's events, the link's commands go to the channel of the leg, and outgoing calls find a channel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from attrs import define

from hw.line.settings import SpanSettings
from hw.line.signalling import notices as told
from hw.line.signalling.channel_line import Line, SignalledTimeslots
from hw.line.signalling.channels import hunting
from hw.line.signalling.notices import Notice
from hw.line.trunk import NoChannel, Timeslots, Trunk
from hw.messages import (
    Alerting,
    Answered,
    ChannelState,
    Cleared,
    Fault,
    Flash,
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
_TEMPORARY_FAILURE = 41


@define(eq=False)
class Leg:
    """One call. ``announced``: the control process knows it; ``restricted``: ``caller`` is not to be shown."""

    name: str
    channel: int
    incoming: bool
    called: str = ""
    caller: str = ""
    display: str = ""
    phase: LegPhase = "offered"
    announced: bool = True
    tries: int = 1
    restricted: bool = False


class ChannelTrunk(Trunk):
    """See ``Trunk``. A ``Proceeding`` may name another channel than ``dial`` did: the first one was at fault.

    ``numbers``: channels that have a number of their own.
    ``counts``: incoming calls ``abandoned`` before they were offered, and what the signalling counts.
    """

    def __init__(self, settings: SpanSettings, line: Line, timeslots: Timeslots) -> None:
        self.name = settings.name
        self.timeslots = SignalledTimeslots(timeslots, line)
        self.counts = Counter({"abandoned": 0})
        self.numbers: Mapping[int, str] = {}
        self._kind = settings.signalling
        self._line = line
        self._order = hunting(settings.channels, settings.hunting, network=settings.role == "network")
        self._legs: dict[str, Leg] = {}
        self._on: dict[int, Leg] = {}
        self._emit: Callable[[LineEvent], None] = lambda _event: None
        self._gather: asyncio.TimerHandle | None = None
        # Legs of different runs of the process must differ: the control process may remember those of the last run.
        self._numbers = (f"{self.name}-{int(time.time()):x}-{number}" for number in count(1))
        self._empty = asyncio.Event()

    # -- what the signalling's trunk knows -----------------------------------------------------------------------------

    @abstractmethod
    async def _open(self) -> None:
        """Open the span. Raises ``OSError``."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the span."""

    @abstractmethod
    def _out_of_order(self) -> str:
        """What is wrong with the whole line; empty while it is up."""

    @abstractmethod
    def _seize(self, leg: Leg) -> None:
        """Call out on the leg's channel, which is idle. Raises ``ValueError`` for what cannot be dialled."""

    @abstractmethod
    def _count(self, leg: Leg, released: told.Released) -> None:
        """Count what is to be counted of a call's end."""

    # -- the face of a trunk -------------------------------------------------------------------------------------------

    async def start(self, emit: Callable[[LineEvent], None]) -> None:
        """Open the span."""
        self._emit = emit
        self._tell()
        await self._open()

    async def close(self) -> None:
        """Clear what is up, wait a moment for the far end to agree, and close the span."""
        self._empty.clear()
        for leg in self._legs.values():
            self._line.hangup(leg.channel, _TEMPORARY_FAILURE)
        try:
            async with asyncio.timeout(_CLOSE_S):
                while self._legs:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            log.warning("%s: the exchange did not clear %d calls in time", self.name, len(self._legs))
        for leg in list(self._legs.values()):
            self._end(leg, _TEMPORARY_FAILURE, "us")
        if self._gather is not None:
            self._gather.cancel()
        self._close()

    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        """Call out. Raises ``NoChannel``, ``ValueError`` for what cannot be dialled."""
        return self._dial(leg, number, caller, name)

    def _dial(self, leg: str, number: str, caller: str, name: str, *, restricted: bool = False) -> int:
        if leg in self._legs:
            raise ValueError(f"leg {leg!r} is there already")
        new = Leg(leg, self._hunt(number), False, number, caller, name, "dialling", restricted=restricted)
        self._seize(new)
        self._add(new)
        return new.channel

    def proceed(self, leg: str) -> None:
        """Nothing is sent for it."""
        self._waiting(leg)

    def alert(self, leg: str) -> None:
        """Tell the far end that it rings; the caller hears ringback from here."""
        if (there := self._waiting(leg)) is not None and there.phase == "offered":
            there.phase = "alerting"
            self._line.alert(there.channel)

    def progress(self, leg: str) -> None:
        """Announcements are for the caller: as ``alert``, and no ringback is sent."""
        if (there := self._waiting(leg)) is not None:
            self.alert(leg)
            self._line.hush(there.channel)

    def answer(self, leg: str) -> None:
        """Answer an incoming leg."""
        if (there := self._waiting(leg)) is not None:
            there.phase = "up"
            self._line.answer(there.channel)

    def hangup(self, leg: str, cause: int) -> None:
        """Clear a leg. Raises ``KeyError`` for an unknown leg, ``ValueError`` for a cause outside 1 to 127."""
        if cause not in range(1, 128):
            raise ValueError(f"cause {cause}: allowed are 1 to 127 (Q.850)")
        self._line.hangup(self._legs[leg].channel, cause)

    def block(self, channel: int | None, blocked: bool) -> None:
        """Take a channel out of service once it is idle. Raises ``ValueError`` for an unknown channel."""
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
        """The line and every channel as they are now."""
        reason = self._out_of_order()
        channels = tuple(self._state_of(number, not reason) for number in self._line.channels)
        return LineState(self.name, self._kind, not reason, channels, reason)

    def legs(self) -> Sequence[LegState]:
        """Every leg that the control process has been told of, or has dialled."""
        return [
            LegState(leg.name, self.name, leg.phase, leg.incoming, leg.called, leg.caller, leg.channel)
            for leg in self._legs.values()
            if leg.announced
        ]

    def counters(self) -> dict[str, int]:
        """``counts``, and signals that were ``unexpected``; the signalling's trunk adds the span's."""
        unexpected = sum(channel.unexpected for channel in self._line.channels.values())
        return dict(self.counts) | {"unexpected": unexpected}

    # -- channels and legs ---------------------------------------------------------------------------------------------

    def _hunt(self, number: str) -> int:
        """The idle channel for a call to ``number``. Raises ``NoChannel``."""
        if self._out_of_order():
            raise NoChannel(f"{self.name} is not up for a call to {number}")
        return self._order.choose(n for n, channel in self._line.channels.items() if n not in self._on and channel.idle)

    def _some(self, channel: int | None) -> list[int]:
        if channel is None:
            return list(self._line.channels)
        if channel not in self._line.channels:
            raise ValueError(f"channel {channel}: allowed are {', '.join(map(str, sorted(self._line.channels)))}")
        return [channel]

    def _state_of(self, number: int, up: bool) -> ChannelState:
        own = self.numbers.get(number, "")
        if not up:
            return ChannelState(number, "alarm", number=own)
        if number in self._on:
            return ChannelState(number, "busy", self._on[number].name, own)
        channel = self._line.channels[number]
        return ChannelState(number, "idle" if channel.idle else "blocked" if channel.blocked else "busy", number=own)

    def _waiting(self, name: str) -> Leg | None:
        """The incoming leg that is not answered yet; None when it is. Raises ``KeyError``, ``ValueError``."""
        leg = self._legs[name]
        if not leg.incoming:
            raise ValueError(f"leg {name!r} is an outgoing call")
        return None if leg.phase == "up" else leg

    def _add(self, leg: Leg) -> None:
        self._legs[leg.name] = self._on[leg.channel] = leg
        self._tell_soon()

    def _end(self, leg: Leg, cause: int, by: told.By) -> None:
        del self._legs[leg.name], self._on[leg.channel]
        self._order.freed(leg.channel)
        if leg.announced:
            self._emit(Cleared(leg.name, cause, by))
        self._empty.set()
        self._tell_soon()

    # -- what the far end does -----------------------------------------------------------------------------------------

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
            case told.Blocked(reason, fault):
                if fault:
                    self._emit(Fault(self.name, f"channel {channel}: {reason}"))
                self._tell_soon()
            case told.Changed():
                self._tell_soon()
            case told.Seized() if leg is None:
                self._add(Leg(next(self._numbers), channel, True, announced=False))
            case _ if leg is not None:
                self._of_leg(leg, notice)

    def _of_leg(self, leg: Leg, notice: Notice) -> None:
        match notice:
            case told.Offered(called=called, caller=caller, name=name, restricted=restricted):
                leg.called, leg.caller, leg.announced = called, caller, True
                self._emit(Incoming(leg.name, self.name, called, caller, name, restricted, leg.channel))
            case told.Acknowledged():
                self._emit(Proceeding(leg.name, leg.channel))
            case told.InBand():
                self._emit(Progress(leg.name))
            case told.Accepted(inband):
                leg.phase = "alerting"
                self._emit(Alerting(leg.name))
                if inband:
                    self._emit(Progress(leg.name))
            case told.Answered():
                leg.phase = "up"
                self._emit(Answered(leg.name))
            case told.Flashed():
                self._emit(Flash(leg.name))
            case told.Released():
                self._released(leg, notice)

    def _released(self, leg: Leg, released: told.Released) -> None:
        self._count(leg, released)
        if released.retry and self._try_other(leg):
            return
        if not leg.announced and released.by == "far":
            self.counts["abandoned"] += 1
        elif not leg.announced:
            self._emit(Refused(self.name, released.called, released.caller, released.cause))
        self._end(leg, released.cause, released.by)

    def _try_other(self, leg: Leg) -> bool:
        """Dial once more on another channel, where there is one; ``Proceeding`` will name it."""
        if leg.tries == _TRIES:
            return False
        try:
            channel = self._hunt(leg.called)
        except NoChannel:
            return False
        leg.tries += 1
        del self._on[leg.channel]
        self._order.freed(leg.channel)
        leg.channel = channel
        self._seize(leg)
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
