"""RTCP sender and receiver reports (RFC 3550 §6.4), and what a stream sounded like (G.107 simplified)."""

from __future__ import annotations

import struct

from attrs import frozen

_VERSION = 2 << 6
_SR, _RR, _SDES = 200, 201, 202
_SSRC, _SENDER, _BLOCK = struct.Struct("!I"), struct.Struct("!IIIII"), struct.Struct("!IIIIII")
#: Seconds from 1900 (NTP) to 1970 (Unix).
_NTP_EPOCH = 2208988800


@frozen
class Block:
    """A report block: how the stream ``ssrc`` arrives. ``jitter`` in samples, ``lsr`` and ``dlsr`` as in §6.4.1."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


@frozen
class Report:
    """What one report says: ``lsr`` the middle of its NTP time (0 without), ``blocks`` what its sender receives."""

    ssrc: int
    lsr: int
    blocks: tuple[Block, ...]


def build(
    *, ssrc: int, cname: str, unix_time: float, timestamp: int, packets: int, octets: int, block: Block | None
) -> bytes:
    """A compound packet: SR when packets were sent, RR otherwise, with one block, and SDES CNAME (§6.1)."""
    blocks = b"" if block is None else _block(block)
    count = int(block is not None)
    if packets:
        ntp = int((unix_time + _NTP_EPOCH) * (1 << 32))
        body = _SENDER.pack(ntp >> 32, ntp & 0xFFFFFFFF, timestamp, packets, octets)
        report = _packet(count, _SR, _SSRC.pack(ssrc) + body + blocks)
    else:
        report = _packet(count, _RR, _SSRC.pack(ssrc) + blocks)
    name = cname.encode()[:255]
    item = _SSRC.pack(ssrc) + bytes([1, len(name)]) + name
    return report + _packet(1, _SDES, item + bytes(4 - len(item) % 4))


def _packet(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", _VERSION | count, kind, len(body) // 4) + body


def _block(b: Block) -> bytes:
    lost = max(-(1 << 23), min(b.lost, (1 << 23) - 1)) & 0xFFFFFF
    return _BLOCK.pack(b.ssrc, b.fraction << 24 | lost, b.highest, b.jitter, b.lsr, b.dlsr)


def parse(data: bytes) -> list[Report]:
    """The reports in a compound packet. Raises ``ValueError`` for what is no RTCP."""
    reports: list[Report] = []
    at = 0
    while at < len(data):
        if len(data) < at + 4 or data[at] >> 6 != 2:
            raise ValueError("no RTCP")
        size = 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        part = data[at : at + size]
        if len(part) < size:
            raise ValueError("RTCP cut short")
        if part[1] in (_SR, _RR):
            reports.append(_report(part))
        at += size
    return reports


def _report(part: bytes) -> Report:
    begin = 28 if part[1] == _SR else 8
    count = part[0] & 31
    if len(part) < begin + count * _BLOCK.size:
        raise ValueError("an RTCP report with fewer blocks than it says")
    blocks: list[Block] = []
    for i in range(count):
        ssrc, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(part, begin + i * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(Block(ssrc, loss >> 24, lost - ((lost & 0x800000) << 1), highest, jitter, lsr, dlsr))
    lsr = int.from_bytes(part[10:14], "big") if part[1] == _SR else 0
    return Report(_SSRC.unpack_from(part, 4)[0], lsr, tuple(blocks))


def mos(lost_share: float, jitter_ms: float) -> float:
    """Estimated listening quality, 1 to 4.4: G.107's R with G.711 under loss (G.113: Bpl 25.1 with concealment).

    ``lost_share`` 0 to 1 of the packets, those that came too late included. The delay is taken as a frame, the jitter
    buffer's 40 ms, and twice the jitter; the network's is not known.
    """
    percent = 100 * min(max(lost_share, 0.0), 1.0)
    delay = 20 + 40 + 2 * jitter_ms
    r = 93.2 - 0.024 * delay - 0.11 * max(delay - 177.3, 0) - 95 * percent / (percent + 25.1)
    if r <= 0:
        return 1.0
    return max(1.0, min(1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r), 4.4))
