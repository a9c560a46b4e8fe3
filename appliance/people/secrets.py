"""PINs and passwords: how they are made, kept and compared. Nothing here is ever logged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import string

#: scrypt (RFC 7914): 8 MiB and about 20 ms a try. A PIN of six digits is guarded by the lock-out, not by this.
_COST, _BLOCK, _LANES = 1 << 13, 8, 1
MIN_PIN, MAX_PIN = 4, 12
_HASH = re.compile(rf"scrypt\${_COST}\${_BLOCK}\${_LANES}\$[A-Za-z0-9+/]{{22}}==\$[A-Za-z0-9+/]{{43}}=")


def hash_pin(pin: str) -> str:
    """``scrypt$N$r$p$salt$hash``, salted anew each time. Raises ``ValueError`` unless 4 to 12 digits."""
    if not (MIN_PIN <= len(pin) <= MAX_PIN and pin.isascii() and pin.isdigit()):
        raise ValueError(f"a PIN must have {MIN_PIN} to {MAX_PIN} digits")
    salt = os.urandom(16)
    key = _scrypt(pin, salt, _COST, _BLOCK, _LANES)
    return f"scrypt${_COST}${_BLOCK}${_LANES}${_text(salt)}${_text(key)}"


def pin_matches(pin: str, kept: str) -> bool:
    """Whether ``kept`` is the hash of ``pin``, in constant time; "" matches nothing and takes as long."""
    scheme, cost, block, lanes, salt, key = (kept or _NOBODY).split("$")
    if scheme != "scrypt":
        raise ValueError(f"unknown hash scheme {scheme!r}")
    made = _scrypt(pin, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(made, base64.b64decode(key)) and bool(kept)


def is_pin_hash(text: str) -> bool:
    """Whether ``text`` is a hash as ``hash_pin`` makes it, and one that does not take for ever to compare."""
    return _HASH.fullmatch(text) is not None


def is_ha1(text: str) -> bool:
    """Whether ``text`` is an HA1: 32 hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def make_pin() -> str:
    """A random PIN of six digits."""
    return f"{secrets.randbelow(10**6):06d}"


def make_password() -> str:
    """A random phone password, 16 letters and digits (95 bits)."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))


def ha1(account: str, realm: str, password: str) -> str:
    """MD5(account:realm:password) in hex, what a registrar needs to check a phone (RFC 2617 §3.2.2.2)."""
    return hashlib.md5(f"{account}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def _scrypt(pin: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(pin.encode("utf-8", "replace"), salt=salt, n=cost, r=block, p=lanes, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


#: What an unknown agent's PIN is compared with, so that he cannot be told from a known one by time.
_NOBODY = f"scrypt${_COST}${_BLOCK}${_LANES}${_text(bytes(16))}${_text(bytes(32))}"
