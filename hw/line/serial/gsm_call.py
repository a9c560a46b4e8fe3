"""The life of the one call that a GSM module has, decided without effects: what the module tells in, actions out.

What the list of calls (+CLCC) says is the truth; words that come by themselves (``NO CARRIER``) only make us look at
it, because they may belong to the call before. A second call is refused as busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from hw.line.serial.gsm_codes import CALL_ENDS, CallState, Listed, cause
from hw.line.signalling import notices as told

Phase = Literal["idle", "ringing", "offered", "answering", "up", "dialling", "alerting", "clearing"]
#: What a command was for.
Purpose = Literal["dial", "answer", "clear", "refuse", "reason", "digit"]

#: So often the list is looked at for a caller's number before the call is offered without one.
_LOOKS_FOR_NUMBER = 3
#: A call that we have answered and that rings all the same for so many looks is answered again.
_LOOKS_FOR_ANSWER = 4
#: Numbers are the same when their last digits are.
_SAME = 7
#: A command that the module refuses is tried so often.
_TRIES = 3
#: A call of ours that was accepted need not be listed at once: so many looks.
_ABSENT_LIMIT = 4
_DIALLABLE = frozenset("0123456789*#")
_USER_BUSY, _OUT_OF_ORDER, _TEMPORARY = 17, 27, 41


@frozen
class Do:
    """Give the module a command; ``result`` is called with its ``purpose``."""

    command: str
    purpose: Purpose
    timeout_s: float | None = None


@frozen
class Look:
    """Ask for the list of calls now."""


@frozen
class Audio:
    """Join the audio port, or let go of it."""

    on: bool


@frozen
class TurnedAway:
    """A second call was refused as busy."""

    caller: str
    cause: int = _USER_BUSY


Action = Do | Look | Audio | TurnedAway | told.Notice


class GsmCall:
    """One channel's machine. ``early``: audio can be joined while it rings at the called party."""

    def __init__(self, number: str, *, early: bool) -> None:
        """``number``: the module's own, the called number of calls that come in."""
        self.number = number
        self.phase: Phase = "idle"
        self.unexpected = 0
        self.withdrawn = False
        self._early = early
        self._forget()

    def _forget(self) -> None:
        self._index = 0
        self._looks = 0
        self._tries = 0
        self._absent = 0
        self._caller = ""
        self._restricted = False
        self._cause = 0
        self._by: told.By = "far"
        self._word = ""
        self._answered = self._incoming = self._audio = False
        self._turned_away: set[int] = set()

    @property
    def idle(self) -> bool:
        """Whether a new call may be made."""
        return self.phase == "idle" and not self.withdrawn

    @property
    def blocked(self) -> str:
        """Why none may, though there is none."""
        return "out of service" if self.withdrawn and self.phase == "idle" else ""

    @property
    def settled(self) -> bool:
        """Whether nothing is in motion: a message may take the module's time."""
        return self.phase in ("idle", "up")

    # -- what we do ----------------------------------------------------------------------------------------------------

    def dial(self, number: str, *, restricted: bool = False) -> list[Action]:
        """Call out; ``restricted``: the called party is not to be shown our number (CLIR, 27.007 §6.2: ``I``).

        Raises ``ValueError`` for what cannot be dialled.
        """
        if not number or set(number.removeprefix("+")) - _DIALLABLE:
            raise ValueError(f"{number!r} cannot be dialled: digits, * and #, + in front")
        self._forget()
        self.phase = "dialling"
        return [Do(f"ATD{number}{'I' if restricted else ''};", "dial", 30.0)]

    def answer(self) -> list[Action]:
        """Answer the incoming call."""
        if self.phase not in ("ringing", "offered"):
            return []
        self.phase, self._looks = "answering", 0
        return [Do("ATA", "answer", 20.0)]

    def hang_up(self, why: int) -> list[Action]:
        """Clear the call with a cause of ours."""
        if self.phase in ("idle", "clearing"):
            return []
        self._cause, self._by = why, "us"
        return self._clear()

    def lost(self) -> list[Action]:
        """The module is gone or has started anew, and its call with it."""
        return self._over(_OUT_OF_ORDER, "fault")

    # -- what the module tells -----------------------------------------------------------------------------------------

    def rings(self) -> list[Action]:
        """RING."""
        if self.phase != "idle":
            return []
        if self.withdrawn:
            return [TurnedAway(""), Do("AT+CHUP", "refuse")]
        self._forget()
        self.phase, self._incoming = "ringing", True
        return [told.Seized(), Look()]

    def caller(self, number: str, restricted: bool) -> list[Action]:
        """+CLIP."""
        if self.phase != "ringing":
            return []
        self._caller, self._restricted = number, restricted
        return self._offer()

    def word(self, text: str) -> list[Action]:
        """A word about the end of a call, or anything else that happened to one."""
        if self.phase == "idle":
            return []
        self._word = text
        return [Look()]

    def result(self, purpose: Purpose, good: bool, text: str) -> list[Action]:
        """A command was done, or refused with a result code."""
        if self.phase == "idle" or purpose in ("refuse", "digit"):
            return []
        if purpose == "reason":
            return [*self._over(cause(self._word, text, answered=False), "far"), Look()]
        if good:
            return [*([told.Acknowledged()] if purpose == "dial" and self.phase == "dialling" else []), Look()]
        if purpose == "dial" and self.phase == "dialling":
            if text not in CALL_ENDS:
                return self._over(_TEMPORARY, "fault")
            self._word = text
            return self._ended()
        if purpose == "answer" and self.phase == "answering":
            self._tries += 1
            if self._tries == _TRIES:
                self._cause, self._by, self._tries = _TEMPORARY, "fault", 0
                return self._clear()
        return [Look()]

    def listed(self, calls: Sequence[Listed]) -> list[Action]:
        """The answer to AT+CLCC."""
        actions = self._turn_away(calls)
        ours = next((call for call in calls if call.state is not CallState.WAITING), None)
        if self.phase == "idle":
            if ours is not None and ours.state is CallState.INCOMING:
                return [*actions, *self.rings()]
            return [*actions, Do("AT+CHUP", "clear")] if ours is not None else actions
        if ours is None:
            return [*actions, *self._not_there()]
        if not self._is_ours(ours):  # one call has ended and the next has come since the last look
            return [*actions, *self._not_there(), *(self.rings() if ours.state is CallState.INCOMING else [])]
        self._absent = 0
        self._word = ""
        return [*actions, *self._there(ours)]

    def _is_ours(self, call: Listed) -> bool:
        if call.incoming != self._incoming or (self._answered and call.state not in (CallState.ACTIVE, CallState.HELD)):
            return False
        # The list may have the country's code that +CLIP left out.
        return not (self._caller and call.number) or self._caller[-_SAME:] == call.number[-_SAME:]

    def _turn_away(self, calls: Sequence[Listed]) -> list[Action]:
        actions: list[Action] = []
        for call in calls:
            if call.state is CallState.WAITING and len(calls) > 1:
                if call.index not in self._turned_away:
                    self._turned_away.add(call.index)
                    actions.append(TurnedAway(call.number))
                actions.append(Do("AT+CHLD=0", "refuse"))
        return actions

    def _not_there(self) -> list[Action]:
        """Our call is not listed: over, unless the module has not come to it yet."""
        if self.phase == "dialling" and not self._index and not self._word:
            self._absent += 1
            if self._absent < _ABSENT_LIMIT:
                return []
        if self.phase == "clearing":
            return self._over(self._cause, self._by) if self._cause else []  # without: +CEER is still to be answered
        return self._ended()

    def _there(self, call: Listed) -> list[Action]:
        self._index = call.index
        match self.phase:
            case "ringing" if call.state is CallState.INCOMING:
                self._looks += 1
                self._caller = self._caller or call.number
                return self._offer() if self._caller or self._looks >= _LOOKS_FOR_NUMBER else []
            case "answering" if call.state is CallState.ACTIVE:
                self.phase, self._answered = "up", True
                return self._join()
            case "answering" if call.state is CallState.INCOMING:
                self._looks += 1
                return [Do("ATA", "answer", 20.0)] if self._tries or self._looks % _LOOKS_FOR_ANSWER == 0 else []
            case "dialling" if call.state is CallState.ALERTING:
                self.phase = "alerting"
                return [told.Accepted(inband=self._early), *(self._join() if self._early else [])]
            case "dialling" | "alerting" if call.state is CallState.ACTIVE:
                self.phase, self._answered = "up", True
                return [told.Answered(), *self._join()]
            case "clearing" if self._cause and self._tries < _TRIES:
                return self._clear()
            case "clearing" if self._cause:  # it does not let go: whoever looks next while we are idle clears it
                return self._over(self._cause, self._by)
        return []

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _offer(self) -> list[Action]:
        self.phase = "offered"
        return [told.Offered(self.number, self._caller, restricted=self._restricted)]

    def _join(self) -> list[Action]:
        joined, self._audio = self._audio, True
        return [] if joined else [Audio(True)]

    def _clear(self) -> list[Action]:
        self.phase = "clearing"
        self._tries += 1
        return [Do("AT+CHUP", "clear", 20.0)]

    def _ended(self) -> list[Action]:
        """The far end has cleared. Why, is asked where it is not plain: for calls of ours that were not answered."""
        known = self._answered or self._incoming
        if known or self._word in ("BUSY", "NO ANSWER"):
            return self._over(cause(self._word, "", answered=known), "far")
        self.phase = "clearing"
        return [Do("AT+CEER", "reason")]

    def _over(self, why: int, by: told.By) -> list[Action]:
        if self.phase == "idle":
            return []
        audio: list[Action] = [Audio(False)] if self._audio else []
        released = told.Released(why, by, called=self.number, caller=self._caller)
        self._forget()
        self.phase = "idle"
        return [*audio, released]
