"""Short messages as PDUs (3GPP TS 23.040 §9.2): SMS-SUBMIT, SMS-DELIVER, SMS-STATUS-REPORT, from text and to text.

Text is ``str``. One character outside the Basic Multilingual Plane is two UCS-2 units; when a sender has cut it in two
by a part's end, each part has a lone surrogate (see ``sms_parts.join``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from attrs import field, frozen

from hw.line.serial import gsm7

Alphabet = Literal["gsm7", "ucs2", "data"]

#: Octets of user data that one message has (§9.2.3.16).
USER_DATA = 140
_INTERNATIONAL, _UNKNOWN, _ALPHANUMERIC = 1, 0, 5
_DIGITS = "0123456789*#abc"
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
_DELIVER, _SUBMIT, _REPORT = 0, 1, 2
_VALIDITY_RELATIVE, _VALIDITY_OCTETS = 2, {0: 0, 1: 7, 2: 1, 3: 7}
_HEADER = 0x40


class PduError(ValueError):
    """Octets that are no short message; the text says what is wrong."""


@frozen
class Concatenation:
    """Which part of a longer message this is (§9.2.3.24.1): ``number`` of ``total``, counted from 1.

    ``wide``: the reference has 16 bits (§9.2.3.24.8).
    """

    reference: int
    total: int
    number: int
    wide: bool = False

    def __attrs_post_init__(self) -> None:
        """Raises ``PduError``."""
        if not 1 <= self.number <= self.total <= 255:
            raise PduError(f"part {self.number} of {self.total}: parts are numbered from 1 to their total, 255 at most")
        if self.reference not in range(65536 if self.wide else 256):
            raise PduError(f"reference {self.reference}: has more than {16 if self.wide else 8} bits")


@frozen
class Body:
    """User data: ``text`` in its alphabet; ``data`` instead where the alphabet is octets; elements of the header that
    are no concatenation, as (identifier, octets) in ``elements``.
    """

    text: str = ""
    alphabet: Alphabet = "gsm7"
    part: Concatenation | None = None
    data: bytes = b""
    elements: tuple[tuple[int, bytes], ...] = ()


@frozen
class Submit:
    """What we send. ``number``: ``+`` and digits (international), or digits. ``reference`` is given by the module."""

    number: str
    body: Body
    report: bool = False
    validity: int | None = None
    reference: int = 0


@frozen
class Deliver:
    """What somebody has sent us. ``number`` may be a name (alphanumeric); ``at`` is when the centre had it, seconds
    since the epoch, None for a time stamp that is no time.
    """

    number: str
    body: Body
    at: int | None = None


@frozen
class Report:
    """What became of a message of ours: ``reference`` as ``+CMGS`` gave it, ``status`` §9.2.3.15."""

    number: str
    reference: int
    status: int
    at: int | None = None
    done_at: int | None = None
    outcome: Literal["delivered", "trying", "failed"] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """0 to 2: the centre has done what it could; bits 6 and 5: it goes on trying, or not (§9.2.3.15)."""
        outcome = "delivered" if self.status < 3 else "trying" if self.status & 0x60 == 0x20 else "failed"
        object.__setattr__(self, "outcome", outcome)


Message = Submit | Deliver | Report


def validity(minutes: int) -> int:
    """The relative validity period of at least so many minutes, 5 to 635040 (§9.2.3.12.1)."""
    if minutes <= 720:
        return max(0, -(-minutes // 5) - 1)
    if minutes <= 1440:
        return 143 + -(-(minutes - 720) // 30)
    if minutes <= 43200:
        return 166 + -(-minutes // 1440)
    return min(255, 192 + -(-minutes // 10080))


# -- to octets ---------------------------------------------------------------------------------------------------------


def encode(message: Message) -> tuple[str, int]:
    """The PDU in hexadecimal with an empty service centre, and its length without that (what ``+CMGS=`` wants).

    Raises ``PduError`` for a number or a text that cannot be sent.
    """
    match message:
        case Submit():
            octets = _encode_submit(message)
        case Deliver():
            dcs, header, length, data = _encode_body(message.body)
            first = _DELIVER | 0x04 | header
            octets = bytes((first,)) + _address(message.number) + bytes((0, dcs)) + _time(message.at)
            octets += bytes((length,)) + data
        case Report():
            octets = bytes((_REPORT | 0x04, message.reference)) + _address(message.number)
            octets += _time(message.at) + _time(message.done_at) + bytes((message.status,))
    return "00" + octets.hex().upper(), len(octets)


def _encode_submit(message: Submit) -> bytes:
    dcs, header, length, data = _encode_body(message.body)
    first = _SUBMIT | header | 0x20 * message.report | (_VALIDITY_RELATIVE << 3) * (message.validity is not None)
    octets = bytes((first, message.reference)) + _address(message.number) + bytes((0, dcs))
    if message.validity is not None:
        octets += bytes((message.validity,))
    return octets + bytes((length,)) + data


def _address(number: str) -> bytes:
    digits = number.removeprefix("+")
    kind = _INTERNATIONAL if number.startswith("+") else _UNKNOWN
    if digits and all(digit in _DIGITS for digit in digits):
        if len(digits) > 20:
            raise PduError(f"the number {number!r} has more than 20 digits")
        return bytes((len(digits), 0x81 | kind << 4)) + _semi_octets(digits)
    name = [gsm7.septets(char) for char in number]
    if not number or number[0] == "+" or None in name or len(packed := gsm7.pack(b"".join(filter(None, name)))) > 10:
        raise PduError(f"{number!r} is no number: digits, * and #, + in front; or a name of at most 11 letters")
    used = -(-7 * sum(map(len, filter(None, name))) // 4)  # semi-octets (§9.1.2.5)
    return bytes((used, 0x80 | _ALPHANUMERIC << 4)) + packed


def _semi_octets(digits: str) -> bytes:
    codes = [_DIGITS.index(digit) for digit in digits] + [15] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def _time(at: int | None) -> bytes:
    if at is None:
        return bytes(7)
    there = datetime.fromtimestamp(at, UTC)
    return _semi_octets(there.strftime("%y%m%d%H%M%S")) + b"\0"


def _encode_body(body: Body) -> tuple[int, int, int, bytes]:
    """Data coding scheme, the first octet's bit of a header, user data length, user data."""
    elements = list(body.elements)
    if body.part is not None:
        reference = body.part.reference.to_bytes(2 if body.part.wide else 1, "big")
        name = _CONCATENATED_16 if body.part.wide else _CONCATENATED_8
        elements.insert(0, (name, reference + bytes((body.part.total, body.part.number))))
    header = b"".join(bytes((name, len(value))) + value for name, value in elements)
    header = bytes((len(header),)) + header if header else b""
    if body.alphabet == "gsm7":
        dcs, length, data = 0x00, *_encode_septets(body.text, header)
    else:
        data = body.data if body.alphabet == "data" else body.text.encode("utf-16-be", "surrogatepass")
        dcs, data = 0x04 if body.alphabet == "data" else 0x08, header + data
        length = len(data)
    if len(data) > USER_DATA:
        raise PduError(f"the text has {len(data)} octets, one message has at most {USER_DATA}")
    return dcs, _HEADER if header else 0, length, data


def _encode_septets(text: str, header: bytes) -> tuple[int, bytes]:
    codes = [gsm7.septets(char) for char in text]
    if None in codes:
        raise PduError(f"{text[codes.index(None)]!r} is not in the GSM 7 bit alphabet")
    septets = b"".join(filter(None, codes))
    fill = -8 * len(header) % 7
    return (8 * len(header) + fill) // 7 + len(septets), header + gsm7.pack(septets, fill)


# -- from octets -------------------------------------------------------------------------------------------------------


class _Reader:
    """Octets that are taken from the front. Raises ``PduError`` when there are none left."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int, what: str) -> bytes:
        if self._at + count > len(self._octets):
            raise PduError(f"ends inside {what}: {len(self._octets)} octets, {self._at + count} are needed")
        self._at += count
        return self._octets[self._at - count : self._at]

    def one(self, what: str) -> int:
        return self.take(1, what)[0]


def decode(pdu: str, *, sent: bool = False) -> Message:
    """The message of a PDU in hexadecimal, its service centre in front. Raises ``PduError``.

    ``sent``: it goes from a terminal to the network, where type 1 is SUBMIT; the other way 0 is DELIVER and 2 is
    STATUS-REPORT (§9.2.3.1).
    """
    try:
        reader = _Reader(bytes.fromhex(pdu.strip()))
    except ValueError:
        raise PduError(f"{pdu[:40]!r} is not hexadecimal") from None
    reader.take(reader.one("the service centre"), "the service centre")
    first = reader.one("the first octet")
    kind = first & 3
    if sent and kind == _SUBMIT:
        return _decode_submit(first, reader)
    if not sent and kind == _DELIVER:
        number = _read_address(reader)
        reader.one("the protocol identifier")
        dcs = reader.one("the data coding scheme")
        at = _read_time(reader.take(7, "the time stamp"))
        return Deliver(number, _read_body(reader, dcs, header=bool(first & _HEADER)), at)
    if not sent and kind == _REPORT:
        reference, number = reader.one("the reference"), _read_address(reader)
        times = [_read_time(reader.take(7, "the time stamp")) for _ in range(2)]
        return Report(number, reference, reader.one("the status"), *times)
    raise PduError(f"message type {kind} is not handled here")


def _decode_submit(first: int, reader: _Reader) -> Submit:
    reference, number = reader.one("the reference"), _read_address(reader)
    reader.one("the protocol identifier")
    dcs, form = reader.one("the data coding scheme"), first >> 3 & 3
    period = reader.take(_VALIDITY_OCTETS[form], "the validity period")
    body = _read_body(reader, dcs, header=bool(first & _HEADER))
    return Submit(number, body, bool(first & 0x20), period[0] if form == _VALIDITY_RELATIVE else None, reference)


def _read_address(reader: _Reader) -> str:
    length, kind = reader.one("the number"), reader.one("the number")
    if length > 20:
        raise PduError(f"the number has {length} digits, at most 20 are allowed")
    octets = reader.take((length + 1) // 2, "the number")
    if kind >> 4 & 7 == _ALPHANUMERIC:
        return gsm7.text_of(gsm7.unpack(octets, length * 4 // 7))
    digits = ""
    for code in [code for octet in octets for code in (octet & 15, octet >> 4)][:length]:
        if code == 15:
            raise PduError("the number has a digit that is none (15)")
        digits += _DIGITS[code]
    return "+" * (kind >> 4 & 7 == _INTERNATIONAL) + digits


def _read_time(octets: bytes) -> int | None:
    """A time stamp (§9.2.3.11) in seconds since the epoch; None when it is no time, as some centres send it."""
    year, month, day, hour, minute, second = ((octet & 15) * 10 + (octet >> 4) for octet in octets[:6])
    zone = (octets[6] & 7) * 10 + (octets[6] >> 4)
    offset = timedelta(minutes=15 * (-zone if octets[6] & 8 else zone))
    try:
        there = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int((there - offset).timestamp())


def _read_body(reader: _Reader, dcs: int, *, header: bool) -> Body:
    alphabet = _alphabet(dcs)
    length = reader.one("the user data length")
    octets = reader.take(-(-length * 7 // 8) if alphabet == "gsm7" else length, "the user data")
    if len(octets) > USER_DATA:
        raise PduError(f"user data of {len(octets)} octets, {USER_DATA} at most are allowed")
    part, elements, size = _read_header(octets) if header else (None, (), 0)
    if alphabet == "gsm7":
        fill = -8 * size % 7
        count = length - (8 * size + fill) // 7
        if count < 0:
            raise PduError(f"the header has {size} octets, the user data only {length} septets")
        return Body(gsm7.text_of(gsm7.unpack(octets[size:], count, fill)), "gsm7", part, elements=elements)
    if alphabet == "data":
        return Body("", "data", part, octets[size:], elements)
    if (len(octets) - size) % 2:
        raise PduError("half a UCS-2 character")
    return Body(octets[size:].decode("utf-16-be", "surrogatepass"), "ucs2", part, elements=elements)


def _alphabet(dcs: int) -> Alphabet:
    """Data coding scheme (3GPP TS 23.038 §4); reserved ones are the default alphabet, as it says."""
    group = dcs >> 4
    if group < 8:
        if group & 2:
            raise PduError("compressed text cannot be read")
        return ("gsm7", "data", "ucs2", "gsm7")[dcs >> 2 & 3]
    if group == 14:
        return "ucs2"
    return "data" if group == 15 and dcs & 4 else "gsm7"


def _read_header(octets: bytes) -> tuple[Concatenation | None, tuple[tuple[int, bytes], ...], int]:
    """The part that a header names, its other elements, and its size with the length octet."""
    reader = _Reader(octets)
    size = reader.one("the header")
    reader = _Reader(reader.take(size, "the header"))
    part, others, left = None, [], size
    while left:
        name, length = reader.one("a header element"), reader.one("a header element")
        value = reader.take(length, "a header element")
        left -= 2 + length
        if name in (_CONCATENATED_8, _CONCATENATED_16) and length == (3 if name == _CONCATENATED_8 else 4):
            *reference, total, number = value
            if 1 <= number <= total:  # else the element is ignored, says §9.2.3.24.1
                part = Concatenation(int.from_bytes(bytes(reference), "big"), total, number, name == _CONCATENATED_16)
        else:
            others.append((name, value))
    return part, tuple(others), size + 1
