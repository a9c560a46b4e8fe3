"""Words to the service manager: ready, alive, stopping (the datagram protocol of sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket

_log = logging.getLogger(__name__)


class Notifier:
    """Sends to ``$NOTIFY_SOCKET``; without one (started by hand, by a test) every call does nothing."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        address = os.environ.get("NOTIFY_SOCKET", "")
        if address[:1] in ("/", "@"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
            try:
                self._socket.connect("\0" + address[1:] if address[0] == "@" else address)
            except OSError as error:
                _log.warning("the service manager's socket %s does not answer: %s", address, error)
                self._socket.close()
                self._socket = None

    def ready(self) -> None:
        """The process serves from now on."""
        self._send("READY=1")

    def alive(self) -> None:
        """Keep the watchdog quiet; to be called well inside ``WatchdogSec``."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The process is about to end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line that the service manager shows."""
        self._send(f"STATUS={text}")

    def _send(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(state.encode())
        except BlockingIOError:
            pass  # the manager is busy; the next word of the same kind comes soon
        except OSError as error:
            _log.warning("the service manager is gone: %s", error)
            self._socket.close()
            self._socket = None
