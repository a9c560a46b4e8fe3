"""DTMF by ITU-T Q.24: what must be taken, what must not."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.g711 import alaw_decode, alaw_encode
from hw.line.dsp.dtmf import HIGH, KEYS, LOW, Detector, Edge, samples
from hw.line.dsp.level import peak, sine
from hw.line.dsp.tones import NAMES, period
from hw.zones import ZONES


def heard(audio: np.ndarray) -> list[Edge]:
    """What the detector says to audio that has gone through A-law, on the second of three rows."""
    padded = np.concatenate([audio, np.zeros(-len(audio) % 160 + 1600)]).round().astype(np.int16)
    octets = alaw_encode(padded).reshape(-1, 160)
    detector = Detector(3)
    return [edge for frame in octets for _, edge in detector.tick(np.array([1]), alaw_decode(frame)[None])]


def keys(audio: np.ndarray) -> str:
    return "".join(key for kind, key, _ in heard(audio) if kind == "down")


def press(key: str, ms: float, *, low_off: float = 0, high_off: float = 0, levels=(-11.0, -9.0), at: int = 333):
    low, high = divmod(KEYS.index(key), 4)
    tones = ((LOW[low] * (1 + low_off), levels[0]), (HIGH[high] * (1 + high_off), levels[1]))
    return np.concatenate([np.zeros(at), sine(tones, int(ms * 8)), np.zeros(320)])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 159), st.floats(-0.015, 0.015), st.floats(-0.015, 0.015))
def test_40_ms_is_taken_wherever_it_begins_and_1_5_percent_off(key, at, low_off, high_off) -> None:
    assert keys(press(key, 40, at=at, low_off=low_off, high_off=high_off)) == key


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 159), st.floats(1, 23))
def test_23_ms_is_not_taken(key, at, ms) -> None:
    assert keys(press(key, ms, at=at)) == ""


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 159), st.sampled_from((-0.035, 0.035)), st.booleans())
def test_a_frequency_3_5_percent_off_is_not_taken(key, at, off, low) -> None:
    assert keys(press(key, 100, at=at, **{"low_off" if low else "high_off": off})) == ""


@pytest.mark.parametrize(("levels", "taken"), [
    ((-9, -17), True), ((-13, -9), True), ((-26, -26), True), ((-3, -3), True),
    ((-5, -19), False), ((-20, -6), False), ((-40, -40), False),
])
def test_levels_and_twist(levels, taken) -> None:
    assert keys(press("5", 60, levels=levels)) == ("5" if taken else "")


def test_what_is_sent_is_what_is_found_with_its_length() -> None:
    edges = heard(np.concatenate([samples(key) for key in "0123456789*#ABCD"]))
    assert "".join(key for kind, key, _ in edges if kind == "down") == "0123456789*#ABCD"
    assert all(60 <= ms <= 80 for kind, _, ms in edges if kind == "up")


def test_a_break_of_10_ms_is_one_key_and_a_pause_of_40_ms_makes_two() -> None:
    tone = sine(((770, -11), (1336, -9)), 320)
    assert keys(np.concatenate([tone, np.zeros(80), tone])) == "5"
    assert keys(np.concatenate([tone, np.zeros(320), tone])) == "55"


def test_keys_are_found_in_noise_15_db_below() -> None:
    rng = np.random.default_rng(4)
    dial = np.concatenate([press(key, 50) for key in "147*258#"])
    assert keys(dial + rng.normal(0, peak(-24) / 2**0.5, len(dial))) == "147*258#"


def test_tones_noise_and_speech_are_no_keys(speech) -> None:
    rng = np.random.default_rng(5)
    tones = [period(name, zone) for zone in ZONES for name in NAMES]
    assert keys(np.concatenate([*tones, rng.normal(0, 3000, 80000), np.tile(speech, 40)])) == ""


def test_a_row_that_belongs_to_another_call_forgets_the_key_that_was_down() -> None:
    detector, rows = Detector(1), np.array([0])
    held = press("7", 100, at=0).round().astype(np.int16).reshape(-1, 160)
    assert [edge for frame in held[:4] for _, edge in detector.tick(rows, frame[None])] == [("down", "7", 0)]
    detector.reset(0)
    silence = np.zeros((1, 160), np.int16)
    assert not [edge for _ in range(5) for edge in detector.tick(rows, silence)]


@pytest.mark.judge("espeak-ng", "sox")
@pytest.mark.parametrize("voice", ["en+f5 -p80 -s130", "en+m3 -p99 -s130", "de+m3 -p99 -s200", "cmn -p50 -s160"])
def test_voices_that_come_near_to_keys_are_no_keys(voice) -> None:
    text = {
        "en": "Thank you for calling. Your parcel has left the sorting centre and will be delivered tomorrow. "
        "Please hold the line while we connect you to the next free agent.",
        "de": "Guten Tag, Ihre Sendung befindet sich auf dem Weg. Bitte bleiben Sie in der Leitung, wir verbinden Sie "
        "mit einem Mitarbeiter.",
        "cm": "您好，欢迎致电客户服务中心。查询运单请按一，投诉请按二，人工服务请按零。",
    }[voice[:2]]
    spoken = subprocess.run(["espeak-ng", "-v", *voice.split(), "--stdout", text], capture_output=True, check=True)
    raw = ["-t", "wav", "-", "-t", "raw", "-r", "8000", "-b", "16", "-e", "signed", "-c", "1", "-"]
    samples = subprocess.run(["sox", *raw], input=spoken.stdout, capture_output=True, check=True).stdout
    audio = np.frombuffer(samples, "<i2")
    assert len(audio) > 24000
    assert keys(audio) == ""


@pytest.mark.parametrize("ms", [40, 70])
def test_keys_are_found_with_noise_10_db_below(ms) -> None:
    rng = np.random.default_rng(7)
    dial = np.concatenate([press(key, ms) for key in KEYS * 3])
    assert keys(dial + rng.normal(0, peak(-16.9) / 2**0.5, len(dial))) == "".join(KEYS) * 3
