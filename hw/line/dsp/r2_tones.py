"""MFC-R2 inter-register signals (Q.441): two of six frequencies, forward 1380 to 1980 Hz, backward 1140 to 540 Hz.

Signals are the numbers 1 to 15 of Q.441's table 5; 0 is no signal. Tones are A-law frames of 160 octets, as timeslots
carry them. spandsp sends at −11 dBm0 each and recognises a signal, or its end, within 20 to 50 ms.
"""

from __future__ import annotations

from hw.g711 import Octets
from hw.line.dsp._r2_tones import ffi, lib

#: What spandsp calls the signals 1 to 15.
_NAMES = b"1234567890BCDEF"


class R2Tones:
    """One register's sender and receiver. ``forward``: it sends forward signals and hears backward ones."""

    def __init__(self, *, forward: bool) -> None:
        self._tx = ffi.gc(lib.r2_mf_tx_init(ffi.NULL, forward), lib.r2_mf_tx_free)
        self._rx = ffi.gc(lib.r2_mf_rx_init(ffi.NULL, not forward, ffi.NULL, ffi.NULL), lib.r2_mf_rx_free)

    def send(self, signal: int) -> None:
        """Send a signal from now on; 0: nothing."""
        lib.r2_mf_tx_put(self._tx, _NAMES[signal - 1 : signal] if signal else b"\0")

    def say(self, into: Octets) -> None:
        """The next frame of what is sent; ``into`` is contiguous, 160 octets."""
        lib.r2_say(self._tx, ffi.from_buffer("uint8_t[]", into.data))

    def hear(self, frame: Octets) -> int:
        """Hear one frame of 160 contiguous octets; the signal that is there at its end, 0 for none."""
        heard: int = lib.r2_hear(self._rx, ffi.from_buffer("uint8_t[]", frame.data))
        return _NAMES.index(heard) + 1 if heard else 0
