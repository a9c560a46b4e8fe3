"""One channel of a card, open: a B channel's audio in frames of 20 ms, or a D channel's HDLC frames."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hw.line.dahdi import abi
from hw.line.trunk import FRAME, Octets

T = TypeVar("T")

_LAWS = {abi.LAW_ALAW: (alaw_decode, alaw_encode), abi.LAW_MULAW: (ulaw_decode, ulaw_encode)}

#: Frames of audio that the kernel keeps in each direction before it drops: 480 ms, no delay by itself.
_AUDIO_BUFFERS = 24
_DATA_BUFFERS, _DATA_SIZE = 32, 1024
#: What the kernel's HDLC puts behind a frame, and overwrites in one that it sends.
_FCS = 2


class Channel:
    """What all kinds share. Reading and writing never block; events in the way are gathered, and ``noticed`` is called.

    ``number`` is DAHDI's. Raises ``OSError`` (EBUSY: another program has it; EINVAL: not configured so).
    """

    def __init__(self, devices: Path, number: int, buffers: int, size: int) -> None:
        self.number = number
        #: Called when a read or write has come upon events; ``take_events`` has them.
        self.noticed: Callable[[], None] = lambda: None
        self._events: list[int] = []
        self.fd = os.open(devices / "channel", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            abi.call(self.fd, abi.SPECIFY, number)
            policy = abi.POLICY_IMMEDIATE
            abi.call(self.fd, abi.SET_BUFINFO, policy, policy, buffers, size)
        except OSError:
            os.close(self.fd)
            raise

    def close(self) -> None:
        """Let go of it."""
        os.close(self.fd)

    def take_events(self) -> list[int]:
        """All events that wait in the kernel or here, oldest first. Raises ``OSError``."""
        self._gather()
        events, self._events = self._events, []
        return events

    def _gather(self) -> None:
        while event := abi.number(self.fd, abi.GETEVENT):
            self._events.append(event)

    def _now(self, action: Callable[[], T]) -> T | None:
        """Read or write: None when it would have to wait. Events in the way are gathered first."""
        while True:
            try:
                return action()
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno != abi.ELAST:
                    raise
                self._gather()
                self.noticed()


class BearerChannel(Channel):
    """A-law audio, one frame at a time, of a clear channel (``bchan=``)."""

    def __init__(
        self, devices: Path, number: int, *, rx_gain_db: float = 0.0, tx_gain_db: float = 0.0, echo_taps: int = 0
    ) -> None:
        super().__init__(devices, number, _AUDIO_BUFFERS, FRAME)
        #: Whether a frame has come: what is missing before is not missed.
        self.started = False
        self._early: deque[Octets] = deque()
        self._spare = [np.empty(FRAME, np.uint8) for _ in range(2 * _AUDIO_BUFFERS)]
        self._unsent = 0
        self._echo_taps = echo_taps
        try:
            self._set_up(rx_gain_db, tx_gain_db)
            if echo_taps:
                self.cancel_echo(True)
        except OSError:
            self.close()
            raise

    def _set_up(self, rx_gain_db: float, tx_gain_db: float) -> None:
        abi.call(self.fd, abi.SETLAW, abi.LAW_ALAW)
        self._clear_audio()
        abi.call(self.fd, abi.SETGAINS, 0, gain_table(rx_gain_db), gain_table(tx_gain_db))

    def _clear_audio(self) -> None:
        abi.call(self.fd, abi.AUDIOMODE, 1)

    def read(self, into: Octets) -> bool:
        """The next frame [160]; False, and ``into`` untouched, when there is none yet. Raises ``OSError``."""
        if not self._early:
            return self._receive(into)
        frame = self._early.popleft()
        into[:] = frame
        self._spare.append(frame)
        return True

    def write(self, frame: Octets) -> bool:
        """Send one frame [160]; False when the kernel's buffers are full. Raises ``OSError``."""
        taken = self._now(lambda: os.write(self.fd, frame.data)) is not None
        self._unsent += taken
        return taken

    def waiting(self) -> tuple[int, int]:
        """Frames that wait: to be read, to be sent. Raises ``OSError``.

        DAHDI does not tell their number. So what is to be read is fetched and counted; what is to be sent is what was
        written less what has come, for the card sends one for each that it receives; it does tell when it has none.
        """
        while self._spare and self._receive(self._spare[-1]):
            self._early.append(self._spare.pop())
        dry = abi.call(self.fd, abi.IOMUX, abi.IOMUX_WRITEEMPTY | abi.IOMUX_NOWAIT)[0]
        self._unsent = 0 if dry else max(self._unsent, 1)
        return len(self._early), self._unsent

    def flush(self) -> None:
        """Forget what has come and was not read."""
        abi.call(self.fd, abi.FLUSH, abi.FLUSH_READ)
        self._spare += self._early
        self._early.clear()

    def _receive(self, into: Octets) -> bool:
        there = self._now(lambda: os.readv(self.fd, [into.data])) is not None
        self.started |= there
        self._unsent -= there
        return there

    def cancel_echo(self, on: bool) -> None:
        """Have the attached canceller work, or not. Raises ``OSError``."""
        abi.call(self.fd, abi.ECHOCANCEL, self._echo_taps if on else 0)

    def loop_back(self, on: bool) -> None:
        """Send back what comes (a test of the line, run from its far end)."""
        abi.call(self.fd, abi.LOOPBACK, int(on))


class CasChannel(BearerChannel):
    """A bearer channel with signalling bits (``cas=``); once it is closed the kernel shows the configured idle bits."""

    def _clear_audio(self) -> None:
        """It carries audio as it is."""

    def send_bits(self, bits: int) -> None:
        """Show these ABCD bits (A is 8) from now on. Raises ``OSError``."""
        abi.call(self.fd, abi.SETTXBITS, bits)

    def bits(self) -> int:
        """What the far end shows. Raises ``OSError``."""
        # The kernel's dynamic spans give the next channels' bits above these four.
        return abi.number(self.fd, abi.GETRXBITS) & 0xF


class DataChannel(Channel):
    """Frames without flags and FCS; the kernel does HDLC (Q.921 §2)."""

    def __init__(self, devices: Path, number: int) -> None:
        super().__init__(devices, number, _DATA_BUFFERS, _DATA_SIZE)

    def read(self) -> bytes:
        """The next frame, empty when there is none. Raises ``OSError``."""
        return (self._now(lambda: os.read(self.fd, _DATA_SIZE)) or b"")[:-_FCS]

    def write(self, frame: bytes) -> bool:
        """Send one frame; False when it cannot be taken now. Raises ``OSError``."""
        return self._now(lambda: os.write(self.fd, frame + bytes(_FCS))) is not None


def gain_table(db: float, law: int = abi.LAW_ALAW, into: int = abi.LAW_ALAW) -> bytes:
    """For each octet of a law (``abi.LAW_…``) the octet of the law ``into`` that a gain of ``db`` makes of it.

    For 0 dB and the same law each octet itself.
    """
    octets = np.arange(256, dtype=np.uint8)
    if db or law != into:
        decode, encode = _LAWS[law][0], _LAWS[into][1]
        octets = encode(np.clip(decode(octets) * 10 ** (db / 20), -32768, 32767).astype(np.int16))
    return octets.tobytes()
