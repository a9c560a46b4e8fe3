"""A code that is spoken is the code that is heard, through G.711, loss and other voices; nothing else is heard."""

import json
import wave

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hw.line.dsp.dtmf import Detector
from hw.sim.listen import main
from hw.sim.pattern import CODES, DBM0, FRAME, RATE, Ear, Ears, voice


def speak(code, seconds, begin=0):
    """``seconds`` of the voice of a code, from sample ``begin`` of its cycle on."""
    cycle = voice(code)
    begin %= len(cycle)
    return np.resize(cycle, begin + int(seconds * RATE))[begin:]


def heard(pcm):
    ear = Ear()
    ear.feed(pcm)
    return ear.codes


@pytest.fixture
def random():
    return np.random.default_rng(20)


def test_the_voice_is_at_minus_15_dbm0_and_whole_frames():
    for code in (0, 17, 9999):
        cycle = voice(code)
        tones = cycle[: 28 * FRAME].astype(float)
        assert 20 * np.log10(np.sqrt(2 * np.mean(tones**2)) / DBM0) == pytest.approx(-15, abs=0.05)
        assert len(cycle) % FRAME == 0


@pytest.mark.parametrize("code", [-1, CODES])
def test_there_are_ten_thousand_codes(code):
    with pytest.raises(ValueError, match="must be 0 to 9999"):
        voice(code)


def test_any_code_is_heard_from_any_place_on_through_g711(random):
    for code in random.integers(0, CODES, 60):
        pcm = speak(int(code), 1.6, int(random.integers(0, 9999)))
        assert set(heard(alaw_decode(alaw_encode(pcm)))) == {code}
        assert set(heard(ulaw_decode(ulaw_encode(pcm)))) == {code}


def test_every_cycle_is_heard_once():
    assert heard(np.tile(voice(4711), 20)) == {4711: 20}


def test_pieces_of_any_length_sound_like_the_whole(random):
    pcm, ear, found = speak(305, 4), Ear(), []
    while len(pcm):
        size = int(random.integers(1, 700))
        found += ear.feed(pcm[:size])
        pcm = pcm[size:]
    assert set(found) == {305}
    assert len(found) == ear.codes[305] >= 5


def test_a_cycle_survives_one_lost_frame():
    """Wherever in the 28 frames of tone it falls; the two cycles around are there to begin and end."""
    cycle = voice(1100)
    for lost in range(28):
        for begin in (0, 70):
            pcm = np.concatenate([np.zeros(begin, np.int16), np.tile(cycle, 2), np.zeros(3 * FRAME, np.int16)])
            pcm[lost * FRAME : (lost + 1) * FRAME] = 0
            assert heard(pcm)[1100] == 2, (lost, begin)


def test_a_quieter_voice_or_music_does_not_hide_it(random):
    music = sum(np.sin(2 * np.pi * hz * np.arange(4 * RATE) / RATE) for hz in (262, 330, 392, 523, 784)) * 600
    for _ in range(40):
        code, other = (int(code) for code in random.integers(0, CODES, 2))
        pcm = speak(code, 4, int(random.integers(0, 9999)))
        assert set(heard(pcm + music.astype(np.int16))) == {code}
        codes = heard(pcm + speak(other, 4, int(random.integers(0, 9999))) // 2)
        assert code in codes
        assert set(codes) <= {code, other}


def test_two_equal_voices_are_never_a_third_one_and_mostly_heard(random):
    none = 0
    for _ in range(80):
        codes = {int(code) for code in random.integers(0, CODES, 2)}
        found = set(heard(sum(speak(code, 10, int(random.integers(0, 9999))) for code in codes)))
        assert found <= codes
        none += not found
    assert none < 40


def test_noise_and_speech_are_no_code(random):
    seconds = 60
    noise = random.normal(0, 2000, seconds * RATE)
    assert not heard(noise.clip(-32768, 32767).astype(np.int16))
    assert not heard(_speech(random, seconds))


def _speech(random, seconds):
    """Harmonics of a gliding pitch with syllables and formants that move: what a vocoder makes of speech."""
    time = np.arange(seconds * RATE) / RATE
    knots = np.arange(0, seconds, 0.1)
    pitch = np.interp(time, knots, random.uniform(90, 250, len(knots)))
    bands = ((300, 900), (900, 2800))
    formants = [np.interp(time, knots, random.uniform(low, high, len(knots))) for low, high in bands]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.zeros(len(time))
    for number in range(1, 16):
        gain = sum(1 / (1 + ((number * pitch - formant) / 80) ** 2) for formant in formants)
        sound += gain * np.sin(number * phase)
    return (sound * np.interp(time, knots, random.uniform(0, 1, len(knots))) * 6000).astype(np.int16)


def test_tones_of_the_network_are_no_code():
    time = np.arange(20 * RATE) / RATE
    for tones in ((450,), (1100,), (2100,), (697, 1209), (941, 1633), (1380, 1500)):
        assert not heard((sum(np.sin(2 * np.pi * hz * time) for hz in tones) * 4000).astype(np.int16))


def test_many_channels_are_heard_apart_and_a_new_party_is_nobody(random):
    codes = [int(code) for code in random.permutation(CODES)[:30]]
    pcm = np.stack([speak(code, 2, int(random.integers(0, 9999))) for code in codes])
    ears = Ears(30)
    found = []
    for at in range(0, pcm.shape[1], FRAME):
        found += ears.feed(pcm[:, at : at + FRAME])
    assert [set(heard) for heard in ears.codes] == [{code} for code in codes]
    assert {(channel, code) for channel, code in found} == set(enumerate(codes))
    ears.clear(3)
    assert not ears.codes[3]


def test_listen_tells_the_codes_of_each_channel_of_a_recording(tmp_path, capsys):
    path = tmp_path / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.stack([speak(12, 3), speak(3456, 3)], axis=1).tobytes())
    assert main([str(path)]) == 0
    left, right = json.loads(capsys.readouterr().out)["files"][str(path)]
    assert left.keys() == {"12"}
    assert right.keys() == {"3456"}


def test_listen_says_which_file_it_cannot_judge(tmp_path, capsys):
    path = tmp_path / "call.wav"
    path.write_bytes(b"no RIFF here")
    assert main([str(path), str(tmp_path / "none.wav")]) == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert "no WAV file" in files[str(path)]["error"]
    assert "No such file" in files[str(tmp_path / "none.wav")]["error"]


def test_voices_are_no_keys_alone_or_together(random):
    rows = np.arange(100)
    codes = random.integers(0, CODES, (2, len(rows)))
    one, two = (
        np.stack([speak(int(code), 5, int(random.integers(0, 9999))) for code in voices]) for voices in codes
    )
    for pcm in (one, one + two, one + two // 2):
        detector = Detector(len(rows))
        edges = [edge for at in range(0, pcm.shape[1], FRAME) for edge in detector.tick(rows, pcm[:, at : at + FRAME])]
        assert not edges
