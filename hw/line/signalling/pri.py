"""A primary rate trunk: the link's commands as Q.931 on one span, and what the exchange does as the link's events.

Channel choice: we hunt from the top (``hunting`` may say otherwise) and name the channel exclusively; the exchange
hunts from the bottom. When both take the same channel at once (glare), the network's call has it (Q.931 §5.7) and ours
goes on to another channel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from hw.line.settings import SpanSettings
from hw.line.signalling import q931
from hw.line.signalling.call_control import CallControl
from hw.line.signalling.channels import Channels, hunting
from hw.line.signalling.libpri import DChannel
from hw.line.signalling.numbering import Prefixes
from hw.line.signalling.restarts import Restarts
from hw.line.signalling.trace import Trace
from hw.line.span import Span
from hw.line.trunk import NoChannel, Trunk
from hw.messages import Fault, LegState, LineEvent, LineState

log = logging.getLogger(__name__)

#: Q.850: out of order, temporary failure.
OUT_OF_ORDER, TEMPORARY_FAILURE = 27, 41
#: Changes of channels within so many seconds are told in one ``LineState``.
_GATHER_S = 0.1
#: ``close`` waits at most so long for the exchange to agree.
_CLOSE_S = 1.0


class PriTrunk(Trunk):
    """Q.931 on one span; see ``Trunk``. A ``Proceeding`` may name another channel than ``dial`` did."""

    def __init__(self, settings: SpanSettings, span: Span) -> None:
        self.name = settings.name
        self.timeslots = span.timeslots
        self._span = span
        self._network = settings.role == "network"
        self._trace = settings.trace
        order = hunting(settings.channels, settings.hunting, network=self._network)
        self._channels = Channels(settings.channels, order)
        self._link_up = False
        self._emit: Callable[[LineEvent], None] = lambda _event: None
        self._gather: asyncio.TimerHandle | None = None
        prefixes = Prefixes(settings.national_prefix, settings.international_prefix)
        self._d = DChannel(settings.role, transmit=span.send, event=self._on_event, prefixes=prefixes)
        self._calls = CallControl(
            settings, self._channels, self._d,
            hunt=self._hunt, emit=lambda event: self._emit(event), moved=self._tell_soon,
        )  # fmt: skip
        self._restarts = Restarts(self._channels, send=self._d.restart, done=self._tell, failed=self._restart_failed)

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
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._calls.clear_all(TEMPORARY_FAILURE)
        except TimeoutError:
            log.warning("%s: the exchange did not clear %d calls in time", self.name, len(self._calls))
        self._calls.drop_all(TEMPORARY_FAILURE, "us")
        if self._gather is not None:
            self._gather.cancel()
        self._restarts.end()
        self._d.stop()
        self._span.close()
        if self._d.trace is not None:
            self._d.trace.close()

    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        """Send SETUP on a channel of ours. Raises ``NoChannel``, ``ValueError`` for a leg or number that cannot be."""
        return self._calls.dial(leg, number, caller, name)

    def dial_restricted(self, leg: str, number: str, caller: str, name: str) -> int:
        """``dial`` with the number's presentation restricted (Q.931 §4.5.10): the network has it, the party not."""
        return self._calls.dial(leg, number, caller, name, restricted=True)

    def proceed(self, leg: str) -> None:
        """Nothing is left to send: an incoming call is answered by CALL PROCEEDING before it is told."""
        self._calls.waiting(leg)

    def alert(self, leg: str) -> None:
        """Send ALERTING, once."""
        if (there := self._calls.waiting(leg)) is not None and there.phase == "offered":
            there.phase = "alerting"
            self._d.alerting(there.call, there.channel)

    def progress(self, leg: str) -> None:
        """Send PROGRESS with in-band information."""
        if (there := self._calls.waiting(leg)) is not None:
            self._d.progress(there.call, there.channel)

    def answer(self, leg: str) -> None:
        """Send CONNECT."""
        if (there := self._calls.waiting(leg)) is not None:
            there.phase = "up"
            self._d.connect(there.call, there.channel)

    def hangup(self, leg: str, cause: int) -> None:
        """Clear a leg. Raises ``KeyError`` for an unknown leg, ``ValueError`` for a cause outside 1 to 127."""
        if cause not in range(1, 128):
            raise ValueError(f"cause {cause}: allowed are 1 to 127 (Q.850)")
        self._calls.clear(self._calls.leg(leg), cause)

    def block(self, channel: int | None, blocked: bool) -> None:
        """Our side only: EuroISDN has no message for it. Raises ``ValueError`` for an unknown channel."""
        self._channels.block(channel, blocked)
        self._tell()

    def restart(self, channel: int | None) -> None:
        """Send RESTART channel by channel; calls on them are gone at once. Raises ``ValueError``."""
        for number in self._channels.some(channel):
            self._calls.drop(number, TEMPORARY_FAILURE, "us")
            if self._link_up:
                self._restarts.add(number)
        self._tell()

    def channel_of(self, leg: str) -> int:
        """The channel that the leg has now. Raises ``KeyError``."""
        return self._calls.leg(leg).channel

    def state(self) -> LineState:
        """Up when the span is in order and the data link is established."""
        up = self._link_up and not self._span.alarm
        alarm = self._span.alarm or ("" if self._link_up else "D channel")
        return LineState(self.name, "pri", up, self._channels.states(up=up), alarm)

    def legs(self) -> Sequence[LegState]:
        """Every leg that the control process has been told of, or has dialled."""
        return self._calls.states()

    def counters(self) -> dict[str, int]:
        """What was dropped or wrong on the span and in the signalling, since the start."""
        return self._span.counters() | self._d.counters()

    # -- the line's state ----------------------------------------------------------------------------------------------

    def _hunt(self) -> int:
        if not self._link_up:
            raise NoChannel(f"{self.name} is not up")
        return self._channels.hunt()

    def _on_alarm(self, alarm: str) -> None:
        """The span is lost or back. What was up on it is gone: the far end sees the same and clears too."""
        if alarm:
            self._link_up = False
            self._restarts.end()
            self._calls.drop_all(OUT_OF_ORDER, "fault")
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
                self._calls.ring(event)
            case q931.LinkUp():
                self._link_up = True
                self._tell()
            case q931.LinkDown():
                self._link_up = False
                self._restarts.end()
                self._tell()
            case q931.Restarted(channel):
                for number in self._channels.some(None) if channel is None else (channel,):
                    self._calls.drop(number, TEMPORARY_FAILURE, "far")
            case q931.RestartAcked(channel):
                self._restarts.acknowledged(channel)
            case _:
                self._calls.event(event)
