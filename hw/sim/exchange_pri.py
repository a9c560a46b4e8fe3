"""A span of the simulated exchange with a primary rate interface: Q.931, network side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hw.g711 import Octets
from hw.line.signalling import q931
from hw.line.signalling.channels import Channels, Hunting
from hw.line.signalling.libpri import DChannel
from hw.line.signalling.q931 import Call
from hw.line.signalling.trace import Trace
from hw.sim.exchange_span import NOT_AVAILABLE, TEMPORARY_FAILURE, ExchangeSpan
from hw.sim.subscriber import Subscriber

_CONGESTION = 34


class PriExchangeSpan(ExchangeSpan):
    """One span; ``d_delay_s`` is a fault: every D channel frame that we send is late by so many seconds."""

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], trace: Trace | None = None
    ) -> None:
        super().__init__(address, channels, incoming, signalling="d")
        self.d_delay_s = 0.0
        #: A number that comes digit by digit is complete after such a pause.
        self.digit_pause_s = 0.1
        self._channels = Channels(channels, Hunting(channels, "up"))
        self._d = DChannel("network", transmit=self._transmit, event=self._on_event)
        self._d.trace = trace
        self._by_call: dict[Call, Subscriber] = {}
        self._dialling: dict[Call, asyncio.TimerHandle] = {}

    async def close(self) -> None:
        """See ``ExchangeSpan``."""
        await super().close()
        if self._d.trace is not None:
            self._d.trace.close()

    def any_idle(self) -> bool:
        """See ``ExchangeSpan``."""
        return self.up and self._channels.any_idle()

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Send SETUP; with ``channel`` on that one, whether idle or not. Raises ``NoChannel``."""
        wanted = self._channels.hunt() if channel is None else channel
        call = self._d.setup(called, caller, name, channel=wanted, exclusive=0 < wanted < 255,
                             restricted=restricted, complete=complete)  # fmt: skip
        # A forced call without a channel of its own must not take anybody's.
        own = wanted if self._channels.idle(wanted) else 0
        return self._party(call, called, caller, own, calls=True)

    def alert(self, subscriber: Subscriber) -> None:
        """Send ALERTING for a called subscriber."""
        self._d.alerting(subscriber.call, subscriber.channel)
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """Send CONNECT for a called subscriber."""
        self._d.connect(subscriber.call, subscriber.channel)
        self._connected(subscriber)

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Send one more digit."""
        self._d.information(subscriber.call, digit)

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """Clear a call, unless it is being cleared."""
        if not (subscriber.call.clearing or subscriber.call.gone):
            subscriber.by, subscriber.cause = "us", cause
            self._d.hangup(subscriber.call, cause)

    def restart(self, channel: int) -> None:
        """Restart a channel: the call on it is gone."""
        if (there := self._there(channel)) is not None:
            self._d.destroy(there.call)
            self._end(there, TEMPORARY_FAILURE, "us")
        self._d.restart(channel)

    def _party(self, call: Call, called: str, caller: str, channel: int, *, calls: bool) -> Subscriber:
        subscriber = Subscriber(self, call, called, caller, 0, calls, asyncio.get_running_loop().time())
        self._by_call[call] = subscriber
        self._add(subscriber, channel)
        return subscriber

    def _end(self, subscriber: Subscriber, cause: int, by: str = "") -> None:
        self._by_call.pop(subscriber.call, None)
        if (timer := self._dialling.pop(subscriber.call, None)) is not None:
            timer.cancel()
        super()._end(subscriber, cause, by)

    # -- the D channel -------------------------------------------------------------------------------------------------

    def _plugged(self) -> None:
        self._d.start()

    def _unplugged(self) -> None:
        self._d.stop()

    def _packet(self, packet: bytes) -> None:
        self._d.receive(packet)

    def _hear(self, heard: Octets) -> None:
        """Its signalling is not heard."""

    def _say(self, said: Octets) -> None:
        """Nor sent in the timeslots."""

    def _transmit(self, frame: bytes) -> None:
        if self.d_delay_s:
            asyncio.get_running_loop().call_later(self.d_delay_s, self._send, frame)
        else:
            self._send(frame)

    # -- what the box does ---------------------------------------------------------------------------------------------

    def _on_event(self, event: q931.Event) -> None:
        match event:
            case q931.Ring():
                self._ring(event)
            case q931.LinkUp() | q931.LinkDown():
                self._set_up(isinstance(event, q931.LinkUp))
            case q931.Restarted(channel):
                for number in self._numbers if channel is None else (channel,):
                    if (there := self._there(number)) is not None:
                        self._d.destroy(there.call)
                        self._end(there, TEMPORARY_FAILURE)
            case q931.RestartAcked():
                pass
            case _:
                if (subscriber := self._by_call.get(event.call)) is not None:
                    self._of_call(subscriber, event)

    def _of_call(self, subscriber: Subscriber, event: q931.Event) -> None:
        match event:
            case q931.Information(_, digits, complete):
                subscriber.called += digits
                self._await_digits(subscriber, complete)
            case q931.Proceeding(_, channel, inband):
                self._on_channel(subscriber, channel)
                subscriber.inband |= inband
                subscriber.reached("proceeding")
            case q931.Ringing(_, _, inband):
                subscriber.inband |= inband
                subscriber.reached("alerting")
            case q931.Progressing(_, inband):
                subscriber.inband |= inband
                subscriber.notify()
            case q931.SetupAck(_, channel):
                self._on_channel(subscriber, channel)
                subscriber.digits_wanted = True
                subscriber.notify()
            case q931.Connected():
                self._connected(subscriber)
            case q931.Clearing(_, cause):
                subscriber.cause = subscriber.cause or cause
            case q931.Gone(_, cause):
                self._end(subscriber, cause)

    def _ring(self, ring: q931.Ring) -> None:
        """A call of the box. One on a channel that is taken is refused, glare included: the network's call has it."""
        if not self._channels.idle(ring.channel):
            self._d.hangup(ring.call, NOT_AVAILABLE if self._channels.any_idle() else _CONGESTION)
            return
        subscriber = self._party(ring.call, ring.called, ring.caller, ring.channel, calls=False)
        subscriber.restricted = ring.restricted
        if ring.complete:
            self._handle(subscriber)
        else:
            self._d.setup_ack(ring.call, ring.channel)
            self._await_digits(subscriber, False)

    def _await_digits(self, subscriber: Subscriber, complete: bool) -> None:
        """Overlap receiving: the number is complete when the box says so, or after a pause behind its last digit."""
        if (timer := self._dialling.pop(subscriber.call, None)) is not None:
            timer.cancel()
        if complete:
            self._handle(subscriber)
        elif subscriber.called:
            loop = asyncio.get_running_loop()
            self._dialling[subscriber.call] = loop.call_later(self.digit_pause_s, self._handle, subscriber)

    def _handle(self, subscriber: Subscriber) -> None:
        """The number is complete: answer by CALL PROCEEDING and ring whom it means."""
        self._dialling.pop(subscriber.call, None)
        self._d.proceeding(subscriber.call, subscriber.channel)
        subscriber.reached("proceeding")
        self._incoming(subscriber)
