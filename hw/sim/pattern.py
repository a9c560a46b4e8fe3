"""A voice that can be recognised: simulated parties speak a four-digit code in tones, and ears find codes in audio.

One cycle is a sync tone, four digits and two check digits (ISO 7064 MOD 97-10), 80 ms each, then a pause that depends
on the code, so that two voices in one conference slide along each other. A digit moves to one of the ten *other* tones,
so neighbours always differ and no clock is needed. All frequencies are multiples of 50 Hz (whole cycles in 20 ms:
orthogonal, and a repeated frame keeps its phase) and keep 40 Hz away from DTMF (Q.23), from the exchange's 450 Hz and
from fax (1100, 2100 Hz).

Ears listen in two ways at once. One follows the loudest party: a tone that has most of a frame's energy. The other
takes all tones and sorts them to voices by when they begin and how loud they are: it hears several equal voices, but
neither lost frames nor two voices in step.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

#: Samples a second, and in one frame (20 ms).
RATE = 8000
FRAME = 160
#: Codes are 0 to 9999.
CODES = 10_000
#: Tones of the digits in Hz, and the tone that begins a cycle.
TONES = (600, 1050, 1400, 1550, 1750, 1900, 2250, 2400, 2550, 2700, 2850)
SYNC = 3000
#: Frames of one tone.
SYMBOL = 4
#: dBm0 of the voice; 0 dBm0 is a sine of this amplitude (G.711: the largest A-law sine is +3.14 dBm0).
LEVEL = -15.0
DBM0 = 32124 * 10 ** (-3.14 / 20)

_DIGITS = 6
_SYNC = len(TONES)
#: Nothing below -45 dBm0 is heard (squared amplitude).
_FLOOR = (DBM0 * 10 ** (-45 / 20)) ** 2


class _Way(NamedTuple):
    """A way to listen: the part of a frame's energy that a tone needs, and how equal the tones of one voice are.

    ``level``: factor of power; ``time``: frames off the 80 ms.
    """

    share: float
    level: float
    time: float


_LOUDEST = _Way(share=0.55, level=10.0, time=1.2)
_EVERY = _Way(share=0.12, level=10**0.25, time=0.35)
#: Channels of one matrix product: for larger ones OpenBLAS wakes threads, whose waiting costs more than they give.
_BLOCK = 64
#: The same code again within so many frames is the same cycle, found both ways.
_SAME = 20


def voice(code: int) -> Samples:
    """One cycle of the voice of ``code`` at -15 dBm0, to be repeated: 28 to 38 whole frames. Raises ``ValueError``."""
    if not 0 <= code < CODES:
        raise ValueError(f"code {code}: must be 0 to {CODES - 1}")
    time = np.arange(SYMBOL * FRAME) / RATE
    tones = [SYNC] + [TONES[tone] for tone in _tones(code)]
    sound = np.concatenate([np.sin(2 * np.pi * hz * time) for hz in tones] + [np.zeros(code % 11 * FRAME)])
    return np.rint(sound * DBM0 * 10 ** (LEVEL / 20)).astype(np.int16)


def _tones(code: int) -> list[int]:
    """The six digits of a code as indices into ``TONES``, each one to ten steps on from the one before."""
    tones, at = [], -1
    for digit in f"{code:04d}{98 - code * 100 % 97:02d}":
        at = (at + 1 + int(digit)) % len(TONES)
        tones.append(at)
    return tones


def _code(tones: list[int]) -> int | None:
    """The code of six tones, or None when the check digits say that it is none."""
    value, at = 0, -1
    for tone in tones:
        value = value * 10 + (tone - at - 1) % len(TONES)
        at = tone
    return value // 100 if value % 97 == 1 else None


class _Run(NamedTuple):
    """A tone that was there for about 80 ms: its index, when it began (frames, fractional), and power."""

    tone: int
    start: float
    power: float


class _Chain:
    """A cycle that is being followed: a sync tone and the tones that came after it, each 80 ms after the last."""

    def __init__(self, sync: _Run, way: _Way) -> None:
        self._last = sync
        self._way = way
        self.tones: list[int] = []
        self.over = False

    def take(self, run: _Run) -> None:
        """Follow ``run`` if it is this voice's next tone. Two tones for one place: nobody can say whose; give up."""
        if not 1 / self._way.level < run.power / self._last.power < self._way.level:
            return
        after = run.start - self._last.start
        if abs(after - SYMBOL) <= self._way.time and run.tone not in (self._last.tone, _SYNC):
            self.tones.append(run.tone)
            self._last = run
            self.over = len(self.tones) == _DIGITS
        elif abs(after) <= self._way.time:
            self.over = True

    def late(self, frame: int) -> bool:
        """Whether the next tone would have been heard by ``frame``."""
        return self.over or frame > self._last.start + 3 * SYMBOL + 2


class Ears:
    """Ears for ``n`` channels that are heard frame by frame. ``codes[i]`` counts the cycles of each code heard on i.

    Every channel has two rows, one for each way to listen: row i and row n + i.
    """

    def __init__(self, n: int) -> None:
        self.codes: list[Counter[int]] = [Counter() for _ in range(n)]
        self._frame = 0
        self._channels = n
        hz = np.array([*TONES, SYNC])
        angle = 2 * np.pi * np.outer(np.arange(FRAME) / RATE, hz)
        #: Scaled so that the sum of squares is the square of a tone's amplitude.
        self._basis = (np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * (2 / FRAME)).astype(np.float32)
        self._share = np.repeat(np.array([_LOUDEST.share, _EVERY.share], np.float32), n)[:, None]
        self._first = np.full((2 * n, len(hz)), -1)
        self._last = np.full((2 * n, len(hz)), -1)
        self._begin = np.zeros((2 * n, len(hz)), np.float32)
        self._power = np.zeros((2 * n, len(hz)), np.float32)
        self._chains: list[list[_Chain]] = [[] for _ in range(2 * n)]
        self._heard: list[dict[int, int]] = [{} for _ in range(n)]

    def feed(self, pcm: Samples) -> list[tuple[int, int]]:
        """One frame [n, 160] of every channel; returns (channel, code) for each cycle that it completed."""
        now = self._frame
        self._frame += 1
        sound = pcm.astype(np.float32)
        parts = np.concatenate([sound[at : at + _BLOCK] @ self._basis for at in range(0, len(sound), _BLOCK)])
        tones = self._power.shape[1]
        power = np.tile(parts[:, :tones] ** 2 + parts[:, tones:] ** 2, (2, 1))
        energy = np.tile(np.einsum("ij,ij->i", sound, sound) * (2 / FRAME), 2)[:, None]
        there = (power > self._share * energy) & (power > _FLOOR)
        # A run ends with the second frame without its tone: one frame may be lost inside it.
        ended = (self._first >= 0) & (self._last < now - 1) & ~there
        heard = self._end(ended, now) if ended.any() else []
        begins = there & (self._first < 0)
        self._first[begins] = now
        self._begin[begins] = power[begins]
        self._last[there] = now
        np.maximum(self._power, power, out=self._power, where=there)
        return heard

    def _end(self, ended: NDArray[np.bool_], now: int) -> list[tuple[int, int]]:
        """Follow the tones that have ended."""
        heard = []
        for row, tone in zip(*(axis.tolist() for axis in np.nonzero(ended)), strict=True):
            first = int(self._first[row, tone])
            power = float(self._power[row, tone])
            if 2 <= self._last[row, tone] - first + 1 <= SYMBOL + 2:
                # A tone that begins inside its first frame has there the amplitude of its part of the frame.
                start = first + 1 - (float(self._begin[row, tone]) / power) ** 0.5
                code = self._follow(row, _Run(tone, start, power), now)
                if code is not None:
                    heard.append((row % self._channels, code))
        self._first[ended] = -1
        self._power[ended] = 0
        return heard

    def _follow(self, row: int, run: _Run, now: int) -> int | None:
        """The code whose cycle ``run`` completes, if it does and was not found the other way."""
        found = None
        for chain in self._chains[row]:
            chain.take(run)
            if len(chain.tones) == _DIGITS:
                found = _code(chain.tones)
        self._chains[row] = [chain for chain in self._chains[row] if not chain.late(now)]
        channel = row % self._channels
        if run.tone == _SYNC:
            self._chains[row].append(_Chain(run, _LOUDEST if row < self._channels else _EVERY))
        if found is None or now - self._heard[channel].get(found, -_SAME) < _SAME:
            return None
        self._heard[channel][found] = now
        self.codes[channel][found] += 1
        return found

    def clear(self, channel: int) -> None:
        """A new party on a channel: forget what was heard there (``codes[channel]`` becomes a new counter)."""
        self.codes[channel] = Counter()
        self._heard[channel] = {}
        for row in (channel, channel + self._channels):
            self._chains[row].clear()
            self._first[row] = -1
            self._power[row] = 0


class Ear:
    """An ear for one stream, fed in pieces of any length."""

    def __init__(self) -> None:
        self._ears = Ears(1)
        self._rest = np.zeros(0, np.int16)

    @property
    def codes(self) -> Counter[int]:
        """How many cycles of each code were heard."""
        return self._ears.codes[0]

    def feed(self, pcm: Samples) -> list[int]:
        """Hear some samples; returns the codes whose cycles they completed, in order."""
        pcm = np.concatenate([self._rest, pcm])
        whole = len(pcm) // FRAME * FRAME
        self._rest = pcm[whole:]
        frames = pcm[:whole].reshape(-1, 1, FRAME)
        return [code for frame in frames for _, code in self._ears.feed(frame)]
