"""Speech: prompts become sound files, by the operator's clips, by espeak-ng, or (opt-in) by Google's online voice."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from appliance.plugin import Box, Event, Finding, Place, hookimpl
from plugins.speech.diagnose import examine
from plugins.speech.settings import SpeechSettings
from plugins.speech.speaker import Speaker


@frozen
class SpeechFailed(Event):
    """A prompt, a clip or the engine (``prompt`` empty) failed.

    ``engine`` is espeak, gtts, clip, template, or speech for what was not ready in time.
    """

    kind: ClassVar[str] = "speech.failed"
    prompt: str
    language: str
    engine: str
    reason: str


_speaker: Speaker | None = None


@hookimpl
async def onecall_start(box: Box) -> None:
    """Open the cache and make the prompts without values in the background."""
    global _speaker
    _speaker = Speaker(
        box.settings("speech", SpeechSettings),
        prompts=box.prompts,
        clips=box.etc / "prompts",
        folder=box.var / "prompts",
        language=box.language,
        failed=lambda *what: _tell(box, SpeechFailed(*what)),
    )
    await _speaker.open()
    box.spawn(_speaker.prepare(), "speech.prepare")


@hookimpl
async def onecall_stop() -> None:
    """Give up what is being made."""
    if _speaker is not None:
        await _speaker.close()


@hookimpl
def onecall_speak(prompt: str, values: Mapping[str, Any], language: str) -> Awaitable[Sequence[Path]] | None:
    """Sound files of a prompt; none when it cannot be said."""
    return None if _speaker is None else _speaker.speak(prompt, values, language)


@hookimpl
async def onecall_diagnose(place: Place, language: str) -> Sequence[Finding]:
    """One prompt, said and measured."""
    return await examine(place, language)


def _tell(box: Box, event: SpeechFailed) -> None:
    box.events.append(event)
