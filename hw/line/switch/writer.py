"""The thread that puts recordings on the disk. Whatever the disk does, the tick does not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from attrs import define, field

from hw.line.realtime import behind_the_tick
from hw.line.switch.wav import PART, finish, header
from hw.messages import Recorded

_log = logging.getLogger(__name__)

#: Blocks of about a second that may wait for the disk, over all recordings (32 kB each).
_WAITING = 4000


@define
class Recording:
    """One file on its way to the disk. ``failed`` says why it will not be whole; the rest belongs to the thread."""

    recorder: str
    path: Path
    failed: str = ""
    frames: int = 0
    part: Path = field(init=False)
    file: BinaryIO | None = field(init=False, default=None)
    over: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.part = self.path.with_name(self.path.name + PART)

    def open(self) -> None:
        """Make the folder and the file. Raises ``OSError``, also when there is a recording of that name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            raise FileExistsError(17, "there is a recording of that name already")
        self.file = self.part.open("xb", buffering=0)
        self.file.write(header(0))

    def write(self, block: bytes) -> None:
        """Append stereo frames. Raises ``OSError``; a short write is one (the disk is full)."""
        assert self.file is not None
        if self.file.write(block) != len(block):
            raise OSError(28, "the disk is full")
        self.frames += len(block) // 4

    def finish(self) -> None:
        """Give the file its length and its name. Raises ``OSError``."""
        assert self.file is not None
        finish(self.file, self.frames, self.part, self.path)

    def close(self) -> None:
        """Let go of the file; what a failed recording has written stays as its ``.part``."""
        self.over = True
        if self.file is not None:
            self.file.close()
            self.file = None


class Writer:
    """Takes blocks of recordings in order.

    ``done`` is called in the thread with the ``Recorded`` of each: when it is whole, or as soon as it has failed.
    """

    def __init__(self, done: Callable[[Recorded], None]) -> None:
        self._done = done
        self._jobs: SimpleQueue[tuple[Recording, bytes | None] | None] = SimpleQueue()
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="recordings", daemon=True)
        self._thread.start()

    def put(self, recording: Recording, block: bytes) -> None:
        """Append a block; the first one makes the file. Dropped, and the recording failed, when the disk hangs."""
        if self._jobs.qsize() >= _WAITING:
            recording.failed = recording.failed or "the disk is too slow"  # the thread ends it at its next block
            self.dropped += 1
        else:
            self._jobs.put((recording, block))

    def finish(self, recording: Recording) -> None:
        """The recording is over: make it whole."""
        self._jobs.put((recording, None))

    def close(self) -> None:
        """End the thread once all that was put is on the disk."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        behind_the_tick()
        while (job := self._jobs.get()) is not None:
            recording, block = job
            if recording.over:
                continue
            try:
                if not recording.failed:
                    self._step(recording, block)
            except OSError as error:
                recording.failed = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
            except Exception as error:  # noqa: BLE001  one recording (a path with a NUL) must not end all others
                recording.failed = f"{error!r}"
            if block is None or recording.failed:
                self._end(recording)

    def _end(self, recording: Recording) -> None:
        recording.close()
        if recording.failed:
            _log.warning("recording %s: %s", recording.path, recording.failed)
        self._done(Recorded(recording.recorder, str(recording.path), recording.frames // 8, recording.failed))

    @staticmethod
    def _step(recording: Recording, block: bytes | None) -> None:
        if recording.file is None:
            recording.open()
        if block is None:
            recording.finish()
        else:
            recording.write(block)
