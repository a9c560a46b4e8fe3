"""A client's registration at a registrar (RFC 3261 §10.2): made, refreshed before it expires, removed."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import Literal

from hw.phone.digest import Credentials
from hw.phone.stack import Flow, Message
from hw.phone.text import Address, Uri
from hw.phone.useragent import UserAgent

Outcome = Literal["registered", "failed", "removed"]
#: Seconds until the next try after a failure.
RETRY_S = 10.0


class Registration:
    """Keeps ``sip:user@realm`` bound to the agent's Contact; ``on_change(outcome, status)`` tells each result.

    ``status`` is the SIP status, 0 when no response came. Refreshed at half its time; tried again after a failure.
    """

    def __init__(
        self, agent: UserAgent, flow: Flow, *, realm: str, credentials: Credentials, expires_s: int = 300,
        on_change: Callable[[Outcome, int], None] = lambda outcome, status: None,
    ) -> None:  # fmt: skip
        self._agent = agent
        self._flow = flow
        self._address = Address(Uri(credentials.user, realm))
        self._registrar = str(Uri("", realm))
        self._credentials = credentials
        self._expires_s = expires_s
        self._on_change = on_change
        self._call_id = secrets.token_hex(12)
        self._seq = 0
        self._timer: asyncio.TimerHandle | None = None
        self.registered = False

    def start(self) -> None:
        """Register now."""
        self._send(self._expires_s)

    def stop(self) -> None:
        """Remove the binding and stop refreshing."""
        self._send(0)

    def abandon(self) -> None:
        """Stop refreshing without a word to the registrar: before the agent is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(self, expires_s: int) -> None:
        self.abandon()
        try:
            self._agent.send(
                "REGISTER", self._registrar, self._flow, local=self._address, remote=self._address,
                on_response=lambda message: self._responded(expires_s, message),
                headers=[("Expires", str(expires_s))], credentials=self._credentials,
                call_id=self._call_id, seq=self._seq,
            )  # fmt: skip
        except OSError:
            self._responded(expires_s, None)
        self._seq += 2

    def _responded(self, asked_s: int, message: Message | None) -> None:
        if message is not None and message.status < 200:
            return
        status = message.status if message is not None else 0
        done = 200 <= status < 300
        self.registered = done and asked_s > 0
        if not asked_s:
            self._on_change("removed", status)
            return
        if message is not None and status == 423:  # Interval Too Brief
            least = message.headers.get("min-expires")
            if least.isdecimal() and int(least) > self._expires_s:
                self._expires_s = int(least)
                self._send(self._expires_s)
                return
        again = self._granted(message) / 2 if done and message is not None else RETRY_S
        self._timer = asyncio.get_running_loop().call_later(again, self.start)
        self._on_change("registered" if done else "failed", status)

    def _granted(self, message: Message) -> int:
        """How long our binding lives: its Contact's expires parameter, else Expires (§10.2.4)."""
        ours = self._agent.contact(self._credentials.user, self._flow.transport)
        for value in message.headers.all("contact"):
            found = re.search(r";\s*expires\s*=\s*(\d+)", value.partition(">")[2], re.IGNORECASE)
            if value.startswith(ours) and found:
                return max(1, int(found[1]))
        expires = message.headers.get("expires")
        return int(expires) if expires.isdecimal() and int(expires) else self._expires_s
