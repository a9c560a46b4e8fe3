"""Values that messages carry."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
LegPhase = Literal["offered", "dialling", "alerting", "up"]



@frozen
class Codec:
    """One audio codec of an SDP media line (RFC 3551): ``name`` as in rtpmap, ``payload`` its payload type."""

    name: Literal["PCMA", "PCMU"]
    payload: int


@frozen
class Media:
    """Where one party receives RTP and what it can take, as its SDP says (RFC 4566, RFC 3264).

    ``codecs`` are in order of preference; ``telephone_event`` is the RFC 4733 payload type, None without it;
    ``direction`` is meant from the side of the party that this media belongs to. ``source`` is where its signalling
    came from when that is another address (a phone behind a NAT, or with several): RTP may come from there too, and is
    answered where it came from.
    """

    address: str
    port: int
    codecs: tuple[Codec, ...]
    telephone_event: int | None = None
    direction: Direction = "sendrecv"
    ptime_ms: int = 20
    source: str = ""


@frozen
class PlayItem:
    """One thing to play: a ``clip`` (path of a WAV, 8 kHz mono), a ``tone`` of the plan by its name, or ``silence``.

    ``ms`` limits a tone (None: until stopped) and gives the length of a silence; a clip ignores it.
    """

    kind: Literal["clip", "tone", "silence"]
    value: str = ""
    ms: int | None = None


@frozen
class Account:
    """A phone's account at the registrar: HA1 = MD5(name:realm:password), so that no password goes over the link."""

    name: str
    ha1: str
    display: str = ""


@frozen
class Binding:
    """Where a phone can be called (RFC 3261 §10): ``contact`` is its URI, ``source`` where it registered from."""

    account: str
    contact: str
    source: str
    transport: Literal["udp", "tcp"]
    agent: str
    expires_s: int


@frozen
class SipTrunk:
    """A SIP peer known by its address: it may send calls without registering. ``host`` is an IP address."""

    name: str
    host: str
    port: int = 5060
    transport: Literal["udp", "tcp"] = "udp"


@frozen
class LegState:
    """A leg as a process reports it after a reconnect. ``channel`` is the bearer channel, None for phones."""

    leg: str
    line: str
    phase: LegPhase
    incoming: bool
    called: str
    caller: str
    channel: int | None = None
    media: Media | None = None


@frozen
class ChannelState:
    """One bearer channel of a trunk: idle, busy with ``leg``, or blocked (by us, by the far end, by an alarm).

    ``number``: of an analog line or telephone its own.
    """

    channel: int
    state: Literal["idle", "busy", "blocked", "alarm"]
    leg: str = ""
    number: str = ""
