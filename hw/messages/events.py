"""Events: what the line and phone processes tell the control process."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from hw.messages.values import ChannelState, LegState, Media

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
    """A trunk or SIP trunk as it is now: sent when it changes and after a reconnect.

    ``duplex`` is False where audio goes one way at a time: menus and voicemail work on such a line, nobody can talk.
    ``sms``: it carries short messages; ``signal_dbm``: a mobile line's signal, None where there is none or unknown.
    """

    line: str
    kind: str
    up: bool
    channels: tuple[ChannelState, ...] = ()
    alarm: str = ""
    duplex: bool = True
    sms: bool = False
    signal_dbm: int | None = None


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
    transport: Literal["udp", "tcp"] = "udp"


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
    """A stream's figures when it is closed and every 10 s: RFC 3550 loss and jitter, MOS after G.107."""

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
    """A player has ended: ``done``, ``stopped``, ``digit``, ``replaced``, ``missing`` (no such clip), ``gone``."""

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
class SmsSent:
    """The network has taken part ``part`` of ``parts`` of a message; ``reference`` (0 to 255) is its report's too.

    This and ``SmsFailed`` are told again after every reconnect, until the line is given another message.
    """

    id: str
    line: str
    part: int
    parts: int
    reference: int


@frozen
class SmsFailed:
    """A message could not go on behind the parts that ``SmsSent`` told of.

    ``again``: it was surely not taken, and may be the next time; ``refused``: it never will be; ``unknown``: nobody can
    say whether the part was taken, so to send it again may be to send it twice.
    """

    id: str
    line: str
    outcome: Literal["again", "refused", "unknown"]
    reason: str


@frozen
class SmsReport:
    """The network's word about a part of a message of ours (3GPP TS 23.040 §9.2.3.15); ``trying`` is not the last one.

    ``at`` is when it happened, seconds since the epoch, None when the network does not say.
    """

    line: str
    number: str
    reference: int
    outcome: Literal["delivered", "trying", "failed"]
    status: int
    at: int | None = None


@frozen
class SmsReceived:
    """A message has come, and is kept by the module until ``SmsTaken``; told again after every reconnect until then.

    ``id`` is the same whenever the same message is told. ``missing`` parts never came. ``pdu`` is what came (TS 23.040)
    where no text can be read from it.
    """

    id: str
    line: str
    number: str
    text: str
    parts: int = 1
    missing: int = 0
    at: int | None = None
    pdu: str = ""


@frozen
class Snapshot:
    """First message after a connect: all legs of the process, and what ended while nobody listened.

    ``messages``: short messages that are being sent, or whose end is going to be told.
    """

    process: Literal["line", "phone"]
    legs: tuple[LegState, ...] = ()
    ports: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    missed: tuple[Cleared | Recorded | Refused | Unregistered | SmsReport, ...] = ()
    messages: tuple[str, ...] = ()
