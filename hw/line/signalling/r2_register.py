"""The two registers of MFC-R2 (Q.440 to Q.480, variant CN): compelled signalling as pure state machines.

A register is told the time (ms) and which signal it hears (0: none); ``signal`` is what it wants sent, ``due`` when
``expire`` is to be called next, ``outcome`` None until it is through. Nothing happens in it by itself.
"""

from __future__ import annotations

from typing import Literal

from hw.line.signalling import r2_codes as r2
from hw.line.signalling.r2_codes import A, B


class ForwardRegister:
    """The caller's side. ``outcome``: 0 when the subscriber is free, else the Q.850 cause to give up with."""

    def __init__(self, now: int, called: str, caller: str, *, ka: int = r2.KA_ORDINARY, kd: int = r2.KD_LOCAL) -> None:
        """Begin with the first digit. Raises ``ValueError`` for what is no number; ``called`` has a digit or more."""
        self._called = r2.codes_of(called)
        self._caller = [*r2.codes_of(caller), r2.END]
        self._ka, self._kd = ka, kd
        self._next_called = self._next_caller = 0
        self._telling_caller = False
        self._group: Literal["A", "B"] = "A"
        self._hearing = 0
        self.outcome: int | None = None
        self.signal = 0
        self.due = 0
        self._next_digit(now)

    def hear(self, now: int, signal: int) -> None:
        """Another backward signal is heard, or its end."""
        if signal and not self._hearing:
            self._hearing = signal
            self._send(now, 0)
        elif not signal and self._hearing:
            signal, self._hearing = self._hearing, 0
            if self._group == "A":
                self._on_a(now, signal)
            else:
                self.outcome = r2.CAUSE_OF_KB.get(signal, r2.PROTOCOL_ERROR)

    def expire(self, now: int) -> None:
        """T1 or T2 is over: give up."""
        self._send(now, 0)
        self.outcome = r2.TIMER_EXPIRED

    def accepted(self) -> bool:
        """Whether the subscriber is free, were the signal that is heard now to end."""
        free = self._group == "B" and self._hearing in (B.FREE, B.FREE_CALLER_CONTROLS)
        return free or self.outcome == 0

    def _on_a(self, now: int, signal: int) -> None:
        match signal:
            case A.NEXT if self._telling_caller and self._next_caller < len(self._caller):
                self._next_caller += 1
                self._send(now, self._caller[self._next_caller - 1])
            case A.NEXT:
                self._next_digit(now)
            case A.FROM_FIRST:
                self._next_called, self._telling_caller = 0, False
                self._next_digit(now)
            case A.CALLER:
                self._telling_caller, self._next_caller = True, 0
                self._send(now, self._ka)
            case A.TO_B:
                self._group = "B"
                self._send(now, self._kd)
            case _:
                self.outcome = r2.CAUSE_OF_A.get(signal, r2.PROTOCOL_ERROR)

    def _next_digit(self, now: int) -> None:
        """The next digit of the called number; after the last one nothing is sent, and A-3 comes as a pulse."""
        self._telling_caller = False
        left = self._next_called < len(self._called)
        self._send(now, self._called[self._next_called] if left else 0)
        self._next_called += left

    def _send(self, now: int, signal: int) -> None:
        self.signal = signal
        self.due = now + (r2.T1 if signal else r2.T2)


class BackwardRegister:
    """The called side. First the called number; after its first digit, if wanted, the caller's category and number;
    then the kind of service. ``waiting``: everything is there, ``reply`` decides.

    ``called_digits``: a called number is complete with so many; 0: after a pause of ``pause_ms``. ``outcome``: 0 when
    a group B signal of a free subscriber was taken, else the Q.850 cause that the caller was refused with.
    """

    def __init__(self, now: int, *, called_digits: int, pause_ms: int, caller_wanted: bool, refuse: int = 0) -> None:
        """``refuse``: refuse the call at its first digit with this cause (42 or 1)."""
        self.called = self.caller = ""
        self.category = self.service = 0
        self.signal = 0
        self.waiting = False
        self.outcome: int | None = None
        #: The outcome that the signal which is being sent will have.
        self.ending_with: int | None = None
        self.due = now + r2.T3
        self._called_digits = called_digits
        self._pause_ms = pause_ms
        self._state: Literal["called", "category", "caller", "service", "end"] = "called"
        self._caller_wanted = caller_wanted
        self._refuse = refuse
        self._present = 0
        self._hearing = 0
        self._deaf_until = 0

    def hear(self, now: int, signal: int) -> None:
        """Another forward signal is heard, or its end."""
        self._present = signal
        if now >= self._deaf_until:
            self._heed(now)

    def reply(self, now: int, kb: B) -> None:
        """Decide the call, once, when ``waiting``."""
        self.waiting = False
        self._state, self.ending_with = "end", r2.CAUSE_OF_KB[kb]
        self._send(now, kb)

    def give_up(self, now: int) -> None:
        """Refuse the call, whatever has come of it so far: congestion, as a pulse."""
        self._state, self.ending_with = "end", r2.CONGESTION
        self._pulse(now, A.CONGESTION)

    def expire(self, now: int) -> None:
        """A time is over: a pulse ends, a number is complete by a pause, or the caller is given up."""
        if self._deaf_until:
            if self.signal:
                self.signal, self.due = 0, self._deaf_until
                return
            self._deaf_until = 0
            self.due = now + r2.T3
            if self.ending_with is not None:
                self.outcome = self.ending_with
            else:
                self._heed(now)
        elif self._state == "called" and self.called and not self._called_digits and not self._hearing:
            self._state = "service"
            self._pulse(now, A.TO_B)
        elif self.waiting:  # the caller's KD has ended before we decided
            self.waiting, self.outcome = False, r2.TIMER_EXPIRED
        elif self._state == "end":
            self.outcome = r2.TIMER_EXPIRED
        else:
            self.give_up(now)
            self.ending_with = r2.INCOMPLETE

    def _heed(self, now: int) -> None:
        if self._present and not self._hearing:
            self._hearing = self._present
            self._send(now, self._take(self._present))
        elif not self._present and self._hearing:
            self._hearing = 0
            if self.signal or not self.waiting:
                self._answered(now)

    def _answered(self, now: int) -> None:
        """The caller has seen our signal: end it. Of a number without a known length the next digit may not come."""
        self._send(now, 0)
        if self.ending_with is not None:
            self.outcome = self.ending_with
        elif self._state == "called" and not self._called_digits:
            self.due = now + self._pause_ms

    def _take(self, signal: int) -> int:
        """Understand a forward signal; returns the backward signal to it, 0 when ``reply`` will give it."""
        match self._state:
            case "called":
                if self._refuse or signal > r2.DIGIT_0:
                    self._state, self.ending_with = "end", self._refuse or r2.UNALLOCATED
                    return A.UNALLOCATED if self.ending_with == r2.UNALLOCATED else A.CONGESTION
                self.called += r2.digit_of(signal)
                if self._caller_wanted:
                    self._caller_wanted, self._state = False, "category"
                    return A.CALLER
                return self._after_digit()
            case "category":
                self.category, self._state = signal, "caller"
                return A.NEXT
            case "caller":
                if digit := r2.digit_of(signal):
                    self.caller += digit
                    return A.NEXT
                self._state = "called"
                return self._after_digit()
            case "service":
                self.service, self.waiting = signal, True
                return 0
            case _:
                return 0

    def _after_digit(self) -> int:
        if self._called_digits and len(self.called) >= self._called_digits:
            self._state = "service"
            return A.TO_B
        return A.NEXT

    def _pulse(self, now: int, signal: int) -> None:
        """Send a signal that no forward signal compels (Q.442); what is heard meanwhile waits."""
        self.signal, self.due = signal, now + r2.PULSE
        self._deaf_until = now + r2.PULSE_DEAF

    def _send(self, now: int, signal: int) -> None:
        self.signal = signal
        self.due = now + (r2.DECISION * 2 if self.waiting else r2.T3)
