"""One channel with R2 line signalling (Q.411 to Q.422) and its registers: a pure state machine for both directions.

Everything that happens is a method with the time in ms; it returns what is to be done. ``due`` is when ``expire`` wants
to be called. Nothing that the far end does raises: what does not fit is left alone (``unexpected`` counts it), ends the
call, or blocks the channel with a reason until the far end shows a state that fits.
"""

from __future__ import annotations

from hw.line.signalling import r2_actions as do
from hw.line.signalling import r2_codes as r2
from hw.line.signalling.r2_actions import Action, By, Phase, Rules, Tone
from hw.line.signalling.r2_register import BackwardRegister, ForwardRegister

#: From the end of the group B signal to the answer signal, so that the caller's register is gone.
_ANSWER_DELAY = 150


class R2Channel:
    """See the module. ``blocked`` says why no new call may take the channel, though it carries none; empty: it may."""

    def __init__(self, rules: Rules) -> None:
        self.phase = Phase.IDLE
        self.unexpected = 0
        self._rules = rules
        self._register: ForwardRegister | BackwardRegister | None = None
        self._signal = 0
        self._numbers = self._received = ("", "")
        self._call = False
        self._cause = r2.NORMAL
        self._by: By = "far"
        self._fault = ""
        self._closed = False
        self._shown = self._rx = self._coming = -1
        self._recognise_at = self._phase_due = self._answer_due = self._close_due = 0
        self._early_answer = self._clear_at_once = self._double_seizure = False
        self._tone: Tone = ""
        self._told = "no line signals yet"
        self._out: list[Action] = []

    @property
    def known(self) -> bool:
        """Whether the far end has shown its bits since the line is there."""
        return self._rx >= 0

    @property
    def idle(self) -> bool:
        """Whether a new call may take the channel."""
        return self.phase is Phase.IDLE and not self.blocked

    @property
    def blocked(self) -> str:
        """Why no new call may take the channel; empty when one may, once it is idle."""
        if self._closed:
            return "blocked here"
        if self._fault:
            return self._fault
        if self._rx < 0:
            return "no line signals yet"
        if self.phase is Phase.IDLE and self._rx == r2.AB_ACK:
            return "blocked by the far end"
        return "the far end shows answer" if self.phase is Phase.IDLE and self._rx == r2.AB_ANSWER else ""

    @property
    def due(self) -> int:
        """When ``expire`` is to be called, in ms; 0: not."""
        register = self._register.due if self._register is not None else 0
        times = (self._recognise_at, self._phase_due, self._answer_due, self._close_due, register)
        return min((time for time in times if time), default=0)

    # -- commands ------------------------------------------------------------------------------------------------------

    def show(self) -> list[Action]:
        """The line is there (again): show idle, or blocked."""
        self._line(r2.BLOCKED if self._closed else r2.IDLE)
        return self._done()

    def lost(self) -> list[Action]:
        """The line is gone, and every call with it; its bits are not known until they come again."""
        self._settle()
        self._cause, self._by = r2.OUT_OF_ORDER, "fault"
        self._release()
        self._rx = self._coming = self._shown = -1
        self._recognise_at = 0
        self._fault = ""
        return self._done()

    def seize(self, now: int, called: str, caller: str) -> list[Action]:
        """Call out on an idle channel. Raises ``ValueError`` for a number that R2 cannot carry."""
        if not called:
            raise ValueError("a number has a digit or more")
        r2.codes_of(called + caller)
        assert self.idle, self.phase
        self._numbers = called, caller
        self._begin(Phase.SEIZING, now + r2.ACKNOWLEDGE)
        self._line(r2.SEIZE)
        return self._done()

    def alert(self, now: int) -> list[Action]:
        """It rings at the called party (KB1), the first time; does nothing in any other phase."""
        if self.phase is Phase.OFFERED:
            self._reply_free(now)
        return self._done()

    def answer(self, now: int) -> list[Action]:
        """The called party answers; does nothing where there is nothing to answer."""
        if self.phase is Phase.OFFERED:
            self._reply_free(now)
        if self.phase is Phase.ALERTING:
            self._go(Phase.ANSWERED)
            self._call_tone("")
            if self._register is None:
                self._line(r2.ANSWER)
        return self._done()

    def hush(self) -> list[Action]:
        """Send no ringback to the caller (announcements are on the channel)."""
        self._call_tone("")
        return self._done()

    def hangup(self, now: int, cause: int) -> list[Action]:
        """Clear the call, unless it is being cleared."""
        match self.phase:
            case Phase.SEIZING:
                self._cause, self._by, self._clear_at_once = cause, "us", True
            case Phase.SENDING | Phase.ACCEPTED | Phase.TALKING:
                self._clear_forward(now, cause, "us")
            case Phase.RECEIVING | Phase.OFFERED:
                assert isinstance(self._register, BackwardRegister)
                if self.phase is Phase.OFFERED:
                    self._register.reply(now, r2.kb_of(cause))
                else:
                    self._register.give_up(now)
                self._wait_clear_forward(now, cause, "us")
            case Phase.ALERTING:
                self._drop_register()
                self._wait_clear_forward(now, cause, "us")
                self._call_tone("busy" if cause == r2.BUSY else "congestion")
            case Phase.ANSWERED:
                self._drop_register()
                self._wait_clear_forward(now, cause, "us")
                self._line(r2.CLEAR_BACK)
        return self._done()

    def reset(self, now: int) -> list[Action]:
        """End the call at once, and bring the channel back to idle if the far end does so too."""
        self._settle()
        self._cause, self._by = r2.TEMPORARY_FAILURE, "us"
        self._release()
        self._fault = ""
        self._line(r2.IDLE)
        if self._rx not in (r2.AB_IDLE, -1):
            self._go(Phase.RELEASING, now + r2.RELEASE)
        elif self._closed:
            self._close_due = now + r2.IDLE_FIRST
        return self._done()

    def block(self, now: int, blocked: bool) -> list[Action]:
        """Take the channel out of service, or back; a call on it goes on, and the far end is shown it afterwards."""
        self._closed = blocked
        if self.phase is Phase.IDLE:
            self._close_due = 0
            self._line(r2.BLOCKED if blocked else r2.IDLE)
        return self._done()

    # -- what happens --------------------------------------------------------------------------------------------------

    def bits(self, now: int, bits: int) -> list[Action]:
        """The far end's bits have changed; they count when they stand for the recognition time (at first at once)."""
        self._coming = bits & r2.AB_MASK
        if self._rx < 0:
            self._rx = self._coming
            self._recognised(now)
        else:
            self._recognise_at = now + r2.RECOGNITION if self._coming != self._rx else 0
        return self._done()

    def hear(self, now: int, signal: int) -> list[Action]:
        """The register hears another signal, or the end of it (0)."""
        if self._register is not None:
            self._register.hear(now, signal)
            self._after_register(now)
        return self._done()

    def expire(self, now: int) -> list[Action]:
        """Some time is over."""
        if 0 < self._recognise_at <= now:
            self._recognise_at = 0
            self._rx = self._coming
            self._recognised(now)
        if 0 < self._answer_due <= now:
            self._answer_due = 0
            self._line(r2.ANSWER)
        if 0 < self._close_due <= now:
            self._close_due = 0
            self._line(r2.BLOCKED)
        if self._register is not None and self._register.due <= now:
            self._register.expire(now)
            self._after_register(now)
        if 0 < self._phase_due <= now:
            self._phase_due = 0
            self._phase_over(now)
        return self._done()

    def _recognised(self, now: int) -> None:
        """The far end shows another line signal."""
        match self.phase:
            case Phase.IDLE:
                if self._rx == r2.AB_SEIZED:
                    self._seized(now)
            case Phase.SEIZING | Phase.HELD:
                self._while_seizing(now)
            case Phase.SENDING | Phase.ACCEPTED | Phase.TALKING:
                self._while_out(now)
            case Phase.RELEASING:
                self._while_releasing(now)
            case _:
                if self._rx == r2.AB_IDLE:  # clear forward
                    self._free(now)
                else:
                    self.unexpected += 1

    def _seized(self, now: int) -> None:
        rules = self._rules
        self._register = BackwardRegister(
            now, called_digits=rules.called_digits, pause_ms=rules.pause_ms, caller_wanted=rules.caller_wanted,
            refuse=r2.CONGESTION if self._closed else 0,
        )  # fmt: skip
        self._begin(Phase.RECEIVING)
        self._out += [do.Seized(), do.Attach(forward=False)]
        self._close_due = 0
        self._fault = ""
        self._line(r2.SEIZE_ACK)

    def _while_seizing(self, now: int) -> None:
        if self._rx == r2.AB_ACK and self.phase is Phase.SEIZING and not self._clear_at_once:
            self._register = ForwardRegister(now, *self._numbers)
            self._go(Phase.SENDING)
            self._out += [do.Acknowledged(), do.Attach(forward=True)]
        elif self._rx == r2.AB_ACK:
            self._clear_forward(now, self._cause, self._by)
        elif self._rx == r2.AB_SEIZED and self.phase is Phase.SEIZING:
            self._double_seizure = True
            self._phase_due = now + r2.DOUBLE_SEIZURE
        elif self._rx == r2.AB_SEIZED:
            self._clear_forward(now, self._cause, self._by)
        else:
            self.unexpected += 1

    def _while_out(self, now: int) -> None:
        answered = self.phase is Phase.TALKING or self._early_answer
        if self._rx == r2.AB_ANSWER and self.phase is Phase.ACCEPTED:
            self._go(Phase.TALKING)
            self._out.append(do.Answered())
        elif self._rx == r2.AB_ANSWER and self.phase is Phase.SENDING:
            self._early_answer = True  # the group B signal ends later than the answer comes, as we hear it
        elif self._rx == r2.AB_ANSWER or (self._rx == r2.AB_ACK and not answered):
            self.unexpected += 1
        elif self._rx in (r2.AB_ACK, r2.AB_SEIZED) and answered:  # clear back, forced release
            self._clear_forward(now, r2.NORMAL, "far")
        else:
            self._clear_forward(now, r2.TEMPORARY_FAILURE, "far")

    def _while_releasing(self, now: int) -> None:
        if self._rx == r2.AB_IDLE:
            self._free(now)
        elif self._rx == r2.AB_SEIZED:  # idle was too short to be seen
            self._free(now)
            self._seized(now)

    def _phase_over(self, now: int) -> None:
        match self.phase:
            case Phase.SEIZING:
                if not self._clear_at_once:
                    self._cause, self._by = r2.NOT_AVAILABLE, "fault"
                self._release(retry=not self._clear_at_once)
                if self._double_seizure:
                    self._clear_forward(now, self._cause, self._by)
                else:
                    self._fault = "seized, not acknowledged by the far end"
                    self._go(Phase.HELD)
            case Phase.ACCEPTED:
                self._clear_forward(now, r2.NO_ANSWER, "us")
            case Phase.OFFERED:
                self._reply_free(now)
            case Phase.RELEASING:
                self._fault = "not released by the far end"
                self._release()
            case Phase.ENDING:
                self._fault = "not cleared by the caller yet"
                self._release()
            case _:
                raise AssertionError(f"no time of {self.phase}")

    def _after_register(self, now: int) -> None:
        register = self._register
        if isinstance(register, ForwardRegister):
            if register.outcome == 0:
                self._drop_register()
                self._go(Phase.ACCEPTED, now + r2.ANSWERED)
                self._out.append(do.Accepted())
                if self._early_answer:
                    self._go(Phase.TALKING)
                    self._out.append(do.Answered())
            elif register.outcome is not None:
                by: By = "fault" if register.outcome in (r2.TIMER_EXPIRED, r2.PROTOCOL_ERROR) else "far"
                self._clear_forward(now, register.outcome, by)
        elif register is not None and register.outcome is not None:
            self._drop_register()
            if register.outcome == 0 and self.phase is Phase.ALERTING:
                self._call_tone("ringback")
            elif register.outcome == 0 and self.phase is Phase.ANSWERED:
                self._answer_due = now + _ANSWER_DELAY
            elif self.phase is not Phase.ENDING:
                self._wait_clear_forward(now, register.outcome, "fault")
        elif register is not None and register.ending_with and self.phase is Phase.RECEIVING:
            self._wait_clear_forward(now, register.ending_with, "fault")
        elif register is not None and register.waiting and self.phase is Phase.RECEIVING:
            self._go(Phase.OFFERED, now + r2.DECISION)
            self._out.append(do.Offered(register.called, register.caller, register.category))

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _begin(self, phase: Phase, due: int = 0) -> None:
        self._call, self._cause, self._by = True, r2.NORMAL, "far"
        self._early_answer = self._clear_at_once = self._double_seizure = False
        self._received = "", ""
        self._go(phase, due)

    def _go(self, phase: Phase, due: int = 0) -> None:
        self.phase, self._phase_due = phase, due

    def _reply_free(self, now: int) -> None:
        assert isinstance(self._register, BackwardRegister)
        self._register.reply(now, r2.B.FREE)
        self._go(Phase.ALERTING)

    def _clear_forward(self, now: int, cause: int, by: By) -> None:
        """End our call; the channel is free when the far end shows idle, and the call is told as over then."""
        self._drop_register()
        self._cause, self._by = cause, by
        self._line(r2.IDLE)
        self._go(Phase.RELEASING, now + r2.RELEASE)
        if self._rx == r2.AB_IDLE:
            self._free(now)

    def _wait_clear_forward(self, now: int, cause: int, by: By) -> None:
        self._cause, self._by = cause, by
        self._answer_due = 0
        self._go(Phase.ENDING, now + r2.CLEARED)

    def _free(self, now: int) -> None:
        """The far end is idle: so are we."""
        self._settle()
        self._fault = ""
        self._line(r2.IDLE)
        if self._closed:
            self._close_due = now + r2.IDLE_FIRST
        self._release()

    def _settle(self) -> None:
        self._drop_register()
        self._call_tone("")
        self._answer_due = self._close_due = 0
        self._go(Phase.IDLE)

    def _release(self, *, retry: bool = False) -> None:
        if self._call:
            self._call = False
            self._out.append(do.Released(self._cause, self._by, retry, *self._received))

    def _drop_register(self) -> None:
        if self._register is not None:
            if isinstance(self._register, BackwardRegister):
                self._received = self._register.called, self._register.caller
            self._register = None
            self._signal = 0
            self._out.append(do.Attach(forward=None))

    def _line(self, bits: int) -> None:
        if bits != self._shown:
            self._shown = bits
            self._out.append(do.SendBits(bits))

    def _call_tone(self, name: Tone) -> None:
        if name != self._tone:
            self._tone = name
            self._out.append(do.CallTone(name))

    def _done(self) -> list[Action]:
        if self._register is not None and self._register.signal != self._signal:
            self._signal = self._register.signal
            self._out.append(do.SendSignal(self._signal))
        if (self.phase is Phase.IDLE or self._fault) and self.blocked != self._told:
            self._told = self.blocked
            self._out.append(do.Blocked(self._told, fault=bool(self._fault)))
        done, self._out = self._out, []
        return done
