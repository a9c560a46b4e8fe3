"""pyserial's URLs whose ports have no descriptor (``rfc2217://``, ``loop://``, ``spy://``): joined to a socket."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from typing import Protocol

import serial

from hw.line.realtime import behind_the_tick

#: So long a thread may need to see that the port is closed.
_LOOK_S = 0.2


class OpenPort(Protocol):
    """What is needed of an open port: pyserial's own, or one that is joined to a socket."""

    def fileno(self) -> int:
        """Its descriptor."""

    def close(self) -> None:
        """Let go of it."""


def joined(url: str, baud: int) -> OpenPort:
    """The port behind a URL, with a descriptor. Raises ``OSError``.

    Two threads carry the bytes; they end when the port is closed. What is written while the far end takes nothing
    waits in the socket, and the descriptor says so.
    """
    try:
        port = serial.serial_for_url(url, baud, timeout=_LOOK_S)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from None
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return _Bridge(port, ours, theirs)


class _Bridge:
    """What stands for the port."""

    def __init__(self, port: serial.Serial, ours: socket.socket, theirs: socket.socket) -> None:
        self._inner, self._ours, self._theirs = port, ours, theirs
        for carry in (self._carry_in, self._carry_out):
            threading.Thread(target=carry, name=f"{port.port}", daemon=True).start()

    def fileno(self) -> int:
        """The descriptor that is read and written."""
        return self._ours.fileno()

    def close(self) -> None:
        """End both threads; the one that reads closes the port."""
        self._ours.close()
        self._end()

    def _carry_in(self) -> None:
        behind_the_tick()
        try:
            while self._theirs.fileno() >= 0:
                if data := self._inner.read(max(1, self._inner.in_waiting)):
                    self._theirs.sendall(data)
        except OSError:  # either side is gone: the other is told by the end of the socket
            pass
        finally:
            self._end()
            with contextlib.suppress(OSError):
                self._inner.close()

    def _carry_out(self) -> None:
        behind_the_tick()
        with contextlib.suppress(OSError):
            while data := self._theirs.recv(4096):
                self._inner.write(data)
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)
        self._theirs.close()
