"""A span of the simulated exchange with MFC-R2, variant China: real line signals, real tones in the timeslots.

Its faults are public attributes, to be set before a call; see ``R2ExchangeSpan``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hw.g711 import Octets
from hw.line.signalling import notices as told
from hw.line.signalling.notices import Notice
from hw.line.signalling.r2_actions import Rules
from hw.line.signalling.r2_line import R2Line
from hw.line.span import SILENCE
from hw.sim.exchange_channel import ChannelExchangeSpan
from hw.sim.subscriber import Subscriber


class R2ExchangeSpan(ChannelExchangeSpan):
    """One span. Faults, besides those of ``ChannelExchangeSpan``:

    - ``mute_after``: of each register's signals only so many are heard by the box, the rest is lost;
    - ``lose_every``: every frame of that number is lost in both directions; 0: none;
    - ``deaf``: channels on which the box's seizures are not acknowledged: its line signals are not seen;
    - ``block``: channels are shown blocked.
    """

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], rules: Rules | None = None
    ) -> None:
        super().__init__(address, channels, incoming, signalling="c")
        self.mute_after: int | None = None
        self.lose_every = 0
        self.deaf: set[int] = set()
        self._r2 = R2Line(channels, rules or Rules(), send_bits=self._send_bits, tell=self._told)
        self._signals: dict[int, tuple[bool, int]] = {}
        #: Bits that the box shows, by channel, as they came.
        self.shown: dict[int, int] = {}

    @property
    def line(self) -> R2Line:
        """See ``ChannelExchangeSpan``."""
        return self._r2

    def _seize(self, channel: int, called: str, caller: str, name: str, *, restricted: bool) -> None:
        """R2 has no name and no presentation: a caller who hides is sent without a number."""
        self._r2.seize(channel, called, "" if restricted else caller)

    def _on_notice(self, channel: int, notice: Notice) -> None:
        if isinstance(notice, told.Blocked):
            self._set_up(bool(self._sockets) and all(each.known for each in self._r2.channels.values()))
        else:
            super()._on_notice(channel, notice)

    # -- the cable -----------------------------------------------------------------------------------------------------

    def _plugged(self) -> None:
        self._r2.up()

    def _unplugged(self) -> None:
        self._r2.lost()
        self._signals.clear()

    def _packet(self, packet: bytes) -> None:
        if len(packet) != 2:
            self.counters["malformed"] += 1
            return
        channel, bits = packet
        self.shown[channel] = bits
        if channel not in self.deaf:
            self._r2.bits(channel, bits)

    def _send_bits(self, channel: int, bits: int) -> None:
        self._send(bytes((channel, bits)))

    def _hear(self, heard: Octets) -> None:
        if self._lost_frame():
            heard.fill(SILENCE)
        super()._hear(heard)

    def _say(self, said: Octets) -> None:
        super()._say(said)
        if self._lost_frame():
            said.fill(SILENCE)

    def _lost_frame(self) -> bool:
        return self.lose_every != 0 and self.counters["ticks"] % self.lose_every == 0

    def _damage(self, said: Octets) -> None:
        """Lose the register signals behind the first ``mute_after`` of each call."""
        if self.mute_after is None:
            return
        for number, sending in self._r2.sending().items():
            was, sent = self._signals.get(number, (False, 0))
            sent += sending and not was
            self._signals[number] = sending, sent
            if sending and sent > self.mute_after:
                said[self._index[number]] = SILENCE
