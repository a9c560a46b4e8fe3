"""A voice modem's audio as timeslots: frames of the tick to and from the streams of the serial port.

Both ways at once where the modem can (+VTR). Without, one way at a time: it listens until something is to be said,
keeps what is said while the modem turns round, and listens again after a silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

import numpy as np

from hw.g711 import alaw_encode
from hw.line.dsp import dtmf
from hw.line.serial.dle import shield
from hw.line.serial.jitter import JitterBuffer
from hw.line.serial.voice_formats import Format
from hw.line.span import SILENCE
from hw.line.trunk import FRAME, Octets, Timeslots

Mode = Literal["off", "receive", "transmit", "duplex"]

#: Frames of silence that a stream begins with: what a tick may be late before the modem runs dry.
RESERVE = 3
#: Frames that the port may hold back before further ones are skipped: the modem plays slower than we speak.
_MOST_WAITING = 15
#: Frames kept while the modem turns round; frames of silence after which it turns back.
_MOST_KEPT, _SILENT = 100, 30
_QUIET = np.full((1, FRAME), SILENCE, np.uint8)


class VoiceAudio(Timeslots):
    """Channel 1. ``send`` writes to the port, ``waiting`` tells what the port still has of it.

    One way at a time, ``turn`` is called when the modem is to transmit, and when it is to receive again.
    """

    channels = (1,)

    def __init__(self, send: Callable[[bytes], None], waiting: Callable[[], int], turn: Callable[[], None]) -> None:
        self.mode: Mode = "off"
        self.speaks = False
        self._send = send
        self._waiting = waiting
        self._turn = turn
        self._format: Format | None = None
        self._jitter = JitterBuffer(FRAME)
        self._kept: deque[bytes] = deque()
        self._keys: deque[Octets] = deque()
        self._one_way = False
        self._silence = 0
        self._counts = {"slips_out": 0, "cut": 0}

    # -- the call's side -----------------------------------------------------------------------------------------------

    def begin(self, form: Format, *, one_way: bool) -> None:
        """A call: nothing of the last one is left."""
        self._format, self._one_way = form, one_way
        self._jitter.clear()
        self._kept.clear()
        self._keys.clear()
        self.speaks, self._silence, self.mode = False, 0, "off"

    def end(self) -> None:
        """No call."""
        self._format = None
        self.mode = "off"
        self._kept.clear()
        self._keys.clear()

    def stream(self, mode: Mode) -> None:
        """The modem has begun a stream, or ended it; what was said meanwhile goes out first."""
        self.mode = mode
        if mode == "receive":
            self._jitter.clear()
        if mode in ("transmit", "duplex"):
            for _ in range(RESERVE):
                self._out(_QUIET.tobytes())
            while self._kept:
                self._out(self._kept.popleft())
            self._silence = 0

    def heard(self, samples: bytes) -> None:
        """Samples of the modem."""
        if self._format is not None:
            self._jitter.put(samples)

    def key(self, key: str) -> None:
        """A key that the modem has heard while we hear nothing ourselves: it is heard by us as a tone."""
        if self._one_way and self.mode in ("transmit", "off") and self._format is not None:
            self._keys.extend(alaw_encode(dtmf.samples(key)).reshape(-1, FRAME))

    # -- the tick's side -----------------------------------------------------------------------------------------------

    def read(self, into: Octets) -> None:
        """The frame that is due [1, 160]."""
        frame = self._jitter.take() if self.mode in ("receive", "duplex") else None
        if self._keys:
            into[0] = self._keys.popleft()
        elif frame is not None and self._format is not None:
            into[0] = self._format.from_modem[np.frombuffer(frame, np.uint8)]
        else:
            into.fill(SILENCE)

    def write(self, frames: Octets) -> None:
        """Say one frame [1, 160]."""
        if self._format is None:
            return
        if not self._one_way:
            if self.mode == "duplex":
                self._say(frames)
            return
        silent = bool((frames == SILENCE).all())
        self._silence = self._silence + 1 if silent else 0
        if not self.speaks and not silent:
            self.speaks = True
            self._turn()
        elif self.speaks and self._silence >= _SILENT and self.mode == "transmit":
            self.speaks = False
            self._turn()
        if self.mode == "transmit":
            self._say(frames)
        elif self.speaks:
            self._keep(frames.tobytes())

    def counters(self) -> dict[str, int]:
        """``slips`` and ``missing`` of what comes in; ``slips_out``: frames that the modem did not take in time;
        ``cut``: frames that could not be kept while it turned round.
        """
        return dict(self._counts) | {"slips": self._jitter.slips, "missing": self._jitter.missing}

    def _keep(self, frame: bytes) -> None:
        if len(self._kept) < _MOST_KEPT:
            self._kept.append(frame)
        else:
            self._counts["cut"] += 1

    def _say(self, frames: Octets) -> None:
        if self._waiting() > _MOST_WAITING * FRAME:
            self._counts["slips_out"] += 1
        else:
            self._out(frames.tobytes())

    def _out(self, frame: bytes) -> None:
        assert self._format is not None
        self._send(shield(self._format.to_modem[np.frombuffer(frame, np.uint8)].tobytes()))
