"""A digital span of a card with channel-associated signalling. ``R2Trunk`` runs on it as on the simulator's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hw.line.cas import CasSpan
from hw.line.dahdi import abi
from hw.line.dahdi.card import Card, configured
from hw.line.dahdi.channel import BearerChannel, CasChannel, Channel
from hw.line.dahdi.discovery import DEVICES, ChannelStatus
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import SpanSettings


class DahdiCasSpan(Card, CasSpan):
    """The channels and their bits of the span that ``settings`` name; see ``Card``.

    The kernel tells that bits have changed and gives those that are there now. A state that has passed before we
    looked is lost; the counter ``c_unchanged`` has the changes behind which there was nothing new.
    """

    timeslots: DahdiTimeslots

    def __init__(self, settings: SpanSettings, devices: Path = DEVICES) -> None:
        """Raises ``ValueError`` without a span's number."""
        super().__init__(settings, devices)
        self._by_number: dict[int, CasChannel] = {}
        #: What was told of each channel since the span came into order.
        self._told: dict[int, int] = {}
        self._bits: Callable[[int, int], None] = lambda _channel, _bits: None
        self._counts |= {"c_dropped": 0, "c_unchanged": 0}

    async def open(self, bits: Callable[[int, int], None], alarm: Callable[[str], None]) -> None:
        """See ``CasSpan`` and ``Card._begin``."""
        self._bits = bits
        self._begin(alarm)

    def send(self, channel: int, bits: int) -> None:
        """Show these bits; a card that is not there shows nothing."""
        try:
            if self._is_open:
                self._by_number[channel].send_bits(bits)
        except OSError as error:
            self._counts["c_dropped"] += 1
            self._failed(error)

    def register(self, channel: int, at_work: bool) -> None:
        """An echo canceller takes tones that pass in both directions for echo: it works while there is speech."""
        try:
            if self._is_open and self._wanted.echo_canceller:
                self._by_number[channel].cancel_echo(not at_work)
        except OSError as error:
            self._failed(error)

    def _take(self, found: list[ChannelStatus]) -> Sequence[BearerChannel]:
        numbers = self.timeslots.channels
        opened = self._open_bearers(CasChannel, configured(self._wanted.span, found, numbers, "cas"))
        self._by_number = dict(zip(numbers, opened, strict=True))
        return opened

    def _in_order(self) -> None:
        self._told = {}
        for number in self._by_number:
            self._look_at_bits(number)

    def _on_event(self, channel: Channel, event: int) -> None:
        if event == abi.EVENT_BITSCHANGED and not self.alarm:
            number = next(number for number, each in self._by_number.items() if each is channel)
            if not self._look_at_bits(number):
                self._counts["c_unchanged"] += 1

    def _look_at_bits(self, number: int) -> bool:
        """Tell of a channel's bits, if they are others than those that were told; whether they were."""
        bits = self._by_number[number].bits()
        new = self._told.get(number) != bits
        if new:
            self._told[number] = bits
            self._bits(number, bits)
        return new
