"""An FXO port, on an exchange's line with loop start: a pure state machine for both directions.

An incoming call is offered as soon as its caller is known, at the second ring at the latest; it cannot be refused, only
left ringing. An outgoing one waits for the dial tone, sends the number, and listens. Whether the called party has
answered is told by the polarity where the exchange turns it. Without that, after ringback, by speech or by its absence;
and when no tone of the plan comes at all, by time. Ringing on a port that we have just seized is a call that came
first: ours goes elsewhere, and that one, which our seizure has answered, is offered.
"""

from __future__ import annotations

import re

from hw.line.analog import Order, Sign
from hw.line.dsp.call_progress import Found
from hw.line.settings import LoopSettings
from hw.line.signalling import loop_actions as do
from hw.line.signalling import notices as told
from hw.line.signalling.caller_id import CallerId, read_keys
from hw.line.signalling.loop_actions import Action
from hw.line.signalling.loop_actions import FxoPhase as Phase
from hw.line.signalling.loop_port import (
    NO_ANSWER,
    NO_ANSWER_MS,
    NORMAL,
    OUT_OF_ORDER,
    TEMPORARY_FAILURE,
    LoopPort,
)
from hw.line.signalling.notices import By

#: Rings come every 5 s: after so long without one, or with one that does not end, the caller has given up.
RINGS_END_MS = 6000
#: Caller ID by DTMF is in front of the first ring by less than this.
KEYS_MS = 3000
#: From the end of a call until the exchange has seen it and a new call may begin.
GUARD_MS = 1500
#: A port without dial tone is left out for so long, so that the next call takes another.
NO_DIAL_TONE_MS = 30_000
#: Without polarity: a call is taken for answered when no tone of the plan was heard for so long after the number.
NO_TONE_MS = 15_000
#: The polarity may be turned twice at an answer; what comes so soon after it clears nothing.
POLARITY_MS = 600
#: The loop is open for the length of our own flash, and a moment longer as the card sees it.
FLASH_MARGIN_MS = 500
_DIALLED = re.compile(r"[0-9*#A-D,]{1,64}")
_UNALLOCATED, _BUSY, _CONGESTION, _NOT_AVAILABLE = 1, 17, 42, 44
_CAUSES: dict[Found, int] = {"busy": _BUSY, "congestion": _CONGESTION, "info": _UNALLOCATED}
_RINGING = (Phase.RINGING, Phase.OFFERED, Phase.REFUSED)
_OUT = (Phase.SEIZING, Phase.DIALLING, Phase.WAITING, Phase.ALERTING)
_UP = (Phase.ANSWERED, Phase.TALKING)


class FxoPort(LoopPort):
    """See the module and ``LoopPort``."""

    def __init__(self, number: str, settings: LoopSettings) -> None:
        super().__init__(number, settings)
        self.phase: Phase = Phase.IDLE
        self._called = ""
        self._off_hook = False
        self._rings = 0
        self._keys = ""
        self._keys_due = self._fault_due = 0
        self._up_at = self._flashed_at = 0

    @property
    def idle(self) -> bool:
        """Not while a caller's number is coming by DTMF: the ring follows."""
        return self.phase is Phase.IDLE and not self.blocked and not self._keys

    @property
    def due(self) -> int:
        """See ``LoopPort``."""
        return min((each for each in (self._phase_due, self._keys_due, self._fault_due) if each), default=0)

    # -- commands ------------------------------------------------------------------------------------------------------

    def show(self) -> list[Action]:
        """See ``LoopPort``."""
        self._rest()
        return self._done()

    def lost(self) -> list[Action]:
        """See ``LoopPort``."""
        self._release(OUT_OF_ORDER, "fault", called=self._number)
        self._off_hook = False
        self._fault, self._fault_due = "", 0
        self._rest()
        return self._done()

    def seize(self, now: int, called: str, caller: CallerId) -> list[Action]:
        """The exchange knows who calls: ``caller`` is not sent."""
        if not _DIALLED.fullmatch(called):
            raise ValueError(f"number {called!r}: allowed are 1 to 64 of 0-9 * # A-D, and a comma for a pause")
        assert self.idle, self.phase
        self._call, self._called, self._caller = True, called, caller
        self._lift(Phase.SEIZING, now + self._settings.dial_tone_ms)
        return self._done()

    def alert(self, now: int) -> list[Action]:
        """The exchange sends ringback by itself, but to a caller whose call our seizure has answered."""
        if self.phase is Phase.OFFERED and self._off_hook:
            self._send_tone("ringback")
        return self._done()

    def answer(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if self.phase is Phase.OFFERED:
            self._send_tone("")
            self._up_at = now
            self._lift(Phase.ANSWERED)
        return self._done()

    def hangup(self, now: int, cause: int) -> list[Action]:
        """See ``LoopPort``; a call that rings goes on ringing, unheard."""
        if self._call:
            self._end(now, cause, "us")
        return self._done()

    def reset(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        self._fault, self._fault_due = "", 0
        self._release(TEMPORARY_FAILURE, "us", called=self._number)
        self._put_down(now)
        return self._done()

    def flash(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if self.phase not in _UP:
            raise ValueError("a hook flash needs a call that is up")
        self._flashed_at = now
        self._give(Order.FLASH)
        return self._done()

    # -- what happens --------------------------------------------------------------------------------------------------

    def sign(self, now: int, sign: Sign) -> list[Action]:
        """See ``LoopPort``."""
        match sign:
            case Sign.RING_BEGINS:
                self._rung(now)
            case Sign.RING_ENDS if self.phase in _RINGING and not self._off_hook:
                self._phase_due = now + RINGS_END_MS
                if self.phase is Phase.RINGING and self._settings.cid == "fsk":
                    self._listen("keys", "fsk")
            case Sign.POLARITY:
                self._turned(now)
            case Sign.CURRENT_LOST if self.phase in (*_OUT, *_UP) or self._off_hook:
                self._current_lost(now)
            case Sign.BATTERY_LOST:
                self._battery_lost(now)
            case Sign.BATTERY_BACK:
                self._fault, self._fault_due = "", 0
            case Sign.CURRENT_BACK | Sign.RING_ENDS:
                pass
            case _:
                self.unexpected += 1
        return self._done()

    def key(self, now: int, key: str) -> list[Action]:
        """Caller ID by DTMF, before the first ring or between the first two."""
        if self.phase in (Phase.IDLE, Phase.GUARD, Phase.RINGING):
            self._keys = (self._keys + key)[-64:]
            self._keys_due = now + KEYS_MS
            if self.phase is Phase.RINGING and (caller := read_keys(self._keys)) is not None:
                self._offer(caller)
        return self._done()

    def caller_id(self, now: int, caller: CallerId) -> list[Action]:
        """Caller ID by FSK, between the first two rings."""
        if self.phase is Phase.RINGING:
            self._offer(caller)
        return self._done()

    def tone(self, now: int, found: Found) -> list[Action]:
        """See ``LoopPort``."""
        match self.phase:
            case Phase.SEIZING if found == "dial":
                self._go(Phase.DIALLING)
                self._listen()
                self._tell(told.Acknowledged())
                self._out.append(do.SendKeys(self._called))
            case Phase.SEIZING if found in _CAUSES:
                self._end(now, _NOT_AVAILABLE, "fault", retry=True)
            case Phase.WAITING | Phase.ALERTING:
                self._tone_before_answer(now, found)
            case Phase.OFFERED | Phase.ANSWERED | Phase.TALKING if self._settings.release_by_tone:
                # Only who called us leaves a dial tone behind: what we have called may be an exchange that gives one.
                if found in ("busy", "congestion") or (found == "dial" and self.phase is not Phase.TALKING):
                    self._end(now, NORMAL, "far")
        return self._done()

    def sent(self, now: int) -> list[Action]:
        """The number is dialled."""
        if self.phase is Phase.DIALLING:
            self._go(Phase.WAITING, now + (NO_ANSWER_MS if self._settings.polarity else NO_TONE_MS))
            self._listen("tones")
            self._tell(told.InBand())
        return self._done()

    def expire(self, now: int) -> list[Action]:
        """See ``LoopPort``."""
        if 0 < self._keys_due <= now:
            self._keys, self._keys_due = "", 0
        if 0 < self._fault_due <= now:
            self._fault, self._fault_due = "", 0
        if 0 < self._phase_due <= now:
            self._phase_due = 0
            self._phase_over(now)
        return self._done()

    def _phase_over(self, now: int) -> None:
        match self.phase:
            case Phase.RINGING | Phase.OFFERED | Phase.REFUSED:
                self._release(NORMAL, "far", called=self._number)
                self._rest()
            case Phase.SEIZING:
                self._fault, self._fault_due = "no dial tone", now + NO_DIAL_TONE_MS
                self._end(now, _NOT_AVAILABLE, "fault", retry=True)
            case Phase.WAITING | Phase.ALERTING if self._settings.polarity:
                self._end(now, NO_ANSWER, "us")
            case Phase.WAITING | Phase.ALERTING:
                self._answered(now)
            case Phase.GUARD:
                self._rest()
            case _:
                raise AssertionError(f"no time of {self.phase}")

    def _rung(self, now: int) -> None:
        match self.phase:
            case Phase.IDLE | Phase.GUARD:
                self._fault, self._fault_due = "", 0
                self._call, self._caller, self._rings = True, read_keys(self._keys) or CallerId(), 1
                self._tell(told.Seized())
                self._go(Phase.RINGING, now + RINGS_END_MS)
                if self._caller != CallerId() or self._settings.cid != "fsk":
                    self._offer(self._caller)
            case Phase.RINGING:
                self._phase_due = now + RINGS_END_MS
                self._offer(CallerId())
            case Phase.OFFERED | Phase.REFUSED if not self._off_hook:
                self._phase_due = now + RINGS_END_MS
            case Phase.SEIZING:
                self._release(_NOT_AVAILABLE, "fault", retry=True)
                self._call = True
                self._tell(told.Seized())
                self._offer(read_keys(self._keys) or CallerId())
            case _:
                self.unexpected += 1

    def _offer(self, caller: CallerId) -> None:
        """Everything that will be known of the incoming call is known."""
        self._caller = caller
        self._keys, self._keys_due = "", 0
        self._go(Phase.OFFERED, 0 if self._off_hook else self._phase_due)
        self._listen(*(("tones",) if self._off_hook else ()))
        self._tell(told.Offered(self._number, caller.number, name=caller.name, restricted=caller.restricted))

    def _turned(self, now: int) -> None:
        """The polarity was turned: the called party has answered, or the far end has cleared."""
        if not self._settings.polarity:
            return
        if self.phase in (Phase.DIALLING, Phase.WAITING, Phase.ALERTING):
            self._answered(now)
        elif self.phase in _UP and now - self._up_at >= POLARITY_MS:
            self._end(now, NORMAL, "far")

    def _current_lost(self, now: int) -> None:
        if self.phase in _UP and now - self._flashed_at < self._settings.flash_ms + FLASH_MARGIN_MS:
            return
        if self.phase is Phase.SEIZING:
            self._end(now, OUT_OF_ORDER, "fault", retry=True)
        else:
            self._end(now, TEMPORARY_FAILURE if self.phase in _OUT else NORMAL, "far")

    def _battery_lost(self, now: int) -> None:
        self._fault, self._fault_due = "no battery, the line is not connected", 0
        if self._call:
            self._end(now, OUT_OF_ORDER, "fault")
        if not self._off_hook:
            self._rest()

    def _tone_before_answer(self, now: int, found: Found) -> None:
        if found in _CAUSES:
            self._end(now, _CAUSES[found], "far")
        elif found == "dial" and self.phase is Phase.WAITING:  # the exchange has not heard our digits
            self._end(now, TEMPORARY_FAILURE, "fault")
        elif found == "ringback":
            if self.phase is Phase.WAITING:
                self._tell(told.Accepted(inband=False))
            self._go(Phase.ALERTING, self._phase_due if self._settings.polarity else now + self._settings.answer_ms)
        elif found == "sound" and self.phase is Phase.ALERTING and not self._settings.polarity:
            self._answered(now)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _go(self, phase: Phase, due: int = 0) -> None:
        self.phase, self._phase_due = phase, due

    def _lift(self, phase: Phase, due: int = 0) -> None:
        """Be off hook."""
        self._go(phase, due)
        if not self._off_hook:
            self._off_hook = True
            self._give(Order.OFF_HOOK)
        self._listen("tones")

    def _answered(self, now: int) -> None:
        self._up_at = now
        self._go(Phase.TALKING)
        self._listen("tones")
        self._tell(told.Answered())

    def _end(self, now: int, cause: int, by: By, *, retry: bool = False) -> None:
        """The call is over; what rings may go on ringing, unheard."""
        if self.phase in _RINGING and not self._off_hook:
            self._go(Phase.REFUSED, self._phase_due)
            self._listen()
        else:
            self._put_down(now)
        self._release(cause, by, retry=retry, called=self._number)

    def _put_down(self, now: int) -> None:
        """Be on hook, and leave the exchange the time to see it."""
        self._send_tone("")
        self._off_hook = False
        self._give(Order.ON_HOOK)
        self._keys, self._keys_due = "", 0
        self._go(Phase.GUARD, now + GUARD_MS)
        self._listen(*self._on_hook_ears())

    def _rest(self) -> None:
        self._send_tone("")
        self._go(Phase.IDLE)
        self._keys, self._keys_due = "", 0
        self._listen(*self._on_hook_ears())

    def _on_hook_ears(self) -> tuple[do.Ear, ...]:
        return () if self._settings.cid == "none" else ("keys",)
