"""What a port is played: clips, tones and silences in turn, and how players end."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from hw.g711 import alaw_decode, alaw_encode
from hw.line.dsp import dtmf
from hw.line.dsp.tones import period
from hw.messages import Fault, Mix, Play, Played, PlayItem
from tests.hw.line.conftest import Rig


def wav(path: Path, pcm: np.ndarray, *, alaw: bool = False, rate: int = 8000) -> str:
    """A mono WAV as other programs write it: with a chunk more than is needed."""
    data = alaw_encode(pcm).tobytes() if alaw else pcm.astype("<i2").tobytes()
    size = 1 if alaw else 2
    head = b"fmt " + struct.pack("<IHHIIHH", 16, 6 if alaw else 1, 1, rate, rate * size, size, 8 * size)
    body = b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\0" + head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return str(path)


def played(rig, channel: int = 1) -> np.ndarray:
    """What a channel heard, without the silence before a clip is read."""
    audio = rig.slots.hears(channel)
    starts = np.flatnonzero(audio != 8)  # what A-law has for zero
    return audio[starts[0] :] if len(starts) else audio[:0]


def play_all(rig) -> None:
    """Tick until the player has ended; the clips' thread gets its time in between."""
    for _ in range(2000):
        rig.tick()
        if rig.told(Played):
            return
        rig.loop.run_until_complete(_moment())
    pytest.fail("the player did not end")


async def _moment() -> None:
    import asyncio

    await asyncio.sleep(0.0005)


def test_items_follow_each_other_to_the_sample(rig, tmp_path, speech) -> None:
    first, second = speech[:1001], speech[:777]
    items = (
        PlayItem("clip", wav(tmp_path / "a.wav", first)), PlayItem("silence", ms=10), PlayItem("tone", "busy", ms=400),
        PlayItem("clip", wav(tmp_path / "b.wav", second, alaw=True)),
    )
    rig.switch.play(Play("a", "one", items))
    play_all(rig)
    wanted = np.concatenate([first, np.zeros(80), period("busy")[:3200], second]).astype(np.int16)
    start = int(np.flatnonzero(alaw_decode(alaw_encode(wanted)) != 8)[0])
    got = played(rig)[: len(wanted) - start]
    assert (got == alaw_decode(alaw_encode(wanted))[start:]).all()
    assert rig.told(Played) == [Played("a", "one", "done")]


@pytest.mark.requirement("A9.18")
def test_tones_are_those_of_the_zone(settings) -> None:
    rig = Rig(evolve(settings, zone="sg"))
    rig.switch.play(Play("a", "tone", (PlayItem("tone", "busy", ms=3000), PlayItem("tone", "beep"))))
    rig.tick(200)
    wanted = np.concatenate([np.resize(period("busy", "sg"), 24000), period("beep"), np.zeros(4800, np.int16)])
    assert (rig.slots.hears(1) == alaw_decode(alaw_encode(wanted))).all()
    assert rig.told(Played) == [Played("a", "tone", "done")]
    rig.close()


def test_a_tone_goes_on_until_it_is_stopped(rig) -> None:
    rig.switch.play(Play("a", "tone", (PlayItem("tone", "ringback"),)))
    rig.tick(600)
    wanted = np.resize(period("ringback"), 600 * 160)
    assert (rig.slots.hears(1) == alaw_decode(alaw_encode(wanted))).all()
    rig.switch.stop("a", "another")
    assert not rig.told(Played)
    rig.switch.stop("a", "tone")
    rig.switch.stop("a", "tone")
    assert rig.told(Played) == [Played("a", "tone", "stopped")]
    rig.slots.heard.clear()
    rig.tick()
    assert (rig.slots.heard[0] == 0xD5).all()


def test_music_loops_under_what_the_port_hears(rig, tmp_path, speech) -> None:
    rig.slots.say(2, np.tile(speech, 4))
    rig.switch.mix(Mix("a", {"b": 1.0}))
    music = np.full(500, 1000, np.int16)
    rig.switch.play(Play("a", "music", (PlayItem("clip", wav(tmp_path / "m.wav", music)),), loop=True, gain=0.5))
    rig.until(lambda: (rig.tick(), len(rig.slots.heard) >= 30)[1])
    said = alaw_decode(alaw_encode(np.tile(speech, 4)))[29 * 160 :][:160].astype(int)
    assert np.abs(rig.slots.hears(1)[29 * 160 : 30 * 160] - (said + 500)).max() <= 600
    assert abs((rig.slots.hears(1)[29 * 160 : 30 * 160] - said).mean() - 500) < 60
    assert not rig.told(Played)


def test_a_new_player_takes_the_place_of_the_old_one(rig) -> None:
    rig.switch.play(Play("a", "old", (PlayItem("tone", "dial"),)))
    rig.tick(2)
    rig.switch.play(Play("a", "new", (PlayItem("tone", "busy"),)))
    assert rig.told(Played) == [Played("a", "old", "replaced")]
    rig.slots.heard.clear()
    rig.tick(20)
    assert (rig.slots.hears(1)[18 * 160 :] == 8).all(), "busy pauses after 350 ms"
    rig.switch.unbind("a")
    assert rig.told(Played)[-1] == Played("a", "new", "gone")


def test_a_missing_clip_is_told_and_the_next_item_goes_on(rig, tmp_path, speech) -> None:
    bad = tmp_path / "fast.wav"
    wav(bad, speech, rate=16000)
    (tmp_path / "no.wav").write_bytes(b"RIFF1234WAVEjunk")
    items = tuple(PlayItem("clip", str(tmp_path / name)) for name in ("absent.wav", "fast.wav", "no.wav"))
    rig.switch.play(Play("a", "p", (*items, PlayItem("clip", wav(tmp_path / "good.wav", speech)))))
    play_all(rig)
    assert len(played(rig)) >= len(speech) - 10
    assert rig.told(Played) == [Played("a", "p", "missing")]
    assert {(fault.subject, fault.command) for fault in rig.told(Fault)} == {("a", "Play")}
    faults = {Path(path).name: why for path, why in (fault.reason.split(": ", 1) for fault in rig.told(Fault))}
    assert set(faults) == {"absent.wav", "fast.wav", "no.wav"}
    assert "No such file" in faults["absent.wav"] and "16000 Hz" in faults["fast.wav"]


def test_a_loop_of_nothing_ends(rig, tmp_path) -> None:
    rig.switch.play(Play("a", "p", (PlayItem("clip", str(tmp_path / "absent.wav")),), loop=True))
    play_all(rig)
    assert rig.told(Played)[0].reason == "missing"
    rig.events.clear()
    rig.switch.play(Play("a", "q", (), loop=True))
    play_all(rig)
    assert rig.told(Played)[0].reason == "done"


def test_a_clip_that_changes_is_heard_changed(rig, tmp_path, speech) -> None:
    for level in (1000, -3000):
        wav(tmp_path / "c.wav", np.full(800, level, np.int16))
        rig.events.clear()
        rig.slots.heard.clear()
        rig.switch.play(Play("a", "p", (PlayItem("clip", str(tmp_path / "c.wav")),)))
        play_all(rig)
        assert played(rig)[0] == alaw_decode(alaw_encode(np.array([level], np.int16)))[0]


def test_the_first_key_stops_the_prompt_at_once(rig) -> None:
    rig.switch.play(Play("a", "menu", (PlayItem("tone", "dial"),), until_digit=True))
    rig.switch.play(Play("b", "music", (PlayItem("tone", "dial"),)))
    for channel in (1, 2):
        rig.slots.say(channel, np.concatenate([np.zeros(800), dtmf.samples("4")]))
    rig.tick(8)  # 100 ms of silence and 60 ms of the key
    assert rig.told(Played) == [Played("a", "menu", "digit")]


@pytest.mark.parametrize(("item", "reason"), [
    (PlayItem("tone", "siren"), "no tone 'siren'"), (PlayItem("clip", "a.wav"), "absolute"),
    (PlayItem("silence"), "needs its ms"), (PlayItem("tone", "busy", ms=-1), "-1 ms"),
])
def test_an_item_that_cannot_be_leaves_the_old_player(rig, item, reason) -> None:
    rig.switch.play(Play("a", "old", (PlayItem("tone", "dial"),)))
    with pytest.raises(ValueError, match=reason):
        rig.switch.play(Play("a", "new", (item,)))
    rig.tick()
    assert not rig.told(Played) and rig.slots.hears(1).any()


def test_the_cache_is_bounded(settings, tmp_path, speech) -> None:
    from hw.line.switch.clips import ClipStore

    store = ClipStore(3 * speech.nbytes)
    clips = [store.get(wav(tmp_path / f"{i}.wav", speech)) for i in range(10)]
    store.close()
    assert all(clip.samples is not None and len(clip.samples) == len(speech) for clip in clips)
    assert store._bytes == 3 * speech.nbytes
