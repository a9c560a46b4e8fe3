"""What a SETUP carries, to libpri and from it: numbers and their types, the name, whether both may be shown."""

from __future__ import annotations

from typing import Any

from hw.line.signalling._libpri import ffi, lib
from hw.line.signalling.libpri_events import text
from hw.line.signalling.numbering import NumberType, Prefixes
from hw.line.signalling.q931 import Call, Ring, Role

_PLANS: dict[NumberType, int] = {
    "unknown": lib.PRI_UNKNOWN, "national": lib.PRI_NATIONAL_ISDN, "international": lib.PRI_INTERNATIONAL_ISDN
}  # fmt: skip
_TYPES: dict[int, NumberType] = {lib.PRI_TON_NATIONAL: "national", lib.PRI_TON_INTERNATIONAL: "international"}


def request(
    role: Role, prefixes: Prefixes, called: str, caller: str, name: str, *, restricted: bool, complete: bool
) -> Any:
    """A SETUP to be sent (3.1 kHz audio, A-law); its channel is still to be set.

    Numbers are as one dials them; a prefix goes as the type of number. Not that of a called number which the network
    delivers: it is the user's own, and looked up as it is; nor that of one which is still being dialled. Raises
    ``ValueError`` for a number that is not sendable.
    """
    number, kind = prefixes.typed(called) if complete and role == "cpe" else (called, "unknown")
    digits, digits_kind = prefixes.typed(caller)
    octets, caller_octets = _ascii(number), _ascii(digits)
    made = ffi.gc(lib.pri_sr_new(), lib.pri_sr_free)
    lib.pri_sr_set_bearer(made, lib.PRI_TRANS_CAP_3_1K_AUDIO, lib.PRI_LAYER_1_ALAW)
    lib.pri_sr_set_called(made, octets, _PLANS[kind], complete)
    if caller or name or restricted:
        shown = _presentation(role, restricted)
        lib.pri_sr_set_caller(made, caller_octets, _display(name), _PLANS[digits_kind], shown)
    return made


def ring(part: Any, call: Call, role: Role, prefixes: Prefixes) -> Ring:
    """A SETUP: the caller's number as one dials it; the called one too, where a user has sent it."""
    called = text(part.callednum)
    return Ring(
        call=call,
        channel=part.channel & 0xFF,
        exclusive=not part.flexible,
        called=prefixes.dialled(called, _type(part.calledplan)) if role == "network" else called,
        caller=prefixes.dialled(text(part.callingnum), _type(part.callingplan)),
        name=text(part.callingname),
        restricted=part.callingpres & lib.PRI_PRES_RESTRICTION == 0x20,
        complete=bool(part.complete),
    )


def _presentation(role: Role, restricted: bool) -> int:
    """Presentation and screening indicator of a caller's number (Q.931 §4.5.10)."""
    if role == "network":
        return int(lib.PRES_PROHIB_NETWORK_NUMBER if restricted else lib.PRES_ALLOWED_NETWORK_NUMBER)
    return int(
        lib.PRES_PROHIB_USER_NUMBER_NOT_SCREENED if restricted else lib.PRES_ALLOWED_USER_NUMBER_NOT_SCREENED
    )


def _type(plan: int) -> NumberType:
    """The type of number of octet 3: bits 7 to 5 (Q.931 figure 4-11)."""
    return _TYPES.get(plan >> 4 & 7, "unknown")


def _ascii(digits: str) -> bytes:
    if not digits.isascii() or not digits.isprintable() or len(digits) > 31:
        raise ValueError(f"{digits!r} is not a number that can be sent: up to 31 printable ASCII characters")
    return digits.encode()


def _display(name: str) -> bytes:
    """At most 48 octets of UTF-8, cut between characters (libpri keeps 50).

    A first octet with its high bit set would be taken for a character set indicator, so one is put before it.
    """
    octets = name.encode()[:48].decode(errors="ignore").encode()
    return b"\xb1" + octets if octets[:1] > b"\x7f" else octets
