"""G.711: A-law and µ-law octets to and from linear 16-bit samples, by tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]
Samples = NDArray[np.int16]
_FRAME = 160


def _alaw_to_linear() -> Samples:
    """G.711 table 1, scaled to 16 bits: even bits are inverted; sign, three bits of segment, four of step."""
    octets = np.arange(256) ^ 0x55
    segment, step = (octets >> 4) & 7, octets & 15
    size = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, size, -size).astype(np.int16)


def _ulaw_to_linear() -> Samples:
    """G.711 table 2, scaled to 16 bits: all bits are inverted."""
    octets = np.arange(256) ^ 0xFF
    size = ((((octets & 15) << 3) + 0x84) << ((octets >> 4) & 7)) - 0x84
    return np.where(octets & 0x80, -size, size).astype(np.int16)


def _linear_to_alaw() -> Octets:
    """Indexed by the sample as uint16. A sample goes to the step whose decision values enclose it."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.where(linear >= 0, linear, ~linear) >> 4
    segment = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 3, 0)
    code = (segment << 4) | ((size >> np.maximum(segment - 1, 0)) & 15)
    octets: Octets = ((code | np.where(linear >= 0, 0x80, 0)) ^ 0x55).astype(np.uint8)
    return octets


def _linear_to_ulaw() -> Octets:
    """Indexed by the sample as uint16."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(linear >> 2) + 33, 8191)
    segment = np.floor(np.log2(size)).astype(np.int32) - 5
    code = (segment << 4) | ((size >> (segment + 1)) & 15)
    octets: Octets = ((code | np.where(linear >= 0, 0, 0x80)) ^ 0xFF).astype(np.uint8)
    return octets


_FROM_ALAW, _FROM_ULAW = _alaw_to_linear(), _ulaw_to_linear()
_TO_ALAW, _TO_ULAW = _linear_to_alaw(), _linear_to_ulaw()


def alaw_decode(octets: Octets) -> Samples:
    """A-law octets, any shape, to linear samples."""
    return _FROM_ALAW[octets]


def alaw_encode(pcm: Samples) -> Octets:
    """Linear samples, any shape, to A-law octets."""
    return _TO_ALAW[pcm.view(np.uint16)]


def ulaw_decode(octets: Octets) -> Samples:
    """µ-law octets, any shape, to linear samples."""
    return _FROM_ULAW[octets]


def ulaw_encode(pcm: Samples) -> Octets:
    """Linear samples, any shape, to µ-law octets."""
    return _TO_ULAW[pcm.view(np.uint16)]


def frames_of(samples: Samples) -> Octets:
    """Samples as A-law frames of 20 ms [n, 160], the last one filled up with silence."""
    return alaw_encode(np.pad(samples, (0, -len(samples) % _FRAME))).reshape(-1, _FRAME)
