"""The ports: which row of the tick's arrays belongs to whom, and the arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hw.line.trunk import FRAME

Octets = NDArray[np.uint8]
Pcm = NDArray[np.int16]
Rows = NDArray[np.intp]

_ALL = np.arange(256, dtype=np.uint8)
_ALAW, _ULAW = alaw_decode(_ALL), ulaw_decode(_ALL)
ALAW_TO_ULAW, ULAW_TO_ALAW = ulaw_encode(_ALAW), alaw_encode(_ULAW)
ALAW_SILENCE, ULAW_SILENCE = 0xD5, 0xFF


class Ports:
    """Audio of all ports in this tick: what each ``said`` and ``heard`` as octets of its law; ``pcm``: what it said.

    Rows of trunk timeslots come first and are fixed, rows of RTP streams follow. A row without a name is nobody's.
    """

    def __init__(self, rows: int) -> None:
        self.said = np.full((rows, FRAME), ALAW_SILENCE, np.uint8)
        self.heard = self.said.copy()
        self.pcm = np.zeros((rows, FRAME), np.int16)
        self.mulaw = np.zeros(rows, bool)
        self._rows: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def names(self) -> tuple[str, ...]:
        """All ports that are open."""
        return tuple(self._rows)

    def row(self, name: str) -> int:
        """The row of a port. Raises ``KeyError``."""
        return self._rows[name]

    def name(self, row: int) -> str:
        """Whose row it is, empty for nobody's."""
        return self._names.get(row, "")

    def bind(self, name: str, row: int) -> None:
        """Give a row to a port. Raises ``ValueError`` when there is a port of that name already."""
        if name in self._rows:
            raise ValueError(f"there is a port {name!r} already")
        self._rows[name] = row
        self._names[row] = name
        self.mulaw[row] = False

    def unbind(self, name: str) -> int:
        """Take its row from a port. Raises ``KeyError``."""
        row = self._rows.pop(name)
        del self._names[row]
        self.said[row] = ALAW_SILENCE
        self.mulaw[row] = False
        return row

    def decode_said(self, rows: int) -> None:
        """Fill ``pcm`` from ``said`` for the first ``rows`` rows."""
        np.take(_ALAW, self.said[:rows], out=self.pcm[:rows], mode="clip")
        for row in np.flatnonzero(self.mulaw[:rows]):
            np.take(_ULAW, self.said[row], out=self.pcm[row], mode="clip")

    def decode_heard(self, rows: Rows) -> Pcm:
        """What ``rows`` hear in this tick, as linear samples."""
        out = np.take(_ALAW, self.heard[rows])
        other = np.flatnonzero(self.mulaw[rows])
        if len(other):
            out[other] = np.take(_ULAW, self.heard[rows[other]])
        return out

    def hush(self, rows: int) -> None:
        """Let the first ``rows`` rows hear silence."""
        self.heard[:rows] = ALAW_SILENCE
        other = np.flatnonzero(self.mulaw[:rows])
        if len(other):
            self.heard[other] = ULAW_SILENCE

    def hear(self, rows: Rows, pcm: Pcm) -> None:
        """Let ``rows`` hear linear samples [len(rows), 160]."""
        self.heard[rows] = alaw_encode(pcm)
        other = np.flatnonzero(self.mulaw[rows])
        if len(other):
            self.heard[rows[other]] = ulaw_encode(pcm[other])
