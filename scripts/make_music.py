#!/usr/bin/env python3
"""Makes etc/music/waiting.wav: a quiet music box for those who wait, ours to give away."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 8000
BEAT_S = 0.42
#: Quiet enough that a voice over it is understood: peaks about -18 dBm0.
PEAK = 3200
#: A pentatonic tune: semitones from A4, None is a rest.
TUNE = [0, 3, 5, 7, 10, 7, 5, None, 3, 5, 7, 12, 10, 7, 5, None, 0, 3, 7, 5, 3, 0, -2, None, 0, 3, 5, 7, 5, 3, 0, None]


def note(semitone: int, seconds: float) -> np.ndarray:
    """One struck note with two overtones, dying away."""
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = 440.0 * 2 ** (semitone / 12)
    sound = sum(level * np.sin(2 * np.pi * pitch * n * t) for n, level in ((1, 1.0), (2, 0.25), (3, 0.08)))
    return sound * np.exp(-3.0 * t) * np.minimum(1.0, t * 200)


def main() -> None:
    """Write the file."""
    step = int(BEAT_S * RATE)
    sound = np.zeros(step * len(TUNE) + 2 * RATE)
    for place, semitone in enumerate(TUNE):
        if semitone is not None:
            struck = note(semitone, 2.0)
            sound[place * step : place * step + struck.size] += struck
            if place % 8 == 0:
                low = note(semitone - 12, 2.0) * 0.6
                sound[place * step : place * step + low.size] += low
    samples = (sound / np.abs(sound).max() * PEAK).astype("<i2")
    path = Path(__file__).resolve().parents[1] / "etc" / "music" / "waiting.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
