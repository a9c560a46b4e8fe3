"""The words of the link between the control process and the line and phone processes.

A trunk call and a phone call look the same from here: a *leg* that is dialled, alerts, is answered and is cleared with
a Q.850 cause. Commands go down, events come up. Every name (leg, player, recorder) is chosen by the side that creates
the thing: the control process names legs it dials, the line and phone processes name the legs that come in. A leg's
audio is the *port* of the same name: trunk timeslots take their leg's name, RTP ports are opened under it.

Bad commands are never fatal: they are answered by a ``Fault`` that names the subject and the reason.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
LegPhase = Literal["offered", "dialling", "alerting", "up"]


# -- values ------------------------------------------------------------------------------------------------------------


@frozen
class Codec:
    """One audio codec of an SDP media line (RFC 3551): ``name`` as in rtpmap, ``payload`` its payload type."""

    name: Literal["PCMA", "PCMU"]
    payload: int


@frozen
class Media:
    """Where one party receives RTP and what it can take, as its SDP says (RFC 4566, RFC 3264).

    ``codecs`` are in order of preference; ``telephone_event`` is the RFC 4733 payload type, None without it;
    ``direction`` is meant from the side of the party that this media belongs to.
    """

    address: str
    port: int
    codecs: tuple[Codec, ...]
    telephone_event: int | None = None
    direction: Direction = "sendrecv"
    ptime_ms: int = 20


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
    """One bearer channel of a trunk: idle, busy with ``leg``, or blocked (by us, by the far end, by an alarm)."""

    channel: int
    state: Literal["idle", "busy", "blocked", "alarm"]
    leg: str = ""


# -- commands both processes know --------------------------------------------------------------------------------------


@frozen
class Dial:
    """Call ``number`` over ``line``: a trunk's name, a SIP trunk's name, or ``phones`` (all bindings of an account).

    ``media`` (phones and SIP trunks only) is what our RTP port of the same leg offers.
    """

    leg: str
    line: str
    number: str
    caller: str = ""
    name: str = ""
    media: Media | None = None


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
    """Play ``items`` in order to ``port``, mixed with what it hears; replaces the port's player. ``Played`` tells the end.

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


# -- commands of the phone process -------------------------------------------------------------------------------------


@frozen
class SetAccounts:
    """All accounts there are; bindings of accounts that are gone are dropped."""

    realm: str
    accounts: tuple[Account, ...]


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


# -- events of both ----------------------------------------------------------------------------------------------------


@frozen
class Incoming:
    """A call comes in. ``line`` is the trunk's name or, for a phone, ``phones`` (then ``caller`` is the account).

    ``called`` and ``caller`` are digits as delivered; ``restricted`` when the caller asked not to be shown.
    """

    leg: str
    line: str
    called: str
    caller: str = ""
    name: str = ""
    restricted: bool = False
    channel: int | None = None
    media: Media | None = None


@frozen
class Proceeding:
    """The far end handles our call (CALL PROCEEDING, 100); ``channel`` once it is known."""

    leg: str
    channel: int | None = None


@frozen
class Alerting:
    """The far end rings. ``media`` when it sends audio already (SIP 18x with SDP)."""

    leg: str
    media: Media | None = None


@frozen
class Answered:
    """The far end answered our call."""

    leg: str
    media: Media | None = None


@frozen
class Cleared:
    """The leg is gone: Q.850 ``cause``, and who cleared it. Always the last event of a leg."""

    leg: str
    cause: int
    by: Literal["far", "us", "fault"] = "far"


@frozen
class Digit:
    """A key pressed: 0-9 * # A-D. ``ms`` is its length, 0 where unknown."""

    leg: str
    digit: str
    ms: int = 0
    source: Literal["audio", "rfc4733", "info", "q931"] = "audio"


@frozen
class LineState:
    """A trunk or SIP trunk as it is now: sent when it changes and after a reconnect."""

    line: str
    kind: str
    up: bool
    channels: tuple[ChannelState, ...] = ()
    alarm: str = ""


@frozen
class Refused:
    """An incoming call that never became a leg (no channel: 34; nobody to decide: 41); counted as blocked."""

    line: str
    called: str
    caller: str
    cause: int


@frozen
class Fault:
    """A command that could not be done, or a failure inside: what it was about and why."""

    subject: str
    reason: str
    command: str = ""


@frozen
class Stats:
    """Once a second from either process: CPU seconds since its start, counters (what was dropped and why), gauges.

    ``late_p99_ms`` and ``late_max_ms`` are the tick's lateness over the last second, ``run_late_…`` since the start
    of the process; in the line process only.
    """

    process: Literal["line", "phone"]
    pid: int
    cpu_s: float
    late_p99_ms: float = 0.0
    late_max_ms: float = 0.0
    run_late_p99_ms: float = 0.0
    run_late_max_ms: float = 0.0
    gauges: dict[str, int] = field(factory=dict)
    counters: dict[str, int] = field(factory=dict)


@frozen
class Registered:
    """A phone's binding is made or refreshed. ``contact`` its URI, ``source`` where it came from, host:port."""

    account: str
    contact: str
    source: str
    agent: str = ""
    expires_s: int = 0


@frozen
class Unregistered:
    """A binding is gone: by the phone, by time, or because its account is gone."""

    account: str
    contact: str
    reason: Literal["phone", "expired", "account"]


@frozen
class AuthFailed:
    """A REGISTER or INVITE with a wrong or unknown account; never carries what was sent as password."""

    account: str
    source: str
    reason: str


@frozen
class MediaOffer:
    """The far end offers new media on a leg that is up (hold, resume, codec change); wants an ``Accept``."""

    leg: str
    media: Media


@frozen
class Refer:
    """The phone asks to transfer its far end to ``to`` (user part); ``replaces`` names our leg in attended transfer."""

    leg: str
    to: str
    replaces: str = ""


@frozen
class RtpOpened:
    """The RTP port is open: our address, port and codecs to put into SDP."""

    port: str
    media: Media


@frozen
class RtpQuality:
    """A stream's figures when it is closed and every 10 s: RFC 3550 loss and jitter, MOS estimate (G.107 simplified)."""

    port: str
    sent: int
    received: int
    lost: int
    late: int
    jitter_ms: float
    mos: float


@frozen
class RtpLost:
    """No RTP from a port that should send for ``silent_ms``: the phone is gone."""

    port: str
    silent_ms: int


@frozen
class Played:
    """A player has ended: ``done``, ``stopped``, ``digit``, ``replaced``, ``missing`` (a clip could not be read), ``gone``."""

    port: str
    player: str
    reason: Literal["done", "stopped", "digit", "replaced", "missing", "gone"]


@frozen
class Recorded:
    """A recording is whole under ``path`` (``reason`` empty) or failed (why)."""

    recorder: str
    path: str
    ms: int
    reason: str = ""


@frozen
class Snapshot:
    """First message after a connect: all legs of the process, and what ended while nobody listened."""

    process: Literal["line", "phone"]
    legs: tuple[LegState, ...] = ()
    ports: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    missed: tuple[Cleared | Recorded | Refused | Unregistered, ...] = ()


LineCommand = (
    Dial | Proceed | Alert | Progress | Answer | Hangup | OpenRtp | SetRtp | CloseRtp | Mix | Play | Stop | Record
    | PauseRecord | StopRecord | SendDigits | Block | Restart
)
PhoneCommand = (
    SetAccounts | SetSipTrunks | Dial | Proceed | Alert | Progress | Answer | Hangup | Modify | Accept | ReferResult
)
LegEvent = Proceeding | Alerting | Progress | Answered | Cleared | Digit | MediaOffer | Refer
LineEvent = (
    Snapshot | Incoming | Proceeding | Alerting | Progress | Answered | Cleared | Digit | LineState | Refused | Fault
    | Stats | RtpOpened | RtpQuality | RtpLost | Played | Recorded
)
PhoneEvent = (
    Snapshot | Incoming | Proceeding | Alerting | Progress | Answered | Cleared | Digit | LineState | Fault | Stats
    | Registered | Unregistered | AuthFailed | MediaOffer | Refer
)
Message = LineCommand | PhoneCommand | LineEvent | PhoneEvent
