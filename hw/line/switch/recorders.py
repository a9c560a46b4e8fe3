"""Recorders: what a port says and what it hears, side by side, collected by the tick and handed on once a second.

A recording that a killed process leaves behind keeps its audio in ``<path>.part``; ``repair_all`` makes it whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import define

from hw.line.switch.ports import Ports
from hw.line.switch.wav import PART, repair
from hw.line.switch.writer import Recording, Writer
from hw.line.trunk import FRAME
from hw.messages import Recorded

_log = logging.getLogger(__name__)

#: Ticks in a block.
_BLOCK = 50
#: The first block of a recording is shorter by its slot, so that not all are handed on in the same tick.
_STAGGER = 7


@define
class _Active:
    recording: Recording
    row: int
    slot: int


class Recorders:
    """All recordings that are going on. ``done`` is called in the writer's thread."""

    def __init__(self, rows: int, done: Callable[[Recorded], None]) -> None:
        self.writer = Writer(done)
        self._active: dict[str, _Active] = {}
        self._free = list(range(rows))[::-1]
        self._blocks = np.zeros((rows, _BLOCK, FRAME, 2), np.int16)
        self._filled = np.zeros(rows, np.intp)
        self._paused = np.zeros(rows, bool)
        self._fresh: set[int] = set()  # slots whose first block is not handed on
        self._index()

    def __len__(self) -> int:
        return len(self._active)

    def names(self) -> tuple[str, ...]:
        """All recorders that are going on."""
        return tuple(self._active)

    def start(self, name: str, row: int, path: Path) -> None:
        """Record ``row`` from the next tick on. Raises ``ValueError`` with the reason when that cannot be."""
        if name in self._active:
            raise ValueError(f"there is a recorder {name!r} already")
        if not path.is_absolute():
            raise ValueError(f"{path} is no absolute path")
        if not self._free:
            raise ValueError("too many recorders")
        active = _Active(Recording(name, path), row, self._free.pop())
        self._active[name] = active
        # A first block that seems filled in part is cut at its beginning when it is handed on.
        self._filled[active.slot] = self._first(active.slot)
        self._paused[active.slot] = False
        self.writer.put(active.recording, b"")
        self._fresh.add(active.slot)
        self._index()

    def pause(self, name: str, paused: bool) -> None:
        """Record silence while ``paused``. Raises ``KeyError``."""
        self._paused[self._active[name].slot] = paused

    def stop(self, name: str) -> None:
        """Finish a recording; ``done`` is called when it is whole. Raises ``KeyError``."""
        active = self._active.pop(name)
        self._hand_on(active)
        self.writer.finish(active.recording)
        self._free.append(active.slot)
        self._index()

    def ended(self, recorded: Recorded) -> None:
        """A recording has ended: one that failed by itself is no recorder any more."""
        if recorded.reason and recorded.recorder in self._active:
            self.stop(recorded.recorder)

    def port_gone(self, row: int) -> None:
        """Finish what records a row."""
        for name in [name for name, active in self._active.items() if active.row == row]:
            self.stop(name)

    def close(self) -> None:
        """Finish all and wait until they are on the disk."""
        for name in self.names():
            self.stop(name)
        self.writer.close()

    def tick(self, ports: Ports) -> None:
        """Take this tick's frames; hand on the blocks that are full."""
        if not len(self._slots):
            return
        stereo = np.empty((len(self._slots), FRAME, 2), np.int16)
        stereo[:, :, 0] = ports.pcm[self._rows]
        stereo[:, :, 1] = ports.decode_heard(self._rows)
        stereo[self._paused[self._slots]] = 0
        self._blocks[self._slots, self._filled[self._slots]] = stereo
        self._filled[self._slots] += 1
        for i in np.flatnonzero(self._filled[self._slots] == _BLOCK):
            self._hand_on(self._in_order[i])

    def _first(self, slot: int) -> int:
        return slot * _STAGGER % _BLOCK

    def _hand_on(self, active: _Active) -> None:
        begin = self._first(active.slot) if active.slot in self._fresh else 0
        self._fresh.discard(active.slot)
        block = self._blocks[active.slot, begin : self._filled[active.slot]]
        self._filled[active.slot] = 0
        self.writer.put(active.recording, block.tobytes())

    def _index(self) -> None:
        self._in_order = list(self._active.values())
        self._slots = np.array([active.slot for active in self._in_order], np.intp)
        self._rows = np.array([active.row for active in self._in_order], np.intp)


def repair_all(folder: Path) -> None:
    """Make every ``.part`` in ``folder`` and below whole: only for the start, before anything is recorded."""
    for part in folder.rglob("*" + PART):
        try:
            path = repair(part)
        except OSError as error:
            _log.warning("%s cannot be repaired: %s", part, error)
        else:
            _log.warning("%s", f"{path} was left unfinished and is repaired" if path else f"{part} was empty: removed")
