"""The services that the core itself offers: an extension, an outside line, a hang-up with its tone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from appliance.calls.call import Call, NotAnswered
from appliance.calls.outside import dial_outside

if TYPE_CHECKING:
    from appliance.calls.switchboard import Switchboard

#: What an answered caller hears before he is cleared, by cause; others get congestion (Q.35 / the site's tone plan).
_TONE = {17: "busy", 16: "", 1: "congestion", 34: "congestion"}
_TONE_MS = 5000


def core_services(switchboard: Switchboard) -> Mapping[str, Callable[[Call, str], Awaitable[None]]]:
    """``extension:SEAT``, ``outside:NUMBER``, ``hangup:CAUSE``."""

    async def extension(call: Call, seat: str) -> None:
        try:
            peer = await call.dial_seat(seat, ring_s=switchboard.ring_s, on_alerting=lambda: _ring(call))
        except NotAnswered as missed:
            call.go(f"hangup:{missed.cause}")
        await call.bridge(peer)

    async def outside(call: Call, number: str) -> None:
        try:
            peer = await dial_outside(call, number, switchboard, on_alerting=lambda: _ring(call))
        except NotAnswered as missed:
            call.go(f"hangup:{missed.cause}")
        await call.bridge(peer)

    async def hangup(call: Call, cause: str) -> None:
        number = int(cause or 16)
        if call.leg.phase == "up" and (tone := _TONE.get(number, "congestion")):
            await call.tone(tone, _TONE_MS)
        call.hangup(number)

    return {"extension": extension, "outside": outside, "hangup": hangup}


def _ring(call: Call) -> None:
    call.leg.alert()
