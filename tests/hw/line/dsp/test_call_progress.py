"""Call-progress tones are told by frequency and cadence, and nothing else is taken for one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from hw.line.dsp.call_progress import CallProgress
from hw.line.dsp.level import peak, sine
from hw.line.dsp.tones import period
from hw.sim.pattern import voice
from hw.zones import ZONES

Sound = NDArray[np.int16]


def found(*rows: Sound) -> list[list[tuple[str, float]]]:
    """What is found on each row, with the second in which it was."""
    length = max(map(len, rows))
    block = np.stack([np.pad(row, (0, length - len(row) + -length % 160)) for row in rows])
    detector = CallProgress(len(rows))
    out: list[list[tuple[str, float]]] = [[] for _ in rows]
    every = np.arange(len(rows))
    for at in range(0, block.shape[1], 160):
        for row, name in detector.tick(every, block[:, at : at + 160]):
            out[row].append((name, at / 8000 + 0.02))
    return out


def cadence(hz: float, *ms: float, level: float = -10.0) -> Sound:
    """On and off in turn; odd places are silent."""
    parts = [sine(((hz if i % 2 == 0 else 0, level),), int(each * 8)) for i, each in enumerate(ms)]
    return np.concatenate(parts).astype(np.int16)


def noisy(sound: Sound, dbm0: float) -> Sound:
    return (sound + default_rng(1).normal(0, peak(dbm0) / np.sqrt(2), len(sound))).astype(np.int16)


def names(sound: Sound) -> set[str]:
    return {name for name, _ in found(sound)[0]}


@pytest.mark.requirement("A9.18")
@pytest.mark.parametrize(("tone", "seconds"), [
    ("dial", 1.3), ("busy", 1.5), ("ringback", 1.1), ("congestion", 2.9), ("info", 0.5),
])
def test_each_tone_of_the_plan_is_told_and_no_other(tone: str, seconds: float) -> None:
    sound = np.tile(period(tone), 10)[: 8 * 8000]
    (first, when), *rest = found(np.concatenate([np.zeros(333, np.int16), sound]))[0]
    assert first == tone and when < seconds + 0.1
    assert {name for name, _ in rest} <= {tone}


@pytest.mark.parametrize("tone", ["busy", "congestion", "ringback"])
@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("hz", [425, 475])
def test_ten_percent_and_25_hz_off_are_still_the_tone(tone: str, factor: float, hz: int) -> None:
    on, off = (step.ms * factor for step in ZONES["cn"].tones[tone].steps)
    assert names(cadence(hz, *(on, off) * 4)) == {tone}


@pytest.mark.parametrize("tone", ["busy", "congestion"])
@pytest.mark.parametrize("factor", [0.75, 1.25])
def test_a_quarter_off_is_no_tone_of_the_plan(tone: str, factor: float) -> None:
    on, off = (step.ms * factor for step in ZONES["cn"].tones[tone].steps)
    assert names(cadence(450, *(on, off) * 4)) == set()


@pytest.mark.parametrize(("sound", "told"), [
    (cadence(400, *(350, 350) * 4), {"sound"}),
    (cadence(500, *(350, 350) * 4), {"sound"}),
    (cadence(450, *(350, 350) * 4, level=-40), set()),
    (cadence(450, *(350, 350) * 4, level=-33), {"busy"}),
    (noisy(cadence(450, *(350, 350) * 4, level=-20), -30), {"busy", "sound"}),
    (cadence(450, *(350, 700) * 4), set()),
    (cadence(450, *(400, 4000) * 2), set()),
    (np.tile(voice(77), 20), {"sound"}),
])
def test_other_frequencies_levels_cadences_and_voices_are_no_tone(sound: Sound, told: set[str]) -> None:
    assert names(sound) == told


def test_a_missing_frame_delays_a_tone_by_two_bursts_at_most() -> None:
    for at in range(0, 22400, 960):
        sound = np.tile(period("busy"), 6)
        sound[at : at + 160] = 0
        assert names(sound) == {"busy"}


def test_channels_do_not_disturb_each_other_and_a_row_that_is_reset_begins_anew() -> None:
    tones = ["busy", "dial", "ringback", "congestion"]
    rows = found(*(np.tile(period(tone), 8)[:40000] for tone in tones))
    assert [{name for name, _ in row} for row in rows] == [{tone} for tone in tones]
    detector = CallProgress(1)
    heard = []
    for at, after in pairwise(range(0, 40000, 160)):
        if at % 8000 == 0:
            detector.reset(0)
        heard += detector.tick(np.array([0]), np.tile(period("dial"), 5)[None, at:after])
    assert not heard
