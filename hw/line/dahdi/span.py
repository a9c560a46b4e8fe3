"""A digital span of a card with a D channel. ``PriTrunk`` runs on it as on the simulator's."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from hw.line.dahdi import abi
from hw.line.dahdi.card import Card, configured
from hw.line.dahdi.channel import BearerChannel, Channel, DataChannel
from hw.line.dahdi.discovery import DEVICES, ChannelStatus
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import SpanSettings
from hw.line.span import Span

#: Frames of the D channel that are read before the loop gets its turn.
_BURST = 64
_COUNTED = {abi.EVENT_ABORT: "d_aborts", abi.EVENT_OVERRUN: "d_overruns", abi.EVENT_BADFCS: "d_bad_fcs"}


class DahdiSpan(Card, Span):
    """The D channel and the bearer channels of the span that ``settings`` name; see ``Card``."""

    timeslots: DahdiTimeslots

    def __init__(self, settings: SpanSettings, devices: Path = DEVICES) -> None:
        """Raises ``ValueError`` without a span's number."""
        super().__init__(settings, devices)
        self._d: DataChannel
        self._frame: Callable[[bytes], None] = lambda _frame: None
        self._counts |= dict.fromkeys(("d_dropped", *_COUNTED.values()), 0)

    async def open(self, frame: Callable[[bytes], None], alarm: Callable[[str], None]) -> None:
        """See ``Span`` and ``Card._begin``."""
        self._frame = frame
        self._begin(alarm)

    def send(self, frame: bytes) -> None:
        """Send one D channel frame."""
        try:
            sent = self._is_open and self._d.write(frame)
        except OSError as error:
            sent = False
            self._failed(error)
        self._counts["d_dropped"] += not sent

    def _take(self, found: list[ChannelStatus]) -> Sequence[BearerChannel]:
        data, bearers = choose(self._wanted.span, found, self.timeslots.channels)
        self._d = self._add(DataChannel(self._devices, data.number), self._on_frames)
        return self._open_bearers(BearerChannel, bearers)

    def _in_order(self) -> None:
        """Q.921 finds out by itself."""

    def _on_frames(self) -> None:
        for _ in range(_BURST):
            if not self._is_open:
                return
            try:
                frame = self._d.read()
            except OSError as error:
                self._failed(error)
                return
            if not frame:
                return
            self._frame(frame)

    def _on_event(self, channel: Channel, event: int) -> None:
        if event in _COUNTED:
            self._counts[_COUNTED[event]] += 1


def choose(
    span: int, found: list[ChannelStatus], timeslots: Sequence[int]
) -> tuple[ChannelStatus, list[ChannelStatus]]:
    """The D channel and the bearer channels, in order, among a span's channels. Raises ``OSError`` in words."""
    data = [channel for channel in found if channel.data]
    if len(data) != 1:
        raise OSError(errno.EINVAL, f"span {span}: one D channel is needed, {len(data)} are configured (dchan=)")
    return data[0], configured(span, found, timeslots, "bchan")
