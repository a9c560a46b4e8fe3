"""A bridge: two legs that talk, with hold, resume, keys and transfers, until one is gone."""

from __future__ import annotations

import asyncio

from appliance.calls import records, transfer
from appliance.calls.call import Call, Host
from appliance.calls.leg import Leg
from appliance.events.types import Bridged, Held, Unbridged
from hw.messages import Cleared, Digit, Flash, LegEvent, MediaOffer, PlayItem, Refer


async def run(call: Call, peer: Leg, host: Host, *, adopted: bool = False) -> str:
    """Join ``call``'s caller with ``peer``; a transfer inside puts another peer in its place.

    Returns ``peer`` when the peer hung up, ``fault`` when it vanished. Raises ``GoTo`` when a transfer leads to a
    service. A caller who hangs up cancels it.
    """
    await call.answer()
    await call.stop_playing()
    call.clear_digits()
    while True:
        over = await _Talk(call, peer, host).run(adopted)
        if not isinstance(over, Refer):
            return over
        peer = await transfer.blind(call, peer, over.to, host)
        adopted = False


class _Talk:
    """One pair of legs while they talk."""

    def __init__(self, call: Call, peer: Leg, host: Host) -> None:
        self._call = call
        self._peer = peer
        self._host = host
        self._audio = host.audio
        self._signals: asyncio.Queue[tuple[Leg, LegEvent]] = asyncio.Queue()
        self._music: dict[str, str] = {}

    async def run(self, adopted: bool) -> str | Refer:
        call, peer = self._call, self._peer
        for leg in (call.leg, peer):
            leg.on_change = lambda event, leg=leg: self._signals.put_nowait((leg, event))  # type: ignore[misc]
            leg.digits.clear()
        self._join(peer, call.leg)
        self._join(call.leg, peer)
        call.peer, call.talked, call.state = peer, True, "talking"
        if adopted:
            self._take_up()
        else:
            self._record_bridged()
        began = asyncio.get_running_loop().time()
        reason = "caller"
        try:
            if not adopted:
                self._host.joined(call, peer)
            over = await self._converse()
            reason = "transfer" if isinstance(over, Refer) else over
            return over
        finally:
            self._part(reason, (asyncio.get_running_loop().time() - began) * 1000)

    async def _converse(self) -> str | Refer:
        if not self._peer.alive:
            return _reason(self._peer)
        while True:
            leg, event = await self._signals.get()
            other = self._call.leg if leg is self._peer else self._peer
            match event:
                case Cleared() if leg is self._peer:
                    return _reason(leg)
                case MediaOffer():
                    self._hold(leg, other)
                case Flash() if leg.seat:  # an analog telephone has no other way to hold, and to come back
                    leg.held = not leg.held
                    self._hold(leg, other)
                case Digit(source="rfc4733" | "info") as key:
                    self._audio.send_digits(other.id, key.digit)  # in-band keys go over in the audio itself
                case Refer() as refer if leg is self._peer:
                    return refer
                case Refer() as refer:
                    transfer.refuse(self._call, leg, refer.to)
                case _:
                    pass
            leg.digits.clear()

    def _join(self, hearer: Leg, speaker: Leg) -> None:
        self._audio.mix(hearer.id, {speaker.id: 1.0})

    def _take_up(self) -> None:
        """After a restart: music that is still played, by a player nobody knows, ends; who holds goes on holding."""
        for leg in (self._call.leg, self._peer):
            self._audio.play(leg.id, [PlayItem("silence", ms=20)])
        for leg, other in ((self._call.leg, self._peer), (self._peer, self._call.leg)):
            if leg.held:
                self._hold(leg, other)

    def _hold(self, holder: Leg, other: Leg) -> None:
        """The one who is put on hold hears music (A7.02)."""
        if holder.held == (other.id in self._music):
            return
        if holder.held:
            self._audio.mix(other.id, {})
            self._music[other.id], _ = self._audio.play(other.id, self._host.music, loop=True)
        else:
            self._audio.stop(other.id, self._music.pop(other.id))
            self._join(other, holder)
        self._call.state = "held" if self._music else "talking"
        self._call.emit(Held(holder.id, holder.held))

    def _record_bridged(self) -> None:
        call, peer = self._call, self._peer
        call.emit(
            Bridged(call.leg.id, peer.id, peer.number),
            records.leg_bridged(call.leg, peer.id),
            records.leg_bridged(peer, call.leg.id),
        )

    def _part(self, reason: str, ms: float) -> None:
        call, peer = self._call, self._peer
        call.leg.on_change = peer.on_change = lambda _: None
        for leg_id, player in self._music.items():
            self._audio.stop(leg_id, player)
        for leg in (call.leg, peer):
            if leg.alive:
                self._audio.mix(leg.id, {})
        call.peer, call.state = None, "service"
        call.emit(
            Unbridged(call.leg.id, peer.id, ms, reason),
            records.leg_bridged(call.leg, ""),
            records.leg_bridged(peer, ""),
        )


def _reason(peer: Leg) -> str:
    return "fault" if peer.by == "fault" else "peer"
