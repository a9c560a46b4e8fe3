"""The loop-start ports of one span with their ears and voices on the timeslots: pure ``LoopPort``s, and what they want
done. Time is the line's: 20 ms for every frame heard.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from attrs import define, field

from hw.g711 import Octets, alaw_decode, frames_of
from hw.line.analog import Order, Sign
from hw.line.dsp import dtmf, tones
from hw.line.dsp.call_progress import CallProgress
from hw.line.dsp.fsk import Bell202, spill
from hw.line.settings import SpanSettings
from hw.line.signalling import loop_actions as do
from hw.line.signalling.caller_id import BadMessage, CallerId, MessageReader, mdmf
from hw.line.signalling.loop_actions import Action
from hw.line.signalling.loop_fxo import FxoPort
from hw.line.signalling.loop_fxs import FxsPort
from hw.line.signalling.loop_port import LoopPort
from hw.line.signalling.notices import Notice
from hw.line.span import SILENCE
from hw.zones import DEFAULT

TICK_MS = 20
#: A comma in a number: as long as a modem waits for it (V.250 S8).
PAUSE_MS = 2000


def key_frames(keys: str) -> Octets:
    """Keys one after the other, ``,`` as a pause. Raises ``ValueError`` for what is no key."""
    pause = np.zeros(PAUSE_MS * 8, np.int16)
    return frames_of(np.concatenate([pause if key == "," else dtmf.samples(key) for key in keys]))


@define
class _Sound:
    """What a port sends in place of speech: frames once, else a tone."""

    zone: str
    once: deque[Octets] = field(factory=deque)
    tone: str = ""
    at: int = 0

    @property
    def silent(self) -> bool:
        return not self.once and not self.tone

    def frame(self) -> Octets:
        if self.once:
            return self.once.popleft()
        frames = tones.frames(self.tone, self.zone)
        frame: Octets = frames[self.at]
        self.at = (self.at + 1) % len(frames)
        return frame


class LoopLine:
    """Ports by channel. ``order(channel, order)`` goes to the port; ``tell(channel, notice)`` takes what a port tells,
    at once and in the middle of a tick: it must not come back with a command.

    Telephones hear the tones of ``zone``. ``counts``: caller IDs that were damaged (``caller_id_errors``).
    """

    def __init__(
        self, settings: SpanSettings, zone: str = DEFAULT, *,
        order: Callable[[int, Order], None], tell: Callable[[int, Notice], None],
    ) -> None:  # fmt: skip
        kind: Callable[..., LoopPort] = FxoPort if settings.signalling == "fxo" else FxsPort
        numbers = zip(settings.channels, settings.loop.numbers, strict=True)
        self.now = TICK_MS
        self.channels: dict[int, LoopPort] = {each: kind(number, settings.loop) for each, number in numbers}
        self.counts = Counter({"caller_id_errors": 0})
        self._numbers: Sequence[int] = settings.channels
        self._rows = {number: row for row, number in enumerate(settings.channels)}
        self._zone = zone
        self._order = order
        self._tell = tell
        self._sounds: dict[int, _Sound] = {}
        self._due: dict[int, int] = {}
        self._keys = dtmf.Detector(len(self._numbers))
        self._tones = CallProgress(len(self._numbers))
        self._key_rows = self._tone_rows = np.zeros(0, np.intp)
        self._ears: dict[int, frozenset[do.Ear]] = {}
        self._fsk: dict[int, tuple[Bell202, MessageReader]] = {}

    # -- the line ------------------------------------------------------------------------------------------------------

    def up(self) -> None:
        """The card is in order."""
        for number, port in self.channels.items():
            self._perform(number, port.show())

    def lost(self) -> None:
        """The card is not: every call is gone."""
        for number, port in self.channels.items():
            self._perform(number, port.lost())

    def sign(self, number: int, sign: Sign) -> None:
        """A port tells something."""
        self._perform(number, self.channels[number].sign(self.now, sign))

    # -- commands ------------------------------------------------------------------------------------------------------

    def seize(self, number: int, called: str, caller: CallerId) -> None:
        """Call out on an idle port. Raises ``ValueError`` for numbers that cannot be dialled."""
        self._perform(number, self.channels[number].seize(self.now, called, caller))

    def alert(self, number: int) -> None:
        """See ``LoopPort.alert``."""
        self._perform(number, self.channels[number].alert(self.now))

    def answer(self, number: int) -> None:
        """See ``LoopPort.answer``."""
        self._perform(number, self.channels[number].answer(self.now))

    def hush(self, number: int) -> None:
        """See ``LoopPort.hush``."""
        self._perform(number, self.channels[number].hush())

    def hangup(self, number: int, cause: int) -> None:
        """See ``LoopPort.hangup``."""
        self._perform(number, self.channels[number].hangup(self.now, cause))

    def reset(self, number: int) -> None:
        """See ``LoopPort.reset``."""
        self._perform(number, self.channels[number].reset(self.now))

    def block(self, number: int, blocked: bool) -> None:
        """See ``LoopPort.block``."""
        self._perform(number, self.channels[number].block(blocked))

    def flash(self, number: int) -> None:
        """See ``LoopPort.flash``."""
        self._perform(number, self.channels[number].flash(self.now))

    # -- the tick ------------------------------------------------------------------------------------------------------

    def hear(self, frames: Octets) -> None:
        """20 ms have passed, and this was heard, a row a channel; what is for the signalling becomes silence in it."""
        self.now += TICK_MS
        if len(self._tone_rows):
            for row, found in self._tones.tick(self._tone_rows, alaw_decode(frames[self._tone_rows])):
                number = self._numbers[row]
                self._perform(number, self.channels[number].tone(self.now, found))
        if len(self._key_rows):
            rows = self._key_rows
            for row, (edge, key, _) in self._keys.tick(rows, alaw_decode(frames[rows])):
                if edge == "down":
                    number = self._numbers[row]
                    self._perform(number, self.channels[number].key(self.now, key))
            for number in list(self._fsk):
                self._hear_fsk(number, frames[self._rows[number]])
            frames[rows] = SILENCE
        for number, due in list(self._due.items()):
            if due <= self.now:
                self._perform(number, self.channels[number].expire(self.now))

    def say(self, frames: Octets) -> None:
        """Put keys, caller IDs and tones in place of what would be sent."""
        for number, sound in list(self._sounds.items()):
            sends_once = bool(sound.once)
            frames[self._rows[number]] = sound.frame()
            if sends_once and not sound.once:
                self._drop_if_silent(number)
                self._perform(number, self.channels[number].sent(self.now))

    def left(self, number: int) -> int:
        """Frames of keys or of a caller ID that a port has still to send."""
        return len(self._sounds[number].once) if number in self._sounds else 0

    def _hear_fsk(self, number: int, frame: Octets) -> None:
        receiver, reader = self._fsk[number]
        try:
            octets = receiver.hear(frame)
            caller = reader.take(octets, carrier=receiver.carrier)
        except BadMessage:
            self.counts["caller_id_errors"] += 1
            return
        if caller is not None:
            self._perform(number, self.channels[number].caller_id(self.now, caller))

    # -- what ports want -----------------------------------------------------------------------------------------------

    def _perform(self, number: int, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case do.Give(order):
                    self._order(number, order)
                case do.SendTone(name):
                    sound = self._sound(number)
                    sound.tone, sound.at = name, 0
                case do.SendKeys(keys):
                    self._sound(number).once = deque(key_frames(keys))
                case do.SendCallerId(caller):
                    samples = spill(mdmf(caller, f"{datetime.now():%m%d%H%M}"))
                    self._sound(number).once = deque(frames_of(samples))
                case do.StopSending() if number in self._sounds:
                    self._sounds[number].once.clear()
                case do.StopSending():
                    pass
                case do.Listen(ears):
                    self._listen(number, ears)
                case _:
                    self._tell(number, action)
        self._drop_if_silent(number)
        if due := self.channels[number].due:
            self._due[number] = due
        else:
            self._due.pop(number, None)

    def _sound(self, number: int) -> _Sound:
        return self._sounds.setdefault(number, _Sound(self._zone))

    def _drop_if_silent(self, number: int) -> None:
        if number in self._sounds and self._sounds[number].silent:
            del self._sounds[number]

    def _listen(self, number: int, ears: frozenset[do.Ear]) -> None:
        before = self._ears.get(number, frozenset())
        self._ears[number] = ears
        row = self._rows[number]
        if "tones" in ears - before:
            self._tones.reset(row)
        if "keys" in ears - before:
            self._keys.reset(row)
        self._fsk.pop(number, None)
        if "fsk" in ears:
            self._fsk[number] = Bell202(), MessageReader()
        self._key_rows = self._listening("keys")
        self._tone_rows = self._listening("tones")

    def _listening(self, ear: do.Ear) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The rows of the ports that listen to something."""
        return np.array([self._rows[number] for number, ears in self._ears.items() if ear in ears], np.intp)
