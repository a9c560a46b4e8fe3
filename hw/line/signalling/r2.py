"""An MFC-R2 trunk, variant China: the link's commands as line and register signals and back as events.

Channels are hunted from opposite ends on the two sides (``hunting`` may say otherwise). A call that meets another one
on its channel (both seized), or whose seizure is not acknowledged, goes on to another channel.
"""

from __future__ import annotations

from hw.line.cas import CasSpan
from hw.line.settings import SpanSettings
from hw.line.signalling import r2_codes as r2
from hw.line.signalling.channel_trunk import ChannelTrunk, Leg
from hw.line.signalling.notices import Released
from hw.line.signalling.r2_actions import Rules
from hw.line.signalling.r2_line import R2Line


class R2Trunk(ChannelTrunk):
    """MFC-R2 on one span; see ``ChannelTrunk``. The line is up once the bits of all channels have come."""

    def __init__(self, settings: SpanSettings, span: CasSpan, zone: str) -> None:
        """``zone``: whose tones its callers hear. Raises ``ValueError`` for settings that R2 has nothing for."""
        if settings.trace is not None:
            raise ValueError(f"span {settings.name}: trace is for signalling pri, R2 has no D channel")
        rules = Rules(settings.r2.called_digits, settings.r2.pause_ms, settings.r2.caller_wanted)
        self._r2 = R2Line(
            settings.channels, rules, zone, send_bits=span.send, tell=self._told, register=span.register
        )  # fmt: skip
        self._span = span
        super().__init__(settings, self._r2, span.timeslots)
        self.counts.update({"timeouts": 0, "double_seizures": 0})

    def counters(self) -> dict[str, int]:
        """The span's; line signals that were ``unexpected``; incoming calls ``abandoned`` before their number was
        complete; ``timeouts`` of registers; ``double_seizures``.
        """
        return self._span.counters() | super().counters()

    async def _open(self) -> None:
        await self._span.open(self._r2.bits, self._on_alarm)

    def _close(self) -> None:
        self._span.close()

    def _out_of_order(self) -> str:
        known = all(channel.known for channel in self._r2.channels.values())
        return self._span.alarm or ("" if known else "no line signals")

    def dial_restricted(self, leg: str, number: str, caller: str, name: str) -> int:
        """R2 cannot ask for it: no number is sent at all."""
        return self.dial(leg, number, "", "")

    def _seize(self, leg: Leg) -> None:
        """R2 carries no name."""
        self._r2.seize(leg.channel, leg.called, leg.caller)

    def _count(self, _: Leg, released: Released) -> None:
        self.counts["timeouts"] += released.cause == r2.TIMER_EXPIRED
        self.counts["double_seizures"] += released.retry and released.cause == r2.NOT_AVAILABLE
