"""espeak-ng as a child process: text in by standard input, WAV out by standard output, never through a shell."""

from __future__ import annotations

import asyncio

from pypinyin import Style, lazy_pinyin

from plugins.speech.audio import AudioError, Samples, read_wav, resample

#: Debian 12's voice ``cmn`` reads pinyin as English; ``cmn-latn-pinyin`` with tone marks gives the right phonemes.
_VOICES = {"zh": "cmn-latn-pinyin", "en": "en-us"}
_PUNCTUATION = str.maketrans("，。！？；：、（）“”", ",.!?;:,,,  ")


class EngineError(Exception):
    """An engine that cannot speak a text: missing, failing, too slow, without network."""


def pinyin(text: str) -> str:
    """Chinese text as pinyin with tone marks, read in context: 银行 yín háng, 重新 chóng xīn."""
    return " ".join(lazy_pinyin(text.translate(_PUNCTUATION), style=Style.TONE, errors="default"))


class Espeak:
    """Speaks on this machine; needs the program espeak-ng with its voices."""

    def __init__(self, program: str, rate: int, timeout_s: float) -> None:
        self._program = program
        self._rate = rate
        self._timeout_s = timeout_s

    async def version(self) -> str:
        """The program's version line without its paths. Raises ``EngineError``."""
        return (await self._run(b"", "--version")).decode(errors="replace").partition("  ")[0].strip()

    async def speak(self, text: str, language: str) -> Samples:
        """``text`` of one language at 8 kHz. Raises ``EngineError``."""
        if language not in _VOICES:
            raise EngineError(f"espeak-ng: no voice for language {language!r} (there are: {', '.join(_VOICES)})")
        said = pinyin(text) if language == "zh" else text
        options = ("-v", _VOICES[language], "-s", str(self._rate), "--stdin", "--stdout")
        octets = await self._run(said.encode(), *options)
        try:
            rate, samples = read_wav(octets)
        except AudioError as error:
            raise EngineError(f"{self._program}: {error}") from None
        return await asyncio.to_thread(resample, samples, rate)

    async def _run(self, octets: bytes, *options: str) -> bytes:
        """Standard output of the program; it is killed when it is too slow or nobody waits any more."""
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                self._program, *options, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            raise EngineError(f"{self._program}: {error.strerror} (apt-get install espeak-ng)") from None
        try:
            async with asyncio.timeout(self._timeout_s):
                out, complaint = await child.communicate(octets)
        except TimeoutError:
            raise EngineError(f"{self._program}: not ready after {self._timeout_s} s") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode:
            said = complaint.decode(errors="replace")[:200]
            raise EngineError(f"{self._program}: exit status {child.returncode}: {said}")
        return out
