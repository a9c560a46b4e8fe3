"""The simulated voice modem's streams of samples (ITU-T V.253 §10.1): +VTX, +VRX, +VTR, with their DLE codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from hw.line.serial import dle
from hw.line.serial.voice_formats import Format, choose
from hw.line.span import SILENCE
from hw.line.trunk import FRAME, Octets

Mode = Literal["off", "receive", "transmit", "duplex"]

#: What +VSM=? tells of each format, in the numbers of a maker and of V.253's table 17.
_METHODS = {
    "signed": '0,"SIGNED PCM",8,0,8000,0,0', "unsigned": '1,"UNSIGNED PCM",8,0,8000,0,0',
    "adpcm": '129,"IMA ADPCM",4,0,8000,0,0', "ulaw": '131,"MULAW PCM",8,0,8000,0,0', "alaw": '5,"A-LAW",8,0,8000,0,0',
}  # fmt: skip
_ESCAPE = "\x1b"
#: Octets that the modem keeps to play: a computer that is faster than the line waits in real life for circuit 106.
_MOST_KEPT = 1 << 20


class Streams:
    """``write`` sends to the computer, ``ended`` is called when a stream is over and OK is to be said.

    ``taken`` are the octets that were transmitted in the last stream, as they came; ``muted`` stops all (a fault).
    """

    def __init__(self, formats: tuple[str, ...], write: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self.mode: Mode = "off"
        self.methods = [_METHODS[name] for name in formats]
        self.format: Format | None = choose(self.methods[:1])
        self.taken = bytearray()
        self.muted = False
        self._write = write
        self._ended = ended
        self._unshielder = dle.Unshielder()
        self._buffer = bytearray()
        self._ending = False
        self._dry = True

    def choose(self, method: int) -> bool:
        """+VSM=: whether there is such a method of 8 bits."""
        row = [row for row in self.methods if row.startswith(f"{method},")]
        self.format = choose(row)
        return self.format is not None

    def begin(self, mode: Mode) -> None:
        """A stream, behind CONNECT."""
        self.mode = mode
        self._unshielder.reset()
        self._buffer.clear()
        self.taken.clear()
        self._ending, self._dry = False, True

    def stop(self) -> None:
        """The modem is reset, or the computer gone."""
        self.mode = "off"
        self._buffer.clear()

    def code(self, code: str) -> None:
        """Tell the computer something, between the samples if there are any."""
        if not self.muted:
            self._write(b"\x10" + code.encode("ascii"))

    def feed(self, data: bytes) -> None:
        """What the computer sends in a stream."""
        for item in self._unshielder.feed(data):
            if isinstance(item, bytes):
                if self.mode in ("transmit", "duplex") and len(self._buffer) < _MOST_KEPT:
                    self._buffer += item
                    self.taken += item
            elif item == chr(dle.CAN):
                self._buffer.clear()
            elif (item == chr(dle.ETX) and self.mode == "transmit") or (item == "^" and self.mode == "duplex"):
                self._ending = True
                if self.mode == "duplex":
                    self._finish()
            elif item in ("!", _ESCAPE) and self.mode == "receive":
                self._finish()

    def spoken(self, into: Octets) -> None:
        """The frame [1, 160] of A-law that goes to the line now."""
        into.fill(SILENCE)
        if self.mode not in ("transmit", "duplex") or self.muted:
            return
        frame = bytes(self._buffer[:FRAME])
        del self._buffer[: len(frame)]
        if frame and self.format is not None:
            into[0, : len(frame)] = self.format.from_modem[np.frombuffer(frame, np.uint8)]
        if len(frame) < FRAME and not self._ending and not self._dry:
            self.code("u")
        self._dry = len(frame) < FRAME
        if self._ending and not self._buffer:
            self._finish()

    def heard(self, frame: Octets) -> None:
        """A frame [1, 160] of A-law from the line."""
        if self.mode in ("receive", "duplex") and self.format is not None and not self.muted:
            self._write(dle.shield(self.format.to_modem[frame[0]].tobytes()))

    def _finish(self) -> None:
        if self.mode in ("receive", "duplex"):
            self.code(dle.END)
        self.mode = "off"
        self._ended()
