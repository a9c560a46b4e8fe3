"""A serial port in asyncio that outlives its device: it may be unplugged and come back at any time.

A port is named by its path, best ``/dev/serial/by-id/…`` (a number in ``ttyUSB0`` changes from start to start), or by
one of pyserial's URLs (``socket://host:port``). It is read and written on its descriptor; a URL that has none is joined
to one (``hw.line.serial.url``).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import termios
from collections.abc import Callable

import serial

from hw.line.realtime import behind_the_tick
from hw.line.serial.url import OpenPort, joined

log = logging.getLogger(__name__)

#: A device that is not there is looked for so often.
RETRY_S = 1.0
#: Bytes that wait to be written (the device has said stop) before further ones are dropped: two seconds of A-law.
MOST_WAITING = 16_384
_READ = 65_536

#: Alarms of a port: it is not there; another program has it; we may not use it; anything else.
GONE, BUSY, DENIED, FAILED = "GONE", "BUSY", "DENIED", "FAILED"
_ALARMS = {
    errno.ENOENT: GONE, errno.ENODEV: GONE, errno.ENXIO: GONE, errno.EIO: GONE, errno.ECONNREFUSED: GONE,
    errno.EBUSY: BUSY, errno.EAGAIN: BUSY, errno.EACCES: DENIED, errno.EPERM: DENIED,
}  # fmt: skip


class SerialPort:
    """One port. ``alarm`` is empty while it is open, else why it is not; it is looked for until ``close``."""

    def __init__(self, device: str, *, baud: int = 115_200, rtscts: bool = True) -> None:
        """``rtscts``: flow control by the modem's lines (V.24 circuits 106 and 133)."""
        self.device = device
        self.alarm = GONE
        self._baud = baud
        self._rtscts = rtscts
        self._data: Callable[[bytes], None] = lambda _data: None
        self._changed: Callable[[str], None] = lambda _alarm: None
        self._port: OpenPort | None = None
        self._fd = -1
        self._waiting = bytearray()
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._counts = {"lost": 0, "bytes_dropped": 0}

    def open(self, data: Callable[[bytes], None], changed: Callable[[str], None]) -> None:
        """Begin to look for the device; ``data`` takes what comes, ``changed`` every change of ``alarm``."""
        self._data, self._changed = data, changed
        self._keeper = asyncio.create_task(self._keep(), name=f"port {self.device}")

    def write(self, data: bytes) -> None:
        """Send these bytes behind those that wait. Never blocks: what cannot wait is dropped and counted."""
        if self._fd < 0 or len(self._waiting) + len(data) > MOST_WAITING:
            self._counts["bytes_dropped"] += len(data)
            return
        idle = not self._waiting
        self._waiting += data
        if idle:
            self._flush()

    @property
    def waiting(self) -> int:
        """Bytes that the device has not taken yet."""
        return len(self._waiting)

    def discard(self) -> None:
        """Forget the bytes that wait, here and in the system: nobody wants them any more."""
        self._forget_waiting()
        if self._fd >= 0:
            with contextlib.suppress(OSError, termios.error):  # no terminal: a socket
                termios.tcflush(self._fd, termios.TCOFLUSH)

    def reopen(self) -> None:
        """Let go of the device and look for it again, as if it had been unplugged."""
        self._lose()

    async def close(self) -> None:
        """Let go; no callback comes any more."""
        self._changed = lambda _alarm: None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    def counters(self) -> dict[str, int]:
        """Times that the device was ``lost``, and ``bytes_dropped`` because it did not take them or was not there."""
        return dict(self._counts)

    # -- keeping it ----------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            try:
                await self._open()
            except OSError as error:
                log.debug("%s: %s", self.device, error)
                self._set_alarm(_ALARMS.get(error.errno or 0, FAILED))
                await asyncio.sleep(RETRY_S)
                continue
            try:
                self._set_alarm("")
                await self._lost.wait()
            finally:
                await self._let_go()

    async def _open(self) -> None:
        # A device's driver may take its time: that is no business of the tick's.
        opening = asyncio.get_running_loop().run_in_executor(None, _opened, self.device, self._baud, self._rtscts)
        try:
            self._port = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        self._lost.clear()
        self._fd = self._port.fileno()
        asyncio.get_running_loop().add_reader(self._fd, self._on_readable)

    def _lose(self) -> None:
        """The device is gone; the keeper lets go of it and looks for it again."""
        if self._fd >= 0:
            self._counts["lost"] += 1
            self._stop_watching()
            self._set_alarm(GONE)
            self._lost.set()

    def _stop_watching(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        self._forget_waiting()
        self._fd = -1

    async def _let_go(self) -> None:
        if self._fd >= 0:
            self._stop_watching()
        port, self._port = self._port, None
        if port is not None:
            await asyncio.get_running_loop().run_in_executor(None, _closed, port)

    def _set_alarm(self, alarm: str) -> None:
        if alarm != self.alarm:
            self.alarm = alarm
            self._changed(alarm)

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return
        except OSError as error:
            log.info("%s is gone: %s", self.device, error.strerror)
            data = b""
        if data:
            self._data(data)
        else:  # a line that was hung up
            self._lose()

    def _flush(self) -> None:
        try:
            del self._waiting[: os.write(self._fd, self._waiting)]
        except BlockingIOError:
            pass
        except OSError as error:
            log.info("%s is gone: %s", self.device, error.strerror)
            self._lose()
            return
        loop = asyncio.get_running_loop()
        if self._waiting:
            loop.add_writer(self._fd, self._flush)
        else:
            loop.remove_writer(self._fd)

    def _forget_waiting(self) -> None:
        self._counts["bytes_dropped"] += len(self._waiting)
        self._waiting.clear()
        if self._fd >= 0:
            asyncio.get_running_loop().remove_writer(self._fd)


def _opened(device: str, baud: int, rtscts: bool) -> OpenPort:
    """The port, open for us alone. Raises ``OSError``."""
    behind_the_tick()
    if "://" in device and not device.startswith("socket://"):
        return joined(device, baud)
    try:
        port = serial.serial_for_url(device, baud, timeout=0, write_timeout=0, rtscts=rtscts, exclusive=True)
    except ValueError as error:  # no such rate, no such URL
        raise OSError(errno.EINVAL, str(error)) from None
    if "://" not in device and "/pts/" not in os.path.realpath(device):
        # For programs that do not ask for pyserial's lock; on a pseudo-terminal this would outlive us.
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    return port


def _closed(port: OpenPort) -> None:
    behind_the_tick()
    with contextlib.suppress(OSError, termios.error):  # else the system waits for it to be sent
        termios.tcflush(port.fileno(), termios.TCOFLUSH)
    with contextlib.suppress(OSError):
        port.close()


def _close_late(opening: asyncio.Future[OpenPort]) -> None:
    """Nobody waits for this port any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
