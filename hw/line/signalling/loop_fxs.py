"""An FXS port with a telephone: a pure state machine for both directions.

A telephone that is lifted hears the dial tone; a pause or ``#`` completes the number that it dials, and only then there
is a call. A telephone that is called rings, with the caller's number by DTMF before the first ring or by FSK behind it.
When its call is over and it is not put down, it hears busy or congestion tone, then the howler, then nothing.
"""

from __future__ import annotations

from hw.line.analog import Order, Sign
from hw.line.dsp.call_progress import Found
from hw.line.settings import LoopSettings
from hw.line.signalling import loop_actions as do
from hw.line.signalling import notices as told
from hw.line.signalling.caller_id import CallerId, keys_of
from hw.line.signalling.loop_actions import Action, Tone
from hw.line.signalling.loop_actions import FxsPhase as Phase
from hw.line.signalling.loop_port import (
    NO_ANSWER,
    NO_ANSWER_MS,
    NORMAL,
    OUT_OF_ORDER,
    TEMPORARY_FAILURE,
    LoopPort,
)

#: From on-hook transmission to the caller's keys, and from those to the first ring; from the first ring to the FSK.
BEFORE_KEYS_MS, BEHIND_KEYS_MS, BEFORE_FSK_MS = 300, 300, 600
#: How long a telephone that is left off hook hears what, one after the other.
LEFT_OFF_HOOK: dict[Tone, int] = {"busy": 30_000, "congestion": 30_000, "howler": 60_000}
#: Digits of a number.
MOST_DIGITS = 32
_BUSY = 17
_CALLED = (Phase.ANNOUNCING, Phase.RINGING)


class FxsPort(LoopPort):
    """See the module and ``LoopPort``."""

    def __init__(self, number: str, settings: LoopSettings) -> None:
        super().__init__(number, settings)
        self.phase: Phase = Phase.IDLE
        self._digits = ""
        self._announced = False
        self._reversed = False
        self._give_up_at = 0

    @property
    def idle(self) -> bool:
        """See ``LoopPort``."""
        return self.phase is Phase.IDLE and not self.blocked

    # -- commands ------------------------------------------------------------------------------------------------------

    def show(self) -> list[Action]:
        """See ``LoopPort``."""
        return self._done()

    def lost(self) -> list[Action]:
        """See ``LoopPort``."""
        self._release(OUT_OF_ORDER, "fault", called=self._digits)
        self._reversed = False
        self._silent(Phase.IDLE)
        return self._done()

    def seize(self, now: int, called: str, caller: CallerId) -> list[Action]:
        """``called`` is the telephone's own number."""
        assert self.idle, self.phase
        self._call, self._caller, self._digits = True, caller, ""
        self._announced = self._settings.cid == "none"
        self._tell(told.Acknowledged())
        if self._settings.cid == "dtmf" and keys_of(caller):
            self._give(Order.ON_HOOK_TRANSFER)
            self._go(Phase.ANNOUNCING, now + BEFORE_KEYS_MS)
        else:
            self._ring(now)
        return self._done()

    def alert(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if self.phase is Phase.OFFERED:
            self._go(Phase.ALERTING)
            self._send_tone("ringback")
        return self._done()

    def answer(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if self.phase in (Phase.OFFERED, Phase.ALERTING):
            self._silent(Phase.TALKING)
            self._turn(self._settings.polarity)
        return self._done()

    def hangup(self, now: int, cause: int) -> list[Action]:
        """See ``LoopPort``; a telephone that is off hook hears that it was cleared."""
        if self._call:
            self._over(now, "congestion" if cause not in (NORMAL, _BUSY) else "busy")
            self._release(cause, "us", called=self._digits)
        return self._done()

    def reset(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if self.phase not in (Phase.IDLE, Phase.CLEARED):
            self._over(now, "congestion")
        self._release(TEMPORARY_FAILURE, "us", called=self._digits)
        return self._done()

    def flash(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        raise ValueError("a telephone cannot be sent a hook flash")

    # -- what happens --------------------------------------------------------------------------------------------------

    def sign(self, now: int, sign: Sign) -> list[Action]:
        """See ``LoopPort``."""
        match sign:
            case Sign.OFF_HOOK if self.phase is Phase.IDLE:
                self._give(Order.OFF_HOOK)
                self._dial_tone(now)
            case Sign.OFF_HOOK if self.phase in _CALLED:
                self._give(Order.OFF_HOOK)
                self._out.append(do.StopSending())
                self._silent(Phase.TALKING)
                self._tell(told.Answered())
            case Sign.ON_HOOK if self.phase is not Phase.IDLE and self.phase not in _CALLED:
                self._put_down()
            case Sign.FLASH if self.phase is Phase.TALKING:
                self._tell(told.Flashed())
            case Sign.FLASH if self.phase in (Phase.DIAL_TONE, Phase.COLLECTING):
                self._release(NORMAL, "far", called=self._digits)
                self._dial_tone(now)
            case Sign.RINGER_OFF if self.phase is Phase.RINGING:
                if not self._announced:
                    self._announced = True
                    self._phase_due = now + BEFORE_FSK_MS
            case _:
                self.unexpected += 1
        return self._done()

    def key(self, now: int, key: str) -> list[Action]:
        """A digit of the number that is dialled."""
        if self.phase is Phase.DIAL_TONE:
            self._call, self._caller = True, CallerId(self._number)
            self._tell(told.Seized())
            self._send_tone("")
            self._go(Phase.COLLECTING)
        if self.phase is Phase.COLLECTING:
            if key == "#" and self._digits:
                self._offer()
            else:
                self._digits += key
                self._phase_due = now + self._settings.digit_ms
                if len(self._digits) == MOST_DIGITS:
                    self._offer()
        return self._done()

    def caller_id(self, now: int, caller: CallerId) -> list[Action]:
        """A telephone sends none."""
        return self._done()

    def tone(self, now: int, found: Found) -> list[Action]:
        """A telephone sends none."""
        return self._done()

    def sent(self, now: int) -> list[Action]:
        """The caller's number is sent."""
        if self.phase is Phase.ANNOUNCING:
            self._announced = True
            self._phase_due = now + BEHIND_KEYS_MS
        return self._done()

    def expire(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if 0 < self._phase_due <= now:
            self._phase_due = 0
            self._phase_over(now)
        return self._done()

    def _phase_over(self, now: int) -> None:
        match self.phase:
            case Phase.DIAL_TONE:
                self._over(now, "congestion")
            case Phase.COLLECTING:
                self._offer()
            case Phase.ANNOUNCING if self._announced:
                self._ring(now)
            case Phase.ANNOUNCING:
                self._out.append(do.SendKeys(keys_of(self._caller)))
            case Phase.RINGING if now < self._give_up_at:
                self._phase_due = self._give_up_at
                self._give(Order.ON_HOOK_TRANSFER)
                self._out.append(do.SendCallerId(self._caller))
            case Phase.RINGING:
                self._over(now, "")
                self._release(NO_ANSWER, "us", called=self._number)
            case Phase.CLEARED if self._tone == "howler":
                self._send_tone("")
            case Phase.CLEARED:
                self._left(now, "howler")
            case _:
                raise AssertionError(f"no time of {self.phase}")

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _go(self, phase: Phase, due: int = 0) -> None:
        self.phase, self._phase_due = phase, due

    def _dial_tone(self, now: int) -> None:
        self._digits = ""
        self._go(Phase.DIAL_TONE, now + self._settings.first_digit_ms)
        self._send_tone("dial")
        self._listen("keys")

    def _offer(self) -> None:
        """The number is complete."""
        self._silent(Phase.OFFERED)
        self._tell(told.Offered(self._digits, self._number))

    def _ring(self, now: int) -> None:
        self._give_up_at = now + NO_ANSWER_MS
        self._go(Phase.RINGING, self._give_up_at)
        self._give(Order.RING)
        self._tell(told.Accepted(inband=False))

    def _over(self, now: int, tone: Tone) -> None:
        """The call is over: stop ringing, or let who is off hook hear it."""
        if self.phase in _CALLED:
            self._out.append(do.StopSending())
            self._give(Order.ON_HOOK)
            self._silent(Phase.IDLE)
        else:
            if self.phase is Phase.TALKING and self._settings.polarity:
                self._turn(not self._reversed)
            self._silent(Phase.CLEARED)
            self._left(now, tone)

    def _left(self, now: int, tone: Tone) -> None:
        self._send_tone(tone)
        self._phase_due = now + LEFT_OFF_HOOK[tone]

    def _put_down(self) -> None:
        self._turn(False)
        self._give(Order.ON_HOOK)
        self._silent(Phase.IDLE)
        self._release(NORMAL, "far", called=self._digits)

    def _silent(self, phase: Phase) -> None:
        self._go(phase)
        self._send_tone("")
        self._listen()

    def _turn(self, turned: bool) -> None:
        """Show the line's polarity reversed, or normal."""
        if turned != self._reversed:
            self._reversed = turned
            self._give(Order.POLARITY_REVERSED if turned else Order.POLARITY_NORMAL)
