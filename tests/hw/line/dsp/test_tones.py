"""Every zone's tones: frequencies, level, cadence."""

from __future__ import annotations

import numpy as np
import pytest

from hw.line.dsp.level import dbm0
from hw.line.dsp.tones import NAMES, period
from hw.zones import ZONES


def frequencies(part: np.ndarray) -> set[int]:
    """All within 10 dB of the strongest, to the nearest Hz; the window keeps the edges from looking like more."""
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8000))
    found = np.flatnonzero(spectrum > spectrum.max() * 10**-0.5)
    groups = np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)
    return {int(group[spectrum[group].argmax()]) for group in groups}


@pytest.mark.parametrize(("zone", "name", "steps"), [
    ("cn", "dial", [({450}, 1.0)]), ("cn", "busy", [({450}, 0.35), (set(), 0.35)]),
    ("cn", "ringback", [({450}, 1), (set(), 4)]), ("cn", "congestion", [({450}, 0.7), (set(), 0.7)]),
    ("cn", "call-waiting", [({450}, 0.4), (set(), 4)]), ("cn", "record", [({950}, 0.4), (set(), 10)]),
    ("cn", "info", [*[({450}, 0.1), (set(), 0.1)] * 3, ({450}, 0.4), (set(), 0.4)]),
    ("hk", "busy", [({480, 620}, 0.5), (set(), 0.5)]),
    ("hk", "ringback", [({440, 480}, 0.4), (set(), 0.2), ({440, 480}, 0.4), (set(), 3)]),
    ("tw", "ringback", [({440, 480}, 1), (set(), 2)]), ("tw", "dial", [({350, 440}, 1.0)]),
    ("sg", "ringback", [({401, 425, 449}, 0.4), (set(), 0.2), ({401, 425, 449}, 0.4), (set(), 2)]),
    ("sg", "busy", [({425}, 0.75), (set(), 0.75)]), ("us", "congestion", [({480, 620}, 0.25), (set(), 0.25)]),
    ("us", "howler", [({1400, 2060, 2450, 2600}, 0.1), (set(), 0.1)]),
    ("uk", "ringback", [({400, 450}, 0.4), (set(), 0.2), ({400, 450}, 0.4), (set(), 2)]),
    ("uk", "congestion", [({400}, 0.4), (set(), 0.35), ({400}, 0.225), (set(), 0.525)]),
    ("uk", "busy", [({400}, 0.375), (set(), 0.375)]), ("de", "busy", [({425}, 0.48), (set(), 0.48)]),
    ("fr", "ringback", [({440}, 1.5), (set(), 3.5)]),
    ("fr", "info", [({950}, 0.33), ({1400}, 0.33), ({1800}, 0.33), (set(), 1)]),
])  # fmt: skip
def test_a_tone_has_its_frequencies_level_and_cadence(zone, name, steps) -> None:
    samples = period(name, zone)
    assert len(samples) == round(sum(seconds for _, seconds in steps) * 8000)
    at = 0
    for wanted, seconds in steps:
        part = samples[at : at + round(seconds * 8000)]
        at += len(part)
        if not wanted:
            assert not part.any()
        else:
            found = frequencies(part)
            assert len(found) == len(wanted)
            assert all(min(abs(hz - other) for other in found) <= 5 for hz in wanted), found
            assert dbm0(part) == pytest.approx(-10, abs=0.35)


@pytest.mark.requirement("A9.18")
@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_every_tone_and_loses_none_to_clipping(zone) -> None:
    for name in NAMES:
        assert 0 < np.abs(period(name, zone).astype(int)).max() < 32767
    assert ZONES[zone].rings_ms and all(ms > 0 for ms in ZONES[zone].rings_ms)


@pytest.mark.parametrize("zone", ZONES)
def test_a_continuous_tone_repeats_without_a_step(zone) -> None:
    once = period("dial", zone)
    twice = np.tile(once, 2).astype(int)
    assert np.abs(np.diff(twice)).max() <= np.abs(np.diff(twice[: len(once)])).max()


def test_what_is_of_no_plan_is_the_same_in_every_zone() -> None:
    assert (period("beep", "us") == period("beep", "cn")).all()


def test_an_unknown_tone_or_zone_is_refused() -> None:
    with pytest.raises(KeyError):
        period("yodel")
    with pytest.raises(KeyError):
        period("busy", "xx")
