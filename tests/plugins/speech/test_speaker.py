"""A prompt becomes a file: once, in time, and never an exception."""

from __future__ import annotations

import asyncio
import shutil
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.plugin import Digits
from plugins.speech import speaker as module
from plugins.speech.audio import active_level, read_wav, resample, write_wav
from plugins.speech.online import PAUSE_S, Online
from plugins.speech.settings import SpeechSettings
from plugins.speech.speaker import Speaker

PROMPTS = {
    "zh": {
        "welcome": "您好。", "place": "您前面还有{count}位。", "only": "只有中文。", "broken": "{", "number": "{n}号",
    },
    "en": {"welcome": "Welcome.", "place": "There are {count} callers before you.", "silent": ""},
}


class Home:
    """A speaker with folders of its own; ``failures`` are (prompt, engine, reason)."""

    def __init__(self, folder: Path, online: Online | None = None, **settings: object) -> None:
        self.clips, self.cache = folder / "clips", folder / "cache"
        self.failures: list[tuple[str, str, str]] = []
        self.speaker = Speaker(
            SpeechSettings(**settings),  # type: ignore[arg-type]
            prompts=PROMPTS,
            clips=self.clips,
            folder=self.cache,
            language="zh",
            failed=lambda prompt, _, engine, reason: self.failures.append((prompt, engine, reason)),
            online=online,
        )

    async def say(self, prompt: str, language: str = "zh", **values: object) -> Path | None:
        paths = await self.speaker.speak(prompt, values, language)
        assert len(paths) < 2
        return paths[0] if paths else None

    def files(self) -> int:
        return len(list(self.cache.iterdir()))


def run(home: Home, scenario: Callable[[Home], Awaitable[None]]) -> None:
    async def main() -> None:
        await home.speaker.open()
        try:
            await scenario(home)
        finally:
            await home.speaker.close()

    asyncio.run(main())


def counting(folder: Path, delay_s: float = 0.0) -> tuple[str, Path]:
    """espeak-ng behind a script that notes each sentence it makes."""
    path, log = folder / "engine", folder / "log"
    real = shutil.which("espeak-ng")
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] || {{ echo x >> {log}; sleep {delay_s}; }}\nexec {real} "$@"\n')
    path.chmod(0o755)
    log.write_text("")
    return str(path), log


@pytest.mark.requirement("A4.06")
def test_a_sentence_with_a_value_is_8_khz_mono_at_minus_16_dbm0(tmp_path: Path) -> None:
    async def scenario(home: Home) -> None:
        for language in ("zh", "en"):
            path = await home.say("place", language, count=2)
            assert path is not None
            with wave.open(str(path)) as file:
                assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
                assert 1.0 < file.getnframes() / 8000 < 5.0
            assert active_level(read_wav(path.read_bytes())[1]) == pytest.approx(-16, abs=0.2)
        assert home.failures == []

    run(Home(tmp_path), scenario)


def test_many_who_ask_for_one_sentence_at_once_make_it_once_and_the_next_has_it_in_microseconds(tmp_path: Path) -> None:
    program, log = counting(tmp_path, 0.2)

    async def scenario(home: Home) -> None:
        paths = await asyncio.gather(*(home.say("place", count=7) for _ in range(50)))
        assert len(set(paths)) == 1 and paths[0] is not None
        assert log.read_text().count("x") == 1
        started = time.perf_counter()
        for _ in range(1000):
            await home.say("place", count=7)
        assert (time.perf_counter() - started) / 1000 < 500e-6  # 10 to 20 µs on an idle machine
        assert await home.say("place", count=8) not in paths

    run(Home(tmp_path, program=program), scenario)


def test_a_caller_who_hangs_up_does_not_take_the_sentence_from_the_others(tmp_path: Path) -> None:
    program, log = counting(tmp_path, 0.3)

    async def scenario(home: Home) -> None:
        first = asyncio.create_task(home.say("welcome"))
        second = asyncio.create_task(home.say("welcome"))
        await asyncio.to_thread(_noted, log)
        first.cancel()
        assert await second is not None
        assert log.read_text().count("x") == 1

    run(Home(tmp_path, program=program), scenario)


def _noted(log: Path) -> None:
    until = time.monotonic() + 5
    while not log.read_text():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_sentence_outlives_a_restart_and_another_speed_is_another_file(tmp_path: Path) -> None:
    found: list[Path | None] = []

    async def scenario(home: Home) -> None:
        found.append(await home.say("welcome"))

    program, log = counting(tmp_path)
    run(Home(tmp_path, program=program), scenario)
    run(Home(tmp_path, program=program), scenario)
    run(Home(tmp_path, program=program, rate=200), scenario)
    assert found[0] == found[1] != found[2]
    assert log.read_text().count("x") == 2


def test_prompts_without_values_are_made_ahead(tmp_path: Path) -> None:
    program, log = counting(tmp_path)

    async def scenario(home: Home) -> None:
        await home.speaker.prepare()
        made = log.read_text().count("x")
        assert made == 3  # welcome twice, only once; the silent one needs no engine
        assert await home.say("welcome") and await home.say("welcome", "en") and await home.say("silent", "en")
        assert log.read_text().count("x") == made
        assert [prompt for prompt, _, _ in home.failures] == ["broken"]

    run(Home(tmp_path, program=program), scenario)


@pytest.mark.requirement("A4.02")
def test_a_recorded_clip_is_played_instead_as_soon_as_it_is_there(tmp_path: Path) -> None:
    async def scenario(home: Home) -> None:
        made = await home.say("welcome")
        sound = (8000 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)).astype("<i2")
        clip = home.clips / "zh/welcome.wav"
        clip.parent.mkdir(parents=True)
        with wave.open(str(clip), "wb") as file:
            file.setparams((2, 2, 44100, 0, "NONE", ""))
            file.writeframes(np.repeat(sound, 2).tobytes())
        played = await home.say("welcome")
        assert played not in (None, made)
        rate, samples = read_wav(played.read_bytes())  # type: ignore[union-attr]
        assert (rate, len(samples)) == (8000, 8000)
        assert np.argmax(np.abs(np.fft.rfft(samples))) == 440
        assert await home.say("welcome", "en") is not None
        clip.write_bytes(write_wav(resample(sound.astype(np.float32), 44100) / 2))
        assert await home.say("welcome") not in (None, made, played)
        clip.write_bytes(b"not sound")
        assert await home.say("welcome") == made
        assert home.failures[-1][:2] == ("welcome", "clip")

    run(Home(tmp_path), scenario)


def test_a_clip_needs_no_text_and_never_stands_for_a_prompt_with_values(tmp_path: Path) -> None:
    async def scenario(home: Home) -> None:
        (home.clips / "zh").mkdir(parents=True)
        for prompt in ("notice", "place"):
            (home.clips / f"zh/{prompt}.wav").write_bytes(write_wav(np.full(800, 99, np.float32)))
        notice, place = await home.say("notice"), await home.say("place", count=1)
        assert notice is not None and place is not None
        assert len(place.read_bytes()) > len(notice.read_bytes()) * 5

    run(Home(tmp_path), scenario)


def test_a_prompt_without_a_text_in_the_language_is_said_in_another(tmp_path: Path) -> None:
    async def scenario(home: Home) -> None:
        assert await home.say("only", "en") == await home.say("only", "zh") is not None

    run(Home(tmp_path), scenario)


@pytest.mark.parametrize("prompt", ["unknown", "broken", "place", "../welcome", ""])
def test_a_prompt_that_cannot_be_said_gives_no_file_and_is_told(tmp_path: Path, prompt: str) -> None:
    async def scenario(home: Home) -> None:
        assert await home.say(prompt) is None
        assert [(told, engine) for told, engine, _ in home.failures] == [(prompt, "template")]

    run(Home(tmp_path), scenario)


@pytest.mark.parametrize("body", ["exit 1", "exec sleep 60", "echo noise"])
def test_a_failing_engine_gives_no_file_in_time_and_leaves_none_and_later_works(tmp_path: Path, body: str) -> None:
    program = tmp_path / "engine"
    program.write_text(f"#!/bin/sh\n[ $1 = --version ] && exec echo 'engine 1  x'\n{body}\n")
    program.chmod(0o755)

    async def scenario(home: Home) -> None:
        started = time.monotonic()
        assert await home.say("number", n=Digits("13800138000")) is None
        assert time.monotonic() - started < 4
        assert home.files() == 0
        assert home.failures[0][:2] == ("number", "espeak")
        assert "1380" not in str(home.failures) and "幺" not in str(home.failures)
        program.write_text(f'#!/bin/sh\nexec {shutil.which("espeak-ng")} "$@"\n')
        assert await home.say("number", n=Digits("13800138000")) is not None

    run(Home(tmp_path, program=str(program), timeout_s=1), scenario)


def test_a_slow_engine_never_takes_longer_than_a_hook_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)
    program, log = counting(tmp_path, 0.6)

    async def scenario(home: Home) -> None:
        assert await home.say("welcome") is None
        assert home.failures == [("welcome", "speech", "not ready within 0.2 s")]
        async with asyncio.timeout(5):
            while await home.say("welcome") is None:
                pass
        assert log.read_text().count("x") == 1

    run(Home(tmp_path, program=program), scenario)


# -- the online voice --------------------------------------------------------------------------------------------------


def refused(text: str, language: str, timeout_s: float) -> bytes:
    raise ConnectionError("network is unreachable")


def hanging(text: str, language: str, timeout_s: float) -> bytes:
    time.sleep(30)
    return b""


@pytest.mark.parametrize("fetch", [refused, hanging, lambda *_: b"", lambda *_: b"this is no MP3"])
def test_without_the_online_service_the_sentence_is_spoken_here_within_the_time_out(
    tmp_path: Path, fetch: Callable[[str, str, float], bytes]
) -> None:
    async def scenario(home: Home) -> None:
        started = time.monotonic()
        path = await home.say("welcome")
        assert time.monotonic() - started < 3
        assert path is not None and path.stat().st_size > 1000
        assert home.files() == 1
        assert home.failures[0][:2] == ("welcome", "gtts")
        started = time.monotonic()
        assert await home.say("place", count=3) is not None  # the service is left alone for a while
        assert time.monotonic() - started < 0.8
        assert f"{PAUSE_S:.0f}" == "60"

    run(Home(tmp_path, online=Online(1.0, fetch)), scenario)


def test_the_real_client_without_a_network_falls_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gtts", reason="gTTS is optional")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    async def scenario(home: Home) -> None:
        assert await home.say("welcome") is not None
        assert home.failures[0][:2] == ("welcome", "gtts")
        assert home.files() == 1

    run(Home(tmp_path, engine="gtts", online_timeout_s=2), scenario)
