"""Recordings: what was said left, what was heard right, whole or told why not."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode
from hw.line.dsp.tones import period
from hw.line.switch.recorders import repair_all
from hw.line.switch.wav import header, repair
from hw.messages import Mix, Play, PlayItem, Record, Recorded


def read(path: Path) -> np.ndarray:
    """[frames, 2]."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def done(rig, count: int = 1) -> list[Recorded]:
    rig.until(lambda: len(rig.told(Recorded)) >= count)
    return rig.told(Recorded)


def test_left_is_what_the_port_says_right_what_it_hears(rig, tmp_path, speech) -> None:
    talk = np.tile(speech, 6)
    rig.slots.say(1, talk)
    rig.slots.say(2, talk[::-1])
    rig.switch.mix(Mix("a", {"b": 1.0}))
    path = tmp_path / "2026" / "call.wav"
    rig.switch.record(Record("r", "a", str(path)))
    rig.tick(130)
    assert not path.exists()
    rig.switch.stop_record("r")
    assert done(rig) == [Recorded("r", str(path), 2600)]
    audio = read(path)
    assert (audio[:, 0] == alaw_decode(alaw_encode(talk))[: len(audio)]).all()
    assert (audio[:, 1] == alaw_decode(alaw_encode(talk[::-1]))[: len(audio)]).all()
    assert not list(path.parent.glob("*.part"))


def test_prompts_are_heard_and_recorded(rig, tmp_path) -> None:
    rig.switch.play(Play("a", "p", (PlayItem("tone", "busy"),)))
    rig.switch.record(Record("r", "a", str(tmp_path / "x.wav")))
    rig.tick(60)
    rig.switch.stop_record("r")
    done(rig)
    audio = read(tmp_path / "x.wav")
    assert (audio[:, 1] == alaw_decode(alaw_encode(np.resize(period("busy"), 9600)))).all()


def test_a_pause_is_silence_of_the_same_length(rig, tmp_path) -> None:
    rig.slots.say(1, np.full(160 * 60, 5000))
    rig.switch.record(Record("r", "a", str(tmp_path / "x.wav")))
    for paused in (False, True, False):
        rig.switch.pause_record("r", paused)
        rig.tick(20)
    rig.switch.stop_record("r")
    done(rig)
    loud = read(tmp_path / "x.wav")[:, 0].reshape(60, 160).any(1)
    assert loud.tolist() == [True] * 20 + [False] * 20 + [True] * 20


def test_a_recorder_ends_with_its_port(rig, tmp_path) -> None:
    rig.switch.record(Record("r", "a", str(tmp_path / "x.wav")))
    rig.switch.record(Record("s", "b", str(tmp_path / "y.wav")))
    rig.tick(10)
    rig.switch.unbind("a")
    assert done(rig) == [Recorded("r", str(tmp_path / "x.wav"), 200)]
    assert rig.switch.recorders() == ("s",)


def test_many_recordings_begin_and_end_at_any_time(rig, tmp_path, speech) -> None:
    talk = np.tile(speech, 20)
    rig.slots.say(1, talk)
    starts = {f"r{i}": i * 3 for i in range(30)}
    for tick in range(300):
        for name, start in starts.items():
            if tick == start:
                rig.switch.record(Record(name, "a", str(tmp_path / f"{name}.wav")))
            if tick == start + 120 + start % 7:
                rig.switch.stop_record(name)
        rig.tick()
    done(rig, 30)
    said = alaw_decode(alaw_encode(talk))
    for name, start in starts.items():
        audio = read(tmp_path / f"{name}.wav")
        assert (audio[:, 0] == said[start * 160 :][: (120 + start % 7) * 160]).all()


def test_a_recording_that_cannot_be_is_told_and_harms_no_other(rig, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "there.wav").write_text("an older recording")
    for name, path in (("r", "file/x.wav"), ("s", "there.wav"), ("t", "good.wav")):
        rig.switch.record(Record(name, "a", str(tmp_path / path)))
    rig.tick(5)
    done(rig, 2)
    assert rig.switch.recorders() == ("t",), "the others have ended by themselves"
    rig.switch.stop_record("t")
    told = {recorded.recorder: recorded for recorded in done(rig, 3)}
    assert told["r"].reason == f"File exists: {tmp_path / 'file'}"
    assert "already" in told["s"].reason and (tmp_path / "there.wav").read_text() == "an older recording"
    assert told["t"].reason == "" and len(read(tmp_path / "good.wav")) == 800
    with pytest.raises(ValueError, match="absolute"):
        rig.switch.record(Record("u", "a", "x.wav"))
    with pytest.raises(KeyError):
        rig.switch.stop_record("nobody")


def test_a_full_disk_is_told(rig, tmp_path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    part = tmp_path / "x.wav.part"
    rig.switch.record(Record("r", "a", str(tmp_path / "x.wav")))
    rig.until(part.exists)
    recording = rig.switch._recorders._active["r"].recording
    recording.file.close()
    recording.file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115  no space is left, says the system
    rig.tick(60)
    (recorded,) = done(rig)
    assert not rig.switch.recorders()
    assert "No space" in recorded.reason
    assert not (tmp_path / "x.wav").exists()


def test_what_a_killed_process_left_is_made_whole(tmp_path) -> None:
    folder = tmp_path / "2026" / "11"
    folder.mkdir(parents=True)
    audio = np.arange(2000, dtype="<i2").tobytes()
    (folder / "a.wav.part").write_bytes(header(0) + audio + b"\1")  # cut inside a frame
    (folder / "b.wav.part").write_bytes(header(0))
    (folder / "c.wav.part").write_bytes(header(0) + audio)
    (folder / "c.wav").write_bytes(b"whole")
    repair_all(tmp_path)
    assert (read(folder / "a.wav").ravel() == np.arange(2000)).all()
    assert (folder / "c.wav").read_bytes() == b"whole" and len(read(folder / "c-repaired.wav")) == 1000
    assert sorted(path.name for path in folder.iterdir()) == ["a.wav", "c-repaired.wav", "c.wav"]
    with pytest.raises(OSError, match="No such file"):
        repair(folder / "absent.wav.part")


def test_a_path_that_no_system_takes_fails_its_own_recording_and_no_other(rig, tmp_path) -> None:
    rig.switch.record(Record("bad", "a", f"{tmp_path}/x\0.wav"))
    rig.switch.record(Record("good", "b", str(tmp_path / "y.wav")))
    rig.tick(10)
    rig.switch.stop_record("good")
    bad, good = done(rig, 2)
    assert (bad.recorder, good) == ("bad", Recorded("good", str(tmp_path / "y.wav"), 200))
    assert "null" in bad.reason


def test_a_recording_longer_than_a_header_can_tell_has_the_longest_header() -> None:
    assert header(1 << 31)[40:44] == header(1 << 30)[40:44] == (0xFFFFFFD8).to_bytes(4, "little")
    assert header(8000)[40:44] == (32000).to_bytes(4, "little")
