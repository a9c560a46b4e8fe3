"""Sentences that are made already: a folder of WAV files by key, bounded; what was not used longest goes first."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from pathlib import Path

#: A file used so short ago may still be playing; it stays, whatever the bound says. Seconds.
IN_USE_S = 600.0


class Cache:
    """The owner of its folder. Methods block for one small file operation at most, ``open`` and ``write`` for more."""

    def __init__(self, folder: Path, limit: int) -> None:
        """``limit`` is the bound in octets."""
        self._folder = folder
        self._limit = limit
        self._files: OrderedDict[str, tuple[int, float]] = OrderedDict()  # key: size, last use (monotonic s)
        self.size = 0
        self.removed = 0

    def open(self) -> None:
        """Make the folder, take over what is there in the order of last use, remove what a crash left unfinished."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for unfinished in self._folder.glob("*.new"):
            unfinished.unlink(missing_ok=True)
        found = sorted((path.stat().st_mtime, path.stem, path.stat().st_size) for path in self._folder.glob("*.wav"))
        for _, key, size in found:
            self._files[key] = (size, float("-inf"))
            self.size += size
        self._shrink()

    def path(self, key: str) -> Path:
        """Where the sentence of ``key`` is or will be."""
        return self._folder / f"{key}.wav"

    def get(self, key: str) -> Path | None:
        """The file of ``key``, marked as used now; None when it is not made or was removed by hand."""
        if key not in self._files:
            return None
        path = self.path(key)
        try:
            os.utime(path)  # the order of use outlives a restart in the file's time
        except OSError:
            self._forget(key)
            return None
        self._files[key] = (self._files[key][0], time.monotonic())
        self._files.move_to_end(key)
        return path

    def write(self, key: str, data: bytes) -> None:
        """Write a whole file under its final name, or nothing. May run in a thread. Raises ``OSError``."""
        new = self._folder / f"{key}.new"
        try:
            new.write_bytes(data)
            new.rename(self.path(key))
        finally:
            new.unlink(missing_ok=True)

    def add(self, key: str, size: int) -> None:
        """Take a written file of ``size`` octets into the books and make room for it."""
        self._forget(key)
        self._files[key] = (size, time.monotonic())
        self.size += size
        self._shrink()

    def _forget(self, key: str) -> None:
        self.size -= self._files.pop(key, (0, 0.0))[0]

    def _shrink(self) -> None:
        latest = time.monotonic() - IN_USE_S
        while self.size > self._limit and self._files:
            key, (_, used_at) = next(iter(self._files.items()))
            if used_at > latest:
                return
            self._forget(key)
            self.path(key).unlink(missing_ok=True)
            self.removed += 1
