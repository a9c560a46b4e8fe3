"""A span of the simulated exchange whose channels signal each for itself, as those of ``ChannelTrunk`` do: the same
pure machines stand at this end, for the other party.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import default_rng

from hw.g711 import Octets, alaw_decode, alaw_encode
from hw.line.dsp.level import peak
from hw.line.signalling import notices as told
from hw.line.signalling.channel_line import Line
from hw.line.signalling.notices import Notice
from hw.line.trunk import NoChannel
from hw.sim.exchange_span import ExchangeSpan
from hw.sim.subscriber import Subscriber


class ChannelExchangeSpan(ExchangeSpan):
    """One span. Faults of every signalling, public, to be set before a call:

    - ``noise_dbm0``: white noise on every channel at this level;
    - ``answer_late_ms``: the answer is signalled so much later than the subscriber answers.
    """

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], *, signalling: str
    ) -> None:
        super().__init__(address, channels, incoming, signalling=signalling)
        self.noise_dbm0: float | None = None
        self.answer_late_ms = 0
        self._random = default_rng(1)

    # -- what the signalling knows -------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def line(self) -> Line:
        """The signalling's machines at this end."""

    @abstractmethod
    def _seize(self, channel: int, called: str, caller: str, name: str, *, restricted: bool) -> None:
        """Call on an idle channel. Raises ``ValueError``."""

    def _fits(self, channel: int, called: str, caller: str) -> bool:
        """Whether a call of these numbers can be on this channel."""
        return True

    # -- what subscribers do -------------------------------------------------------------------------------------------

    def any_idle(self) -> bool:
        """See ``ExchangeLine``."""
        return self.up and any(self._idle(number) for number in self._numbers)

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Take a channel; no signalling here sends digit by digit. Raises ``NoChannel``, also for a ``channel`` that
        is not idle, and ``ValueError``.
        """
        fitting = (n for n in self._numbers if self._idle(n) and channel in (None, n) and self._fits(n, called, caller))
        number = next(fitting, None)
        if number is None:
            raise NoChannel("no idle channel")
        self._seize(number, called, caller, name, restricted=restricted)
        return self._party(called, caller, number, calls=True)

    def alert(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        self.line.alert(subscriber.channel)
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        if self.answer_late_ms:
            asyncio.get_running_loop().call_later(self.answer_late_ms / 1000, self._answer, subscriber)
        else:
            self._answer(subscriber)

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Nothing: the whole number is known from the beginning."""

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """Clear or refuse, as it fits; does nothing once the call is gone."""
        if subscriber.phase != "cleared":
            subscriber.by, subscriber.cause = "us", cause
            self.line.hangup(subscriber.channel, cause)

    def restart(self, channel: int) -> None:
        """Come to rest: the call on the channel is gone."""
        self.line.reset(channel)

    def block(self, channel: int, blocked: bool) -> None:
        """Take a channel out of service, or back."""
        self.line.block(channel, blocked)

    def _answer(self, subscriber: Subscriber) -> None:
        if subscriber.phase != "cleared":
            self.line.answer(subscriber.channel)
            self._connected(subscriber)

    def _idle(self, number: int) -> bool:
        return self._channels.idle(number) and self.line.channels[number].idle

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
            case told.Offered(called=called, caller=caller):
                subscriber = self._party(called, caller, channel, calls=False)
                subscriber.reached("proceeding")
                self._incoming(subscriber)
            case told.Acknowledged() if there is not None:
                there.reached("proceeding")
            case told.InBand() if there is not None:
                there.inband = True
                there.notify()
            case told.Accepted(inband) if there is not None:
                there.inband |= inband
                there.reached("alerting")
            case told.Answered() if there is not None:
                self._connected(there)
            case told.Released(cause, by) if there is not None:
                self._end(there, cause, by)

    # -- the audio -----------------------------------------------------------------------------------------------------

    def _hear(self, heard: Octets) -> None:
        self.line.hear(heard)

    def _say(self, said: Octets) -> None:
        self.line.say(said)
        self._damage(said)
        if self.noise_dbm0 is not None:
            noise = self._random.normal(0, peak(self.noise_dbm0) / np.sqrt(2), said.shape)
            mixed = np.clip(alaw_decode(said) + noise, -32768, 32767)
            said[:] = alaw_encode(mixed.astype(np.int16))

    def _damage(self, said: Octets) -> None:
        """The signalling's own faults in what is about to be sent."""
