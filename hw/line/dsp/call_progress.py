"""Finds China's call-progress tones (``hw.zones``) by frequency and cadence, on all channels at once.

Windows of 20 ms begin every 10 ms. A window is *tone* when 450 ± 25 Hz hold most of its energy, *sound* when it is
loud and no tone, else quiet. What lasts shorter than 40 ms changes nothing. From the lengths of tone and no tone in
turn, ± 10 % and what the windows blur, the tone is told once it is sure:

- ``dial``: 1.2 s without a break (no other tone of the plan lasts so long);
- ``ringback``: at the end of a burst of 1 s; ``busy``, ``congestion``, ``info``: at their third burst;
- ``sound``: 150 ms of anything else since the last tone: somebody speaks.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from hw.line.dsp.level import peak
from hw.zones import ZONES

Found = Literal["dial", "ringback", "busy", "congestion", "info", "sound"]

_FRAME, _HOP, _HOP_MS = 160, 80, 10
_SPAN = _FRAME + _HOP
_HZ = (425, 450, 475)
#: Share of a window's energy that the tone must hold; a window that is filled from 65 % on has it.
_PURITY = 0.65
#: Least level of a tone and of sound.
_LEAST_DBM0 = -35.0
_LEAST_ENERGY = peak(_LEAST_DBM0) ** 2 / 2 * _FRAME
_SURE_HOPS = 4
_DIAL_HOPS, _SOUND_HOPS = 120, 15
#: What the windows may add to a length, or take from it.
_BLUR_MS = 15
#: Told at the start of their third burst, by the length of one burst; pauses are as long.
_PLAN = ZONES["cn"].tones
_EVEN: dict[int, Found] = {
    _PLAN["busy"].steps[0].ms: "busy",
    _PLAN["congestion"].steps[0].ms: "congestion",
    _PLAN["info"].steps[0].ms: "info",
}
_RINGBACK_MS = _PLAN["ringback"].steps[0].ms
_QUIET, _TONE, _SOUND = 0, 1, 2


def _kernel() -> NDArray[np.float32]:
    """[span, windows x frequencies x 2]: cosines and sines of each frequency in either window."""
    out = np.zeros((_SPAN, 2, len(_HZ), 2))
    turn = 2 * np.pi * np.outer(np.arange(_FRAME), _HZ) / 8000
    for window in range(2):
        rows = slice(window * _HOP, window * _HOP + _FRAME)
        out[rows, window, :, 0], out[rows, window, :, 1] = np.cos(turn), np.sin(turn)
    return out.reshape(_SPAN, -1).astype(np.float32)


_KERNEL = _kernel()


def _kinds(span: NDArray[np.float32]) -> NDArray[np.int64]:
    """What each of the two windows of each row [n, 240] is: [n, 2]."""
    power = np.square((span @ _KERNEL).reshape(-1, 2, len(_HZ), 2)).sum(3).max(2)
    square = np.square(span)
    energy = np.stack([square[:, :_FRAME].sum(1), square[:, _HOP:].sum(1)], axis=1)
    tone = power * (2 / _FRAME) >= energy * _PURITY
    return np.where(energy < _LEAST_ENERGY, _QUIET, np.where(tone, _TONE, _SOUND))


def _is(ms: int, nominal: int) -> bool:
    return abs(ms - nominal) <= nominal * 0.1 + _BLUR_MS


@define
class _Cadence:
    """One channel: windows in, tones out. Lengths are in windows."""

    on: bool = False
    length: int = 0
    other: int = 0
    sound: int = 0
    lengths: list[int] = field(factory=list)

    def window(self, kind: int) -> Found | None:
        on = kind == _TONE
        self.length += 1
        self.other = 0 if on == self.on else self.other + 1
        if self.other == _SURE_HOPS:
            return self._turned()
        if self.on:
            return "dial" if self.length == _DIAL_HOPS and not self.other else None
        self.sound += kind == _SOUND
        if self.sound == _SOUND_HOPS and kind == _SOUND:
            self.sound += 1
            return "sound"
        return None

    def _turned(self) -> Found | None:
        """A tone has begun or ended, so many windows ago."""
        self.lengths = [*self.lengths[-3:], (self.length - _SURE_HOPS) * _HOP_MS]
        self.on, self.length, self.other = not self.on, _SURE_HOPS, 0
        if not self.on:
            self.sound = 0
            return "ringback" if _is(self.lengths[-1], _RINGBACK_MS) else None
        for burst, name in _EVEN.items():
            if len(self.lengths) == 4 and all(_is(ms, burst) for ms in self.lengths):
                return name
        return None


class CallProgress:
    """Tones on the rows of a block of channels; keeps what it needs of each row between ticks."""

    def __init__(self, rows: int) -> None:
        self._kept = np.zeros((rows, _HOP), np.float32)
        self._cadences = [_Cadence() for _ in range(rows)]

    def reset(self, row: int) -> None:
        """Forget what was heard on a row."""
        self._kept[row] = 0
        self._cadences[row] = _Cadence()

    def tick(self, rows: NDArray[np.intp], pcm: NDArray[np.int16]) -> list[tuple[int, Found]]:
        """Look at a frame [len(rows), 160] of the channels ``rows``; what was found on which row, in order."""
        span = np.concatenate([self._kept[rows], pcm.astype(np.float32)], axis=1)
        self._kept[rows] = span[:, -_HOP:]
        return [
            (int(row), found)
            for row, kinds in zip(rows, _kinds(span).tolist(), strict=True)
            for kind in kinds
            if (found := self._cadences[row].window(kind)) is not None
        ]
