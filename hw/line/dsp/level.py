"""Levels: dBm0 and linear samples of 16 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Level of a sine that just fills A-law (G.711 §5: theoretical load capacity +3.14 dBm0).
FULL_SCALE_DBM0 = 3.14
_PEAK = 32768.0


def peak(dbm0: float) -> float:
    """The peak sample of a sine of ``dbm0``."""
    return float(_PEAK * 10 ** ((dbm0 - FULL_SCALE_DBM0) / 20))


def sine(parts: tuple[tuple[float, float], ...], samples: int) -> NDArray[np.float64]:
    """The sum of sines (Hz, dBm0), all beginning at zero, at 8 kHz."""
    time = np.arange(samples) / 8000
    out = np.zeros(samples)
    for hz, level in parts:
        out += peak(level) * np.sin(2 * np.pi * hz * time)
    return out


def dbm0(samples: NDArray[np.int16]) -> float:
    """The level of a block of samples; −inf for digital silence."""
    power = float(np.mean(samples.astype(np.float64) ** 2))
    return FULL_SCALE_DBM0 + 10 * float(np.log10(2 * power / _PEAK**2)) if power else float("-inf")
