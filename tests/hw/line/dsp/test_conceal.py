"""A lost frame is filled with what the voice was doing."""

from __future__ import annotations

import numpy as np

from hw.line.dsp.conceal import conceal


def test_a_voiced_sound_goes_on_in_phase() -> None:
    time = np.arange(640) / 8000
    voice = (8000 * np.sin(2 * np.pi * 137 * time) + 3000 * np.sin(2 * np.pi * 411 * time)).astype(np.int16)
    filled = conceal(voice[None, :320], np.array([1]))[0].astype(float)
    error, signal = filled[:80] - voice[320:400], voice[320:400].astype(float)
    assert 10 * np.log10((signal**2).sum() / (error**2).sum()) > 15


def test_it_fades_to_silence_in_60_ms() -> None:
    history = (9000 * np.sin(2 * np.pi * 200 * np.arange(320) / 8000)).astype(np.int16)[None]
    power = []
    for run in (1, 2, 3):
        frame = conceal(history, np.array([run]))
        power.append(float((frame.astype(float) ** 2).sum()))
        history = np.concatenate([history[:, 160:], frame], axis=1)
    assert power[0] > power[1] > power[2] > 0
    assert abs(int(frame[0, -1])) < 50


def test_silence_stays_silence() -> None:
    assert not conceal(np.zeros((2, 320), np.int16), np.array([1, 2])).any()
