"""Google's online voice through gTTS: opt-in, with a time-out, never in the way of a call.

The sentence is sent to a service outside, which cannot be reached from mainland China. Its MP3 is decoded by ffmpeg or
sox.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import threading
from collections.abc import Callable

from plugins.speech.audio import AudioError, Samples, read_wav, resample
from plugins.speech.espeak import EngineError

_LANGUAGES = {"zh": "zh-CN", "en": "en"}
#: After a failure the service is left alone for so long, seconds: callers do not wait for the time-out one by one.
PAUSE_S = 60.0
_DECODERS = {
    "ffmpeg": ("-loglevel", "error", "-i", "pipe:0", "-f", "wav", "-acodec", "pcm_s16le", "-ac", "1", "pipe:1"),
    "sox": ("-t", "mp3", "-", "-t", "wav", "-b", "16", "-c", "1", "-"),
}


def fetch(text: str, language: str, timeout_s: float) -> bytes:
    """``text`` as MP3 from the online service; blocks. Raises what gTTS and the network raise."""
    try:
        from gtts import gTTS  # optional: only needed where it is switched on
    except ImportError:
        raise EngineError("the Python package gTTS is not installed") from None

    buffer = io.BytesIO()
    gTTS(text, lang=language, lang_check=False, timeout=timeout_s).write_to_fp(buffer)
    return buffer.getvalue()


class Online:
    """The online voice. ``fetch`` is what asks the service, in a thread of its own."""

    def __init__(self, timeout_s: float, fetch: Callable[[str, str, float], bytes] = fetch) -> None:
        self._timeout_s = timeout_s
        self._fetch = fetch
        self._quiet_until = 0.0

    async def speak(self, text: str, language: str) -> Samples:
        """``text`` of one language at 8 kHz within the time-out, decoding included. Raises ``EngineError``."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._quiet_until:
            raise EngineError("gtts: left alone for a minute after a failure")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _decode(await self._fetched(text, _LANGUAGES[language]))
        except TimeoutError:
            error = EngineError(f"gtts: no answer within {self._timeout_s} s")
        except EngineError as failure:
            error = failure
        self._quiet_until = loop.time() + PAUSE_S
        raise error

    async def _fetched(self, text: str, language: str) -> bytes:
        """The answer of the service. A thread that hangs in the network is left behind: a daemon holds up nothing."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()

        def settle(octets: bytes | None, error: str) -> None:
            if answer.done():
                return
            if octets:
                answer.set_result(octets)
            else:
                answer.set_exception(EngineError(f"gtts: {error or 'empty answer'}"))

        def work() -> None:
            octets, error = None, ""
            try:
                octets = self._fetch(text, language, self._timeout_s)
            except Exception as failure:  # noqa: BLE001 gTTS, requests and urllib3 have no common base class
                error = f"{type(failure).__name__}: {failure}"
            try:
                loop.call_soon_threadsafe(settle, octets, error)
            except RuntimeError:  # the loop is closed: nobody waits
                return

        threading.Thread(target=work, name="gtts", daemon=True).start()
        return await answer


async def _decode(mp3: bytes) -> Samples:
    """MP3 as 8 kHz samples. Raises ``EngineError`` when no decoder is there or it fails."""
    complaints = []
    for name, options in _DECODERS.items():
        if (program := shutil.which(name)) is None:
            complaints.append(f"{name} is not installed")
            continue
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(program, *options, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            wav, complaint = await child.communicate(mp3)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode == 0:
            try:
                rate, samples = read_wav(wav)
            except AudioError as error:
                complaints.append(f"{name}: {error}")
                continue
            return await asyncio.to_thread(resample, samples, rate)
        complaints.append(f"{name}: {complaint.decode(errors='replace').strip()[:200]}")
    what = "; ".join(complaints)
    raise EngineError(f"no decoder for MP3 (apt-get install ffmpeg, or sox with libsox-fmt-mp3): {what}")
