"""The analog line behind a voice modem: its one call, from the first ring or digit to the hook (see ``channel_line``).

A line that is refused while it rings goes on ringing: a modem can only answer or not. It is busy until the caller has
given up.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal

from hw.line.serial import dle
from hw.line.serial.at import AtError, AtLost
from hw.line.serial.ringing import Ringing
from hw.line.serial.settings import VoiceModemSettings
from hw.line.serial.voice_modem import VoiceModem
from hw.line.signalling import notices as told
from hw.line.signalling.notices import By, Notice
from hw.line.trunk import Octets

log = logging.getLogger(__name__)

Phase = Literal["down", "idle", "ringing", "refused", "dialling", "up", "clearing"]

CHANNEL = 1
#: A call without caller ID is offered so long after its first ring.
_CALLER_ID_S = 4.0
#: An idle modem is asked so often whether it is still there.
WATCH_S = 20.0
#: ATD has so long to come to an end when it is broken off.
_ABORT_S = 2.0
#: Q.850.
_CLEARED, _BUSY, _NO_ANSWER, _OUT_OF_ORDER, _UNSPECIFIED, _NO_CIRCUIT, _NETWORK, _TEMPORARY = (
    16, 17, 19, 27, 31, 34, 38, 41,
)  # fmt: skip
#: How ATD ends without an answer (V.250 §6.3.1, V.253 §9.2.1).
_RESULTS = {"BUSY": _BUSY, "NO ANSWER": _NO_ANSWER, "NO DIALTONE": _NETWORK, "NO DIAL TONE": _NETWORK}
_DIALLABLE = re.compile(r"[0-9*#A-D,]{1,40}")


class VoiceLine:
    """One channel, and the line of it: ``channels`` is itself. ``tell`` takes its notices."""

    def __init__(self, settings: VoiceModemSettings, modem: VoiceModem, tell: Callable[[int, Notice], None]) -> None:
        self.unexpected = 0
        self._settings = settings
        self._modem = modem
        self._tell_of = tell
        self._phase: Phase = "down"
        self._wanted_blocked = False
        self._offered = False
        self._ringing = Ringing(_CALLER_ID_S if settings.caller_id else 0.0, settings.ring_gap_ms / 1000)
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._end: tuple[int, By] = (_OUT_OF_ORDER, "fault")

    @property
    def channels(self) -> Mapping[int, VoiceLine]:
        """By number."""
        return {CHANNEL: self}

    @property
    def idle(self) -> bool:
        """Whether a new call may take it."""
        return self._phase == "idle" and not self._wanted_blocked

    @property
    def blocked(self) -> str:
        """Why none may, though it carries none."""
        return "by us" if self._phase == "idle" and self._wanted_blocked else ""

    # -- commands ------------------------------------------------------------------------------------------------------

    def up(self) -> None:
        """The modem is set up."""
        self._phase = "idle"
        self._watcher = asyncio.create_task(self._watch(), name="voice modem's watch")

    def lost(self) -> None:
        """The modem is gone, or does not answer; so is the call."""
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._watcher, self._work):
            if task is not None:
                task.cancel()
        self._watcher = self._work = None
        self._modem.audio.end()
        phase, self._phase = self._phase, "down"
        self._ringing.over()
        if phase not in ("down", "idle", "refused"):
            self._tell(told.Released(*self._end))
        self._end = (_OUT_OF_ORDER, "fault")

    def hear(self, frames: Octets) -> None:
        """The modem finds its signals itself."""

    def say(self, frames: Octets) -> None:
        """The modem makes its signals itself."""

    def alert(self, number: int) -> None:
        """The exchange lets the caller hear ringback anyway."""

    def hush(self, number: int) -> None:
        """Nothing can be said before the answer."""

    def seize(self, number: str) -> None:
        """Call out. Raises ``ValueError`` for what cannot be dialled."""
        if not _DIALLABLE.fullmatch(number):
            raise ValueError(f"number {number!r}: allowed are 1 to 40 of 0-9 * # A-D and , for a pause")
        self._phase = "dialling"
        self._offered = False
        self._begin(self._dial(number))

    def answer(self, number: int) -> None:
        """Answer the call that rings."""
        if self._phase == "ringing":
            self._stop_ringing()
            self._phase = "up"
            self._begin(self._answer())

    def hangup(self, number: int, cause: int) -> None:
        """Clear the call; one that only rings is let ring."""
        if self._phase == "ringing":
            self._phase = "refused"
            self._tell(told.Released(cause, "us"))
        elif self._phase in ("dialling", "up"):
            self._clear(cause, "us")

    def reset(self, number: int) -> None:
        """Set the modem up anew; a call is gone."""
        self._end = (_TEMPORARY, "us")
        self._modem.device.port.reopen()

    def block(self, number: int, blocked: bool) -> None:
        """Take it out of service for new calls, or back."""
        self._wanted_blocked = blocked

    # -- what the modem tells ------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """A line that nobody asked for."""
        now = asyncio.get_running_loop().time()
        if text.startswith("RING"):
            self._on_ring(now)
        elif self._ringing.line(text, now):
            self._look()
        elif text in ("NO CARRIER", "BUSY") and self._phase == "up":
            self._clear(_CLEARED, "far")
        elif not text.startswith("DRO"):
            self.unexpected += 1

    def code(self, code: str) -> None:
        """A code between samples (V.253, table 14)."""
        if code == "R":
            self._on_ring(asyncio.get_running_loop().time())
        elif self._phase == "up" and code in "bdl":  # busy or dial tone, or the loop's current interrupted
            self._clear(_CLEARED, "far")
        elif self._phase == "up" and code == dle.END:
            self._clear(_UNSPECIFIED, "fault")
        elif self._phase == "dialling" and code == "b":
            self._clear(_BUSY, "far")
        elif self._phase == "dialling" and code == "r" and not self._offered:
            self._offered = True
            self._tell(told.Accepted(inband=False))

    # -- ringing -------------------------------------------------------------------------------------------------------

    def _on_ring(self, now: float) -> None:
        if self._phase not in ("idle", "ringing", "refused"):
            self.unexpected += 1
            return
        if self._ringing.ring(now) and self._phase == "idle":
            self._offered = False
            self._phase = "ringing"
            self._tell(told.Seized())
            if self._wanted_blocked:
                self._phase = "refused"
                self._released(_NO_CIRCUIT, "us")
        self._look()

    def _look(self) -> None:
        """What is due of the ringing now, and when to look again."""
        if self._phase not in ("ringing", "refused"):
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._timer is not None:
            self._timer.cancel()
        if self._ringing.silent(now) <= 0:
            phase, self._phase = self._phase, "idle"
            if phase == "ringing":
                self._released(_CLEARED, "far")
            self._stop_ringing()
            self._tell(told.Blocked(self.blocked))
            return
        waits = [self._ringing.silent(now)]
        if self._phase == "ringing" and not self._offered:
            if (wait := self._ringing.due(now)) > 0:
                waits.append(wait)
            else:
                self._offer()
        self._timer = loop.call_later(min(waits), self._look)

    def _offer(self) -> None:
        self._offered = True
        caller = self._ringing.caller
        self._tell(told.Offered(
            self._settings.number, caller.number, name=caller.name, restricted=caller.restricted
        ))  # fmt: skip

    def _stop_ringing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ringing.over()

    # -- a call's work, one thing after the other ----------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = asyncio.create_task(work, name="voice modem's call")

    async def _answer(self) -> None:
        try:
            await self._modem.off_hook()
            await self._modem.converse()
        except AtLost:
            pass
        except AtError as error:
            log.warning("%s", error)
            self._clear(_TEMPORARY, "fault")

    async def _dial(self, number: str) -> None:
        self._tell(told.Acknowledged())
        try:
            await self._modem.dial(number)
            self._phase = "up"
            self._tell(told.Answered())
            await self._modem.converse()
        except AtLost:
            pass
        except AtError as error:
            if self._phase == "dialling" and error.result in (*_RESULTS, "NO CARRIER"):
                self._clear(_RESULTS.get(error.result, _UNSPECIFIED), "far")
            elif self._phase in ("dialling", "up"):
                log.warning("%s", error)
                self._clear(_TEMPORARY, "fault")

    def _clear(self, cause: int, by: By) -> None:
        dialling, self._phase = self._phase == "dialling", "clearing"
        self._end = (cause, by)
        self._begin(self._clearing(self._work, dialling))

    async def _clearing(self, before: asyncio.Task[None] | None, dialling: bool) -> None:
        if before is not None and not before.done():
            if dialling:
                self._modem.abort()
                await asyncio.wait({before}, timeout=_ABORT_S)
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        try:
            await self._modem.on_hook()
        except AtLost:  # ``lost`` ends the call
            return
        except AtError as error:
            log.warning("the line may still be off hook: %s", error)
            self._modem.device.unhealthy()
            return
        self._phase = "idle"
        end, self._end = self._end, (_OUT_OF_ORDER, "fault")
        self._tell(told.Released(*end))

    async def _watch(self) -> None:
        """Ask an idle modem from time to time: one that hangs is to be known before somebody calls."""
        pause = WATCH_S
        while True:
            await asyncio.sleep(pause)
            pause = WATCH_S
            if self._phase == "idle":
                try:
                    await self._modem.attention()
                except AtError:
                    pause = 0.0  # until it answers, or counts as unhealthy

    def _released(self, cause: int, by: By) -> None:
        caller = self._ringing.caller
        self._tell(told.Released(cause, by, called=self._settings.number, caller=caller.number))

    def _tell(self, notice: Notice) -> None:
        self._tell_of(CHANNEL, notice)
