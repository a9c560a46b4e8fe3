"""Transfers that a phone asks for by REFER (RFC 3515), attended ones with Replaces (RFC 3891), told by NOTIFY."""

from __future__ import annotations

from attrs import frozen

from hw.phone.call import Call
from hw.phone.stack import Message
from hw.phone.text import Address, MalformedError

_PHRASES = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 403: "Forbidden", 404: "Not Found",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated",
    503: "Service Unavailable", 603: "Decline",
}  # fmt: skip
#: How long the phone may wait for the outcome, in s: what we grant in Subscription-State.
EXPIRES_S = 180


@frozen
class Replaced:
    """The dialog that a Replaces names, as its other side, us, knows it."""

    call_id: str
    local_tag: str
    remote_tag: str


@frozen
class Target:
    """What a Refer-To asks for: the user to call, or the dialog to be joined with."""

    to: str
    replaces: Replaced | None = None


def target_of(message: Message) -> Target:
    """Read the one Refer-To of a REFER. Raises ``MalformedError``."""
    values = message.headers.fields("refer-to")
    if len(values) != 1:
        raise MalformedError(f"{len(values)} Refer-To fields")
    uri = Address.parse(values[0]).uri
    if not uri.user:
        raise MalformedError("Refer-To names no user")
    replaces = uri.headers.get("replaces", "")
    return Target(uri.user, replaced(replaces) if replaces else None)


def replaced(value: str) -> Replaced:
    """Read a Replaces value: its to-tag is the tag of whoever gets it, us (RFC 3891 §3). Raises ``MalformedError``."""
    call_id, *parts = value.split(";")
    params = dict(part.strip().partition("=")[::2] for part in parts)
    if not call_id.strip() or "to-tag" not in params or "from-tag" not in params:
        raise MalformedError(f"no dialog in Replaces: {value[:80]!r}")
    return Replaced(call_id.strip(), params["to-tag"], params["from-tag"])


class Transfer:
    """One accepted REFER: its implicit subscription, open until a final status."""

    def __init__(self, call: Call, seq: int) -> None:
        self.open = True
        self._call = call
        self._id = seq

    def notify(self, status: int) -> None:
        """Tell how it goes (RFC 3515 §2.4.4): below 200 it goes on, from there it has ended. Raises ``OSError``."""
        self.open = status < 200
        state = f"active;expires={EXPIRES_S}" if self.open else "terminated;reason=noresource"
        phrase = _PHRASES.get(status, "Progress" if self.open else "OK" if status < 300 else "Failed")
        headers = [
            ("Event", f"refer;id={self._id}"),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag;version=2.0"),
        ]
        self._call.request("NOTIFY", headers, f"SIP/2.0 {status} {phrase}\r\n".encode())
