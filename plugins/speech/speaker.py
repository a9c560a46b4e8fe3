"""Prompts as sound files: the operator's own clips first, then sentences made once and kept."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plugins.speech.audio import RATE, AudioError, Samples, levelled, read_wav, resample, trimmed, write_wav
from plugins.speech.cache import Cache
from plugins.speech.engine import PromptError, fields, runs, sentence
from plugins.speech.espeak import EngineError, Espeak
from plugins.speech.online import Online
from plugins.speech.settings import SpeechSettings

log = logging.getLogger(__name__)

#: What made a file: part of its name, so that a new way of making sound does not play the old files.
_FORM = "1"
_ID = re.compile(r"[\w-]+(\.[\w-]+)*")
#: Sentences made at the same time: the machine has calls to carry.
_AT_ONCE = 2
#: How long a call waits for a sentence, seconds: less than the core's limit for a hook, so that a slow engine is a
#: missing sentence and never a failing plugin. The sentence is made all the same, for the next caller.
_PATIENCE_S = 4.5
#: Silence between runs of two voices, samples.
_BREATH = np.zeros(RATE // 5, np.float32)

Voice = Callable[[str, str], Awaitable[Samples]]
#: Told of what could not be said: prompt, language, engine, reason.
Failed = Callable[[str, str, str, str], None]


class Speaker:
    """One box's voice. ``speak`` never raises: what cannot be said is told to ``failed`` and gives no file."""

    def __init__(
        self,
        settings: SpeechSettings,
        *,
        prompts: Mapping[str, Mapping[str, str]],
        clips: Path,
        folder: Path,
        language: str,
        failed: Failed,
        online: Online | None = None,
    ) -> None:
        """``prompts``: templates by language and id; ``clips``: folder of recorded LANGUAGE/ID.wav.

        ``folder`` is the cache. ``language`` is taken for a prompt that has no text in the language asked for.
        """
        self._settings = settings
        self._prompts = prompts
        self._clips = clips
        self._language = language
        self._failed = failed
        self._cache = Cache(folder, settings.cache_mb << 20)
        self._espeak = Espeak(settings.program, settings.rate, settings.timeout_s)
        self._online = online or (Online(settings.online_timeout_s) if settings.engine == "gtts" else None)
        self._version = ""
        self._making: dict[str, asyncio.Task[Path | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def open(self) -> None:
        """Read the cache and find the engine; a missing engine is told, recorded clips work without."""
        await asyncio.to_thread(self._cache.open)
        try:
            self._version = await self._espeak.version()
        except EngineError as error:
            self._report("", self._language, "espeak", str(error))

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def prepare(self) -> None:
        """Make every sentence without values ahead, one after the other, until the first that fails."""
        for language, templates in self._prompts.items():
            for prompt, template in templates.items():
                try:
                    fixed = not any(name for _, name in fields(template))
                except PromptError as error:
                    self._report(prompt, language, "template", str(error))
                    continue
                if fixed and not await self.speak(prompt, {}, language):
                    log.warning("prompts are not made ahead: %s in %s failed", prompt, language)
                    return

    async def speak(self, prompt: str, values: Mapping[str, Any], language: str) -> Sequence[Path]:
        """Files that say the prompt; none when it cannot be said or not in time."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._speak(prompt, values, language)
        except TimeoutError:
            self._report(prompt, language, "speech", f"not ready within {_PATIENCE_S} s")
            return ()

    async def _speak(self, prompt: str, values: Mapping[str, Any], language: str) -> Sequence[Path]:
        if _ID.fullmatch(prompt) is None:
            self._report(prompt, language, "template", "not a prompt id: letters, digits, _ - and single dots")
            return ()
        language, template = self._template(prompt, language)
        try:
            fixed = template is None or not any(name for _, name in fields(template))
            if fixed and (clip := await self._clip(prompt, language)) is not None:
                return (clip,)
            if template is None:
                raise PromptError("no text and no clip")
            text = sentence(template, values, language)
        except PromptError as error:
            self._report(prompt, language, "template", str(error))
            return ()
        made = await self._sentence(prompt, text, language)
        return () if made is None else (made,)

    def _template(self, prompt: str, language: str) -> tuple[str, str | None]:
        """The prompt's text, in another language when there is none in this one."""
        for choice in (language, self._language, *self._prompts):
            if (template := self._prompts.get(choice, {}).get(prompt)) is not None:
                return choice, template
        return language, None

    async def _clip(self, prompt: str, language: str) -> Path | None:
        """The recorded clip of a prompt as 8 kHz mono: the file itself, or a converted copy; a bad one is told."""
        path = self._clips / language / f"{prompt}.wav"
        try:
            state = path.stat()
        except OSError:
            return None
        key = _key("clip", str(path), str(state.st_mtime_ns), str(state.st_size))

        async def convert() -> Samples:
            try:
                rate, samples = read_wav(await asyncio.to_thread(path.read_bytes))
            except (AudioError, OSError) as error:
                raise EngineError(f"{path}: {error}") from None
            return await asyncio.to_thread(resample, samples, rate)

        return self._cache.get(key) or await self._once(key, prompt, language, "clip", convert)

    async def _sentence(self, prompt: str, text: str, language: str) -> Path | None:
        if self._online is not None:
            key = _key("gtts", str(self._settings.level_dbm0), language, text)
            made = self._cache.get(key) or await self._spoken(key, prompt, text, language, "gtts", self._online.speak)
            if made is not None:
                return made
        if not self._version:
            await self._find_engine()
        voice = (self._version, str(self._settings.rate), str(self._settings.level_dbm0))
        key = _key("espeak", *voice, language, text)
        return self._cache.get(key) or await self._spoken(key, prompt, text, language, "espeak", self._espeak.speak)

    async def _find_engine(self) -> None:
        try:
            self._version = await self._espeak.version()
        except EngineError as error:
            log.debug("still no engine: %s", error)  # told when the sentence fails, right after this

    async def _spoken(
        self, key: str, prompt: str, text: str, language: str, engine: str, voice: Voice
    ) -> Path | None:
        async def speak() -> Samples:
            parts = [trimmed(await voice(part, spoken_in)) for spoken_in, part in runs(text, language)]
            joined = [sound for part in parts for sound in (part, _BREATH)][:-1] or [_BREATH]
            return levelled(np.concatenate(joined), self._settings.level_dbm0)

        return await self._once(key, prompt, language, engine, speak)

    async def _once(
        self, key: str, prompt: str, language: str, engine: str, make: Callable[[], Awaitable[Samples]]
    ) -> Path | None:
        """Make ``key``'s file, however many ask for it; a caller who hangs up does not stop it for the others."""
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, prompt, language, engine, make), name=f"speech {prompt}")
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(task)

    async def _make(
        self, key: str, prompt: str, language: str, engine: str, make: Callable[[], Awaitable[Samples]]
    ) -> Path | None:
        try:
            async with self._places:
                data = write_wav(await make())
                await asyncio.to_thread(self._cache.write, key, data)
        except (EngineError, OSError) as error:
            self._report(prompt, language, engine, str(error))
            return None
        self._cache.add(key, len(data))
        return self._cache.path(key)

    def _report(self, prompt: str, language: str, engine: str, reason: str) -> None:
        """The sentence itself is not told: its values may be a customer's."""
        log.warning("speech: %s in %s by %s: %s", prompt or "engine", language, engine, reason)
        self._failed(prompt, language, engine, reason)


def _key(*parts: str) -> str:
    """A file name for what ``parts`` say; parts never run into each other."""
    return hashlib.sha256("\0".join((_FORM, *parts)).encode()).hexdigest()[:40]
