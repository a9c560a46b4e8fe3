"""espeak-ng is given the right syllables, and a bad engine is an error in time."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from plugins.speech.audio import RATE
from plugins.speech.espeak import EngineError, Espeak, pinyin

pytestmark = pytest.mark.judge("espeak-ng")


def phonemes(said: str) -> str:
    """What espeak-ng's Mandarin voice makes of pinyin, in its own phoneme signs."""
    command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-q", "-x", "--stdin"]
    return subprocess.run(command, input=said, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("text", "syllables", "sign"),
    [
        ("银行", "yín háng", "X'a35N"),
        ("行李", "xíng lǐ", "S;'i35N"),
        ("重新", "chóng xīn", "ts.h'ong35"),
        ("重量", "zhòng liàng", "ts.'ong51"),
        ("女儿", "nǚ ér", "n'y21"),
    ],
)
def test_characters_of_two_readings_are_read_in_their_word(text: str, syllables: str, sign: str) -> None:
    assert pinyin(text) == syllables
    assert sign in phonemes(pinyin(text))


def test_punctuation_becomes_pauses_and_no_character_is_left() -> None:
    assert pinyin("您好，请按一。") == "nín hǎo , qǐng àn yī ."


def test_both_languages_are_spoken_at_8_khz_and_a_longer_text_takes_longer() -> None:
    async def main() -> None:
        engine = Espeak("espeak-ng", 165, 5)
        assert (await engine.version()).startswith("eSpeak NG")
        said = {"zh": ("您好", "您好，您前面还有两位，请稍候"), "en": ("Hello", "Hello, please hold the line")}
        for language, (short, long) in said.items():
            one, more = await engine.speak(short, language), await engine.speak(long, language)
            assert 0.2 * RATE < len(one) < len(more) < 8 * RATE
            assert abs(one).max() > 1000

    asyncio.run(main())


@pytest.mark.parametrize("text", ["$(touch /tmp/x); `id` | cat", "-w /tmp/onecall-should-not-be", "<break/>\0 &"])
def test_text_is_only_ever_text(text: str) -> None:
    asyncio.run(Espeak("espeak-ng", 165, 5).speak(text, "en"))
    assert not Path("/tmp/onecall-should-not-be").exists()


def script(folder: Path, body: str) -> str:
    path = folder / "engine"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo broken voice >&2; exit 3", "exit status 3: broken voice"),
        ("exec sleep 60", "not ready after 0.2 s"),
        ("echo this is no sound", "not a WAV file"),
        ("exit 0", "not a WAV file"),
    ],
)
def test_an_engine_that_fails_is_an_error_that_says_how_and_soon(tmp_path: Path, body: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(EngineError, match=reason):
        asyncio.run(Espeak(script(tmp_path, body), 165, 0.2).speak("Hello", "en"))
    assert time.monotonic() - started < 5


def test_a_missing_program_names_the_package() -> None:
    with pytest.raises(EngineError, match="apt-get install espeak-ng"):
        asyncio.run(Espeak("/nowhere/espeak-ng", 165, 5).version())


def test_nobody_waits_and_the_child_is_gone(tmp_path: Path) -> None:
    async def main() -> None:
        engine = Espeak(script(tmp_path, f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 60"), 165, 30)
        task = asyncio.create_task(engine.speak("Hello", "en"))
        await asyncio.to_thread(_appears, pid)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    pid = tmp_path / "pid"
    asyncio.run(main())
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def _appears(path: Path) -> None:
    until = time.monotonic() + 5
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
