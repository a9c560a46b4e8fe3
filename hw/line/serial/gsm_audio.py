"""The audio port of a GSM module: linear PCM, 8 kHz, 16 bits, little end first, as one timeslot of the tick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hw.g711 import alaw_decode, alaw_encode
from hw.line.serial.jitter import JitterBuffer
from hw.line.serial.port import SerialPort
from hw.line.span import SILENCE
from hw.line.trunk import FRAME, Octets, Timeslots

_BYTES = 2 * FRAME
#: Frames that may wait to be sent; a module that takes them later than that is behind for good.
_MOST_WAITING = 5


class PcmTimeslots(Timeslots):
    """One channel. Silence both ways unless ``on``. ``changed`` takes every change of ``alarm``."""

    def __init__(self, port: str, changed: Callable[[str], None]) -> None:
        self.channels = (1,)
        self._port = SerialPort(port, rtscts=False)
        self._changed = changed
        self._buffer = JitterBuffer(_BYTES)
        self._on = False
        self._counts = {"pcm_dropped": 0, "pcm_strange": 0}

    @property
    def alarm(self) -> str:
        """Empty while the port is there."""
        return self._port.alarm

    def open(self) -> None:
        """Begin to look for the port."""
        self._port.open(self._data, self._changed)

    async def close(self) -> None:
        """Let go of it."""
        self._on = False
        await self._port.close()

    def join(self, on: bool) -> None:
        """A call's audio begins, or is over."""
        self._on = on
        self._buffer.clear()
        if not on:
            self._port.discard()

    def read(self, into: Octets) -> None:
        """What the module has heard."""
        frame = self._buffer.take() if self._on else None
        if frame is None:
            into.fill(SILENCE)
        else:
            into[0] = alaw_encode(np.frombuffer(frame, "<i2").astype(np.int16, copy=False))

    def write(self, frames: Octets) -> None:
        """What the module shall say."""
        if not self._on:
            return
        if self._port.waiting > _MOST_WAITING * _BYTES:
            self._counts["pcm_dropped"] += 1
            return
        self._port.write(alaw_decode(frames[0]).astype("<i2", copy=False).tobytes())

    def counters(self) -> dict[str, int]:
        """Frames ``slips`` skipped, ``missing`` not there in time, ``pcm_dropped`` not sent; ``pcm_strange``: bytes
        that came outside a call.
        """
        own = {"slips": self._buffer.slips, "missing": self._buffer.missing}
        return own | self._counts | {f"pcm_{name}": number for name, number in self._port.counters().items()}

    def _data(self, data: bytes) -> None:
        if self._on:
            self._buffer.put(data)
        else:
            self._counts["pcm_strange"] += len(data)
