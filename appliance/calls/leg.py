"""A leg: one party's connection, trunk or phone, with one state machine.

``dialling → alerting → up → cleared`` for legs we dial, ``offered → alerting → up → cleared`` for those that come in.
The leg turns the link's events into its state and into what a coroutine can wait for; it sends the commands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

from hw.messages import (
    Accept,
    Alert,
    Alerting,
    Answer,
    Answered,
    Cleared,
    Dial,
    Digit,
    Hangup,
    LegEvent,
    Media,
    MediaOffer,
    Message,
    Proceed,
    Proceeding,
    Progress,
    Refer,
    ReferResult,
)

Phase = Literal["offered", "dialling", "alerting", "up", "cleared"]

#: A party is on hold for one who sends only, or nothing (RFC 3264 §8.4).
HELD = ("sendonly", "inactive")

#: Keys pressed ahead that are kept until somebody asks.
TYPE_AHEAD = 32


class NotAnswered(Exception):
    """The one we called did not answer; ``cause`` is Q.850 (17 busy, 18/19 no answer, 20 not registered, …)."""

    def __init__(self, cause: int, *, rang: bool = False) -> None:
        """``rang``: it was reached, if only for a moment."""
        super().__init__(f"not answered, cause {cause}")
        self.cause = cause
        self.rang = rang


class Audio(Protocol):
    """What a leg needs of its RTP port in the line process."""

    async def open_rtp(self, port: str) -> Media:
        """Our address and codecs."""
        ...

    def set_rtp(self, port: str, remote: Media) -> None:
        """Tell it the far end's."""
        ...

    def close_rtp(self, port: str) -> None:
        """Close it."""
        ...


class Leg:
    """One party. ``seat`` is the phone's account when the party is one of our phones, empty otherwise; ``group`` the
    trunk group that its call is counted for, empty for none.
    """

    def __init__(
        self,
        leg_id: str,
        line: str,
        number: str,
        *,
        incoming: bool,
        process: Literal["line", "phone"],
        send: Callable[[Message], None],
        audio: Audio | None,
        media: Media | None = None,
        channel: int | None = None,
        phase: Phase | None = None,
        group: str = "",
        via: str = "",
    ) -> None:
        """``send`` goes to ``process``, which has the leg; ``audio`` is given for legs whose audio is RTP. ``via`` is
        the line to dial, where that is not ``line``: the one that has an analog telephone.
        """
        self.id = leg_id
        self.line = line
        self.number = number
        self.incoming = incoming
        self.process = process
        self.channel = channel
        self.group = group
        self._via = via or line
        self.phase: Phase = phase or ("offered" if incoming else "dialling")
        self.cause = 0
        self.by: Literal["far", "us", "fault"] = "far"
        self.held = False
        #: The far end sends audio before its answer: ringing, announcements.
        self.early = False
        #: Whether the one we dial has rung, if only for a moment.
        self.rang = False
        self.digits: deque[Digit] = deque(maxlen=TYPE_AHEAD)
        self.digits_ignored = 0
        #: Called after every change: what bridges and views wait for.
        self.on_change: Callable[[LegEvent], None] = lambda _: None
        self._send = send
        self._audio = audio
        self._far = media
        self._local: Media | None = None
        self._changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.since = self.began = loop.time()
        self._cleared: asyncio.Future[int] = loop.create_future()

    @property
    def seat(self) -> str:
        """The phone's account, or empty for trunks."""
        return self.number if self.line == "phones" else ""

    @property
    def alive(self) -> bool:
        """Not cleared yet."""
        return self.phase != "cleared"

    def elapsed_ms(self) -> float:
        """Milliseconds since the leg began."""
        return (asyncio.get_running_loop().time() - self.began) * 1000

    # -- commands ------------------------------------------------------------------------------------------------------

    async def dial(self, caller: str, name: str = "", *, restricted: bool = False) -> None:
        """Send the call out; RTP legs open their port first and offer it. ``restricted``: the caller is not shown."""
        if self._audio is not None:
            self._local = await self._audio.open_rtp(self.id)
        if self.alive:
            self._send(Dial(self.id, self._via, self.number, caller, name, self._local, restricted))

    def proceed(self) -> None:
        """Tell the caller that the call is handled."""
        self._send(Proceed(self.id))

    def alert(self) -> None:
        """Let the caller hear ringing."""
        if self.phase == "offered":
            self._send(Alert(self.id))
            self.phase = "alerting"

    async def answer(self) -> None:
        """Answer an incoming leg; does nothing when it is up already."""
        if self.phase not in ("offered", "alerting"):
            return
        await self._open_far_media()
        self._send(Answer(self.id, self._local))
        self._enter("up")

    async def early_media(self) -> None:
        """Let an incoming leg hear us before the answer (Q.931 PROGRESS, SIP 183)."""
        if self.phase in ("offered", "alerting"):
            await self._open_far_media()
            self._send(Progress(self.id, self._local))

    async def _open_far_media(self) -> None:
        if self._audio is not None and self._local is None:
            self._local = await self._audio.open_rtp(self.id)
            if self._far is not None:
                self._audio.set_rtp(self.id, self._far)

    def hangup(self, cause: int = 16) -> None:
        """Clear the leg; ``Cleared`` comes when the channel is free. Does nothing when it is cleared."""
        if self.alive:
            self._send(Hangup(self.id, cause))

    def refer_result(self, status: int) -> None:
        """Tell a phone how the transfer it asked for goes (a SIP status)."""
        if self.alive:
            self._send(ReferResult(self.id, status))

    async def readopt(self) -> None:
        """After a restart of the control process: learn our RTP address again."""
        if self._audio is not None:
            self._local = await self._audio.open_rtp(self.id)

    # -- events --------------------------------------------------------------------------------------------------------

    def handle(self, event: LegEvent) -> None:
        """Take one event of this leg from the link."""
        if not self.alive:
            return
        match event:
            case Proceeding(channel=channel):
                self.channel = channel or self.channel
            case Alerting(media=media) | Progress(media=media):
                self._learn(media)
                self.early |= isinstance(event, Progress) or media is not None
                if self.phase == "dialling" and isinstance(event, Alerting):
                    self.rang = True
                    self._enter("alerting")
            case Answered(media=media):
                self._learn(media)
                self._enter("up")
            case Cleared(cause=cause, by=by):
                self.cause, self.by = cause, by
                if self._audio is not None:
                    self._audio.close_rtp(self.id)
                self._enter("cleared")
                self._cleared.set_result(cause)
            case Digit():
                self.digits_ignored += len(self.digits) == TYPE_AHEAD
                self.digits.append(event)
            case MediaOffer(media=media):
                self._accept(media)
            case Refer():
                pass  # the bridge that listens to on_change decides
        self._changed.set()
        self.on_change(event)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.since = asyncio.get_running_loop().time()
        self._changed.set()

    def _learn(self, media: Media | None) -> None:
        if media is not None and self._audio is not None:
            self._far = media
            self._audio.set_rtp(self.id, media)

    def _accept(self, offer: Media) -> None:
        """Answer a re-INVITE."""
        self._learn(offer)
        self.held = offer.direction in HELD
        mirrored: dict[str, Literal["sendrecv", "sendonly", "recvonly", "inactive"]] = {
            "sendonly": "recvonly",
            "recvonly": "sendonly",
            "inactive": "inactive",
        }
        if self._local is not None:
            local = self._local
            answer = Media(
                local.address,
                local.port,
                local.codecs,
                local.telephone_event,
                mirrored.get(offer.direction, "sendrecv"),
                local.ptime_ms,
            )
            self._send(Accept(self.id, answer))

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Wait for the next change of any kind."""
        self._changed.clear()
        await self._changed.wait()

    async def answered(self) -> None:
        """Wait until the leg is up. Raises ``NotAnswered`` when it is cleared first."""
        while self.phase != "up":
            if not self.alive:
                raise NotAnswered(self.cause, rang=self.rang)
            await self.changed()

    async def cleared(self) -> int:
        """Wait until the leg is gone; its cause."""
        return await asyncio.shield(self._cleared)
