"""A call: what a service holds of a contact. It answers, says, asks, dials, joins, records, goes on to the next.

A service is a coroutine that drives its call in plain sequence; when the caller hangs up it is cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol

from sqlalchemy import Executable

from appliance.calls import records
from appliance.calls.audio import AudioError, LineAudio, Recording
from appliance.calls.leg import Leg, NotAnswered
from appliance.events.types import DigitIgnored, Event, LegAnswered, LegDialled, OneWay, PromptFailed
from hw.messages import PlayItem

State = Literal["offered", "ringing", "service", "queued", "talking", "held"]

#: Q.850: bearer capability not implemented.
_NOT_IMPLEMENTED = 65

__all__ = ["Call", "EndCall", "GoTo", "Host", "NotAnswered", "Service", "State"]


class GoTo(BaseException):
    """Ends a service and begins the next. Not an ``Exception``: a service must not catch it."""

    def __init__(self, destination: str) -> None:
        super().__init__(destination)
        self.destination = destination


class EndCall(BaseException):
    """Ends a service and the call with a cause."""

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


class Host(Protocol):
    """What the switchboard lends its calls."""

    audio: LineAudio
    language: str
    music: Sequence[PlayItem]
    ring_s: float

    def now(self) -> float:
        """Wall clock, epoch seconds."""
        ...

    def record(self, event: Event, contact: str, changes: Sequence[Executable]) -> None:
        """Append an event with the changes that belong to it."""
        ...

    def two_way(self, line: str) -> bool:
        """Whether one can talk over a line, or only hear and speak in turn."""
        ...

    def seat_busy(self, seat: str) -> bool:
        """Whether a phone has a call already."""
        ...

    def new_leg(self, call: Call, line: str, number: str, group: str = "") -> Leg:
        """A leg to be dialled. Raises ``NotAnswered`` (41) when its process is away."""
        ...

    def route_from_seat(self, number: str, seat: str) -> str:
        """Where a number leads that a seat dials."""
        ...

    async def speak(self, prompt: str, values: Mapping[str, Any], language: str) -> Sequence[Path]:
        """Sound files that say a prompt; nothing when nobody can."""
        ...

    async def join(self, call: Call, peer: Leg) -> str:
        """Bridge a call with a leg until it is over; why."""
        ...

    def joined(self, call: Call, peer: Leg) -> None:
        """Tell the plugins that two talk."""
        ...


class Call:
    """One contact's call. ``data`` is carried from service to service; times are epoch seconds."""

    def __init__(
        self, host: Host, leg: Leg, contact: str, *, called: str, caller: str, name: str
    ) -> None:
        self._host = host
        self._audio = host.audio
        self.leg = leg
        self.contact = contact
        self.called = called
        self.caller = caller
        self.name = name
        self.language = host.language
        self.data: dict[str, Any] = {}
        self.destination = ""
        self.offered_at = host.now()
        self.peer: Leg | None = None
        self.agent = ""
        self.talked = False
        self.legs: list[Leg] = [leg]
        self.recordings: list[Recording] = []
        self.state_since = self.offered_at
        self._state: State = "offered"
        self._player = ""

    # -- who and where -------------------------------------------------------------------------------------------------

    @property
    def line(self) -> str:
        """The trunk the caller came by, or ``phones``."""
        return self.leg.line

    @property
    def two_way(self) -> bool:
        """Whether the caller can talk with somebody: False on a line whose audio goes one way at a time."""
        return self._host.two_way(self.leg.line)

    @property
    def channel(self) -> int | None:
        """The bearer channel the caller came by."""
        return self.leg.channel

    @property
    def seat(self) -> str:
        """The account when the caller is one of our phones, else empty."""
        return self.leg.seat

    @property
    def state(self) -> State:
        """What the console shows of the call."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state != self._state:
            self._state, self.state_since = state, self._host.now()

    def emit(self, event: Event, *changes: Executable) -> None:
        """Append an event of this contact, with the changes that belong to it."""
        self._host.record(event, self.contact, changes)

    # -- the caller's line ---------------------------------------------------------------------------------------------

    async def ring(self) -> None:
        """Let the caller hear ringing, unless answered already."""
        self.leg.alert()
        if self.leg.phase == "alerting":
            self.state = "ringing"

    async def answer(self) -> None:
        """Answer the caller; does nothing when he is answered."""
        if self.leg.phase == "up":
            return
        await self.leg.answer()
        self.state = "service"
        self.emit(
            LegAnswered(self.leg.id, self.leg.elapsed_ms()),
            *records.leg_answered(self.leg, self.contact, self._host.now()),
        )

    def go(self, destination: str) -> NoReturn:
        """End this service; the next one is ``destination`` (``queue:service``)."""
        raise GoTo(destination)

    def hangup(self, cause: int = 16) -> NoReturn:
        """End the call with a Q.850 cause."""
        raise EndCall(cause)

    # -- sound ---------------------------------------------------------------------------------------------------------

    async def say(self, prompt: str, *, until_digit: bool = False, **values: Any) -> str:
        """Say a prompt with its values; returns the key that stopped it, or nothing.

        A prompt that cannot be said is recorded as ``prompt.failed`` and passed over. A key pressed ahead stops it
        before it begins.
        """
        if until_digit and self.leg.digits:
            return self.leg.digits.popleft().digit
        paths = await self._host.speak(prompt, values, self.language)
        if not paths:
            self.emit(PromptFailed(prompt, f"no speech for it in {self.language}"))
            return ""
        played = await self._play([PlayItem("clip", str(path)) for path in paths], until_digit=until_digit)
        if played == "missing":
            self.emit(PromptFailed(prompt, "a clip could not be read"))
        return await self.digit(1.0) if played == "digit" else ""

    async def tone(self, name: str, ms: int) -> None:
        """Play a tone of the plan (``busy``, ``ringback``, …) for ``ms``."""
        await self._play([PlayItem("tone", name, ms)])

    def music(self) -> None:
        """Play the site's music until something else is played or the caller talks."""
        self._player, _ = self._audio.play(self.leg.id, self._host.music, loop=True)

    async def stop_playing(self) -> None:
        """Stop what is playing to the caller."""
        self._audio.stop(self.leg.id, self._player)

    async def _play(self, items: list[PlayItem], *, until_digit: bool = False) -> str:
        self._player, end = self._audio.play(self.leg.id, items, until_digit=until_digit)
        try:
            return (await end).reason
        except asyncio.CancelledError:
            self._audio.stop(self.leg.id, self._player)
            raise

    # -- keys ----------------------------------------------------------------------------------------------------------

    def clear_digits(self) -> None:
        """Forget keys that were pressed ahead; each is counted as one nobody asked for."""
        for _ in range(len(self.leg.digits)):
            self.emit(DigitIgnored(self.leg.id))
        self.leg.digits.clear()

    async def digit(self, timeout_s: float) -> str:
        """The next key, or nothing after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.leg.digits:
                    await self.leg.changed()
        except TimeoutError:
            return ""
        return self.leg.digits.popleft().digit

    async def ask(
        self, prompt: str, *, digits: range, end: str = "#", timeout_s: float = 5.0, secret: bool = False, **values: Any
    ) -> str:
        """Say a prompt and take keys until ``end``, the greatest length in ``digits``, or ``timeout_s`` between keys.

        Shorter than the least length: returns nothing. ``secret``: recordings write silence meanwhile.
        """
        for recording in self.recordings if secret else ():
            recording.pause(True)
        try:
            keys = await self.say(prompt, until_digit=True, **values)
            while end not in keys and len(keys) < digits.stop - 1:
                key = await self.digit(timeout_s)
                if not key:
                    break
                keys += key
            keys = keys.partition(end)[0] if end else keys
            return keys if len(keys) >= digits.start else ""
        finally:
            for recording in self.recordings if secret else ():
                recording.pause(False)

    # -- other parties -------------------------------------------------------------------------------------------------

    def need_two_way(self) -> None:
        """Before somebody is called for the caller: on a line where they could not talk the call ends (cause 65).

        What can be said about it has to be said before.
        """
        if not self.two_way:
            self.emit(OneWay(self.leg.id, self.line))
            self.go(f"hangup:{_NOT_IMPLEMENTED}")

    async def dial_seat(
        self, seat: str, *, ring_s: float, display: str = "", on_alerting: Callable[[], None] | None = None
    ) -> Leg:
        """Ring a phone until it answers. Raises ``NotAnswered``; a cancelled dial stops the ringing."""
        self.need_two_way()
        if self._host.seat_busy(seat):
            raise NotAnswered(17)
        leg = self._host.new_leg(self, "phones", seat)
        return await self._dial(leg, self.caller, display or self.name, ring_s, on_alerting)

    async def dial_out(
        self, line: str, number: str, *, ring_s: float, caller: str = "", restricted: bool = False, group: str = "",
        on_alerting: Callable[[], None] | None = None,
    ) -> Leg:  # fmt: skip
        """Call an outside number over a trunk, whose tones before the answer are heard. Raises ``NotAnswered``.

        ``group`` is the trunk group that it is counted for; ``restricted``: the called party is not shown ``caller``.
        """
        leg = self._host.new_leg(self, line, number, group)
        return await self._dial(leg, caller, "", ring_s, on_alerting, outside=True, restricted=restricted)

    async def _dial(
        self, leg: Leg, caller: str, name: str, ring_s: float, on_alerting: Callable[[], None] | None,
        *, outside: bool = False, restricted: bool = False,
    ) -> Leg:  # fmt: skip
        dialled = LegDialled(leg.id, leg.line, leg.number, leg.group)
        self.emit(dialled, records.leg_began(leg, self.contact, self._host.now()))
        try:
            async with asyncio.timeout(ring_s):
                await leg.dial(caller, name, restricted=restricted)
                while leg.phase == "dialling" and not (outside and leg.early):
                    await leg.changed()
                if leg.rang and on_alerting is not None:
                    on_alerting()
                while outside and leg.phase in ("dialling", "alerting") and not leg.early:
                    await leg.changed()
                if outside and leg.phase in ("dialling", "alerting"):
                    await self.leg.early_media()
                    self._audio.mix(self.leg.id, {leg.id: 1.0})
                await leg.answered()
        except TimeoutError:
            leg.hangup(16)
            raise NotAnswered(19, rang=True) from None
        except AudioError:
            leg.hangup(41)
            raise NotAnswered(41) from None
        except asyncio.CancelledError:
            leg.hangup(16)
            raise
        self.emit(
            LegAnswered(leg.id, leg.elapsed_ms()), *records.leg_answered(leg, self.contact, self._host.now())
        )
        return leg

    async def bridge(self, peer: Leg, *, agent: str = "") -> str:
        """Join the caller with ``peer`` until it is over: ``peer`` hung up, or ``fault`` when the peer's phone is gone.

        Hold, resume and transfers happen inside; a transfer that goes to another service leaves by ``go``.
        """
        self.need_two_way()
        self.agent = agent
        try:
            return await self._host.join(self, peer)
        finally:
            self.agent = ""

    async def record(self, path: Path) -> Recording:
        """Begin a recording: left what the caller says, right what he hears."""
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        recording = self._audio.record(self.leg.id, path)
        self.recordings.append(recording)
        return recording

    def adopt_recording(self, path: Path) -> Recording:
        """Take over the recording to ``path`` that the line process kept while the control process was away."""
        recording = self._audio.adopt_recording(self.leg.id, path)
        self.recordings.append(recording)
        return recording


#: What answers a destination: drives the call in plain sequence; hanging up cancels it.
Service = Callable[[Call, str], Awaitable[None]]


def new_contact_id(now: float) -> str:
    """An id that sorts by time and is unique in a site: milliseconds in hex, then a random part."""
    return f"{int(now * 1000):011x}{time.monotonic_ns() & 0xFFFFF:05x}"
