"""What ``onecall doctor`` asks the recording: is its folder there, writable, with room, and are recordings whole."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from appliance.plugin import Finding, Place, catalogue

from .settings import RecordingSettings

#: Two channels of 16 bit at 8 kHz.
_OCTETS_S = 2 * 2 * 8000
#: Room for fewer hours than that is told; for fewer than this, recordings will soon fail.
LOW_HOURS, FULL_HOURS = 50.0, 5.0


async def examine(place: Place, language: str) -> Sequence[Finding]:
    """Look at the folder. Raises ``SettingsError``."""
    settings = place.settings("recording", RecordingSettings)
    return await asyncio.to_thread(_examine, place.var / settings.folder, settings.enabled, language)


def _examine(folder: Path, enabled: bool, language: str) -> list[Finding]:
    _ = catalogue(Path(__file__).parent, "recording", language)
    if not enabled:
        return [Finding("recording.folder", "warn", _("calls are not recorded: enabled = false in [recording]"))]
    there = next(up for up in (folder, *folder.parents) if up.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(1 << 16))
            file.flush()
    except OSError as error:
        todo = _("let the service's user write there: chown onecall: {}").format(there)
        return [Finding("recording.folder", "fail", f"{there}: {error.strerror}", todo)]
    hours = shutil.disk_usage(there).free / _OCTETS_S / 3600
    said = _("{}: room for {:.0f} hours").format(folder, hours)
    if hours < LOW_HOURS:
        todo = _("remove old recordings or give the folder a bigger disk")
        return [Finding("recording.folder", "fail" if hours < FULL_HOURS else "warn", said, todo)]
    return [Finding("recording.folder", "ok", said)]
