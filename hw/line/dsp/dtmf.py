"""DTMF for all channels at once (ITU-T Q.23, Q.24).

Windows of 102 samples begin every 5 ms. One matrix product gives the eight tones' amplitudes in the four windows of a
tick for all channels. A window *fits* a digit when two tones hold most of its energy; a digit is taken when enough
windows in a row fit it, the phases between them say that both frequencies are right, and two tones of just these
frequencies leave little over of the last 28 ms. Speech fails by one of the three.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from hw.line.dsp.level import peak, sine

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = ("1", "2", "3", "A", "4", "5", "6", "B", "7", "8", "9", "C", "*", "0", "#", "D")
#: Level that is sent: −11 dBm0 for the low group, −9 dBm0 for the high one, 70 ms on, 70 ms off.
SEND_DBM0 = (-11.0, -9.0)
SEND_MS, GAP_MS = 70, 70

_FRAME, _WINDOW, _HOP = 160, 102, 40
_WINDOWS = _FRAME // _HOP
_SPAN = _WINDOW + (_WINDOWS - 1) * _HOP
#: Samples kept of the frames before: any window of this one can look back as far as the last one.
_KEPT = 2 * _SPAN - _WINDOW - _FRAME
_HOP_MS = _HOP // 8
#: Share of a window's energy that the two tones must hold. Lets ±1.5 % ±2 Hz pass; a window counts from 70 % filled.
_PURITY = 0.7
#: Least level of either tone, and how much one may be above the other (Q.24 annex A: 4 to 10 dB by country), in dB.
_LEAST_DBM0, _LOW_OVER_HIGH_DB, _HIGH_OVER_LOW_DB = -34.0, 10.0, 7.0
#: Windows in a row: 40 ms gives six at least, 23 ms four at most.
_ENOUGH = 5
#: Windows that do not fit before a digit has ended: a break of 10 ms gives four, a pause of 40 ms nine.
_ENDED = 6
#: How far a frequency may be off: between the 1.5 % that must and the 3.5 % that must not be taken.
_OFF = 0.021

#: Share of the energy of 28 ms that may be neither tone (noise 9 dB below the tones has 0.11).
_LEFT_OVER = 0.12

Edge = tuple[Literal["down", "up"], str, int]


@cache
def samples(key: str) -> NDArray[np.int16]:
    """One key's tones and the pause behind them. Raises ``ValueError`` for what is no key."""
    low, high = divmod(KEYS.index(key), 4)
    tones = sine(((LOW[low], SEND_DBM0[0]), (HIGH[high], SEND_DBM0[1])), SEND_MS * 8)
    return np.concatenate([tones, np.zeros(GAP_MS * 8)]).round().astype(np.int16)


def _kernel() -> NDArray[np.float32]:
    """[span, windows x tones x 2]: cosines and sines of each tone, shifted by a hop for each window."""
    out = np.zeros((_SPAN, _WINDOWS, 8, 2))
    turn = 2 * np.pi * np.outer(np.arange(_WINDOW), (*LOW, *HIGH)) / 8000
    for window in range(_WINDOWS):
        rows = slice(window * _HOP, window * _HOP + _WINDOW)
        out[rows, window, :, 0], out[rows, window, :, 1] = np.cos(turn), -np.sin(turn)
    return out.reshape(_SPAN, -1).astype(np.float32)


def _sums() -> NDArray[np.float32]:
    """[span, windows]: the energy of each window from squares."""
    out = np.zeros((_SPAN, _WINDOWS), np.float32)
    for window in range(_WINDOWS):
        out[window * _HOP : window * _HOP + _WINDOW, window] = 1
    return out


_KERNEL, _SUMS = _kernel(), _sums()
_FREQUENCIES = np.array((*LOW, *HIGH), np.float64)
#: What one hop turns each tone's phase by, and how far it may be off from that, in radians.
_TURN = np.exp(-2j * np.pi * _FREQUENCIES * _HOP / 8000)
_TURN_OFF = 2 * np.pi * _FREQUENCIES * _OFF * _HOP / 8000
_LEAST_POWER = np.float32((peak(_LEAST_DBM0) * _WINDOW / 2) ** 2)
_LOW_OVER_HIGH, _HIGH_OVER_LOW = np.float32(10 ** (_LOW_OVER_HIGH_DB / 10)), np.float32(10 ** (_HIGH_OVER_LOW_DB / 10))


@frozen
class _Windows:
    """Four windows of some channels: the key that fits [rows, windows] or −1, and all tones [rows, windows, 8]."""

    fits: NDArray[np.int64]
    tones: NDArray[np.complex64]


def _look(span: NDArray[np.float32]) -> _Windows:
    tones = (span @ _KERNEL).reshape(-1, _WINDOWS, 8, 2).view(np.complex64)[..., 0]
    power = tones.real**2 + tones.imag**2
    low, high = power[..., :4].max(2), power[..., 4:].max(2)
    total = np.square(span) @ _SUMS
    good = (low + high) * np.float32(2 / _WINDOW) > total * np.float32(_PURITY)
    good &= (low > _LEAST_POWER) & (high > _LEAST_POWER) & (low < high * _LOW_OVER_HIGH) & (high < low * _HIGH_OVER_LOW)
    if not good.any():
        return _Windows(np.full(good.shape, -1), tones)
    keys = power[..., :4].argmax(2) * 4 + power[..., 4:].argmax(2)
    return _Windows(np.where(good, keys, -1), tones)


@define
class _Key:
    """One channel's key over time: fed window by window, says when one goes down and up."""

    candidate: int = -1
    count: int = 0
    turns: NDArray[np.complex128] = field(factory=lambda: np.zeros(2, np.complex128))
    before: NDArray[np.complex64] | None = None
    down: int = -1
    held: int = 0
    misses: int = 0

    @property
    def idle(self) -> bool:
        return self.down < 0 and self.count == 0

    def window(self, fit: int, tones: NDArray[np.complex64], tail: NDArray[np.float32]) -> list[Edge]:
        """One window's result; ``tail`` is the ``_SPAN`` samples up to its end."""
        edges: list[Edge] = []
        if self.down >= 0:
            self.held += 1
            self.misses = 0 if fit == self.down else self.misses + 1
            if self.misses >= _ENDED:
                edges.append(self._release())
        self._count(fit, tones)
        if self.count >= _ENOUGH and fit != self.down:
            if self._in_tune(fit, tail):
                if self.down >= 0:
                    edges.append(self._release())
                self.down, self.held, self.misses = fit, self.count, 0
                edges.append(("down", KEYS[fit], 0))
            else:
                self.count = 0
        return edges

    def _count(self, fit: int, tones: NDArray[np.complex64]) -> None:
        pair = [fit // 4, 4 + fit % 4]
        if fit < 0 or fit != self.candidate or self.count == 0:
            self.candidate, self.count = fit, int(fit >= 0)
            self.turns = np.zeros(2, np.complex128)
        else:
            self.count += 1
            if self.before is not None:
                self.turns += tones[pair] * self.before[pair].conj() * _TURN[pair]
        self.before = tones if fit >= 0 else None

    def _in_tune(self, fit: int, tail: NDArray[np.float32]) -> bool:
        pair, off = [fit // 4, 4 + fit % 4], np.angle(self.turns)
        if (np.abs(off) > _TURN_OFF[pair]).any():
            return False
        radians = 2 * np.pi * _FREQUENCIES[pair] / 8000 + off / _HOP
        turn = np.outer(np.arange(_SPAN), radians)
        basis = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
        weights = np.linalg.lstsq(basis, tail, rcond=None)[0]
        return bool(np.square(tail - basis @ weights).sum() <= _LEFT_OVER * np.square(tail).sum())

    def _release(self) -> Edge:
        # Windows that fit began up to 0.3 of a window early and end as late: together about 5 ms more than hops.
        edge: Edge = ("up", KEYS[self.down], (self.held - self.misses) * _HOP_MS + _HOP_MS)
        self.down = -1
        return edge


class Detector:
    """Finds keys on the rows of a block of channels; keeps what it needs of each row between ticks."""

    def __init__(self, rows: int) -> None:
        self._kept = np.zeros((rows, _KEPT), np.float32)
        self._keys = [_Key() for _ in range(rows)]
        self._busy = np.zeros(rows, bool)

    def reset(self, row: int) -> None:
        """Forget what was heard on a row: it belongs to another call now."""
        self._kept[row] = 0
        self._keys[row] = _Key()
        self._busy[row] = False

    def tick(self, rows: NDArray[np.intp], pcm: NDArray[np.int16]) -> list[tuple[int, Edge]]:
        """Look at a frame [len(rows), 160] of the channels ``rows``: (row, ("down" | "up", key, ms held)) in order."""
        span = np.empty((len(rows), _KEPT + _FRAME), np.float32)
        span[:, :_KEPT] = self._kept[rows]
        span[:, _KEPT:] = pcm
        self._kept[rows] = span[:, _FRAME:]
        seen = _look(span[:, -_SPAN:])
        found: list[tuple[int, Edge]] = []
        for at in np.flatnonzero((seen.fits >= 0).any(1) | self._busy[rows]):
            row = int(rows[at])
            key = self._keys[row]
            for window in range(_WINDOWS):
                end = span.shape[1] - (_WINDOWS - 1 - window) * _HOP
                edges = key.window(int(seen.fits[at, window]), seen.tones[at, window], span[at, end - _SPAN : end])
                found += [(row, edge) for edge in edges]
            self._busy[row] = not key.idle
        return found
