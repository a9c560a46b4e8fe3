"""URIs and header fields of SIP as text (RFC 3261 §19.1, §20, §25): parsing what strangers sent, writing our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from attrs import evolve, field, frozen

#: Compact header names (RFC 3261 §7.3.3, RFC 3515, RFC 3265, RFC 3892).
COMPACT = {
    "b": "referred-by", "c": "content-type", "f": "from", "i": "call-id", "k": "supported", "l": "content-length",
    "m": "contact", "o": "event", "r": "refer-to", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
_URI = re.compile(
    r"(?P<scheme>[A-Za-z]+):(?:(?P<user>[^@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:;?@\[\]\s]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[;?].*)?)"
)
_USER_SAFE = "-_.!~*'()&=+$,;?/"


class MalformedError(ValueError):
    """Text that is not what its place in a SIP message asks for."""


@frozen
class Uri:
    """A SIP URI; ``port`` 0 when none is written; ``params`` and ``headers`` by lower-case name, unescaped."""

    user: str
    host: str
    port: int = 0
    params: dict[str, str] = field(factory=dict)
    headers: dict[str, str] = field(factory=dict)
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Raises ``MalformedError``. A tel: URI (RFC 3966) gives its number as user and an empty host."""
        if text[:4].lower() == "tel:":
            number, _, rest = text[4:].partition(";")
            return cls(re.sub(r"[-.()]", "", number), "", 0, _params(rest), {}, "tel")
        match = _URI.fullmatch(text.strip())
        if match is None or match["scheme"].lower() not in ("sip", "sips"):
            raise MalformedError(f"not a SIP URI: {text[:80]!r}")
        port = int(match["port"] or 0)
        if port > 65535:
            raise MalformedError(f"no such port: {port}")
        if not match["rest"].isprintable():
            raise MalformedError("control characters in the URI's parameters")
        params, _, headers = match["rest"].partition("?")
        user = printable(unquote((match["user"] or "").partition(":")[0]))
        pairs = (pair.partition("=") for pair in headers.split("&") if pair)
        return cls(
            user, match["host"].strip("[]"), port, _params(params),
            {name.lower(): unquote(value) for name, _, value in pairs}, match["scheme"].lower(),
        )  # fmt: skip

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        text = self.scheme + ":" + (quote(self.user, safe=_USER_SAFE) + "@" if self.user else "") + host
        text += f":{self.port}" if self.port else ""
        text += "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params.items())
        if self.headers:
            text += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in self.headers.items())
        return text

    def bare(self) -> Uri:
        """Without parameters and headers."""
        return evolve(self, params={}, headers={})


@frozen
class Address:
    """A name-addr or addr-spec with header parameters: From, To, Contact, Refer-To (RFC 3261 §20.10)."""

    uri: Uri
    name: str = ""
    params: dict[str, str] = field(factory=dict)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ``MalformedError``. Without angle brackets parameters belong to the header, not to the URI."""
        text = text.strip()
        start = _outside_quotes(text, "<")
        if start < 0:
            uri, _, rest = text.partition(";")
            return cls(Uri.parse(uri), "", _params(rest))
        end = text.find(">", start)
        if end < 0:
            raise MalformedError(f"'<' without '>': {text[:80]!r}")
        return cls(Uri.parse(text[start + 1 : end]), _unquote(text[:start].strip()), _params(text[end + 1 :]))

    def __str__(self) -> str:
        name = '"' + re.sub(r'(["\\])', r"\\\1", printable(self.name)) + '" ' if self.name else ""
        return f"{name}<{self.uri}>" + "".join(f";{k}={v}" if v else f";{k}" for k, v in self.params.items())


class Headers:
    """Header fields in their order; names in any case, compact names spelled out."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._lines = [(COMPACT.get(name.lower(), name.lower()), value) for name, value in lines]

    def get(self, name: str, default: str = "") -> str:
        """The first field of this (lower-case) name."""
        return next((value for key, value in self._lines if key == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of this (lower-case) name, comma-separated lists taken apart (RFC 3261 §7.3.1)."""
        return [part for key, value in self._lines if key == name for part in split_commas(value)]

    def fields(self, name: str) -> list[str]:
        """Every field of this (lower-case) name, whole: for fields whose commas are no list (WWW-Authenticate)."""
        return [value for key, value in self._lines if key == name]


def split_commas(value: str) -> Iterator[str]:
    """The parts of a comma-separated header value; commas in quotes and angle brackets do not separate."""
    start = 0
    while start <= len(value):
        end = _outside_quotes(value, ",", start)
        end = len(value) if end < 0 else end
        part = value[start:end].strip()
        if part:
            yield part
        start = end + 1


def printable(text: str) -> str:
    """Text without control characters, so that nothing we write can end a header line."""
    return "".join(char for char in text if char.isprintable())


def _outside_quotes(text: str, wanted: str, start: int = 0) -> int:
    quoted = bracket = False
    index = start
    while index < len(text):
        char = text[index]
        if char == "\\" and quoted:
            index += 1
        elif char == '"' and not bracket:
            quoted = not quoted
        elif not quoted and char == wanted and not bracket:
            return index
        elif not quoted and char in "<>":
            bracket = char == "<"
        index += 1
    return -1


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _params(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            found[name.strip().lower()] = _unquote(value.strip())
    return found
