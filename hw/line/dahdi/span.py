"""A digital span of a card: its D channel, its timeslots, its alarms. ``PriTrunk`` runs on it as on the simulator's."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import select
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.channel import BearerChannel, Channel, DataChannel
from hw.line.dahdi.discovery import DEVICES, ChannelStatus
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.dahdi.watcher import READABLE, URGENT, Watcher
from hw.line.settings import SpanSettings
from hw.line.span import Span

log = logging.getLogger(__name__)

#: A card that has vanished is looked for so often.
_RETRY_S = 2.0
#: Frames of the D channel that are read before the loop gets its turn.
_BURST = 64
#: The alarm of a span whose card is not there, or not configured.
GONE = "GONE"
#: Without these no span can ever be opened: the module is not loaded, or we may not use it.
_HOPELESS = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM})
_COUNTED = {abi.EVENT_ABORT: "d_aborts", abi.EVENT_OVERRUN: "d_overruns", abi.EVENT_BADFCS: "d_bad_fcs"}


class DahdiSpan(Span):
    """The span that ``settings`` name. A card that is not there or vanishes is an alarm, and is looked for."""

    def __init__(self, settings: SpanSettings, devices: Path = DEVICES) -> None:
        """Raises ``ValueError`` without a span's number."""
        if settings.dahdi is None:
            raise ValueError("dahdi: the driver dahdi needs the span's number: dahdi = { span = 1 }")
        self.timeslots: DahdiTimeslots = DahdiTimeslots(settings.channels, settings.dahdi.reserve)
        self.alarm = "RED"
        self._wanted = settings.dahdi
        self._devices = devices
        self._watcher: Watcher | None = None
        self._ctl = -1
        self._d: DataChannel | None = None
        self._bearers: list[BearerChannel] = []
        self._retry: asyncio.TimerHandle | None = None
        self._frame: Callable[[bytes], None] = lambda _frame: None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._counts = dict.fromkeys(("d_dropped", *_COUNTED.values(), "vanished"), 0)

    async def open(self, frame: Callable[[bytes], None], alarm: Callable[[str], None]) -> None:
        """Open the span's channels. Raises ``OSError``, in words for an installer, where DAHDI cannot be used at all.

        A span that is not there or not configured is an alarm: the other lines are to work.
        """
        self._frame, self._changed = frame, alarm
        try:
            self._open()
        except OSError as error:
            if error.errno in _HOPELESS:
                raise
            log.error("%s", error.strerror)
            self._set_alarm(GONE)
            self._look_later()

    def send(self, frame: bytes) -> None:
        """Send one D channel frame."""
        try:
            sent = self._d is not None and self._d.write(frame)
        except OSError as error:
            sent = False
            self._failed(error)
        self._counts["d_dropped"] += not sent

    def close(self) -> None:
        """Close all channels."""
        self._changed = lambda _alarm: None
        if self._retry is not None:
            self._retry.cancel()
        self._let_go()

    def counters(self) -> dict[str, int]:
        """D channel frames that were wrong or dropped, the card's own error counters, and the timeslots'."""
        card: dict[str, int] = {}
        if self._ctl >= 0:
            with contextlib.suppress(OSError):
                status = discovery.span(self._ctl, self._wanted.span)
                card = status.errors | {"irq_misses": status.irq_misses}
        return self._counts | card | self.timeslots.counters()

    # -- opening and losing it -----------------------------------------------------------------------------------------

    def _open(self) -> None:
        number = self._wanted.span
        try:
            self._ctl = os.open(self._devices / "ctl", os.O_RDWR | os.O_CLOEXEC)
            of_span = [channel for channel in discovery.channels(self._ctl) if channel.span == number]
            data, bearers = choose(number, of_span, self.timeslots.channels)
            self._open_channels(data, bearers)
        except OSError as error:
            self._let_go()
            raise OSError(error.errno, _words(error, number)) from error
        self._check_alarm()

    def _open_channels(self, data: ChannelStatus, bearers: list[ChannelStatus]) -> None:
        wanted = self._wanted
        self._watcher = Watcher()
        self._d = DataChannel(self._devices, data.number)
        self._watcher.add(self._d.fd, READABLE | URGENT, self._on_d)
        for each in bearers:
            self._attach_canceller(each.number)
            bearer = BearerChannel(
                self._devices, each.number, rx_gain_db=wanted.rx_gain_db, tx_gain_db=wanted.tx_gain_db,
                echo_taps=wanted.echo_taps if wanted.echo_canceller else 0,
            )  # fmt: skip
            self._bearers.append(bearer)
            self._watcher.add(bearer.fd, URGENT, partial(self._on_urgent, bearer))
        self.timeslots.attach(self._bearers, self._failed)

    def _attach_canceller(self, number: int) -> None:
        if name := self._wanted.echo_canceller:
            try:
                abi.call(self._ctl, abi.ATTACH_ECHOCAN, number, name.encode())
            except OSError as error:
                words = f"span {self._wanted.span}: the kernel has no echo canceller (module dahdi_echocan_{name})"
                raise OSError(error.errno, words) from error

    def _let_go(self) -> None:
        self.timeslots.attach((), self._failed)
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        for channel in (self._d, *self._bearers):
            if channel is not None:
                channel.close()
        self._d, self._bearers = None, []
        if self._ctl >= 0:
            os.close(self._ctl)
            self._ctl = -1

    def _failed(self, error: OSError) -> None:
        """Something could not be read or written, mostly because the card is not there any more: all is opened anew."""
        if self._watcher is not None:
            log.error("span %d is gone: %s", self._wanted.span, error.strerror)
            self._counts["vanished"] += 1
            self._let_go()
            self._set_alarm(GONE)
            self._look_later()

    def _look_later(self) -> None:
        self._retry = asyncio.get_running_loop().call_later(_RETRY_S, self._look)

    def _look(self) -> None:
        try:
            self._open()
        except OSError as error:
            log.debug("%s", error.strerror)
            self._look_later()

    # -- what the card tells -------------------------------------------------------------------------------------------

    def _on_d(self, flags: int) -> None:
        for _ in range(_BURST):
            if self._d is None:
                return
            try:
                frame = self._d.read()
            except OSError as error:
                self._failed(error)
                return
            if not frame:
                break
            self._frame(frame)
        if self._d is not None and (flags != READABLE or self._d.events):
            self._on_urgent(self._d, flags)

    def _on_urgent(self, channel: Channel, flags: int) -> None:
        try:
            events = channel.take_events()
        except OSError as error:
            self._failed(error)
            return
        if abi.EVENT_REMOVED in events or flags & (select.EPOLLHUP | select.EPOLLERR):
            self._failed(OSError(errno.ENODEV, os.strerror(errno.ENODEV)))
            return
        for event in events:
            if event in _COUNTED:
                self._counts[_COUNTED[event]] += 1
        if not {abi.EVENT_ALARM, abi.EVENT_NOALARM}.isdisjoint(events):
            self._check_alarm()

    def _check_alarm(self) -> None:
        try:
            alarm = discovery.span(self._ctl, self._wanted.span).alarm
        except OSError as error:
            self._failed(error)
        else:
            self._set_alarm(alarm)

    def _set_alarm(self, alarm: str) -> None:
        if alarm != self.alarm:
            self.alarm = alarm
            self._changed(alarm)


def choose(
    span: int, found: list[ChannelStatus], timeslots: Sequence[int]
) -> tuple[ChannelStatus, list[ChannelStatus]]:
    """The D channel and the bearer channels, in order, among a span's channels. Raises ``OSError`` in words."""
    if not found:
        raise OSError(errno.ENODEV, f"span {span}: DAHDI has no such span, or it has no channels")
    data = [channel for channel in found if channel.data]
    if len(data) != 1:
        raise OSError(errno.EINVAL, f"span {span}: one D channel is needed, {len(data)} are configured (dchan=)")
    by_position = {channel.position: channel for channel in found}
    wrong = [slot for slot in timeslots if slot not in by_position or not by_position[slot].bearer]
    if wrong:
        raise OSError(errno.EINVAL, f"span {span}: timeslots {', '.join(map(str, wrong))} are not configured as bchan=")
    return data[0], [by_position[slot] for slot in timeslots]


def _words(error: OSError, span: int) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"span {span}: there is no {error.filename}: DAHDI's kernel module is not loaded"
        case errno.EACCES | errno.EPERM:
            return f"span {span}: {error.filename} may not be opened: the user must be in the group dahdi"
        case errno.EBUSY:
            return f"span {span}: another program has its channels (Asterisk? another line process?)"
        case _:
            return error.strerror or str(error)
