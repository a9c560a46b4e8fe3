"""The R2 channels of one span with their registers on the timeslots: pure ``R2Channel``s, and what they want done.

Time is the line's: 20 ms for every frame heard. Both the trunk and the simulated exchange stand on this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define

from hw.g711 import Octets
from hw.line.dsp import tones
from hw.line.dsp.r2_tones import R2Tones
from hw.line.signalling import r2_actions as do
from hw.line.signalling.notices import Notice
from hw.line.signalling.r2_actions import Action, Rules
from hw.line.signalling.r2_channel import R2Channel
from hw.line.span import SILENCE
from hw.zones import DEFAULT

TICK_MS = 20


@define
class _Sound:
    """What a channel in signalling sends in place of speech: its register's signals, or a call-progress tone."""

    register: R2Tones | None = None
    heard: int = 0
    gap: bool = False
    sending: bool = False
    tone: str = ""
    at: int = 0


class R2Line:
    """Channels by number. ``send_bits(channel, bits)`` shows line signals; ``tell(channel, notice)`` takes what a
    channel tells, at once and in the middle of a tick: it must not come back with a command. ``register(channel,
    at_work)`` takes whether a channel's register works. Callers hear the tones of ``zone``.
    """

    def __init__(
        self, channels: Sequence[int], rules: Rules, zone: str = DEFAULT, *,
        send_bits: Callable[[int, int], None], tell: Callable[[int, Notice], None],
        register: Callable[[int, bool], None] = lambda _channel, _at_work: None,
    ) -> None:  # fmt: skip
        self.now = TICK_MS
        self._zone = zone
        self.channels = {number: R2Channel(rules) for number in channels}
        self._rows = {number: row for row, number in enumerate(channels)}
        self._send_bits = send_bits
        self._tell = tell
        self._register = register
        self._sounds: dict[int, _Sound] = {}
        self._due: dict[int, int] = {}

    # -- the line ------------------------------------------------------------------------------------------------------

    def up(self) -> None:
        """The line is there: show every channel's state."""
        for number, channel in self.channels.items():
            self._perform(number, channel.show())

    def lost(self) -> None:
        """The line is gone: every call is."""
        for number, channel in self.channels.items():
            self._perform(number, channel.lost())

    def bits(self, number: int, bits: int) -> None:
        """The far end shows other bits on a channel; of no channel of ours they mean nothing."""
        if number in self.channels:
            self._perform(number, self.channels[number].bits(self.now, bits))

    # -- commands ------------------------------------------------------------------------------------------------------

    def seize(self, number: int, called: str, caller: str) -> None:
        """Call out on an idle channel. Raises ``ValueError`` for numbers that cannot be sent."""
        self._perform(number, self.channels[number].seize(self.now, called, caller))

    def alert(self, number: int) -> None:
        """See ``R2Channel.alert``."""
        self._perform(number, self.channels[number].alert(self.now))

    def answer(self, number: int) -> None:
        """See ``R2Channel.answer``."""
        self._perform(number, self.channels[number].answer(self.now))

    def hush(self, number: int) -> None:
        """See ``R2Channel.hush``."""
        self._perform(number, self.channels[number].hush())

    def hangup(self, number: int, cause: int) -> None:
        """See ``R2Channel.hangup``."""
        self._perform(number, self.channels[number].hangup(self.now, cause))

    def reset(self, number: int) -> None:
        """See ``R2Channel.reset``."""
        self._perform(number, self.channels[number].reset(self.now))

    def block(self, number: int, blocked: bool) -> None:
        """See ``R2Channel.block``."""
        self._perform(number, self.channels[number].block(self.now, blocked))

    # -- the tick ------------------------------------------------------------------------------------------------------

    def hear(self, frames: Octets) -> None:
        """20 ms have passed, and this was heard, a row a channel; signals become silence in it."""
        self.now += TICK_MS
        for number, sound in list(self._sounds.items()):
            if sound.register is not None:
                row = frames[self._rows[number]]
                signal = sound.register.hear(row)
                row.fill(SILENCE)
                # One frame that is missing must not end a signal, which would then be taken for two.
                first_gap = sound.heard != 0 and signal == 0 and not sound.gap
                sound.gap = signal == 0
                if signal != sound.heard and not first_gap:
                    sound.heard = signal
                    self._perform(number, self.channels[number].hear(self.now, signal))
        for number, due in list(self._due.items()):
            if due <= self.now:
                self._perform(number, self.channels[number].expire(self.now))

    def say(self, frames: Octets) -> None:
        """Put signals and tones in place of what would be sent."""
        for number, sound in self._sounds.items():
            row = frames[self._rows[number]]
            if sound.register is not None:
                sound.register.say(row)
            elif sound.tone:
                cadence = tones.frames(sound.tone, self._zone)
                row[:] = cadence[sound.at % len(cadence)]
                sound.at += 1

    def sending(self) -> dict[int, bool]:
        """Channels with a register, and whether it sends a signal now."""
        return {n: sound.sending for n, sound in self._sounds.items() if sound.register is not None}

    def _perform(self, number: int, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case do.SendBits(bits):
                    self._send_bits(number, bits)
                case do.Attach(forward):
                    sound = self._sounds.setdefault(number, _Sound())
                    sound.register = None if forward is None else R2Tones(forward=forward)
                    sound.heard, sound.gap, sound.sending = 0, False, False
                    self._register(number, forward is not None)
                case do.SendSignal(signal):
                    sound = self._sounds[number]
                    sound.sending = signal != 0
                    assert sound.register is not None
                    sound.register.send(signal)
                case do.CallTone(name):
                    sound = self._sounds.setdefault(number, _Sound())
                    sound.tone, sound.at = name, 0
                case _:
                    self._tell(number, action)
        if (there := self._sounds.get(number)) is not None and there.register is None and not there.tone:
            del self._sounds[number]
        if due := self.channels[number].due:
            self._due[number] = due
        else:
            self._due.pop(number, None)
