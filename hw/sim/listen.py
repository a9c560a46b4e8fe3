"""Judge recordings: ``python -m hw.sim.listen FILE.wav...`` prints the codes on each channel of each file as JSON.

``{"files": {"a.wav": [{"4711": 12}, {"305": 11}]}}``: the first channel first, with the number of whole cycles heard.
"""

from __future__ import annotations

import argparse
import json
import sys
import wave
from collections import Counter
from pathlib import Path

import numpy as np

from hw.sim.pattern import RATE, Ear


def codes(path: Path) -> list[Counter[int]]:
    """The codes in each channel of a WAV of 8 kHz, 16 bit. Raises ``ValueError`` for other formats, ``OSError``."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getparams()[:3]
            octets = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: no WAV file: {error}") from None
    if (width, rate) != (2, RATE):
        raise ValueError(f"{path}: {rate} Hz, {8 * width} bit: must be {RATE} Hz, 16 bit")
    whole = len(octets) // (2 * channels) * 2 * channels
    sound = np.frombuffer(octets[:whole], "<i2").astype(np.int16).reshape(-1, channels)
    heard = []
    for channel in sound.T:
        ear = Ear()
        ear.feed(channel)
        heard.append(ear.codes)
    return heard


def main(arguments: list[str] | None = None) -> int:
    """Print what was heard; 1 when a file could not be read (its place then tells why)."""
    parser = argparse.ArgumentParser(prog="python -m hw.sim.listen", description="Find voice codes in recordings.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.wav")
    found: dict[str, object] = {}
    failed = False
    for path in parser.parse_args(arguments).files:
        try:
            found[str(path)] = codes(path)
        except (OSError, ValueError) as error:
            found[str(path)] = {"error": str(error)}
            failed = True
    json.dump({"files": found}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
