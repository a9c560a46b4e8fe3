"""Blind transfer asked for by a phone with REFER (RFC 3515): a transfer that fails never drops the caller."""

from __future__ import annotations

from appliance.calls.call import Call, Host
from appliance.calls.leg import Leg, NotAnswered
from appliance.calls.numbering import UNALLOCATED
from appliance.events.types import Transferred

#: What the transferring phone is told, by the Q.850 cause of the target (RFC 3398 §8.2.6.1, reversed).
_SIP_OF_CAUSE = {1: 404, 17: 486, 18: 480, 19: 480, 20: 480, 21: 603, 34: 503}


async def blind(call: Call, transferor: Leg, to: str, host: Host) -> Leg:
    """Move the caller from ``transferor`` to the number ``to``; returns the leg he talks with next.

    A service as target (queue, menu) ends the bridge with ``GoTo``. A phone that does not answer gives the caller back
    to the transferor, or to the service he came from when the transferor has hung up.
    """
    destination = host.route_from_seat(to, transferor.seat)
    service, _, argument = destination.partition(":")
    if destination == UNALLOCATED or service in ("hangup", "outside"):
        return _failed(call, transferor, to, 404 if destination == UNALLOCATED else 603)
    if service != "extension":
        _report(call, transferor, to, 200)
        transferor.hangup()
        call.go(destination)
    transferor.refer_result(100)
    call.music()
    try:
        target = await call.dial_seat(
            argument, ring_s=host.ring_s, on_alerting=lambda: transferor.refer_result(180)
        )
    except NotAnswered as missed:
        return _failed(call, transferor, to, _SIP_OF_CAUSE.get(missed.cause, 480))
    finally:
        await call.stop_playing()
    _report(call, transferor, to, 200)
    transferor.hangup()
    return target


def refuse(call: Call, transferor: Leg, to: str) -> None:
    """Say no to a transfer that we cannot do now."""
    _report(call, transferor, to, 603)


def _failed(call: Call, transferor: Leg, to: str, status: int) -> Leg:
    _report(call, transferor, to, status)
    if not transferor.alive:
        call.go(call.destination)
    return transferor


def _report(call: Call, transferor: Leg, to: str, status: int) -> None:
    transferor.refer_result(status)
    call.emit(Transferred(transferor.id, to, status))
