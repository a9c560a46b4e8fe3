"""Audio between a serial line's time and the tick's: bytes come in when they come, whole frames go out when due."""

from __future__ import annotations


class JitterBuffer:
    """Frames of ``size`` bytes. ``depth`` frames are gathered before the first goes out, and again after it ran dry;
    with more than ``most`` the oldest are skipped down to ``depth``: the line's clock is faster than ours, or was late.
    """

    def __init__(self, size: int, *, depth: int = 2, most: int = 6) -> None:
        self._size = size
        self._depth = depth
        self._most = most
        self._bytes = bytearray()
        self._flowing = False
        #: Frames skipped, and frames that were not there when they were due.
        self.slips = 0
        self.missing = 0

    def put(self, data: bytes) -> None:
        """Bytes from the line, cut anywhere."""
        self._bytes += data
        if len(self._bytes) >= (self._most + 1) * self._size:
            over = len(self._bytes) // self._size - self._depth
            del self._bytes[: over * self._size]
            self.slips += over

    def take(self) -> bytes | None:
        """The frame that is due; None while there is none."""
        if not self._flowing and len(self._bytes) < self._depth * self._size:
            return None
        self._flowing = len(self._bytes) >= self._size
        if not self._flowing:
            self.missing += 1
            return None
        frame = bytes(self._bytes[: self._size])
        del self._bytes[: self._size]
        return frame

    def clear(self) -> None:
        """A new call: nothing of the last one is left."""
        self._bytes.clear()
        self._flowing = False
