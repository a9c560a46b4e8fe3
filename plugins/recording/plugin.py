"""Recording: hooks of the plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.plugin import Box, Call, Finding, Leg, Method, Place, hookimpl

from . import diagnose, store
from .recorder import Recorder
from .settings import RecordingSettings

#: The box that runs, with its recorder; hooks that offer things are asked before there is one.
_running: list[tuple[Box, Recorder]] = []


@hookimpl
def onecall_methods() -> Mapping[str, Method]:
    """``recordings.list``."""
    return {"recordings.list": list_of_contact}


async def list_of_contact(contact: str) -> list[dict[str, Any]]:
    """Recordings of a contact: path, started_at (epoch seconds), ms (None: not whole), reason of a failure."""
    if not _running:
        raise LookupError("recording is not running (the log says why)")
    box, _ = _running[-1]
    return await store.of_contact(box.store, contact)


@hookimpl
def onecall_migrations() -> Path:
    """The branch ``recording``."""
    return Path(__file__).parent / "migrations"


@hookimpl
async def onecall_start(box: Box) -> None:
    """Read the settings. What was recorded during a restart is looked after a little later."""
    recorder = Recorder(box, box.settings("recording", RecordingSettings))
    _running.append((box, recorder))
    box.spawn(recorder.watch(), "recordings")


@hookimpl
async def onecall_stop() -> None:
    """Recordings go on in the line process."""
    _running.clear()


@hookimpl
async def onecall_diagnose(place: Place, language: str) -> Sequence[Finding]:
    """The folder."""
    return await diagnose.examine(place, language)


@hookimpl
async def onecall_bridged(call: Call, peer: Leg) -> None:
    """Record."""
    for _, recorder in _running:
        await recorder.bridged(call, peer)


@hookimpl
async def onecall_adopted(call: Call) -> None:
    """Go on recording."""
    for _, recorder in _running:
        await recorder.adopted(call)
