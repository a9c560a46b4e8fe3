"""The far ends of analog ports: an exchange with its subscribers' lines for FXO ports, telephones for FXS ports.

The exchange's lines are FXS ports themselves, and a telephone is an FXO port with a person: the same machines as the
box's stand at this end. What joins both is here: the orders of each side are signs for the other, ringing has its
cadence, and a telephone on hook hears nothing unless the port passes audio to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from attrs import evolve

from hw.g711 import Octets, alaw_decode
from hw.line.analog import ON_HOOK_TRANSFER_MS, RING_MS, Order, Sign
from hw.line.dsp.level import dbm0
from hw.line.settings import LoopSettings, SpanSettings
from hw.line.signalling import notices as told
from hw.line.signalling.caller_id import CallerId
from hw.line.signalling.loop_actions import FxsPhase
from hw.line.signalling.loop_line import TICK_MS, LoopLine
from hw.line.signalling.notices import Notice
from hw.line.span import SILENCE
from hw.sim.exchange_channel import ChannelExchangeSpan
from hw.sim.subscriber import Subscriber

#: The exchange takes a number for complete after so short a pause: the box sends it without one.
_DIGIT_MS = 800
#: A burst of sound above this is a digit to ``lose_digit``.
_DIGIT_DBM0 = -30.0
#: Frames from the end of a caller ID's message that ``damage_caller_id`` loses one of.
_FROM_END = 6
_ORDERS, _POLARITY = frozenset(Order), (Order.POLARITY_NORMAL, Order.POLARITY_REVERSED)


class LoopExchangeSpan(ChannelExchangeSpan):
    """One span. ``telephones``: the box has FXS ports, and ``loop`` numbers the telephones; else its exchange's lines.

    Faults, besides those of ``ChannelExchangeSpan``; the first ones are for lines only:

    - ``no_dial_tone``: channels on which the exchange sends none;
    - ``deaf``: channels on which the exchange hears no digit;
    - ``lose_digit``: the digit of that number, counted from 1, is lost of every call; 0: none;
    - ``no_polarity``: the polarity is never turned;
    - ``drop_current``: a far end that clears has the loop's current interrupted instead of busy tone;
    - ``damage_caller_id``: a frame of every FSK message is lost;
    - ``unplug``: a line is cut, one channel alone.

    ``flashes`` counts the box's hook flashes by channel.
    """

    def __init__(
        self, address: str, channels: Sequence[int], incoming: Callable[[Subscriber], None], loop: LoopSettings, *,
        telephones: bool,
    ) -> None:  # fmt: skip
        super().__init__(address, channels, incoming, signalling="a")
        self.no_dial_tone: set[int] = set()
        self.deaf: set[int] = set()
        self.lose_digit = 0
        self.no_polarity = False
        self.drop_current = False
        self.damage_caller_id = False
        self.flashes: Counter[int] = Counter()
        self._telephones = telephones
        self._number_of = dict(zip(channels, loop.numbers, strict=True))
        end = SpanSettings(
            name=address, address=address, signalling="fxo" if telephones else "fxs", channels=tuple(channels),
            loop=evolve(loop, digit_ms=_DIGIT_MS),
        )  # fmt: skip
        self._loop = LoopLine(end, order=self._order, tell=self._told)
        self._rings_since: dict[int, int] = {}
        self._off_hook: set[int] = set()
        self._transfer_until: dict[int, int] = {}
        self._digits: dict[int, tuple[int, bool]] = {}
        self._unplugged_channels: set[int] = set()

    @property
    def line(self) -> LoopLine:
        """See ``ChannelExchangeSpan``."""
        return self._loop

    def flash(self, subscriber: Subscriber) -> None:
        """A person presses the hook of the telephone for a moment. Raises ``ValueError`` where it cannot be."""
        self._loop.flash(subscriber.channel)

    def unplug(self, channel: int, unplugged: bool = True) -> None:
        """Fault: cut one line, or mend it."""
        if unplugged:
            self._loop.reset(channel)
            self._to_telephone(channel, Sign.CURRENT_LOST if channel in self._off_hook else Sign.BATTERY_LOST)
            self._unplugged_channels.add(channel)
        else:
            self._unplugged_channels.discard(channel)
            self._to_telephone(channel, Sign.BATTERY_BACK)

    def _seize(self, channel: int, called: str, caller: str, name: str, *, restricted: bool) -> None:
        if self._telephones:
            self._loop.seize(channel, called, CallerId())
        else:
            who = CallerId(restricted=True) if restricted else CallerId(caller, name)
            self._loop.seize(channel, self._number_of[channel], who)

    def _fits(self, channel: int, called: str, caller: str) -> bool:
        """A telephone is chosen by the caller, a line by the called number; any, where the number is nobody's."""
        wanted = caller if self._telephones else called
        return wanted not in self._number_of.values() or self._number_of[channel] == wanted

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """See ``ExchangeLine``."""
        talking = subscriber.phase == "up" and not self._telephones
        super().hangup(subscriber, cause)
        if talking and self.drop_current:
            self._to_telephone(subscriber.channel, Sign.CURRENT_LOST)
            self._to_telephone(subscriber.channel, Sign.CURRENT_BACK)

    def _on_notice(self, channel: int, notice: Notice) -> None:
        if isinstance(notice, told.Flashed):
            self.flashes[channel] += 1
        super()._on_notice(channel, notice)

    # -- the wire: what one side's port does, the other side's sees ----------------------------------------------------

    def _plugged(self) -> None:
        self._loop.up()
        self._set_up(True)

    def _unplugged(self) -> None:
        self._loop.lost()
        self._rings_since.clear()
        self._off_hook.clear()

    def _packet(self, packet: bytes) -> None:
        if len(packet) != 2 or packet[0] not in self._index or packet[1] not in _ORDERS:
            self.counters["malformed"] += 1
        elif self._telephones:
            self._exchange_orders(packet[0], Order(packet[1]))
        else:
            self._telephone_orders(packet[0], Order(packet[1]))

    def _order(self, channel: int, order: Order) -> None:
        """An order of this end's port."""
        if self._telephones:
            self._telephone_orders(channel, order)
        else:
            self._exchange_orders(channel, order)

    def _telephone_orders(self, channel: int, order: Order) -> None:
        """What an FXO port does is seen by the FXS port."""
        if order is Order.OFF_HOOK and channel not in self._off_hook:
            self._off_hook.add(channel)
            self._stop_ringing(channel)
            self._to_exchange(channel, Sign.OFF_HOOK)
        elif order is Order.ON_HOOK and channel in self._off_hook:
            self._off_hook.discard(channel)
            self._to_exchange(channel, Sign.ON_HOOK)
        elif order is Order.FLASH and channel in self._off_hook:
            self._to_exchange(channel, Sign.FLASH)

    def _exchange_orders(self, channel: int, order: Order) -> None:
        """What an FXS port does is seen by the FXO port."""
        if order is Order.RING:
            self._rings_since[channel] = self._loop.now
            self._to_telephone(channel, Sign.RING_BEGINS)
        elif order in _POLARITY and not self.no_polarity:
            self._to_telephone(channel, Sign.POLARITY)
        elif order is Order.ON_HOOK_TRANSFER:
            self._transfer_until[channel] = self._loop.now + ON_HOOK_TRANSFER_MS
        elif order in (Order.ON_HOOK, Order.OFF_HOOK):
            self._stop_ringing(channel)

    def _to_telephone(self, channel: int, sign: Sign) -> None:
        self._show(channel, sign, here=self._telephones)

    def _to_exchange(self, channel: int, sign: Sign) -> None:
        self._show(channel, sign, here=not self._telephones)

    def _show(self, channel: int, sign: Sign, *, here: bool) -> None:
        if channel in self._unplugged_channels:
            return
        if here:
            self._loop.sign(channel, sign)
        else:
            self._send(bytes((channel, sign)))

    # -- ringing, and the audio ----------------------------------------------------------------------------------------

    def _stop_ringing(self, channel: int) -> None:
        if self._rings_since.pop(channel, None) is not None:
            self._to_telephone(channel, Sign.RING_ENDS)

    def _ring(self) -> None:
        """One tick of every ringing that is on."""
        on, off = RING_MS
        for channel, since in list(self._rings_since.items()):
            at = (self._loop.now - since) % (on + off)
            if self._loop.now > since and at < TICK_MS:
                self._to_telephone(channel, Sign.RING_BEGINS)
            elif on <= at < on + TICK_MS:
                self._to_telephone(channel, Sign.RING_ENDS)
                self._to_exchange(channel, Sign.RINGER_OFF)

    def _hear(self, heard: Octets) -> None:
        self._ring()
        for channel, row in self._index.items():
            if self._hears_nothing(channel):
                heard[row] = SILENCE
            elif self.lose_digit and not self._telephones:
                self._lose(channel, heard[row])
        super()._hear(heard)

    def _hears_nothing(self, channel: int) -> bool:
        on_hook = self._telephones and channel not in self._off_hook
        passed = self._transfer_until.get(channel, 0) > self._loop.now
        return channel in self.deaf or channel in self._unplugged_channels or (on_hook and not passed)

    def _lose(self, channel: int, frame: Octets) -> None:
        """Lose one digit of a number on the way."""
        if self._loop.channels[channel].phase not in (FxsPhase.DIAL_TONE, FxsPhase.COLLECTING):
            self._digits.pop(channel, None)
            return
        count, loud = self._digits.get(channel, (0, False))
        now_loud = dbm0(alaw_decode(frame)) > _DIGIT_DBM0
        count += now_loud and not loud
        self._digits[channel] = count, now_loud
        if count == self.lose_digit:
            frame.fill(SILENCE)

    def _damage(self, said: Octets) -> None:
        for channel, row in self._index.items():
            phase = self._loop.channels[channel].phase
            mute = channel in self.no_dial_tone and phase is FxsPhase.DIAL_TONE
            damaged = self.damage_caller_id and phase is FxsPhase.RINGING and self._loop.left(channel) == _FROM_END
            if mute or damaged or channel in self._unplugged_channels:
                said[row] = SILENCE
