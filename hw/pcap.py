"""Packet captures that Wireshark and tshark read (the classic pcap format)."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path


class Pcap:
    """A capture of one link type in the file at ``path``, begun anew, readable by its owner only.

    Raises ``OSError`` when the file cannot be made. Every packet is flushed: the file is readable at any time.
    """

    def __init__(self, path: Path, link_type: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 17, link_type))

    def write(self, packet: bytes) -> None:
        """Add one packet with the present time."""
        now = time.time()
        size = len(packet)
        self._file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), size, size) + packet)
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()
