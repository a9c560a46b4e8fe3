"""Runs a call: one service after the other, the default rule when one fails, an end with a cause."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from appliance.calls import records
from appliance.calls.call import Call, EndCall, GoTo, Service
from appliance.events.types import ServiceEntered, ServiceFailed
from hw import journal

log = logging.getLogger(__name__)

#: A call that goes on and on between services without ever waiting is a loop in the site's flows.
MAX_SERVICES = 200
#: Where a call goes whose default destination fails too: temporary failure.
LAST = "hangup:41"


async def run(
    call: Call, destination: str, services: Mapping[str, Service], default: str, first: Service | None = None
) -> int:
    """Serve a call from ``destination`` to its end; the Q.850 cause it ends with.

    ``first`` is what an adopted call goes on with before anything else. A service that throws, or that does not exist,
    is recorded as ``service.failed`` and the call goes on to ``default``; when that fails too the call ends with
    cause 41.
    """
    failed = False
    for _ in range(MAX_SERVICES):
        journal.mark(contact=call.contact, queue="")
        call.destination = destination
        name, _, argument = destination.partition(":")
        try:
            service, first = first or _enter(call, name, services), None
            await service(call, argument)
            return 16
        except BaseException as error:  # what is neither control flow nor an Exception goes on up
            match _control_flow(error):
                case GoTo(destination=next_destination):
                    destination = next_destination
                case EndCall(cause=cause):
                    return cause
                case Exception() as failure:
                    log.error("service %s of contact %s failed", destination, call.contact, exc_info=failure)
                    following = LAST if failed else default
                    call.emit(ServiceFailed(destination, repr(failure), following))
                    failed, destination = True, following
                case _:
                    raise
    call.emit(ServiceFailed(destination, f"more than {MAX_SERVICES} services in one call", LAST))
    return 41


def _enter(call: Call, name: str, services: Mapping[str, Service]) -> Service:
    call.emit(ServiceEntered(call.destination), records.contact_serves(call))
    service = services.get(name)
    if service is None:
        there_are = ", ".join(sorted(services))
        raise LookupError(f"no service {name!r} (there are: {there_are})")
    return service


def _control_flow(error: BaseException) -> BaseException:
    """A ``go`` or ``hangup`` inside a task group comes out wrapped; so does a failure."""
    while isinstance(error, BaseExceptionGroup):
        steps = [e for e in error.exceptions if isinstance(e, GoTo | EndCall)]
        error = steps[0] if steps else error.exceptions[0]
    return error
