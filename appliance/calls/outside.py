"""A call to an outside number: over the cheapest line that takes it, on to the next when one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from appliance.calls.call import Call
from appliance.calls.choice import OVERFLOW
from appliance.calls.leg import Leg, NotAnswered
from appliance.calls.numbering import direct
from appliance.events.types import TrunkOverflowed

if TYPE_CHECKING:
    from appliance.calls.switchboard import Switchboard


async def dial_outside(
    call: Call, number: str, switchboard: Switchboard, *, on_alerting: Callable[[], None] | None = None
) -> Leg:
    """Call ``number``; returns the leg that answered. Raises ``NotAnswered``: with what the last way said, or with why
    there is no way.

    A phone with a direct number of its own shows that one, where the trunk group may show it.
    """
    wanted = direct(call.seat, switchboard.numbers) if call.seat else ""
    tried: set[tuple[str, str]] = set()
    failed: NotAnswered | None = None
    while True:
        choice = switchboard.trunks.choose(number, wanted=wanted, tried=tried)
        if not choice.attempts:
            raise failed or NotAnswered(choice.cause)
        way = choice.attempts[0]
        switchboard.trunks.used(way)
        try:
            return await call.dial_out(
                way.line, way.number, ring_s=switchboard.ring_out_s, caller=way.caller, restricted=way.restricted,
                group=way.group, on_alerting=on_alerting,
            )  # fmt: skip
        except NotAnswered as missed:
            if missed.rang or missed.cause not in OVERFLOW:
                raise
            failed = missed
        tried.add((way.group, way.line))
        call.emit(TrunkOverflowed(way.group, way.line, way.number, failed.cause))
