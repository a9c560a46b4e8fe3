"""Speech on its way to 8 kHz: what passes the filter, at which level, in which file."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from plugins.speech.audio import (
    RATE,
    AudioError,
    Samples,
    active_level,
    levelled,
    read_wav,
    resample,
    trimmed,
    write_wav,
)


def tone(hz: float, rate: int, seconds: float = 1.0, peak: float = 8000.0) -> Samples:
    return (peak * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def rms_db(samples: Samples) -> float:
    middle = samples[len(samples) // 8 : -len(samples) // 8]
    return float(20 * np.log10(np.sqrt(np.mean(middle.astype(float) ** 2)) + 1e-9))


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("hz", [200, 1000, 2500, 3400])
def test_the_telephone_band_passes_unchanged(rate: int, hz: int) -> None:
    out = resample(tone(hz, rate), rate)
    assert abs(len(out) - RATE) <= 1
    assert rms_db(out) == pytest.approx(rms_db(tone(hz, RATE)), abs=0.15)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert abs(np.argmax(spectrum) * RATE / len(out) - hz) < 2


@pytest.mark.parametrize(("rate", "hz"), [(22050, 4600), (22050, 5000), (22050, 9000), (44100, 12000), (48000, 7000)])
def test_what_is_above_the_telephone_band_does_not_fold_into_it(rate: int, hz: int) -> None:
    assert rms_db(resample(tone(hz, rate), rate)) < rms_db(tone(1000, RATE)) - 65


def test_a_click_stays_where_it_was() -> None:
    click = np.zeros(22050, np.float32)
    click[11025] = 20000
    assert np.argmax(np.abs(resample(click, 22050))) == 4000


def test_a_sine_at_the_top_of_the_a_law_range_is_3_14_dbm0() -> None:
    assert active_level(tone(1020, RATE, peak=32767)) == pytest.approx(3.14, abs=0.01)


@pytest.mark.parametrize("peak", [50.0, 3000.0, 32000.0])
def test_speech_comes_to_its_level_however_loud_it_was_and_pauses_do_not_count(peak: float) -> None:
    speech = np.concatenate([tone(500, RATE, 0.5, peak), np.zeros(2 * RATE, np.float32), tone(700, RATE, 0.5, peak)])
    assert active_level(levelled(speech, -16)) == pytest.approx(-16, abs=0.1)


def test_levelling_never_clips_and_leaves_silence_alone() -> None:
    spiky = tone(500, RATE, peak=100)
    spiky[4000] = 30000
    assert np.abs(levelled(spiky, -6)).max() <= 32001
    silence = np.zeros(800, np.float32)
    assert not levelled(silence, -16).any()


def test_silence_around_speech_is_cut_to_fifty_milliseconds() -> None:
    quiet = np.zeros(RATE, np.float32)
    assert len(trimmed(np.concatenate([quiet, tone(500, RATE), quiet]))) == RATE + 2 * RATE // 20
    assert len(trimmed(quiet)) == 0


def test_a_written_file_is_what_the_line_process_plays() -> None:
    samples = tone(1000, RATE, 0.1)
    samples[0] = 40000
    data = write_wav(samples)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (8000, 1, 2, 800)
    rate, again = read_wav(data)
    assert rate == RATE
    assert again[0] == 32767
    assert np.abs(again[1:] - samples[1:]).max() <= 0.5


def test_a_length_that_the_header_does_not_know_is_no_fault() -> None:
    data = bytearray(write_wav(tone(1000, RATE, 0.1)))
    data[4:8] = data[40:44] = b"\xff\xff\xff\x7f"
    assert len(read_wav(bytes(data))[1]) == 800


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3 not a wav at all", write_wav(tone(500, RATE))[:20]])
def test_what_is_no_wav_is_an_error(data: bytes) -> None:
    with pytest.raises(AudioError):
        read_wav(data)
