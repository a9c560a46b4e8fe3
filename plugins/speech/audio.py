"""Speech as the telephone needs it: 8 kHz, one channel, 16 bit, at one level. Pure numpy, no other program."""

from __future__ import annotations

import io
import wave
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.float32]

#: RMS of 16-bit samples at 0 dBm0: a sine at the top of the A-law range is +3.14 dBm0 (ITU-T G.711 §5, table 5).
_RMS_0_DBM0 = 32768 / 2**0.5 / 10 ** (3.14 / 20)
_FRAME = RATE // 50
#: Frames more than this below the loudest are pauses, not speech (a simple form of ITU-T P.56).
_PAUSE_DB = 30.0
#: Silence left at both ends, samples.
_MARGIN = RATE // 20


class AudioError(Exception):
    """Sound that cannot be read; the text says why."""


def read_wav(data: bytes) -> tuple[int, Samples]:
    """Rate (Hz) and samples (channels averaged, full scale 32768) of a 16-bit WAV. Raises ``AudioError``.

    The length in the header may be wrong: a program that writes to a pipe cannot know it.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if width != 2 or channels < 1 or not 4000 <= rate <= 192_000:
                raise AudioError(f"{width * 8} bit at {rate} Hz: must be 16 bit PCM at 4000 to 192000 Hz")
            octets = file.readframes(min(file.getnframes(), len(data)))
    except (wave.Error, EOFError) as error:
        raise AudioError(f"not a WAV file: {error}") from None
    whole = len(octets) // (2 * channels) * channels
    samples = np.frombuffer(octets, dtype="<i2", count=whole).astype(np.float32)
    return rate, samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def write_wav(samples: Samples) -> bytes:
    """``samples`` (8 kHz, full scale 32768) as a WAV file; what is over full scale is clipped."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def resample(samples: Samples, rate: int) -> Samples:
    """``samples`` at ``rate`` Hz as 8 kHz, by a polyphase filter: flat to 3.4 kHz, 70 dB down from 4.3 kHz on."""
    if rate == RATE or not len(samples):
        return samples
    step = gcd(RATE, rate)
    up, down = RATE // step, rate // step
    phases = _phases(up, down, rate)
    taps = phases.shape[1]
    padded = np.concatenate([np.zeros(taps // 2, np.float32), samples, np.zeros(taps, np.float32)])
    count = -(-len(samples) * up // down)
    out = np.empty(count, np.float32)
    reach = np.arange(taps)
    for start in range(0, count, RATE):  # a second at a time keeps the gathered matrix small
        at = np.arange(start, min(start + RATE, count)) * down
        out[start : start + RATE] = np.einsum("ij,ij->i", padded[(at // up)[:, None] + reach], phases[at % up])
    return out


@lru_cache(maxsize=8)
def _phases(up: int, down: int, rate: int) -> Samples:
    """Filter taps by phase, [up, taps]: a Kaiser-windowed sinc seen from each fraction of an input sample."""
    pass_hz, stop_hz, attenuation_db = 3400.0, 4300.0, 70.0
    half = int(np.ceil((attenuation_db - 8) / (2.285 * 2 * np.pi * (stop_hz - pass_hz) / rate) / 2)) + 1
    cutoff = min(pass_hz + stop_hz, float(rate)) / rate  # twice the cut-off, in cycles a sample
    offset = np.arange(2 * half) - half - np.arange(up)[:, None] / up
    window = np.i0(6.8 * np.sqrt(np.clip(1 - (offset / half) ** 2, 0, None))) / np.i0(6.8)
    taps = cutoff * np.sinc(cutoff * offset) * window
    phases: Samples = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return phases


def active_level(samples: Samples) -> float:
    """Level of the speech in dBm0, pauses left out; minus infinity for silence."""
    power = _frame_power(samples)
    loudest = power.max(initial=0.0)
    if loudest <= 0:
        return float("-inf")
    speech = power[power > loudest * 10 ** (-_PAUSE_DB / 10)]
    return float(10 * np.log10(speech.mean() / _RMS_0_DBM0**2))


def levelled(samples: Samples, level_dbm0: float) -> Samples:
    """``samples`` brought to ``level_dbm0``, or as near as the highest peak allows without clipping."""
    level = active_level(samples)
    if not np.isfinite(level):
        return samples
    gain = min(10 ** ((level_dbm0 - level) / 20), 32000 / float(np.abs(samples).max()))
    return samples * np.float32(gain)


def trimmed(samples: Samples) -> Samples:
    """``samples`` without the silence before and after, but for 50 ms."""
    power = _frame_power(samples)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 1e-5)
    if not len(loud):
        return samples[:0]
    return samples[max(0, loud[0] * _FRAME - _MARGIN) : (loud[-1] + 1) * _FRAME + _MARGIN]


def _frame_power(samples: Samples) -> NDArray[np.float64]:
    """Mean square of every 20 ms, the last frame filled up with silence."""
    frames = np.pad(samples.astype(np.float64), (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
    power: NDArray[np.float64] = np.mean(frames**2, axis=1)
    return power
