"""A text as short messages and back: which alphabet, how many parts, and parts that have come put together."""

from __future__ import annotations

from collections.abc import Sequence

from hw.line.serial import gsm7
from hw.line.serial.sms_pdu import Alphabet, Body, Concatenation, PduError

#: Octets of the header that names a part, with its length: reference of 16 bits (3GPP TS 23.040 §9.2.3.24.8).
_SEPTETS_ALONE, _SEPTETS_A_PART = 160, 152
_UNITS_ALONE, _UNITS_A_PART = 70, 66
MAX_PARTS = 255
#: Stands for a part that never came.
MISSING = "[…]"


def split(text: str, reference: int) -> list[Body]:
    """The message, or the parts, that carry ``text``; ``reference`` (16 bits) joins the parts.

    No character is cut in two, neither an escaped one nor a pair of surrogates. Raises ``PduError`` for no text, and
    for one of more than 255 parts.
    """
    if not text:
        raise PduError("there is no text")
    text = text.encode("utf-16-be", "replace").decode("utf-16-be")  # a lone surrogate is no character
    coded = [gsm7.septets(char) for char in text]
    alphabet: Alphabet = "ucs2" if None in coded else "gsm7"
    if alphabet == "gsm7":
        sizes, alone, room = [len(code or b"") for code in coded], _SEPTETS_ALONE, _SEPTETS_A_PART
    else:
        sizes, alone, room = [1 + (ord(char) > 0xFFFF) for char in text], _UNITS_ALONE, _UNITS_A_PART
    if sum(sizes) <= alone:
        return [Body(text, alphabet)]
    pieces = _cut(text, sizes, room)
    if len(pieces) > MAX_PARTS:
        raise PduError(f"the text has {len(pieces)} parts, at most {MAX_PARTS} are allowed")
    return [
        Body(piece, alphabet, Concatenation(reference, len(pieces), number, wide=True))
        for number, piece in enumerate(pieces, 1)
    ]


def _cut(text: str, sizes: Sequence[int], room: int) -> list[str]:
    pieces, begin, used = [], 0, 0
    for place, size in enumerate(sizes):
        if used + size > room:
            pieces.append(text[begin:place])
            begin, used = place, 0
        used += size
    return [*pieces, text[begin:]]


def join(texts: Sequence[str | None]) -> str:
    """The text of parts in their order, None for one that never came; surrogates that were cut apart are paired."""
    whole = "".join(MISSING if text is None else text for text in texts)
    return whole.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
