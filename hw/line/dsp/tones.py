"""China's call-progress tones (450 Hz, −10 dBm0; zone 33 of the ITU's table of tones), and a few signals more."""

from __future__ import annotations

from functools import cache

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from hw.line.dsp.level import sine

_LEVEL_DBM0 = -10.0


@frozen
class Tone:
    """A tone: ``hz``, and its cadence as on and off times in ms, in turn. ``once``: it ends after one cadence."""

    hz: int
    cadence_ms: tuple[int, ...]
    once: bool = False


#: One second of a continuous tone repeats without a seam: all frequencies are whole Hz.
TONES = {
    "dial": Tone(450, (1000,)),
    "busy": Tone(450, (350, 350)),
    "ringback": Tone(450, (1000, 4000)),
    "congestion": Tone(450, (700, 700)),
    "call-waiting": Tone(450, (400, 4000)),
    "info": Tone(450, (100, 100, 100, 100, 100, 100, 400, 400)),
    # GB/T 3380 is quoted with 1400 Hz for this one; the tables that switches are delivered with say 950 Hz.
    "record": Tone(950, (400, 10000)),
    "howler": Tone(950, (1000,)),
    # Not of the plan: "speak now" of a voice mailbox, and what an agent hears before a call that answers itself.
    "beep": Tone(1000, (400,), once=True),
    "zip": Tone(450, (100, 50, 100), once=True),
}


@cache
def period(name: str) -> NDArray[np.int16]:
    """One cadence of a tone as samples. Raises ``KeyError`` for a name that is not in ``TONES``."""
    tone = TONES[name]
    parts = [
        np.zeros(ms * 8) if i % 2 else sine(((tone.hz, _LEVEL_DBM0),), ms * 8) for i, ms in enumerate(tone.cadence_ms)
    ]
    return np.concatenate(parts).round().astype(np.int16)
