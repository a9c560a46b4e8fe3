"""Analog trunks with loop start: an exchange's lines (FXO), or telephones (FXS), by the link's commands and events.

A telephone is called by its number; its calls come in with that number as the caller, and what was dialled as the
called number. A line has no called number but its own. A call out whose line has no dial tone, or rings itself as we
seize it, goes on to another.
"""

from __future__ import annotations

from hw.line.analog import AnalogSpan
from hw.line.settings import SpanSettings
from hw.line.signalling.caller_id import CallerId
from hw.line.signalling.channel_trunk import ChannelTrunk, Leg
from hw.line.signalling.loop_line import LoopLine
from hw.line.signalling.notices import Released
from hw.line.trunk import NoChannel

_UNALLOCATED, _BUSY, _OUT_OF_ORDER = 1, 17, 27


class LoopTrunk(ChannelTrunk):
    """FXO or FXS ports of one span; see ``ChannelTrunk``."""

    def __init__(self, settings: SpanSettings, span: AnalogSpan, zone: str) -> None:
        """``zone``: whose tones telephones hear. Raises ``ValueError`` for settings that loop start has nothing for."""
        if settings.trace is not None:
            raise ValueError(f"span {settings.name}: trace is for signalling pri, analog ports have no D channel")
        self._loop = LoopLine(settings, zone, order=span.order, tell=self._told)
        self._span = span
        super().__init__(settings, self._loop, span.timeslots)
        self.numbers = dict(zip(settings.channels, settings.loop.numbers, strict=True))
        self.counts.update({"retried": 0})

    def flash(self, leg: str) -> None:
        """Press the hook of a line that is up for a moment: the exchange gives a dial tone, or another call."""
        self._loop.flash(self._legs[leg].channel)

    def counters(self) -> dict[str, int]:
        """The span's; signs that were ``unexpected``; ``caller_id_errors``; calls that were ``retried`` on another line
        for want of a dial tone, or for a call that came first; ``abandoned`` before they were offered.
        """
        return self._span.counters() | dict(self._loop.counts) | super().counters()

    async def _open(self) -> None:
        await self._span.open(self._loop.sign, self._on_alarm)

    def _close(self) -> None:
        self._span.close()

    def _out_of_order(self) -> str:
        return self._span.alarm

    def _hunt(self, number: str) -> int:
        """Any line, or the telephone of that number."""
        if self._kind == "fxo":
            return super()._hunt(number)
        channel = next((channel for channel, own in self.numbers.items() if own == number), None)
        if channel is None:
            raise NoChannel(f"{self.name} has no telephone {number}", _UNALLOCATED)
        if self._out_of_order() or self._loop.channels[channel].blocked:
            raise NoChannel(f"{self.name}: telephone {number} is out of order", _OUT_OF_ORDER)
        if channel in self._on or not self._loop.channels[channel].idle:
            raise NoChannel(f"{self.name}: telephone {number} is busy", _BUSY)
        return channel

    def _seize(self, leg: Leg) -> None:
        self._loop.seize(leg.channel, leg.called, CallerId(leg.caller, leg.display))

    def _count(self, leg: Leg, released: Released) -> None:
        self.counts["retried"] += released.retry
