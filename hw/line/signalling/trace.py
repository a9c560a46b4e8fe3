"""A trace of a D channel that Wireshark and tshark read: pcap with link type LINUX_LAPD (177).

Each packet has the 16-octet cooked header of Linux's LAPD sockets, so that the direction is known.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path

_MAGIC = 0xA1B2C3D4
_LINUX_LAPD = 177
_ARPHRD_LAPD = 8445
_ETH_P_LAPD = 0x0030
#: sll packet types: to us, and sent by us.
_TO_US, _BY_US = 0, 4


class Trace:
    """Frames of one D channel in the file at ``path``, which is begun anew. ``network``: we are the network side.

    Raises ``OSError`` when the file cannot be made. Every frame is flushed: the file is readable at any time.
    """

    def __init__(self, path: Path, *, network: bool) -> None:
        self._file = path.open("wb")
        self._file.write(struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 65535, _LINUX_LAPD))
        self._network = network

    def write(self, frame: bytes, *, sent: bool) -> None:
        """Add one frame (address to last octet, no FCS)."""
        now = time.time()
        # The first octet of the address says which side captured: 1 the network, 0 the user.
        header = struct.pack(
            ">HHHB7xH", _BY_US if sent else _TO_US, _ARPHRD_LAPD, 1, int(self._network), _ETH_P_LAPD
        )
        size = len(header) + len(frame)
        self._file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), size, size) + header + frame)
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()
