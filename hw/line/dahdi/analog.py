"""A card's analog ports of one kind. ``LoopTrunk`` runs on them as on the simulator's.

DAHDI names a port's signalling after what is at its far end: an FXO port is ``fxsks``, an FXS port ``fxoks`` (kewl
start: the exchange shows that the far end has cleared by interrupting the loop's current).
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define

from hw.line.analog import ON_HOOK_TRANSFER_MS, RING_MS, AnalogSpan, Order, Sign
from hw.line.dahdi import abi
from hw.line.dahdi.card import Card, configured
from hw.line.dahdi.channel import BearerChannel, Channel
from hw.line.dahdi.discovery import DEVICES, WORD_OF, ChannelStatus
from hw.line.dahdi.port import AnalogChannel
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import SpanSettings

#: A port that is busy with the last order (a flash, the interruption of the current, 600 ms of debouncing) is told
#: again so often, so many times.
_AGAIN_S, _TRIES = 0.05, 40
#: What a card says to an order that it does not know, or not now (polarity while it rings).
_UNKNOWN = frozenset({errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.ENODATA})

_TELEPHONE = {
    abi.EVENT_RINGOFFHOOK: Sign.OFF_HOOK, abi.EVENT_ONHOOK: Sign.ON_HOOK, abi.EVENT_WINKFLASH: Sign.FLASH,
    abi.EVENT_RINGEROFF: Sign.RINGER_OFF,
}  # fmt: skip
_HOOKS = {
    Order.ON_HOOK: abi.ONHOOK, Order.OFF_HOOK: abi.OFFHOOK, Order.FLASH: abi.FLASH, Order.RING: abi.RING,
}  # fmt: skip


@define(eq=False)
class _Port:
    """One port: what it was told, and how its line is. ``again``: an order that it could not take yet."""

    number: int
    channel: AnalogChannel
    off_hook: bool = False
    ringing: bool = False
    alarm: bool = False
    again: asyncio.TimerHandle | None = None

    def forget(self) -> None:
        """What waits is not to be done any more."""
        if self.again is not None:
            self.again.cancel()
            self.again = None


class DahdiAnalog(Card, AnalogSpan):
    """The FXO or FXS ports of the span that ``settings`` name; see ``Card``.

    The end of a cut in the current is told only by cards that tell of a line's battery; others tell its beginning.
    """

    timeslots: DahdiTimeslots

    def __init__(self, settings: SpanSettings, devices: Path = DEVICES) -> None:
        """Raises ``ValueError`` without a span's number."""
        super().__init__(settings, devices)
        self._fxo = settings.signalling == "fxo"
        self._word = WORD_OF[settings.signalling]
        self._flash_ms = settings.loop.flash_ms
        self._ports: dict[int, _Port] = {}
        self._sign: Callable[[int, Sign], None] = lambda _channel, _sign: None
        self._counts |= {"a_dropped": 0, "a_unknown": 0}

    async def open(self, sign: Callable[[int, Sign], None], alarm: Callable[[str], None]) -> None:
        """See ``AnalogSpan`` and ``Card._begin``."""
        self._sign = sign
        self._begin(alarm)

    def order(self, channel: int, order: Order) -> None:
        """Tell a port what to do; one that is busy with the order before is told again a little later."""
        port = self._ports.get(channel)
        if not self._is_open or port is None:
            self._counts["a_dropped"] += 1
            return
        if order in _HOOKS:
            port.forget()
            port.off_hook = order in (Order.OFF_HOOK, Order.FLASH)
        self._tell(port, order, _TRIES)

    def close(self) -> None:
        """See ``AnalogSpan``; the kernel opens the loop of a port that is closed."""
        for port in self._ports.values():
            port.forget()
        super().close()

    # -- orders --------------------------------------------------------------------------------------------------------

    def _tell(self, port: _Port, order: Order, tries: int) -> None:
        port.again = None
        if not self._is_open:
            return
        try:
            _do(port.channel, order)
        except OSError as error:
            if error.errno == errno.EBUSY and tries:
                port.again = asyncio.get_running_loop().call_later(_AGAIN_S, self._tell, port, order, tries - 1)
            elif error.errno == errno.EBUSY:
                self._counts["a_dropped"] += 1
            elif error.errno in _UNKNOWN:
                self._counts["a_unknown"] += 1
            else:
                self._failed(error)

    # -- what the card tells -------------------------------------------------------------------------------------------

    def _take(self, found: list[ChannelStatus]) -> Sequence[BearerChannel]:
        numbers = self.timeslots.channels
        opened = self._open_bearers(AnalogChannel, configured(self._wanted.span, found, numbers, self._word))
        self._ports = {number: _Port(number, channel) for number, channel in zip(numbers, opened, strict=True)}
        for channel in opened:
            channel.set_flash(self._flash_ms)
            if not self._fxo:
                channel.set_cadence(RING_MS)
        return opened

    def _in_order(self) -> None:
        for port in self._ports.values():
            port.forget()
            port.channel.hook(abi.ONHOOK)
            port.off_hook = port.ringing = port.alarm = False
            line = port.channel.line()
            if self._fxo:
                self._on_alarm(port, line.alarms)
            elif line.off_hook:
                self._sign(port.number, Sign.OFF_HOOK)

    def _on_event(self, channel: Channel, event: int) -> None:
        if self.alarm:
            return
        port = next(port for port in self._ports.values() if port.channel is channel)
        if self._fxo:
            self._on_line(port, event)
        elif event in _TELEPHONE:
            self._sign(port.number, _TELEPHONE[event])

    def _on_line(self, port: _Port, event: int) -> None:
        """An FXO port tells of its line."""
        match event:
            case abi.EVENT_RINGBEGIN:
                port.ringing = True
                self._sign(port.number, Sign.RING_BEGINS)
            case abi.EVENT_RINGOFFHOOK:
                # For two seconds after it was on hook a port tells only the end of a burst.
                if not port.ringing and not port.off_hook:
                    self._sign(port.number, Sign.RING_BEGINS)
                if port.ringing or not port.off_hook:
                    self._sign(port.number, Sign.RING_ENDS)
                port.ringing = False
            case abi.EVENT_ONHOOK:
                self._sign(port.number, Sign.CURRENT_LOST)
            case abi.EVENT_POLARITY:
                self._sign(port.number, Sign.POLARITY)
            case abi.EVENT_ALARM | abi.EVENT_NOALARM:
                self._on_alarm(port, port.channel.line().alarms)

    def _on_alarm(self, port: _Port, alarms: int) -> None:
        """A line's own alarm is that it has no battery."""
        if bool(alarms) != port.alarm:
            port.alarm = bool(alarms)
            off_hook, on_hook = (
                (Sign.CURRENT_LOST, Sign.BATTERY_LOST) if alarms else (Sign.CURRENT_BACK, Sign.BATTERY_BACK)
            )
            self._sign(port.number, off_hook if port.off_hook else on_hook)


def _do(channel: AnalogChannel, order: Order) -> None:
    match order:
        case Order.POLARITY_NORMAL | Order.POLARITY_REVERSED:
            channel.set_polarity(turned=order is Order.POLARITY_REVERSED)
        case Order.ON_HOOK_TRANSFER:
            channel.pass_on_hook(ON_HOOK_TRANSFER_MS)
        case _:
            channel.hook(_HOOKS[order])
