"""A span of the simulated exchange with MFC-R2, variant China: real line signals, real tones in the timeslots.

Its faults are public attributes, to be set before a call; see ``R2ExchangeSpan``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import default_rng

from hw.g711 import Octets, alaw_decode, alaw_encode
from hw.line.dsp.level import peak
from hw.line.signalling import r2_actions as do
from hw.line.signalling.notices import Notice
from hw.line.signalling.r2_actions import Rules
from hw.line.signalling.r2_line import R2Line
from hw.line.span import SILENCE
from hw.line.trunk import NoChannel
from hw.sim.exchange_span import ExchangeSpan
from hw.sim.subscriber import Subscriber


class R2ExchangeSpan(ExchangeSpan):
    """One span. Faults:

    - ``mute_after``: of each register's signals only so many are heard by the box, the rest is lost;
    - ``lose_every``: every frame of that number is lost in both directions; 0: none;
    - ``noise_dbm0``: white noise on every channel at this level;
    - ``deaf``: channels on which the box's seizures are not acknowledged: its line signals are not seen;
    - ``answer_late_ms``: the answer signal is sent so much later than the subscriber answers;
    - ``block``: channels are shown blocked.
    """

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], rules: Rules | None = None
    ) -> None:
        super().__init__(address, channels, incoming, signalling="c")
        self.mute_after: int | None = None
        self.lose_every = 0
        self.noise_dbm0: float | None = None
        self.deaf: set[int] = set()
        self.answer_late_ms = 0
        self._line = R2Line(channels, rules or Rules(), send_bits=self._send_bits, tell=self._told)
        self._signals: dict[int, tuple[bool, int]] = {}
        self._random = default_rng(1)
        #: Bits that the box shows, by channel, as they came.
        self.shown: dict[int, int] = {}

    # -- what subscribers do -------------------------------------------------------------------------------------------

    def any_idle(self) -> bool:
        """See ``ExchangeSpan``."""
        return self.up and any(self._idle(number) for number in self._numbers)

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Seize a channel. R2 has no name, no presentation and no sending digit by digit. Raises ``NoChannel``, also
        for a ``channel`` that is not idle, and ``ValueError``.
        """
        number = next((n for n in self._numbers if self._idle(n) and channel in (None, n)), None)
        if number is None:
            raise NoChannel("no idle channel")
        self._line.seize(number, called, "" if restricted else caller)
        return self._party(called, caller, number, calls=True)

    def alert(self, subscriber: Subscriber) -> None:
        """Send KB1 for a called subscriber."""
        self._line.alert(subscriber.channel)
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """Send ANSWER for a called subscriber."""
        if self.answer_late_ms:
            asyncio.get_running_loop().call_later(self.answer_late_ms / 1000, self._answer, subscriber)
        else:
            self._answer(subscriber)

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Nothing: the whole number is known to the register from the beginning."""

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """Clear forward, clear back or refuse, as it fits; does nothing once the call is gone."""
        if subscriber.phase != "cleared":
            subscriber.by, subscriber.cause = "us", cause
            self._line.hangup(subscriber.channel, cause)

    def restart(self, channel: int) -> None:
        """Show idle: the call on the channel is gone."""
        self._line.reset(channel)

    def block(self, channel: int, blocked: bool) -> None:
        """Show a channel blocked, or idle again."""
        self._line.block(channel, blocked)

    def _answer(self, subscriber: Subscriber) -> None:
        if subscriber.phase != "cleared":
            self._line.answer(subscriber.channel)
            self._connected(subscriber)

    def _idle(self, number: int) -> bool:
        return self._channels.idle(number) and self._line.channels[number].idle

    def _party(self, called: str, caller: str, channel: int, *, calls: bool) -> Subscriber:
        subscriber = Subscriber(self, None, called, caller, 0, calls, asyncio.get_running_loop().time())
        self._add(subscriber, channel)
        return subscriber

    # -- what the box does ---------------------------------------------------------------------------------------------

    def _told(self, channel: int, notice: Notice) -> None:
        asyncio.get_running_loop().call_soon(self._on_notice, channel, notice)

    def _on_notice(self, channel: int, notice: Notice) -> None:
        there = self._there(channel)
        match notice:
            case do.Blocked():
                self._set_up(bool(self._sockets) and all(each.known for each in self._line.channels.values()))
            case do.Offered(called, caller, _):
                subscriber = self._party(called, caller, channel, calls=False)
                subscriber.reached("proceeding")
                self._incoming(subscriber)
            case do.Acknowledged() if there is not None:
                there.reached("proceeding")
            case do.Accepted() if there is not None:
                there.inband = True
                there.reached("alerting")
            case do.Answered() if there is not None:
                self._connected(there)
            case do.Released(cause, by) if there is not None:
                self._end(there, cause, by)

    # -- the cable -----------------------------------------------------------------------------------------------------

    def _plugged(self) -> None:
        self._line.up()

    def _unplugged(self) -> None:
        self._line.lost()
        self._signals.clear()

    def _packet(self, packet: bytes) -> None:
        if len(packet) != 2:
            self.counters["malformed"] += 1
            return
        channel, bits = packet
        self.shown[channel] = bits
        if channel not in self.deaf:
            self._line.bits(channel, bits)

    def _send_bits(self, channel: int, bits: int) -> None:
        self._send(bytes((channel, bits)))

    def _hear(self, heard: Octets) -> None:
        if self.lose_every and self.counters["ticks"] % self.lose_every == 0:
            heard.fill(SILENCE)
        self._line.hear(heard)

    def _say(self, said: Octets) -> None:
        self._line.say(said)
        if self.mute_after is not None:
            self._mute(said, self.mute_after)
        if self.noise_dbm0 is not None:
            noise = self._random.normal(0, peak(self.noise_dbm0) / np.sqrt(2), said.shape)
            mixed = np.clip(alaw_decode(said) + noise, -32768, 32767)
            said[:] = alaw_encode(mixed.astype(np.int16))
        if self.lose_every and self.counters["ticks"] % self.lose_every == 0:
            said.fill(SILENCE)

    def _mute(self, said: Octets, most: int) -> None:
        """Lose the register signals behind the first ``most`` of each call."""
        for number, sending in self._line.sending().items():
            was, sent = self._signals.get(number, (False, 0))
            sent += sending and not was
            self._signals[number] = sending, sent
            if sending and sent > most:
                said[self._index[number]] = SILENCE


