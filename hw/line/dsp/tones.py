"""Call-progress tones as samples: those of a zone's plan, and two signals that are the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hw import zones
from hw.g711 import Octets, alaw_encode
from hw.line.dsp.level import sine
from hw.line.trunk import FRAME
from hw.zones import ZONES, Tone

_PER_MS = 8

#: Of no plan: "speak now" of a voice mailbox, and what an agent hears before a call that answers itself.
OWN: Mapping[str, Tone] = {
    "beep": zones.parse("1000/400", once=True),
    "zip": zones.parse("450/100,0/50,450/100", once=True),
}
#: Names of all tones, in every zone.
NAMES = (*zones.NAMES, *OWN)


def tone(name: str, zone: str = zones.DEFAULT) -> Tone:
    """A tone of a zone's plan, or one that is the same everywhere. Raises ``KeyError``."""
    return OWN[name] if name in OWN else ZONES[zone].tones[name]


@cache
def period(name: str, zone: str = zones.DEFAULT) -> NDArray[np.int16]:
    """A tone's steps, once, as samples (8 kHz). Raises ``KeyError`` for a zone or a name that is not there."""
    return np.concatenate([_samples(step) for step in tone(name, zone).steps]).round().astype(np.int16)


@cache
def frames(name: str, zone: str = zones.DEFAULT) -> Octets:
    """A tone as A-law frames of 20 ms: as many of its periods as fill whole frames. Raises ``KeyError``."""
    once = alaw_encode(period(name, zone))
    return np.tile(once, FRAME // math.gcd(FRAME, len(once))).reshape(-1, FRAME)


def _samples(step: zones.Step) -> NDArray[np.float64]:
    """The step's frequencies, each beginning at zero, together ``LEVEL_DBM0``."""
    whole = 10 * math.log10(sum(amplitude**2 for _, amplitude in step.parts)) if step.parts else 0.0
    parts = tuple((hz, zones.LEVEL_DBM0 - whole + 20 * math.log10(amplitude)) for hz, amplitude in step.parts)
    return sine(parts, step.ms * _PER_MS)
