"""Keys in audio: found on the ports that send none as telephone events, and sent to ports that take none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hw.line.dsp import dtmf
from hw.line.switch.ports import Ports
from hw.line.trunk import FRAME


class AudioDigits:
    """The detector's rows, and what is still to be sent on each row as tones."""

    def __init__(self, rows: int) -> None:
        self._detector = dtmf.Detector(rows)
        self._listening: set[int] = set()
        self._rows = np.zeros(0, np.intp)
        self._waiting: dict[int, deque[NDArray[np.int16]]] = {}
        self._rest: dict[int, NDArray[np.int16]] = {}

    def listen(self, row: int, on: bool) -> None:
        """Look for keys on a row, from nothing, or no more."""
        if on == (row in self._listening):
            return
        (self._listening.add if on else self._listening.discard)(row)
        self._detector.reset(row)
        self._rows = np.array(sorted(self._listening), np.intp)

    def drop(self, row: int) -> None:
        """The row is nobody's any more."""
        self.listen(row, False)
        self._waiting.pop(row, None)
        self._rest.pop(row, None)

    def found(self, ports: Ports) -> Iterable[tuple[int, dtmf.Edge]]:
        """Keys that went down or up in this tick, by row."""
        return self._detector.tick(self._rows, ports.pcm[self._rows]) if len(self._rows) else ()

    def send(self, row: int, keys: str) -> None:
        """Send keys as tones after those that wait. Raises ``ValueError`` for what is no key."""
        self._waiting.setdefault(row, deque()).extend([dtmf.samples(key) for key in keys])

    def frames(self) -> dict[int, NDArray[np.float32]]:
        """This tick's frame for every row that is being sent keys."""
        return {row: self._frame(row) for row in list(self._waiting)}

    def _frame(self, row: int) -> NDArray[np.float32]:
        waiting = self._waiting[row]
        parts = [self._rest.pop(row)] if row in self._rest else []
        while waiting and sum(map(len, parts)) < FRAME:
            parts.append(waiting.popleft())
        audio = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        frame = np.zeros(FRAME, np.float32)
        frame[: min(len(audio), FRAME)] = audio[:FRAME]
        if len(audio) > FRAME:
            self._rest[row] = audio[FRAME:]
        elif not waiting:
            del self._waiting[row]
        return frame
