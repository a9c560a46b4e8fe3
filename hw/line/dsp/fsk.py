"""Bell 202 as caller ID uses it (GR-30): 1200 bit/s, mark (1) 1200 Hz, space (0) 2200 Hz, octets framed by a start and
a stop bit.

Received by spandsp; sent as one row of samples, made in advance: a caller ID is said once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw.g711 import Octets
from hw.line.dsp._fsk import ffi, lib
from hw.line.dsp.level import peak

_MARK_HZ, _SPACE_HZ, _RATE = 1200, 2200, 1200
_LEVEL_DBM0 = -13.5
#: Bits: channel seizure (0 and 1 in turn), marks before the message, and behind it.
_SEIZURE, _MARKS, _MARKS_BEHIND = 300, 180, 10


class Bell202:
    """One receiver, for one call."""

    def __init__(self) -> None:
        """Raises ``MemoryError``."""
        self._rx = ffi.gc(lib.bell202_new(), lib.bell202_free)
        if not self._rx:
            raise MemoryError
        self._octets = ffi.new("uint8_t[]", lib.MOST)
        #: Whether somebody sends.
        self.carrier = False

    def hear(self, frame: Octets) -> bytes:
        """Hear one frame of 160 contiguous A-law octets; the octets that it brought."""
        count = lib.bell202_hear(self._rx, ffi.from_buffer("uint8_t[]", frame.data), self._octets)
        self.carrier = count >= 0
        return bytes(self._octets[0 : max(count, 0)])


def spill(message: bytes) -> NDArray[np.int16]:
    """A message as samples: seizure, marks, its octets, marks; the phase never jumps."""
    bits = [i % 2 for i in range(_SEIZURE)] + [1] * _MARKS
    for octet in message:
        bits += [0, *(octet >> i & 1 for i in range(8)), 1]
    bits += [1] * _MARKS_BEHIND
    at = np.arange(len(bits) * 8000 // _RATE) * _RATE // 8000
    hz = np.where(np.array(bits)[at] == 1, _MARK_HZ, _SPACE_HZ)
    samples: NDArray[np.int16] = (peak(_LEVEL_DBM0) * np.sin(2 * np.pi * np.cumsum(hz) / 8000)).round().astype(np.int16)
    return samples
