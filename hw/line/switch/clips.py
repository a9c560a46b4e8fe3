"""Clips from the disk, read by a thread of their own so that the tick never waits for one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from attrs import define
from numpy.typing import NDArray

from hw.line.realtime import behind_the_tick
from hw.line.switch.wav import WavError, read_clip


@define
class Clip:
    """A clip that was asked for: ``samples`` once it is there, ``error`` when it cannot be had, neither before."""

    path: str
    samples: NDArray[np.int16] | None = None
    error: str = ""


class ClipStore:
    """Reads clips and keeps the ones used last, up to a number of bytes. A file that changed is read again."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._wanted: SimpleQueue[Clip | None] = SimpleQueue()
        # Only the thread touches these.
        self._kept: OrderedDict[str, tuple[int, NDArray[np.int16]]] = OrderedDict()
        self._bytes = 0
        self._thread = threading.Thread(target=self._work, name="clips", daemon=True)
        self._thread.start()

    def get(self, path: str) -> Clip:
        """Ask for a clip; it fills itself, in the order of asking."""
        clip = Clip(path)
        self._wanted.put(clip)
        return clip

    def close(self) -> None:
        """End the thread once what was asked for is read."""
        self._wanted.put(None)
        self._thread.join()

    def _work(self) -> None:
        behind_the_tick()
        while (clip := self._wanted.get()) is not None:
            try:
                clip.samples = self._read(clip.path)
            except OSError as error:
                clip.error = error.strerror or str(error)
            except (WavError, ValueError) as error:  # ValueError: a path with a NUL
                clip.error = str(error)

    def _read(self, path: str) -> NDArray[np.int16]:
        changed = Path(path).stat().st_mtime_ns
        known = self._kept.get(path)
        if known is not None and known[0] == changed:
            self._kept.move_to_end(path)
            return known[1]
        samples = read_clip(Path(path))
        self._bytes += samples.nbytes - (known[1].nbytes if known else 0)
        self._kept[path] = changed, samples
        self._kept.move_to_end(path)
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1][1].nbytes
        return samples
