"""DLE shielding of a voice modem's streams (ITU-T V.253 §9, tables 14 and 15). Pure.

In a stream of samples an octet 0x10 (DLE) is sent twice, or two of them as <DLE><SUB>; <DLE> with any other octet is a
code: something that the modem tells (a key, busy tone), or that it is told, between the samples.
"""

from __future__ import annotations

import re

DLE, ETX, SUB, CAN = 0x10, 0x03, 0x1A, 0x18
_PAIR = re.compile(rb"\x10(.)", re.DOTALL)

#: The computer's codes: end of what is transmitted, once it is played; forget what is not played yet; end of
#: receiving; end of both ways.
END_TRANSMIT, DROP_TRANSMIT, END_RECEIVE, END_DUPLEX = b"\x10\x03", b"\x10\x18", b"\x10!", b"\x10^"
#: The modem's code for the end of a stream that it sends.
END = chr(ETX)


def shield(samples: bytes) -> bytes:
    """Samples as they are sent."""
    return samples.replace(b"\x10", b"\x10\x10")


class Unshielder:
    """Takes apart what the modem sends, cut anywhere."""

    def __init__(self) -> None:
        self._half = b""

    def feed(self, data: bytes) -> list[bytes | str]:
        """Samples (or text, outside of streams) as ``bytes``, codes as ``str`` of one character, in order."""
        data = self._half + data
        whole = re.sub(rb"\x10.", b"", data, flags=re.DOTALL)
        self._half = b"\x10" if whole.endswith(b"\x10") else b""
        found: list[bytes | str] = []
        plain = bytearray()
        place, end = 0, len(data) - len(self._half)
        for pair in _PAIR.finditer(data, 0, end):
            plain += data[place : pair.start()]
            place = pair.end()
            code = pair[1][0]
            if code == DLE:
                plain.append(DLE)
            elif code == SUB:
                plain += b"\x10\x10"
            else:
                if plain:
                    found.append(bytes(plain))
                    plain.clear()
                found.append(chr(code))
        plain += data[place:end]
        if plain:
            found.append(bytes(plain))
        return found

    def reset(self) -> None:
        """Nothing of what came before belongs to what comes."""
        self._half = b""
