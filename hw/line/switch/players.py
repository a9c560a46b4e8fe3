"""A player: a list of clips, tones and silences as a stream of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from attrs import define
from numpy.typing import NDArray

from hw.line.dsp import tones
from hw.line.switch.clips import Clip, ClipStore
from hw.line.trunk import FRAME
from hw.messages import PlayItem

Ended = Literal["done", "missing"]
_PER_MS = 8
_NOTHING = np.zeros(0, np.int16)
_SILENCE = np.zeros(8000, np.int16)


@define
class _Piece:
    """One item: its ``samples`` (None: a clip that is not read yet), how many in all, None without end."""

    clip: Clip | None
    samples: NDArray[np.int16] | None
    total: int | None

    @classmethod
    def of(cls, item: PlayItem, clips: ClipStore, zone: str) -> _Piece:
        length = None if item.ms is None else item.ms * _PER_MS
        if item.kind == "clip":
            return cls(clips.get(item.value), None, None)
        if item.kind == "silence":
            return cls(None, _SILENCE, length)
        samples = tones.period(item.value, zone)
        if tones.tone(item.value, zone).once:
            length = len(samples) if length is None else min(length, len(samples))
        return cls(None, samples, length)

    def ready(self) -> bool:
        """Whether the samples are known; a clip that cannot be had is ready with none."""
        if self.samples is None and self.clip is not None:
            if self.clip.error:
                self.samples, self.total = _NOTHING, 0
            elif self.clip.samples is not None:
                self.samples, self.total = self.clip.samples, len(self.clip.samples)
        return self.samples is not None


class Player:
    """Plays its items in turn. While a clip is still being read it gives silence."""

    def __init__(
        self, name: str, items: Sequence[PlayItem], clips: ClipStore, *, zone: str, loop: bool, gain: float
    ) -> None:
        """Raises ``KeyError`` for an unknown tone, ``ValueError`` for a length that makes no sense."""
        for item in items:
            if item.ms is not None and item.ms < 0:
                raise ValueError(f"an item of {item.ms} ms")
            if item.kind == "silence" and item.ms is None:
                raise ValueError("a silence needs its ms")
        self.name = name
        self._pieces = [_Piece.of(item, clips, zone) for item in items]
        self._loop = loop
        self._gain = np.float32(gain)
        self._piece = 0
        self._at = 0
        self._round = 0  # samples played since the list began
        self._missing: list[Clip] = []
        self._told: set[str] = set()
        self.ended: Ended | None = None

    def missing(self) -> list[Clip]:
        """The clips that turned out not to be there since the last call, each once."""
        new = [clip for clip in self._missing if clip.path not in self._told]
        self._told.update(clip.path for clip in new)
        self._missing.clear()
        return new

    def frame(self) -> NDArray[np.float32]:
        """The next ``FRAME`` samples; ``ended`` is set once the last item has been played."""
        out = np.zeros(FRAME, np.float32)
        filled = 0
        while filled < FRAME:
            if self._piece == len(self._pieces) and not self._again():
                break
            piece = self._pieces[self._piece]
            if not piece.ready():
                break
            filled += self._copy(piece, out[filled:])
        if self._gain != 1:
            out *= self._gain
        return out

    def _copy(self, piece: _Piece, out: NDArray[np.float32]) -> int:
        """Copy what the piece has for ``out``; returns how much, and goes on to the next item when it is over."""
        assert piece.samples is not None
        left = len(out) if piece.total is None else piece.total - self._at
        if left <= 0:
            if piece.clip is not None and piece.clip.error:
                self._missing.append(piece.clip)
            self._piece += 1
            self._at = 0
            return 0
        at = self._at % len(piece.samples)
        n = min(len(out), left, len(piece.samples) - at)
        out[:n] = piece.samples[at : at + n]
        self._at += n
        self._round += n
        return n

    def _again(self) -> bool:
        """Begin the list again if it loops; a round without any sample would never end, so it is the last."""
        if self._loop and self._round:
            self._piece = self._round = 0
            return True
        self.ended = "missing" if self._told or self._missing else "done"
        return False
