"""China's tones: frequency, level, cadence."""

from __future__ import annotations

import numpy as np
import pytest

from hw.line.dsp.level import dbm0
from hw.line.dsp.tones import period


@pytest.mark.parametrize(("name", "hz", "cadence"), [
    ("dial", 450, (1.0,)), ("busy", 450, (0.35, 0.35)), ("ringback", 450, (1, 4)), ("congestion", 450, (0.7, 0.7)),
    ("call-waiting", 450, (0.4, 4)), ("info", 450, (0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4)),
    ("record", 950, (0.4, 10)),
])
def test_a_tone_has_its_frequency_level_and_cadence(name, hz, cadence) -> None:
    samples = period(name)
    assert len(samples) == round(sum(cadence) * 8000)
    at = 0
    for i, seconds in enumerate(cadence):
        part = samples[at : at + round(seconds * 8000)]
        at += len(part)
        if i % 2:
            assert not part.any()
        else:
            spectrum = np.abs(np.fft.rfft(part))
            assert abs(spectrum.argmax() * 8000 / len(part) - hz) < 5
            assert dbm0(part) == pytest.approx(-10, abs=0.1)


def test_a_continuous_tone_repeats_without_a_step() -> None:
    twice = np.tile(period("dial"), 2).astype(int)
    assert np.abs(np.diff(twice)).max() <= np.abs(np.diff(twice[:8000])).max()
