"""How a voice modem codes its samples: what +VSM=? offers (V.253 §10.2.8), and A-law to and from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
from attrs import field, frozen

from hw.g711 import Octets, Samples, alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

_ALL = np.arange(256, dtype=np.uint8)


def _unsigned(octets: Octets) -> Samples:
    return ((octets.astype(np.int16) - 128) << 8).astype(np.int16)


def _signed(octets: Octets) -> Samples:
    return (octets.view(np.int8).astype(np.int16) << 8).astype(np.int16)


@frozen(eq=False)
class Format:
    """One octet a sample, 8 kHz. ``method``: +VSM's number; the tables translate octets from and to A-law."""

    name: str
    method: int
    from_modem: Octets = field(repr=False)
    to_modem: Octets = field(repr=False)


def _format(name: str, method: int) -> Format:
    decode: Callable[[Octets], Samples]
    if name == "alaw":
        return Format(name, method, _ALL, _ALL)
    if name == "ulaw":
        return Format(name, method, alaw_encode(ulaw_decode(_ALL)), ulaw_encode(alaw_decode(_ALL)))
    decode, offset = (_unsigned, 128) if name == "unsigned" else (_signed, 0)
    nearest = np.clip((alaw_decode(_ALL).astype(np.int32) + 128 >> 8), -128, 127) + offset
    return Format(name, method, alaw_encode(decode(_ALL)), nearest.astype(np.int16).astype(np.uint8))


#: In order of preference: G.711 loses nothing, eight bits linear much. Makers give other numbers than V.253's table 17,
#: so the label counts.
_LABELS = (
    ("alaw", re.compile(r"A[- ]?LAW")), ("ulaw", re.compile(r"(U|MU|µ)[- ]?LAW")),
    ("unsigned", re.compile(r"UNSIGNED|8[- ]?BIT LINEAR|^LINEAR")), ("signed", re.compile(r"\bSIGNED")),
)  # fmt: skip
_STANDARD = {0: "signed", 1: "unsigned", 4: "ulaw", 5: "alaw"}
_ROW = re.compile(r'\s*(\d+)\s*,\s*"([^"]*)"\s*,\s*(\d+)\s*,(.*)')
_RATE = 8000


def choose(lines: Iterable[str]) -> Format | None:
    """The best format of those that +VSM=? lists; None when there is none of 8 kHz with one octet a sample."""
    offered: dict[str, int] = {}
    for line in lines:
        row = _ROW.match(line.removeprefix("+VSM:"))
        if row is None or int(row[3]) != 8 or not _has_rate(row[4]):
            continue
        name = _name(int(row[1]), row[2].upper())
        if name:
            offered.setdefault(name, int(row[1]))
    for name, _ in _LABELS:
        if name in offered:
            return _format(name, offered[name])
    return None


def _name(method: int, label: str) -> str:
    for name, pattern in _LABELS:
        if pattern.search(label):
            return name
    return _STANDARD.get(method, "") if not label else ""


def _has_rate(rest: str) -> bool:
    """Whether 8000 is among the rates: single ones, lists and ranges (``7200-11025``)."""
    if re.search(rf"\b{_RATE}\b", rest):
        return True
    return any(int(low) <= _RATE <= int(high) for low, high in re.findall(r"(\d{4,5})-(\d{4,5})", rest))
