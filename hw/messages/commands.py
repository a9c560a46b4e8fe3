"""Commands: what the control process tells the line and phone processes."""

from __future__ import annotations

from attrs import field, frozen

from hw.messages.values import Account, Binding, Media, PlayItem, SipTrunk

# -- commands both processes know --------------------------------------------------------------------------------------


@frozen
class Dial:
    """Call ``number`` over ``line``: a trunk's name, a SIP trunk's name, or ``phones`` (all bindings of an account).

    ``media`` (phones and SIP trunks only) is what our RTP port of the same leg offers. ``restricted``: the called party
    is not to be shown ``caller`` (CLIR).
    """

    leg: str
    line: str
    number: str
    caller: str = ""
    name: str = ""
    media: Media | None = None
    restricted: bool = False


@frozen
class Proceed:
    """Tell the caller that the call is being handled (Q.931 CALL PROCEEDING, SIP 100)."""

    leg: str


@frozen
class Alert:
    """Tell the caller that it rings (Q.931 ALERTING, SIP 180)."""

    leg: str


@frozen
class Progress:
    """Audio before the answer: Q.931 PROGRESS with in-band information, SIP 183 with ``media``. Command and event."""

    leg: str
    media: Media | None = None


@frozen
class Answer:
    """Answer an incoming leg (CONNECT, 200 OK); ``media`` for phones and SIP trunks."""

    leg: str
    media: Media | None = None


@frozen
class Hangup:
    """Clear a leg in whatever phase it is with a Q.850 ``cause``; a ``Cleared`` follows. Unknown legs: ``Fault``."""

    leg: str
    cause: int = 16


# -- commands of the line process --------------------------------------------------------------------------------------


@frozen
class OpenRtp:
    """Open an RTP port named after its leg; answered by ``RtpOpened``, also when it is open already."""

    port: str


@frozen
class SetRtp:
    """Tell an RTP port the far end's media: where to send, what to send, and which directions are on."""

    port: str
    remote: Media


@frozen
class CloseRtp:
    """Close an RTP port with its socket."""

    port: str


@frozen
class Mix:
    """What ``port`` hears: other ports' audio, each with a linear gain. Replaces what it heard before.

    A bridge is two of these; hold is an empty one; listen, whisper, barge and conferences are just gains.
    """

    port: str
    sources: dict[str, float] = field(factory=dict)


@frozen
class Play:
    """Play ``items`` in order to ``port``, mixed with what it hears, in place of what played. ``Played`` tells the end.

    ``until_digit``: the first digit from the port stops it at once. ``gain`` is linear.
    """

    port: str
    player: str
    items: tuple[PlayItem, ...]
    loop: bool = False
    until_digit: bool = False
    gain: float = 1.0


@frozen
class Stop:
    """Stop a player; does nothing when it has ended or been replaced."""

    port: str
    player: str


@frozen
class Record:
    """Record a port as a two-channel WAV, 8 kHz 16 bit: left what the port says, right what it hears (prompts too).

    The file appears under ``path`` only when it is whole; ``Recorded`` tells.
    """

    recorder: str
    port: str
    path: str


@frozen
class PauseRecord:
    """Write silence instead of audio while ``paused`` (PINs, card digits); time goes on."""

    recorder: str
    paused: bool


@frozen
class StopRecord:
    """Finish a recording; a recorder also ends by itself when its port is gone."""

    recorder: str


@frozen
class SendDigits:
    """Send DTMF from us to the port's party: RFC 4733 where negotiated, in audio otherwise."""

    port: str
    digits: str


@frozen
class Flash:
    """Command: press the hook of an analog line for a moment. Event: somebody has done so on an analog telephone."""

    leg: str


@frozen
class Block:
    """Take one channel (or with ``channel`` None all) out of service for new calls, or back; a call on it goes on."""

    line: str
    channel: int | None
    blocked: bool


@frozen
class Restart:
    """Restart a channel (Q.931 §5.5) or all; calls on it are cleared."""

    line: str
    channel: int | None


@frozen
class SendSms:
    """Send a short message over ``line``, its parts from number ``start`` on; ``SmsSent`` tells of each that is taken.

    One at a time a line: another one says that the end of the one before is known. ``reference`` (0 to 65535) joins the
    parts; a message that goes on with a later part must have the one it began with. ``report``: the network is asked
    for an ``SmsReport`` of each part. It may try to deliver for ``validity_min`` minutes.
    """

    id: str
    line: str
    number: str
    text: str
    reference: int
    start: int = 1
    report: bool = True
    validity_min: int = 1440


@frozen
class SmsTaken:
    """The control process has this ``SmsReceived`` safe on disk: the line process may forget it."""

    id: str
    line: str


# -- commands of the phone process -------------------------------------------------------------------------------------


@frozen
class SetAccounts:
    """All accounts there are; bindings of accounts that are gone are dropped."""

    realm: str
    accounts: tuple[Account, ...]


@frozen
class RestoreBindings:
    """Bindings of a phone process that died, for the one that took its place: who is bound already, has no such account
    any more, or came over a connection that is gone is passed over. ``Registered`` follows for the others.
    """

    bindings: tuple[Binding, ...]


@frozen
class SetSipTrunks:
    """All SIP trunks there are."""

    trunks: tuple[SipTrunk, ...]


@frozen
class Modify:
    """Offer new media on a leg that is up (re-INVITE by us, RFC 3261 §14.1)."""

    leg: str
    media: Media


@frozen
class Accept:
    """Our answer to a ``MediaOffer``."""

    leg: str
    media: Media


@frozen
class ReferResult:
    """Progress of a transfer asked for by ``Refer``: a SIP status, sent as NOTIFY message/sipfrag (RFC 3515 §2.4.5).

    100 and 180 go on, 200 and above end the subscription.
    """

    leg: str
    status: int
