"""The registrar (RFC 3261 §10.3) and the server side of digest (§22). Pure: time is passed in, in s.

Bindings live in memory only: after a restart of the phone process the phones register again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

from attrs import evolve, field, frozen, mutable

from hw import messages
from hw.messages import Account, AuthFailed, Registered, Unregistered
from hw.phone import digest
from hw.phone.stack import Flow
from hw.phone.text import Uri, printable

#: How long a nonce is good; a phone with an older one is told that it is stale and asks nobody for a password.
NONCE_LIFE_S = 300.0
#: Phones under one account; one more replaces the one that was refreshed least lately.
MAX_BINDINGS = 10
_UNKNOWN_HA1 = secrets.token_hex(16)


class Nonces:
    """Nonces that prove that we issued them, age, and are used with a growing count (RFC 2617 §3.2.1, §3.2.2)."""

    def __init__(self, secret: bytes | None = None, life_s: float = NONCE_LIFE_S) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._life_s = life_s
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def issue(self, now: float) -> str:
        """A new nonce; nothing is remembered about it until it is used."""
        text = f"{int(now * 1000):x}.{secrets.token_hex(8)}"
        return f"{text}.{self._sign(text)}"

    def check(self, nonce: str, nc: str, now: float, *, use: bool = True) -> Literal["good", "stale", "forged"]:
        """``stale`` when it is too old or the count was seen; ``use``: the count counts as seen from now on."""
        text, _, mark = nonce.rpartition(".")
        if not hmac.compare_digest(self._sign(text).encode(), mark.encode(errors="replace")):
            return "forged"
        issued = int(text.partition(".")[0], 16) / 1000
        while self._used and next(iter(self._used.values()))[0] < now - self._life_s:
            self._used.popitem(last=False)
        try:
            count = int(nc, 16) if len(nc) == 8 else 0
        except ValueError:
            count = 0
        if not issued <= now + 1 or now - issued > self._life_s or count <= self._used.get(nonce, (0, 0))[1]:
            return "stale"
        if use:
            self._used[nonce] = (issued, count)
        return "good"

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(errors="replace"), hashlib.sha256).hexdigest()[:32]


@frozen
class Verdict:
    """What came of a request's credentials: an ``account``, a ``challenge`` to send, or a ``failure`` to refuse."""

    account: str = ""
    challenge: str = ""
    failure: str = ""
    user: str = ""


@frozen
class Binding:
    """One phone of an account: the URI to call and the way to it."""

    contact: Uri
    flow: Flow
    agent: str
    call_id: str
    seq: int
    expires_at: float


@frozen
class Contact:
    """One Contact of a REGISTER with the time that it asks for."""

    uri: Uri
    expires_s: int


class OutOfOrderError(Exception):
    """A REGISTER older than the one that made the binding (§10.3 step 7)."""


@mutable
class Registrar:
    """The accounts and who is where. ``register`` and the like return the events to tell."""

    realm: str
    nonces: Nonces = field(factory=Nonces)
    accounts: dict[str, Account] = field(factory=dict)
    #: Whether the control process has said which accounts there are.
    informed: bool = False
    _bindings: dict[str, dict[str, Binding]] = field(factory=dict)

    def set_accounts(self, realm: str, accounts: Iterable[Account]) -> list[Unregistered]:
        """All accounts there are; bindings of the others are dropped."""
        self.realm = realm
        self.informed = True
        self.accounts = {account.name: account for account in accounts}
        gone = [name for name in self._bindings if name not in self.accounts]
        return [
            Unregistered(name, str(binding.contact), "account")
            for name in gone
            for binding in self._bindings.pop(name).values()
        ]

    def authenticate(self, values: list[str], method: str, now: float) -> Verdict:
        """Judge the (Proxy-)Authorization fields of a request.

        Unknown accounts and wrong passwords cost the same and look the same to the far end.
        """
        for value in values:
            fields = digest.parse(value)
            if fields is None or fields.get("realm") != self.realm:
                continue
            user = fields.get("username", "")
            account = self.accounts.get(user)
            proved = digest.verify(fields, account.ha1 if account else _UNKNOWN_HA1, method)
            # Nothing is remembered of those who prove nothing: a flood of wrong passwords would fill the memory.
            known = self.nonces.check(fields.get("nonce", ""), fields.get("nc", ""), now, use=proved)
            if known != "good":
                return Verdict(challenge=self._challenge(now, known == "stale"))
            if account is None or not proved:
                return Verdict(failure="wrong password" if account else "unknown account", user=printable(user)[:64])
            return Verdict(account=user)
        return Verdict(challenge=self._challenge(now, False))

    def register(
        self, account: str, contacts: list[Contact], *, flow: Flow, agent: str, call_id: str, seq: int, now: float
    ) -> list[Registered | Unregistered]:
        """Make, refresh or (expires 0) remove bindings, all or none. Raises ``OutOfOrderError``."""
        bindings = dict(self._bindings.get(account, {}))
        events: list[Registered | Unregistered] = []
        for contact in contacts:
            key = _key(contact.uri)
            old = bindings.pop(key, None)
            if old is not None and old.call_id == call_id and seq <= old.seq:
                raise OutOfOrderError(f"{seq} after {old.seq}")
            if contact.expires_s:
                bindings[key] = Binding(contact.uri, flow, agent, call_id, seq, now + contact.expires_s)
                if old is not None and str(old.contact) != str(contact.uri):
                    events.append(Unregistered(account, str(old.contact), "phone"))
                events.append(_told(account, bindings[key], now))
            elif old is not None:
                events.append(Unregistered(account, str(old.contact), "phone"))
        while len(bindings) > MAX_BINDINGS:
            events.append(Unregistered(account, str(bindings.pop(next(iter(bindings))).contact), "expired"))
        self._bindings[account] = bindings
        return events

    def unregister_all(self, account: str, *, call_id: str, seq: int) -> list[Registered | Unregistered]:
        """``Contact: *`` (§10.2.2). Raises ``OutOfOrderError``."""
        bindings = self._bindings.get(account, {})
        if any(binding.call_id == call_id and seq <= binding.seq for binding in bindings.values()):
            raise OutOfOrderError(f"{seq}")
        self._bindings.pop(account, None)
        return [Unregistered(account, str(binding.contact), "phone") for binding in bindings.values()]

    def bindings(self, account: str, now: float) -> list[Binding]:
        """Where an account's phones are."""
        return [binding for binding in self._bindings.get(account, {}).values() if binding.expires_at > now]

    def lives_at(self, host: str) -> bool:
        """Whether a phone is registered from this IP address."""
        return any(b.flow.host == host for bindings in self._bindings.values() for b in bindings.values())

    def restore(self, bindings: Iterable[messages.Binding], now: float) -> list[Registered]:
        """Take what the control process knows of the time before we were started; what is known better is kept.

        A TCP connection went with the process that had it. Raises ``ValueError`` for what is no address or URI.
        """
        events = []
        for known in bindings:
            uri = Uri.parse(known.contact)
            host, _, port = known.source.rpartition(":")
            here = self._bindings.setdefault(known.account, {})
            if known.account in self.accounts and known.transport == "udp" and _key(uri) not in here:
                flow = Flow("udp", host, int(port))
                here[_key(uri)] = Binding(uri, flow, known.agent, "", 0, now + known.expires_s)
                events.append(_told(known.account, here[_key(uri)], now))
        return events

    def expire(self, now: float) -> list[Unregistered]:
        """Drop bindings whose time is over; to be called each second."""
        events = []
        for account, bindings in self._bindings.items():
            for key in [key for key, binding in bindings.items() if binding.expires_at <= now]:
                events.append(Unregistered(account, str(bindings.pop(key).contact), "expired"))
        return events

    def registered(self, now: float) -> list[Registered]:
        """Every binding as the event that a new listener needs."""
        return [
            _told(account, b, now)
            for account in self._bindings
            for b in self.bindings(account, now)
        ]

    def _challenge(self, now: float, stale: bool) -> str:
        value = f'Digest realm="{self.realm}", nonce="{self.nonces.issue(now)}", algorithm=MD5, qop="auth"'
        return value + ", stale=true" if stale else value


def _told(account: str, b: Binding, now: float) -> Registered:
    left_s = max(1, round(b.expires_at - now))
    return Registered(account, str(b.contact), str(b.flow), b.agent, left_s, b.flow.transport)


class FailureLimit:
    """Lets a few failures a source through as events and counts the rest, so that a scanner floods nobody."""

    def __init__(self, each_s: float = 10.0, sources: int = 1000) -> None:
        self._each_s = each_s
        self._sources = sources
        self._last: OrderedDict[str, float] = OrderedDict()
        self.suppressed = 0

    def report(self, source: str, user: str, failure: str, now: float) -> AuthFailed | None:
        """The event to tell, or None when this source's last was a short time ago."""
        host = source.rpartition(":")[0]
        if now - self._last.get(host, -self._each_s) < self._each_s:
            self.suppressed += 1
            return None
        self._last[host] = now
        self._last.move_to_end(host)
        if len(self._last) > self._sources:
            self._last.popitem(last=False)
        return AuthFailed(user, source, failure)


def _key(uri: Uri) -> str:
    return str(evolve(uri.bare(), params={"transport": uri.params.get("transport", "udp").lower()}))
