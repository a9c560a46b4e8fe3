"""Caller ID on analog lines: GR-30's messages (SDMF and MDMF, for FSK), and the keys of the DTMF kind (ETS 300 659-1).

A message is its type, its length, its data and the two's complement of the sum of all that (mod 256). In China both
kinds of message are met, and the DTMF forms ``D…C``, ``A…D…B…C`` and ``…#``.
"""

from __future__ import annotations

from attrs import frozen

SDMF, MDMF = 0x04, 0x80
_DATE_TIME, _NUMBER, _NO_NUMBER, _NAME = 1, 2, 4, 7
#: Why there is no number: private, out of area. Only the first is the caller's wish.
_PRIVATE, _OUT_OF_AREA = "P", "O"
#: What the seizure's bits read as, and how many of it must be in front of a message (30 are sent).
_SEIZURE, _SEIZED = 0x55, 10
#: The number's most digits, and the name's most characters (GR-31).
_MOST = 20


@frozen
class CallerId:
    """Who calls. ``restricted``: he does not want to be shown; ``number`` is empty then, and where it is not known."""

    number: str = ""
    name: str = ""
    restricted: bool = False


class BadMessage(Exception):
    """A message that came, and cannot be used; the text says why."""


# -- FSK ---------------------------------------------------------------------------------------------------------------


def mdmf(caller: CallerId, when: str) -> bytes:
    """A whole message with date and time, number, and name. ``when`` is MMDDhhmm."""
    reason = _PRIVATE if caller.restricted else _OUT_OF_AREA
    number = (_NUMBER, caller.number[:_MOST]) if caller.number else (_NO_NUMBER, reason)
    parameters = [(_DATE_TIME, when), number] + [(_NAME, caller.name[:_MOST])] * bool(caller.name)
    data = b"".join(bytes((kind, len(text))) + text.encode("ascii", "replace") for kind, text in parameters)
    return _whole(MDMF, data)


def sdmf(caller: CallerId, when: str) -> bytes:
    """A whole message with date and time, and number. ``when`` is MMDDhhmm."""
    reason = _PRIVATE if caller.restricted else _OUT_OF_AREA
    return _whole(SDMF, (when + (caller.number[:_MOST] or reason)).encode("ascii"))


def _whole(kind: int, data: bytes) -> bytes:
    message = bytes((kind, len(data))) + data
    return message + bytes((-sum(message) & 0xFF,))


class MessageReader:
    """Finds one message among a receiver's octets: behind those that the channel seizure looks like."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._octets = b""
        self._seizure = 0

    def take(self, octets: bytes, *, carrier: bool = True) -> CallerId | None:
        """Further octets; the caller once the message is whole. Without ``carrier`` no more will come of this one.

        Raises ``BadMessage``, and begins anew.
        """
        for octet in octets:
            if self._octets or (octet in (SDMF, MDMF) and self._seizure >= _SEIZED):
                self._octets += bytes((octet,))
            self._seizure += octet == _SEIZURE
            if len(self._octets) > 1 and len(self._octets) == self._octets[1] + 3:
                message = self._octets
                self._begin()
                return read(message)
        if self._octets and not carrier:
            self._begin()
            raise BadMessage("the end is missing")
        return None


def read(message: bytes) -> CallerId:
    """The caller in a whole message. Raises ``BadMessage``."""
    if sum(message) & 0xFF:
        raise BadMessage("wrong checksum")
    data = message[2:-1]
    return _read_sdmf(data) if message[0] == SDMF else _read_mdmf(data)


def _read_sdmf(data: bytes) -> CallerId:
    return _caller(_text(data[8:]), "")


def _read_mdmf(data: bytes) -> CallerId:
    found: dict[int, str] = {}
    while data:
        if len(data) < 2 or len(data) < data[1] + 2:
            raise BadMessage("a parameter is longer than the message")
        found[data[0]] = _text(data[2 : 2 + data[1]])
        data = data[2 + data[1] :]
    return _caller(found.get(_NUMBER) or found.get(_NO_NUMBER, ""), found.get(_NAME, ""))


def _caller(number: str, name: str) -> CallerId:
    if number in (_PRIVATE, _OUT_OF_AREA, ""):
        return CallerId(name=name, restricted=number == _PRIVATE)
    if not all(digit in "0123456789*#+" for digit in number):
        raise BadMessage("the number has other characters than digits")
    return CallerId(number, name)


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace").strip()


# -- DTMF --------------------------------------------------------------------------------------------------------------


def keys_of(caller: CallerId) -> str:
    """The keys that are sent: ``D…C``; without a number none."""
    return f"D{caller.number}C" if caller.number else ""


def read_keys(keys: str) -> CallerId | None:
    """The caller in the keys heard so far; None while their end is missing, or for keys that are none of the forms.

    ``A`` begins the caller's number, ``D`` a diverting number behind it or else the caller's, ``B`` a reason why there
    is none (00 not available, 10 restricted); ``C`` or ``#`` ends all.
    """
    if keys[-1:] not in ("C", "#"):
        return None
    fields: dict[str, str] = {}
    kind = ""
    for key in keys[:-1]:
        if key in "ABD":
            kind = key
            fields[kind] = ""
        elif key.isdecimal():
            fields[kind] = fields.get(kind, "") + key
        else:
            return None
    if keys[-1] == "#" and "D" in fields:  # D1#, D2#, D3#: why there is no number
        return CallerId(restricted=fields["D"] == "1")
    number = fields.get("A") or fields.get("D") or fields.get("", "")
    return CallerId(number, restricted=not number and fields.get("B") == "10")
