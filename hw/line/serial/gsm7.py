"""The GSM 7 bit default alphabet and its packing (3GPP TS 23.038 §6.1.2.1, §6.2.1)."""

from __future__ import annotations

_ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip

_SEPTETS = {char: bytes((code,)) for code, char in enumerate(_BASIC) if code != _ESCAPE} | {
    char: bytes((_ESCAPE, code)) for code, char in _EXTENSION.items()
}


def septets(char: str) -> bytes | None:
    """The one septet, or two with the escape, of a character; None when the alphabet has it not."""
    return _SEPTETS.get(char)


def text_of(codes: bytes) -> str:
    """The text of septets. What the extension has not is shown as the basic character (§6.2.1.1, note 1)."""
    chars, escaped = [], False
    for code in codes:
        if code == _ESCAPE and not escaped:
            escaped = True
            continue
        chars.append(_EXTENSION.get(code, _BASIC[code]) if escaped else _BASIC[code])
        escaped = False
    return "".join(chars).replace("\x1b", " ") + " " * escaped


def pack(codes: bytes, fill: int = 0) -> bytes:
    """Septets as octets, behind ``fill`` bits of 0 that end a header."""
    bits = 0
    for place, code in enumerate(codes):
        bits |= code << (fill + 7 * place)
    return bits.to_bytes((fill + 7 * len(codes) + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """``count`` septets of packed octets, behind ``fill`` bits. Raises ``ValueError`` when there are fewer."""
    if fill + 7 * count > 8 * len(octets):
        raise ValueError(f"{count} septets are said to be in {len(octets)} octets")
    bits = int.from_bytes(octets, "little") >> fill
    return bytes(bits >> (7 * place) & 0x7F for place in range(count))
