"""What a module has stored, as whole messages: parts put together, each with the places that it takes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from attrs import frozen

from hw.line.serial import gsm_codes, sms_parts
from hw.line.serial.sms_pdu import Deliver, PduError, decode

#: Parts that have not come within so many seconds of the first are given up.
PARTS_WAIT_S = 3600.0


@frozen
class Stored:
    """One message as the module lists it: ``index`` None for one that it has handed over and not stored."""

    index: int | None
    pdu: str


@frozen
class Whole:
    """A message whose parts are there, or given up; ``sources`` are all that it was made from.

    ``id`` comes from its PDUs alone: it is the same every time.
    """

    id: str
    number: str
    text: str
    sources: tuple[Stored, ...]
    parts: int = 1
    missing: int = 0
    at: int | None = None
    pdu: str = ""


def listed(lines: Sequence[str]) -> list[Stored]:
    """The messages of an answer to AT+CMGL (27.005 §4.1): each a line with its place, and one with its PDU."""
    found: list[Stored] = []
    index = -1
    for line in lines:
        if line.startswith("+CMGL:"):
            index = (gsm_codes.numbers(line) or [-1])[0]
        elif index >= 0:
            found.append(Stored(index, line))
            index = -1
    return found


class Assembler:
    """Knows since when parts wait for others; everything else is in the list that it is given."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, int, int], float] = {}

    def whole(self, stored: Iterable[Stored], now: float, *, full: bool = False) -> list[Whole]:
        """The messages that can be told. ``now`` is the clock's, in seconds; with ``full`` no part is waited for."""
        groups: dict[tuple[str, int, int], dict[int, tuple[Stored, Deliver]]] = {}
        sources: dict[tuple[str, int, int], list[Stored]] = {}
        found: list[Whole] = []
        for each in stored:
            message = _deliver(each.pdu)
            own = (each,)
            if message is None or message.body.alphabet == "data":
                found.append(Whole(_id([each.pdu]), "" if message is None else message.number, "", own, pdu=each.pdu))
            elif (part := message.body.part) is None:
                found.append(Whole(_id([each.pdu]), message.number, _text([message]), own, at=message.at))
            else:
                key = (message.number, part.reference, part.total)
                groups.setdefault(key, {}).setdefault(part.number, (each, message))
                sources.setdefault(key, []).append(each)
        self._since = {key: self._since.get(key, now) for key in groups}
        for key, parts in groups.items():
            total = key[2]
            if len(parts) == total or full or now - self._since[key] >= PARTS_WAIT_S:
                texts = [parts[number][1] if number in parts else None for number in range(1, total + 1)]
                identity = _id([parts[number][0].pdu for number in sorted(parts)])
                at = max((one.at for one in texts if one is not None and one.at is not None), default=None)
                found.append(
                    Whole(identity, key[0], _text(texts), tuple(sources[key]), total, total - len(parts), at)
                )
        return found


def _deliver(pdu: str) -> Deliver | None:
    try:
        message = decode(pdu)
    except PduError:
        return None
    return message if isinstance(message, Deliver) else None


def _text(parts: Sequence[Deliver | None]) -> str:
    return sms_parts.join([None if part is None else part.body.text for part in parts])


def _id(pdus: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(pdus).encode()).hexdigest()[:24]
