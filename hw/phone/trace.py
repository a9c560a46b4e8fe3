"""A trace of every SIP message that Wireshark and tshark read: pcap with link type WIRESHARK_UPPER_PDU (252).

Each packet says by tags that SIP follows, and between which addresses it went, whatever the transport. It holds what
phones send: digest responses, never passwords.
"""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

from hw.pcap import Pcap
from hw.phone.stack import Flow

_UPPER_PDU = 252
_DISSECTOR, _IP4_SOURCE, _IP6_SOURCE, _PORT_TYPE, _SOURCE_PORT, _TARGET_PORT = 12, 20, 22, 24, 25, 26
_PORT_TYPES = {"tcp": 2, "udp": 3}


class Trace:
    """SIP messages in the file at ``path``. Raises ``OSError`` when it cannot be made."""

    def __init__(self, path: Path) -> None:
        self._pcap = Pcap(path, _UPPER_PDU)

    def write(self, source: Flow, target: Flow, data: bytes) -> None:
        """Add one message."""
        addresses = [ipaddress.ip_address(flow.host) for flow in (source, target)]
        kind = _IP4_SOURCE if addresses[0].version == 4 else _IP6_SOURCE  # the target's tag is the next number
        tags = [
            (_DISSECTOR, b"sip\0"),
            (kind, addresses[0].packed),
            (kind + 1, addresses[1].packed),
            (_PORT_TYPE, struct.pack(">I", _PORT_TYPES[source.transport])),
            (_SOURCE_PORT, struct.pack(">I", source.port)),
            (_TARGET_PORT, struct.pack(">I", target.port)),
            (0, b""),
        ]
        self._pcap.write(b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tags) + data)

    def close(self) -> None:
        """End the file."""
        self._pcap.close()
