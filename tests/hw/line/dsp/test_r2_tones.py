"""MFC-R2 signals through A-law, at the levels and through the noise that lines have."""

from __future__ import annotations

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode
from hw.line.dsp.level import peak
from hw.line.dsp.r2_tones import R2Tones

SIGNALS = range(1, 16)
SILENCE = np.full(160, 0xD5, np.uint8)


def sent(tones: R2Tones, signal: int, frames: int) -> np.ndarray:
    """So many frames of a signal, as A-law octets."""
    tones.send(signal)
    octets = np.empty((frames, 160), np.uint8)
    for frame in octets:
        tones.say(frame)
    return octets


@pytest.mark.parametrize("forward", [True, False])
def test_each_signal_is_heard_within_60_ms_and_so_is_its_end(forward: bool) -> None:
    near, far = R2Tones(forward=forward), R2Tones(forward=not forward)
    for signal in SIGNALS:
        heard = [far.hear(frame) for frame in sent(near, signal, 5)]
        assert set(heard[2:]) == {signal} and set(heard) <= {0, signal}
        assert [far.hear(frame) for frame in sent(near, 0, 5)][2:] == [0, 0, 0]


def test_a_register_does_not_hear_signals_of_its_own_kind() -> None:
    near, far = R2Tones(forward=True), R2Tones(forward=True)
    assert not any(far.hear(frame) for signal in SIGNALS for frame in sent(near, signal, 5))


@pytest.mark.parametrize("gain_db", [-20, 5])
@pytest.mark.parametrize("noise_dbm0", [-90, -40])
def test_quiet_loud_and_noisy_signals_are_heard(gain_db: int, noise_dbm0: int) -> None:
    near, far = R2Tones(forward=True), R2Tones(forward=False)
    random = np.random.default_rng(1)
    for signal in SIGNALS:
        pcm = alaw_decode(sent(near, signal, 10)) * 10 ** (gain_db / 20)
        noise = random.normal(0, peak(noise_dbm0) / 2**0.5, pcm.shape)
        frames = alaw_encode(np.clip(pcm + noise, -32768, 32767).astype(np.int16))
        assert set([far.hear(frame) for frame in frames][3:]) == {signal}
        assert [far.hear(SILENCE) for _ in range(5)][-1] == 0


def test_noise_is_no_signal() -> None:
    far = R2Tones(forward=False)
    pcm = np.random.default_rng(2).normal(0, peak(-25) / 2**0.5, (3000, 160))
    assert not any(far.hear(frame) for frame in alaw_encode(pcm.astype(np.int16)))


def test_without_a_signal_silence_is_sent() -> None:
    assert (sent(R2Tones(forward=False), 0, 2) == SILENCE).all()
