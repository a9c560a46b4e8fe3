"""Records contacts: one file a contact, from its first talk to its end, whoever it is transferred to."""

from __future__ import annotations

import asyncio
import logging
import wave
from datetime import datetime
from pathlib import Path

from appliance.plugin import Box, Call, Leg, Recording

from . import store
from .events import RecordingFailed, RecordingMade, RecordingStarted
from .settings import RecordingSettings

log = logging.getLogger(__name__)


class Recorder:
    """Owner of the recordings that run."""

    def __init__(self, box: Box, settings: RecordingSettings) -> None:
        self._box = box
        self._settings = settings
        self._folder = box.var / settings.folder
        #: Paths of the recordings that run, by contact.
        self._running: dict[str, str] = {}

    async def bridged(self, call: Call, peer: Leg) -> None:
        """Two talk: begin to record, unless this contact is recorded already."""
        inside = call.line == "phones" and peer.line == "phones"
        if not self._settings.enabled or call.contact in self._running or (inside and not self._settings.internal):
            return
        self._running[call.contact] = ""  # the next bridge may come while the folder is made
        taken = await store.of_contact(self._box.store, call.contact)
        if any(row["ms"] is None and not row["reason"] for row in taken):
            await self.adopted(call)  # begun before a restart after which the caller was alone for a while
            return
        path = self._path(call.contact, len(taken) + 1)
        try:
            recording = await call.record(path)
        except OSError as error:
            del self._running[call.contact]
            call.emit(RecordingFailed(str(path), f"the folder cannot be made: {error.strerror}"))
            return
        call.emit(RecordingStarted(str(path)), store.started(str(path), call.contact, self._box.now()))
        self._follow(call.contact, recording, path)

    async def adopted(self, call: Call) -> None:
        """A call of before a restart goes on, and so does its recording in the line process."""
        for path, contact, reason in await store.unfinished(self._box.store, call.contact):
            if not reason and not self._running.get(contact):
                self._follow(contact, call.adopt_recording(Path(path)), Path(path))

    async def reconcile(self) -> None:
        """Recordings whose end we did not hear of: a file that is there is whole, one that is not has failed.

        The line process gives a file its final name only when it is whole; what a crash cut off it makes whole at its
        next start, so a failed recording may be there later.
        """
        running = set(self._running.values())
        for path, contact, reason in await store.unfinished(self._box.store):
            if path in running:
                continue
            ms = await asyncio.to_thread(length_ms, Path(path))
            if ms is not None:
                self._made(path, contact, ms)
            elif not reason:
                self._failed(path, contact, "the control process was away when it ended, and there is no file")

    async def watch(self) -> None:
        """Reconcile once the calls of before the start are adopted, and whenever the line process is back."""
        adopted = False
        async with self._box.events.subscribe("process.changed") as events:
            async for row in events:
                adopted |= row.data["process"] == "control"
                if adopted and row.data["up"] and row.data["process"] != "phone":
                    await self.reconcile()

    def _path(self, contact: str, number: int) -> Path:
        day = datetime.fromtimestamp(self._box.now())
        return self._folder / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}" / f"{contact}-{number}.wav"

    def _follow(self, contact: str, recording: Recording, path: Path) -> None:
        self._running[contact] = str(path)
        self._box.spawn(self._until_finished(contact, recording, path), f"recording of {contact}")

    async def _until_finished(self, contact: str, recording: Recording, path: Path) -> None:
        end = await recording.finished()
        del self._running[contact]
        if end.reason:
            self._failed(str(path), contact, end.reason)
        else:
            self._made(str(path), contact, end.ms)

    def _made(self, path: str, contact: str, ms: int) -> None:
        self._box.events.append(RecordingMade(path, ms), contact, [store.made(path, ms)])

    def _failed(self, path: str, contact: str, reason: str) -> None:
        log.error("recording %s failed: %s", path, reason, extra={"contact": contact})
        self._box.events.append(RecordingFailed(path, reason), contact, [store.failed(path, reason)])


def length_ms(path: Path) -> int | None:
    """Length of a whole WAV file, None when there is none or it cannot be read."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() * 1000 // file.getframerate()
    except FileNotFoundError:
        return None
    except (OSError, EOFError, wave.Error) as error:
        log.error("%s cannot be read: %s", path, error)
        return None
