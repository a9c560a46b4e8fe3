"""One dialog (RFC 3261 §12): who talks to whom, in which sequence, over which way. Pure state, no sending."""

from __future__ import annotations

import secrets

from attrs import define, evolve

from hw.phone.stack import Flow, Message
from hw.phone.text import Address, MalformedError, Uri

Lines = list[tuple[str, str]]


@define
class Dialog:
    """``local`` and ``remote`` carry the tags; ``target`` is the URI that requests go to, ``flow`` the way they take.

    Requests go to the address that the peer's messages come from, over the connection it opened: that is what works
    through NAT and for TCP phones. ``routes`` are written but the first one's host is taken to be that address.
    """

    call_id: str
    local: Address
    remote: Address
    target: str
    flow: Flow
    contact: str
    local_seq: int
    remote_seq: int = 0
    routes: tuple[str, ...] = ()

    @classmethod
    def outgoing(cls, local: Address, remote: Address, target: str, flow: Flow, contact: str) -> Dialog:
        """The state before our INVITE: the far end's tag is not known yet."""
        tagged = evolve(local, params={**local.params, "tag": new_tag()})
        return cls(secrets.token_hex(12), tagged, remote, target, flow, contact, secrets.randbelow(1 << 16))

    @classmethod
    def incoming(cls, message: Message, contact: str) -> Dialog:
        """The state after their INVITE; our tag is the one libre answers with. Raises ``MalformedError``."""
        local = Address.parse(message.headers.get("to"))
        remote = Address.parse(message.headers.get("from"))
        target = Address.parse(message.headers.get("contact"))
        return cls(
            message.headers.get("call-id"),
            evolve(local, params={**local.params, "tag": message.tag}),
            remote,
            str(target.uri),
            reach(message, target.uri),
            contact,
            secrets.randbelow(1 << 16),
            sequence(message),
            tuple(message.headers.all("record-route")),
        )

    @property
    def key(self) -> tuple[str, str]:
        """Call-ID and our tag: what a request of the far end is matched by."""
        return self.call_id, self.local.params["tag"]

    def confirm(self, message: Message) -> None:
        """Take the far end's tag, target and route from a response to our INVITE (§12.1.2)."""
        self.remote = Address.parse(message.headers.get("to"))
        self.routes = tuple(reversed(message.headers.all("record-route")))
        self.refresh(message)

    def refresh(self, message: Message) -> None:
        """Take a new target from a message's Contact (§12.2); without one the old target stays."""
        try:
            self.target = str(Address.parse(message.headers.get("contact")).uri)
        except MalformedError:
            return

    def next_seq(self) -> int:
        """The sequence number of our next request."""
        self.local_seq += 1
        return self.local_seq

    def headers(self, method: str, seq: int) -> Lines:
        """The header fields of a request in this dialog (§12.2.1.1)."""
        return [
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self.routes),
            ("To", str(self.remote)),
            ("From", str(self.local)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{seq} {method}"),
            ("Contact", self.contact),
        ]


def new_tag() -> str:
    """A tag with more than 32 bits of chance (§19.3)."""
    return secrets.token_hex(8)


def sequence(message: Message) -> int:
    """The CSeq number. Raises ``MalformedError``."""
    number = message.headers.get("cseq").partition(" ")[0]
    if not (number.isascii() and number.isdigit()):
        raise MalformedError(f"no sequence number: {number[:20]!r}")
    return int(number[:10])


def tag_of(message: Message, name: str) -> str:
    """The tag in a From or To field, empty without one. Raises ``MalformedError``."""
    return Address.parse(message.headers.get(name)).params.get("tag", "")


def reach(message: Message, contact: Uri) -> Flow:
    """Where requests to the sender of ``message`` go: its source; over UDP without rport (RFC 3581) its Contact.

    Some phones send from a port on which they do not listen; they leave out rport.
    """
    source = message.flow
    via = message.headers.get("via")
    if source.transport == "tcp" or "rport" in via.lower() or contact.host != source.host:
        return source
    return Flow("udp", source.host, contact.port or 5060)
