"""What the machines of FXO and FXS ports share: being told, timing, calling and blocking.

Everything that happens is a method with the time in ms; it returns what is to be done. ``due`` is when ``expire`` wants
to be called. Nothing that the far end does raises: what does not fit is left alone and counted as ``unexpected``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from hw.line.analog import Order, Sign
from hw.line.dsp.call_progress import Found
from hw.line.settings import LoopSettings
from hw.line.signalling import loop_actions as do
from hw.line.signalling import notices as told
from hw.line.signalling.caller_id import CallerId
from hw.line.signalling.loop_actions import Action, Ear, FxoPhase, FxsPhase, Tone
from hw.line.signalling.notices import By

#: A called party that does not answer (Q.850 cause 19) is given up after so long, whatever the control process thinks.
NO_ANSWER_MS = 180_000
NORMAL, NO_ANSWER, OUT_OF_ORDER, TEMPORARY_FAILURE = 16, 19, 27, 41


class LoopPort(ABC):
    """See the module. ``number`` is the line's or the telephone's own."""

    phase: FxoPhase | FxsPhase

    def __init__(self, number: str, settings: LoopSettings) -> None:
        self.unexpected = 0
        self._number = number
        self._settings = settings
        self._call = False
        self._closed = False
        self._fault = ""
        self._told = ""
        self._told_idle = True
        self._tone: Tone = ""
        self._ears: frozenset[Ear] = frozenset()
        self._phase_due = 0
        self._caller = CallerId()
        self._out: list[Action] = []

    @property
    @abstractmethod
    def idle(self) -> bool:
        """Whether a new call may take the port."""

    @property
    def blocked(self) -> str:
        """Why no new call may take the port; empty when one may, once it is idle."""
        return "blocked here" if self._closed else self._fault

    @property
    def due(self) -> int:
        """When ``expire`` is to be called, in ms; 0: not."""
        return self._phase_due

    # -- commands ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def show(self) -> list[Action]:
        """The card is in order (again), every port on hook."""

    @abstractmethod
    def lost(self) -> list[Action]:
        """The card is not, and every call is gone."""

    @abstractmethod
    def seize(self, now: int, called: str, caller: CallerId) -> list[Action]:
        """Call out on an idle port. Raises ``ValueError`` for a number that cannot be dialled."""

    @abstractmethod
    def alert(self, now: int) -> list[Action]:
        """It rings at the called party; does nothing where it does not fit."""

    @abstractmethod
    def answer(self, now: int) -> list[Action]:
        """The called party answers; does nothing where there is nothing to answer."""

    @abstractmethod
    def hangup(self, now: int, cause: int) -> list[Action]:
        """Clear the call, if there is one."""

    @abstractmethod
    def reset(self, now: int) -> list[Action]:
        """End the call at once and come to rest."""

    @abstractmethod
    def flash(self, now: int) -> list[Action]:
        """Press the hook for a moment. Raises ``ValueError`` where it cannot be."""

    def hush(self) -> list[Action]:
        """Send no ringback of our own (announcements are on the channel)."""
        if self._tone == "ringback":
            self._send_tone("")
        return self._done()

    def block(self, blocked: bool) -> list[Action]:
        """Take the port out of service for calls out, or back; a call on it goes on."""
        self._closed = blocked
        return self._done()

    # -- what happens --------------------------------------------------------------------------------------------------

    @abstractmethod
    def sign(self, now: int, sign: Sign) -> list[Action]:
        """The port tells something."""

    @abstractmethod
    def key(self, now: int, key: str) -> list[Action]:
        """A DTMF key is heard."""

    @abstractmethod
    def tone(self, now: int, found: Found) -> list[Action]:
        """A call-progress tone is heard, or speech."""

    @abstractmethod
    def caller_id(self, now: int, caller: CallerId) -> list[Action]:
        """A caller ID has come by FSK."""

    @abstractmethod
    def sent(self, now: int) -> list[Action]:
        """The keys or the caller ID that were to be sent are sent."""

    @abstractmethod
    def expire(self, now: int) -> list[Action]:
        """Some time is over."""

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _give(self, order: Order) -> None:
        self._out.append(do.Give(order))

    def _tell(self, notice: told.Notice) -> None:
        self._out.append(notice)

    def _send_tone(self, name: Tone) -> None:
        if name != self._tone:
            self._tone = name
            self._out.append(do.SendTone(name))

    def _listen(self, *to: Ear) -> None:
        """Listen to these; what has been listened to all the time is not begun anew."""
        if frozenset(to) != self._ears:
            self._ears = frozenset(to)
            self._out.append(do.Listen(self._ears))

    def _release(self, cause: int, by: By, *, retry: bool = False, called: str = "") -> None:
        if self._call:
            self._call = False
            self._out.append(told.Released(cause, by, retry, called, self._caller.number))

    def _done(self) -> list[Action]:
        if self.blocked != self._told:
            self._told = self.blocked
            self._out.append(told.Blocked(self._told, fault=bool(self._told) and not self._closed))
        if self.idle != self._told_idle:
            self._told_idle = self.idle
            self._out.append(told.Changed())
        done, self._out = self._out, []
        return done
