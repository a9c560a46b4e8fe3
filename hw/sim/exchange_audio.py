"""The exchange's bearer channels: what the subscribers say and hear, for all channels of a span at once.

Everything goes by frames of 20 ms that the line process clocks; one call of ``tick`` costs about the same for one
talking channel as for thirty.
"""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from hw.g711 import Octets, Samples, alaw_decode, frames_of
from hw.line.dsp.dtmf import HIGH, KEYS, LOW
from hw.line.dsp.level import sine
from hw.line.span import SILENCE
from hw.line.trunk import FRAME
from hw.sim.pattern import Ears, voice

#: A person's key press: 100 ms of tones at -11 and -9 dBm0, then 100 ms of nothing.
_PRESS = _PAUSE = 800
_PRESS_DBM0 = (-11.0, -9.0)
#: Frames of the longest cycle of a voice.
_LONGEST = 38


def key_press(key: str) -> Samples:
    """A key pressed for 100 ms and the pause behind it. Raises ``ValueError`` for what is no key."""
    low, high = divmod(KEYS.index(key), 4)
    tones = sine(((LOW[low], _PRESS_DBM0[0]), (HIGH[high], _PRESS_DBM0[1])), _PRESS)
    return np.concatenate([tones, np.zeros(_PAUSE)]).round().astype(np.int16)


class Bearers:
    """The audio of ``n`` channels, by their index."""

    def __init__(self, n: int) -> None:
        self._ears = Ears(n)
        self._every = np.arange(n)
        self._cycles = np.full((n, _LONGEST, FRAME), SILENCE, np.uint8)
        self._lengths = np.ones(n, np.intp)
        self._at = np.zeros(n, np.intp)
        self._playing: dict[int, deque[Octets]] = {}
        self._kept: dict[int, list[Octets]] = {}
        self._busy: set[int] = set()

    def open(self, index: int) -> Counter[int]:
        """A new party on a channel, silent; returns the counter of the codes that it will hear."""
        self.close(index)
        self._busy.add(index)
        self._ears.clear(index)
        return self._ears.codes[index]

    def close(self, index: int) -> None:
        """The party is gone: silence, and nothing is heard."""
        self._busy.discard(index)
        self._playing.pop(index, None)
        self._kept.pop(index, None)
        self.say(index, None)

    def say(self, index: int, code: int | None) -> None:
        """Speak with the voice of ``code`` until told otherwise; None: be silent."""
        self._at[index] = 0
        if code is None:
            self._cycles[index, 0] = SILENCE
            self._lengths[index] = 1
            return
        cycle = frames_of(voice(code))
        self._cycles[index, : len(cycle)] = cycle
        self._lengths[index] = len(cycle)

    def play(self, index: int, pcm: Samples) -> float:
        """Play once, in place of the voice and behind what plays already; returns the seconds until its end."""
        queue = self._playing.setdefault(index, deque())
        queue.extend(frames_of(pcm))
        return len(queue) * 0.02

    def keep(self, index: int) -> None:
        """Keep what is heard from now on, for ``kept``."""
        self._kept[index] = []

    def kept(self, index: int) -> Samples:
        """What was heard since ``keep``."""
        frames = self._kept.get(index)
        return alaw_decode(np.concatenate(frames)) if frames else np.zeros(0, np.int16)

    def tick(self, heard: Octets, said: Octets) -> list[int]:
        """One frame [n, 160] both ways: hear ``heard``, fill ``said``; returns who has heard a voice's code."""
        said[:] = self._cycles[self._every, self._at]
        self._at = (self._at + 1) % self._lengths
        for index in list(self._playing):
            queue = self._playing[index]
            if queue:
                said[index] = queue.popleft()
            else:
                del self._playing[index]
        for index, frames in self._kept.items():
            frames.append(heard[index].copy())
        return [index for index, _ in self._ears.feed(alaw_decode(heard))] if self._busy else []
