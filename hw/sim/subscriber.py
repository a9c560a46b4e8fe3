"""A subscriber of the simulated exchange: a person with a telephone, scripted in Python."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import define, field

from hw.g711 import Samples
from hw.sim.exchange_audio import key_press

if TYPE_CHECKING:
    from hw.sim.exchange_line import ExchangeLine

Phase = Literal["dialling", "proceeding", "alerting", "up", "cleared"]
_ORDER: tuple[Phase, ...] = ("dialling", "proceeding", "alerting", "up", "cleared")


class CallCleared(Exception):
    """The call was cleared before what was waited for; ``cause`` is the Q.850 cause."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"cleared with cause {cause}")
        self.cause = cause


@define(eq=False)
class Subscriber:
    """One party of one call: who calls the box (``calls`` True), or whom the box calls.

    Times are the loop's, in seconds. ``heard`` counts the cycles of each voice code heard (hw.sim.pattern); ``inband``
    when the far end said that it sends tones or announcements; ``digits_wanted`` when it asked for more digits;
    ``restricted`` when the box asked that ``caller`` is not shown.
    """

    span: ExchangeLine = field(repr=False)
    #: What the span's signalling knows the call by; only the span looks at it.
    call: Any = field(repr=False)
    called: str
    caller: str
    channel: int
    calls: bool
    began: float
    phase: Phase = "dialling"
    inband: bool = False
    digits_wanted: bool = False
    restricted: bool = False
    answered_at: float | None = None
    cleared_at: float | None = None
    cause: int | None = None
    by: Literal["far", "us", "fault"] = "far"
    heard: Counter[int] = field(factory=Counter)
    _changed: asyncio.Event = field(factory=asyncio.Event, repr=False)

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def proceeding(self) -> None:
        """Until the box handles the call. Raises ``CallCleared``."""
        await self._until("proceeding")

    async def alerting(self) -> None:
        """Until it rings at the far end (or is answered at once). Raises ``CallCleared``."""
        await self._until("alerting")

    async def answered(self) -> None:
        """Until the call is up. Raises ``CallCleared``."""
        await self._until("up")

    async def cleared(self) -> int:
        """Until the call is gone; returns the cause."""
        while self.phase != "cleared":
            await self._next()
        assert self.cause is not None
        return self.cause

    async def wants_digits(self) -> None:
        """Until the far end asks for more digits. Raises ``CallCleared``."""
        while not self.digits_wanted:
            self._alive()
            await self._next()

    async def hears_tones(self) -> None:
        """Until the far end says that it sends tones or announcements. Raises ``CallCleared``."""
        while not self.inband:
            self._alive()
            await self._next()

    async def hears(self, code: int, times: int = 1) -> None:
        """Until the voice of ``code`` was heard ``times`` times. Raises ``CallCleared``."""
        while self.heard[code] < times:
            self._alive()
            await self._next()

    async def hears_anyone(self) -> None:
        """Until any voice's code is heard from now on. Raises ``CallCleared``."""
        before = self.heard.total()
        while self.heard.total() == before:
            self._alive()
            await self._next()

    async def stays(self, seconds: float) -> None:
        """Stay on the line so long. Raises ``CallCleared`` when the call ends before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.cleared()
        self._alive()

    # -- doing ---------------------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """Called party: the telephone rings (ALERTING)."""
        self.span.alert(self)

    def answer(self) -> None:
        """Called party: lift the handset (CONNECT)."""
        self.span.answer(self)

    def hangup(self, cause: int = 16) -> None:
        """Clear the call; does nothing when it is gone."""
        self.span.hangup(self, cause)

    def dial(self, digits: str) -> None:
        """Send further digits of the called number one by one (overlap sending)."""
        for digit in digits:
            self.span.dial(self, digit)

    def say(self, code: int | None) -> None:
        """Speak with the voice of ``code`` from now on; None: be silent."""
        if self.phase != "cleared" and self.channel:
            self.span.bearers.say(self.span.index(self.channel), code)

    async def press(self, keys: str) -> None:
        """Press keys, 100 ms each and 100 ms between, as tones in the timeslot; returns when they are sent."""
        for key in keys:
            await self.play(key_press(key))

    async def play(self, pcm: Samples) -> None:
        """Play 8 kHz samples once in place of the voice; returns when they are sent, or the call is gone."""
        if self.phase != "cleared" and self.channel:
            await asyncio.sleep(self.span.bearers.play(self.span.index(self.channel), pcm))

    def keep(self) -> None:
        """Keep what is heard from now on, for ``audio``."""
        self.span.bearers.keep(self.span.index(self.channel))

    @property
    def audio(self) -> Samples:
        """What was heard since ``keep``; empty once the call is gone."""
        if self.phase == "cleared":
            return np.zeros(0, np.int16)
        return self.span.bearers.kept(self.span.index(self.channel))

    # -- the exchange's side -------------------------------------------------------------------------------------------

    def reached(self, phase: Phase) -> None:
        """The call has come to ``phase`` (it never goes back)."""
        if _ORDER.index(phase) > _ORDER.index(self.phase):
            self.phase = phase
        self.notify()

    def notify(self) -> None:
        """Something has happened, or a code was heard: wake who waits."""
        self._changed.set()

    async def _until(self, phase: Phase) -> None:
        while _ORDER.index(self.phase) < _ORDER.index(phase):
            await self._next()
        self._alive()

    async def _next(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _alive(self) -> None:
        if self.phase == "cleared":
            raise CallCleared(self.cause or 0)
