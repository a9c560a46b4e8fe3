"""WAV files: reading clips (8 kHz mono), writing recordings (8 kHz 16 bit stereo), making unfinished ones whole."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from hw.g711 import alaw_decode

RATE = 8000
PART = ".part"
_PCM, _ALAW = 1, 6
#: A clip over this is no prompt (an hour of A-law has 29 MB).
_CLIP_BYTES = 64 << 20
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_STEREO_BYTES = 4


class WavError(Exception):
    """A file that is no WAV of the kind that is wanted; the text says what it is."""


def header(frames: int) -> bytes:
    """The 44 octets before ``frames`` stereo frames of 16 bits; of more than 37 hours they tell no more than 37."""
    size = min(frames * _STEREO_BYTES, 0xFFFFFFFF - 39)
    return _HEADER.pack(
        b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, _PCM, 2, RATE, RATE * _STEREO_BYTES, _STEREO_BYTES, 16, b"data", size
    )


def read_clip(path: Path) -> NDArray[np.int16]:
    """The samples of a clip: PCM 16 bit or A-law, 8 kHz, mono. Raises ``WavError`` and ``OSError``."""
    if path.stat().st_size > _CLIP_BYTES:
        raise WavError(f"longer than {_CLIP_BYTES >> 20} MB")
    chunks = _chunks(memoryview(path.read_bytes()))
    if b"fmt " not in chunks or len(chunks[b"fmt "]) < 16 or b"data" not in chunks:
        raise WavError("no WAV file")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if channels != 1 or rate != RATE or (kind, bits) not in ((_PCM, 16), (_ALAW, 8)):
        raise WavError(
            f"format {kind}, {rate} Hz, {channels} channels, {bits} bits; must be 8000 Hz, mono, PCM 16 bits or A-law"
        )
    data = chunks[b"data"]
    if kind == _ALAW:
        return alaw_decode(np.frombuffer(data, np.uint8))
    return np.frombuffer(data[: len(data) & ~1], "<i2").astype(np.int16)


def _chunks(data: memoryview) -> dict[bytes, memoryview]:
    """The chunks of a RIFF file by name; a last one that is cut short is taken as far as it goes."""
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        raise WavError("no WAV file")
    found: dict[bytes, memoryview] = {}
    at = 12
    while at + 8 <= len(data):
        name, size = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "little")
        found.setdefault(name, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


def finish(file: BinaryIO, frames: int, part: Path, path: Path) -> None:
    """Write the true header into a recording, put it on the disk, and give it its name. Raises ``OSError``."""
    file.seek(0)
    file.write(header(frames))
    file.flush()
    os.fsync(file.fileno())
    part.rename(path)


def repair(part: Path) -> Path | None:
    """Make what a killed process left in a ``.part`` a valid WAV under its final name, which is returned.

    An empty one is removed (None). A recording of that name that exists already is kept: the repaired one gets
    ``-repaired`` before its suffix. Raises ``OSError``.
    """
    frames = (part.stat().st_size - _HEADER.size) // _STEREO_BYTES
    if frames <= 0:
        part.unlink()
        return None
    path = part.with_name(part.name.removesuffix(PART))
    if path.exists():
        path = path.with_stem(path.stem + "-repaired")
    with part.open("r+b") as file:
        file.truncate(_HEADER.size + frames * _STEREO_BYTES)
        finish(file, frames, part, path)
    return path
