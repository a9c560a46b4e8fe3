"""Digest authentication (RFC 2617 as RFC 3261 §22 uses it: MD5, qop=auth): pure, both sides."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from attrs import frozen

_PAIR = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]+)')


@frozen
class Credentials:
    """What a client proves itself with."""

    user: str
    password: str


@frozen
class Challenge:
    """What a WWW-Authenticate or Proxy-Authenticate header asks."""

    realm: str
    nonce: str
    qop: bool
    stale: bool
    opaque: str = ""

    @classmethod
    def parse(cls, value: str) -> Challenge | None:
        """None when it is no MD5 digest challenge."""
        fields = parse(value)
        if fields is None or fields.get("algorithm", "MD5").upper() != "MD5" or "nonce" not in fields:
            return None
        qop = "auth" in re.split(r"[\s,]+", fields.get("qop", ""))
        stale = fields.get("stale", "").lower() == "true"
        return cls(fields.get("realm", ""), fields["nonce"], qop, stale, fields.get("opaque", ""))


def parse(value: str) -> dict[str, str] | None:
    """The fields of a Digest header value by lower-case name, unquoted; None when its scheme is another."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    return {name.lower(): re.sub(r"\\(.)", r"\1", text.strip('"')) for name, text in _PAIR.findall(rest)}


def ha1(user: str, realm: str, password: str) -> str:
    """MD5(user:realm:password), 32 hexadecimal digits: what the registrar keeps instead of a password."""
    return _md5(f"{user}:{realm}:{password}")


def respond(challenge: Challenge, credentials: Credentials, method: str, uri: str, count: int = 1) -> str:
    """The value of an Authorization or Proxy-Authorization header; ``count`` is how often the nonce was used."""
    key = ha1(credentials.user, challenge.realm, credentials.password)
    cnonce, nc = secrets.token_hex(8), f"{count:08x}"
    proof = _response(key, challenge.nonce, nc if challenge.qop else "", cnonce, method, uri)
    value = (
        f'Digest username="{_quote(credentials.user)}", realm="{_quote(challenge.realm)}", nonce="{challenge.nonce}", '
        f'uri="{uri}", algorithm=MD5, response="{proof}"'
    )
    if challenge.qop:
        value += f', qop=auth, nc={nc}, cnonce="{cnonce}"'
    if challenge.opaque:
        value += f', opaque="{_quote(challenge.opaque)}"'
    return value


def verify(fields: dict[str, str], key: str, method: str) -> bool:
    """Whether the fields of an Authorization header prove HA1 ``key``; only with qop=auth."""
    if fields.get("qop") != "auth" or fields.get("algorithm", "MD5").upper() != "MD5":
        return False
    expected = _response(
        key, fields.get("nonce", ""), fields.get("nc", ""), fields.get("cnonce", ""), method, fields.get("uri", "")
    )
    return hmac.compare_digest(expected.encode(), fields.get("response", "").lower().encode(errors="replace"))


def _response(key: str, nonce: str, nc: str, cnonce: str, method: str, uri: str) -> str:
    middle = f"{nonce}:{nc}:{cnonce}:auth" if nc else nonce
    return _md5(f"{key}:{middle}:{_md5(f'{method}:{uri}')}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


def _quote(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
