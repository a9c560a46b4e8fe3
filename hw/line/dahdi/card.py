"""What every span of a card has in common: it is opened, lost and looked for again; its alarm; its channels' events."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import select
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.channel import BearerChannel, Channel
from hw.line.dahdi.discovery import DEVICES, ChannelStatus
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.dahdi.watcher import READABLE, URGENT, Watcher
from hw.line.settings import SpanSettings

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Channel)
B = TypeVar("B", bound=BearerChannel)

#: A card that has vanished is looked for so often.
_RETRY_S = 2.0
#: The alarm of a span whose card is not there, or not configured.
GONE = "GONE"
#: Without these no span can ever be opened: the module is not loaded, or we may not use it.
_HOPELESS = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM})


class Card(ABC):
    """The span that ``settings`` name. A card that is not there or vanishes is an alarm, and is looked for."""

    timeslots: DahdiTimeslots
    alarm: str

    def __init__(self, settings: SpanSettings, devices: Path = DEVICES) -> None:
        """Raises ``ValueError`` without a span's number."""
        if settings.dahdi is None:
            raise ValueError("dahdi: the driver dahdi needs the span's number: dahdi = { span = 1 }")
        self.timeslots = DahdiTimeslots(settings.channels, settings.dahdi.reserve)
        self.alarm = "RED"
        self._wanted = settings.dahdi
        self._devices = devices
        self._watcher: Watcher | None = None
        self._ctl = -1
        self._channels: list[Channel] = []
        self._retry: asyncio.TimerHandle | None = None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._counts = {"vanished": 0}

    def close(self) -> None:
        """Close all channels."""
        self._changed = lambda _alarm: None
        if self._retry is not None:
            self._retry.cancel()
        self._let_go()

    def counters(self) -> dict[str, int]:
        """What was wrong or dropped, the card's own error counters, and the timeslots'."""
        card: dict[str, int] = {}
        if self._ctl >= 0:
            with contextlib.suppress(OSError):
                status = discovery.span(self._ctl, self._wanted.span)
                card = status.errors | {"irq_misses": status.irq_misses}
        return self._counts | card | self.timeslots.counters()

    @property
    def _is_open(self) -> bool:
        """Whether the channels that ``_take`` has opened are still open."""
        return bool(self._channels)

    # -- what each kind of span has of its own -------------------------------------------------------------------------

    @abstractmethod
    def _take(self, found: list[ChannelStatus]) -> Sequence[BearerChannel]:
        """Open the channels, among those ``found`` on the span, by ``_add``; those with audio. Raises ``OSError``."""

    @abstractmethod
    def _on_event(self, channel: Channel, event: int) -> None:
        """Something has happened on a channel (``abi.EVENT_…``); the span's alarm is looked at already.

        Raises ``OSError``.
        """

    @abstractmethod
    def _in_order(self) -> None:
        """The span was opened without an alarm, or its alarm has ended; that is told already. Raises ``OSError``."""

    # -- opening and losing it -----------------------------------------------------------------------------------------

    def _begin(self, changed: Callable[[str], None]) -> None:
        """Open the span; ``changed`` takes its alarms. Raises ``OSError``, in words, where DAHDI cannot be used at all.

        A span that is not there or not configured is an alarm: the other lines are to work.
        """
        self._changed = changed
        try:
            self._open()
        except OSError as error:
            if error.errno in _HOPELESS:
                raise
            log.error("%s", error.strerror)
            self._set_alarm(GONE)
            self._look_later()

    def _open(self) -> None:
        number = self._wanted.span
        try:
            self._ctl = os.open(self._devices / "ctl", os.O_RDWR | os.O_CLOEXEC)
            found = discovery.channels_of(self._ctl, number)
            self._watcher = Watcher()
            self.timeslots.attach(self._take(found), self._failed)
            self._check_alarm()
        except OSError as error:
            self._let_go()
            raise OSError(error.errno, _words(error, number)) from error

    def _add(self, channel: C, readable: Callable[[], None] | None = None) -> C:
        """A channel is open: it is watched for events; ``readable`` is called when there is something to be read."""
        assert self._watcher is not None
        loop = asyncio.get_running_loop()

        def on_ready(flags: int) -> None:
            if flags & READABLE and readable is not None:
                readable()
            if flags & ~READABLE:
                self._look_at(channel, flags)

        def on_noticed() -> None:
            loop.call_soon(self._look_at, channel)

        self._channels.append(channel)
        self._watcher.add(channel.fd, URGENT if readable is None else READABLE | URGENT, on_ready)
        channel.noticed = on_noticed
        return channel

    def _open_bearers(self, kind: type[B], chosen: Sequence[ChannelStatus]) -> list[B]:
        """Channels with audio, open and with the settings' gains and echo canceller. Raises ``OSError``."""
        wanted = self._wanted
        opened = []
        for each in chosen:
            self._attach_canceller(each.number)
            opened.append(self._add(kind(
                self._devices, each.number, rx_gain_db=wanted.rx_gain_db, tx_gain_db=wanted.tx_gain_db,
                echo_taps=wanted.echo_taps if wanted.echo_canceller else 0,
            )))  # fmt: skip
        return opened

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
        for channel in self._channels:
            channel.close()
        self._channels = []
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
        if self._retry is not None:
            self._retry.cancel()
        self._retry = asyncio.get_running_loop().call_later(_RETRY_S, self._look)

    def _look(self) -> None:
        try:
            self._open()
        except OSError as error:
            log.debug("%s", error.strerror)
            self._look_later()

    # -- what the card tells -------------------------------------------------------------------------------------------

    def _look_at(self, channel: Channel, flags: int = URGENT) -> None:
        """Do what a channel's events ask for."""
        if channel not in self._channels:  # closed meanwhile
            return
        try:
            events = channel.take_events()
            if abi.EVENT_REMOVED in events or flags & (select.EPOLLHUP | select.EPOLLERR):
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            for event in events:
                if event in (abi.EVENT_ALARM, abi.EVENT_NOALARM):
                    self._check_alarm()
                if channel in self._channels:  # an alarm may have had the owner let go
                    self._on_event(channel, event)
        except OSError as error:
            self._failed(error)

    def _check_alarm(self) -> None:
        self._set_alarm(discovery.span(self._ctl, self._wanted.span).alarm)

    def _set_alarm(self, alarm: str) -> None:
        if alarm != self.alarm:
            self.alarm = alarm
            self._changed(alarm)
            if not alarm:
                self._in_order()


def configured(span: int, found: Sequence[ChannelStatus], timeslots: Sequence[int], word: str) -> list[ChannelStatus]:
    """The channels of these timeslots, in order. Raises ``OSError`` where one is missing or not configured by ``word``
    (``bchan``, ``cas``).
    """
    there = {channel.position: channel for channel in found if channel.word == word}
    if wrong := [slot for slot in timeslots if slot not in there]:
        words = f"span {span}: timeslots {', '.join(map(str, wrong))} are not configured as {word}="
        raise OSError(errno.EINVAL, words)
    return [there[slot] for slot in timeslots]


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
