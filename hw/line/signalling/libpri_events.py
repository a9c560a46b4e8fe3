"""What libpri tells, copied out of its memory (it reuses an event's) into the events of ``q931``. No effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hw.line.signalling._libpri import ffi, lib
from hw.line.signalling.q931 import (
    Call,
    Clearing,
    Connected,
    Gone,
    Information,
    Keypad,
    LinkDown,
    LinkUp,
    Proceeding,
    Progressing,
    RestartAcked,
    Restarted,
    Ringing,
    SetupAck,
)

OfLine = LinkUp | LinkDown | Restarted | RestartAcked
OfCall = (
    Information | Keypad | SetupAck | Proceeding | Progressing | Ringing | Connected | Clearing | Gone
)
#: Where a call ends and nobody said why: temporary failure.
UNKNOWN_CAUSE = 41
#: libpri answers -1 for "no cause" and puts numbers beyond 7 bits nowhere.
_CAUSES = range(1, 128)

_OF_LINE: dict[int, Callable[[Any], OfLine]] = {
    lib.PRI_EVENT_DCHAN_UP: lambda _: LinkUp(),
    lib.PRI_EVENT_DCHAN_DOWN: lambda _: LinkDown(),
    lib.PRI_EVENT_RESTART: lambda raw: Restarted(_channel_or_all(raw.restart.channel)),
    lib.PRI_EVENT_RESTART_ACK: lambda raw: RestartAcked(_channel_or_all(raw.restartack.channel)),
}
#: Events of a call: their member of libpri's union, and what is made of it.
_OF_CALL: dict[int, tuple[str, Callable[[Call, Any], OfCall]]] = {
    lib.PRI_EVENT_INFO_RECEIVED: (
        "ring", lambda call, part: Information(call, text(part.callednum), bool(part.complete))
    ),
    lib.PRI_EVENT_KEYPAD_DIGIT: ("digit", lambda call, part: Keypad(call, text(part.digits))),
    lib.PRI_EVENT_SETUP_ACK: ("setup_ack", lambda call, part: SetupAck(call, part.channel & 0xFF)),
    lib.PRI_EVENT_PROCEEDING: (
        "proceeding", lambda call, part: Proceeding(call, part.channel & 0xFF, _inband(part))
    ),
    lib.PRI_EVENT_PROGRESS: ("proceeding", lambda call, part: Progressing(call, _inband(part))),
    lib.PRI_EVENT_RINGING: ("ringing", lambda call, part: Ringing(call, part.channel & 0xFF, _inband(part))),
    lib.PRI_EVENT_ANSWER: ("answer", lambda call, part: Connected(call, part.channel & 0xFF)),
    lib.PRI_EVENT_HANGUP_REQ: ("hangup", lambda call, part: Clearing(call, known(part.cause))),
    lib.PRI_EVENT_HANGUP: ("hangup", lambda call, part: Gone(call, known(part.cause))),
    lib.PRI_EVENT_HANGUP_ACK: ("hangup", lambda call, part: Gone(call, known(part.cause))),
}  # fmt: skip


def of_line(raw: Any) -> OfLine | None:
    """An event of the line as a whole, or None when it is none."""
    take = _OF_LINE.get(raw.e)
    return None if take is None else take(raw)


def handle_of(raw: Any) -> Any:
    """libpri's handle of the call that an event is about (all but ``Ring``), or None when it is about none."""
    return getattr(raw, _OF_CALL[raw.e][0]).call if raw.e in _OF_CALL else None


def of_call(raw: Any, call: Call) -> OfCall:
    """An event for which ``handle_of`` gave the handle of ``call``."""
    member, take = _OF_CALL[raw.e]
    return take(call, getattr(raw, member))


def known(cause: int) -> int:
    """A cause of libpri's as one of Q.850."""
    return cause if cause in _CAUSES else UNKNOWN_CAUSE


def text(octets: Any) -> str:
    """A C string off the line: digits are ASCII; names are UTF-8, GB 18030 or whatever the exchange likes."""
    raw = bytes(ffi.string(octets))
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return raw.decode("latin-1")


def _inband(part: Any) -> bool:
    return bool(part.progressmask & lib.PRI_PROG_INBAND_AVAILABLE)


def _channel_or_all(channel: int) -> int | None:
    return None if channel & 0xFF == 0xFF else channel & 0xFF
