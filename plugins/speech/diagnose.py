"""What ``onecall doctor`` asks the speech: is one prompt said, and as loud as it should be."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from appliance.plugin import Finding, Place, catalogue
from plugins.speech.audio import active_level, read_wav
from plugins.speech.settings import SpeechSettings
from plugins.speech.speaker import Speaker

#: A level this far from the one set is told.
_OFF_DB = 3.0


async def examine(place: Place, language: str) -> Sequence[Finding]:
    """Say the first prompt that has no values, anew, and listen. Raises ``SettingsError``."""
    _ = catalogue(Path(__file__).parent, "speech", language)
    settings = place.settings("speech", SpeechSettings)
    texts = place.prompts.get(place.language, {})
    prompt = next((name for name, text in sorted(texts.items()) if "{" not in text), None)
    if prompt is None:
        return [Finding("speech.prompt", "fail", _("there are no prompts in {}").format(place.language))]
    reasons: list[str] = []
    with tempfile.TemporaryDirectory() as folder:  # not from the cache: the engine itself is asked
        speaker = Speaker(
            settings,
            prompts=place.prompts,
            clips=place.etc / "prompts",
            folder=Path(folder),
            language=place.language,
            failed=lambda prompt, language, engine, reason: reasons.append(f"{engine}: {reason}"),
        )
        await speaker.open()
        try:
            files = await speaker.speak(prompt, {}, place.language)
            sound = [read_wav(data)[1] for data in await asyncio.gather(*(_read(path) for path in files))]
        finally:
            await speaker.close()
    if not sound:
        todo = _("install espeak-ng, or set [speech] in onecall.toml")
        return [Finding("speech.prompt", "fail", _("{}: {}").format(prompt, "; ".join(reasons)), todo)]
    level = active_level(np.concatenate(sound))
    found = _("{} is said at {:.0f} dBm0 (set: {})").format(prompt, level, settings.level_dbm0)
    if abs(level - settings.level_dbm0) > _OFF_DB:
        todo = _("look at level_dbm0 in [speech], and at the recorded clip if the prompt has one")
        return [Finding("speech.prompt", "warn", found, todo)]
    return [Finding("speech.prompt", "ok", found)]


async def _read(path: Path) -> bytes:
    return await asyncio.to_thread(path.read_bytes)
