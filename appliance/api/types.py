"""What the API sends: rows of the live view, events, and the errors a client can meet. The console imports this."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen

Role = Literal["admin", "supervisor", "agent", "refused"]


@frozen
class ProcessRow:
    """One of the three processes. ``age_s`` is how old its figures are; ``up`` False when its link is gone."""

    process: Literal["line", "phone", "control"]
    up: bool
    pid: int = 0
    cpu_s: float = 0.0
    late_p99_ms: float = 0.0
    late_max_ms: float = 0.0
    run_late_p99_ms: float = 0.0
    run_late_max_ms: float = 0.0
    age_s: float = 0.0
    gauges: dict[str, int] = field(factory=dict)
    counters: dict[str, int] = field(factory=dict)


@frozen
class ChannelRow:
    """One bearer channel. ``contact`` and ``caller`` when a call is on it."""

    line: str
    channel: int
    state: Literal["idle", "busy", "blocked", "alarm"]
    contact: str = ""
    caller: str = ""
    called: str = ""
    since: float = 0.0
    draining: bool = False


@frozen
class TrunkRow:
    """One trunk (span or SIP trunk) with its totals since the start of the control process.

    A SIP trunk has no channels: ``busy`` are its calls, ``blocked`` 1 when it takes none. ``draining``: its last call
    is awaited. ``duplex`` False: nobody can talk over it, menus work. ``signal_dbm``: a mobile line's.
    """

    line: str
    kind: str
    up: bool
    alarm: str = ""
    channels: int = 0
    busy: int = 0
    blocked: int = 0
    refused: int = 0
    draining: bool = False
    duplex: bool = True
    signal_dbm: int | None = None


@frozen
class GroupRow:
    """One trunk group: how it is set, and its ``calls`` that are up; ``most`` 0: no limit."""

    group: str
    members: tuple[str, ...]
    hunting: Literal["in_order", "round_robin", "most_idle"]
    direction: Literal["both", "in", "out"]
    caller: str
    routes: tuple[str, ...]
    calls: int
    most: int
    blocked: bool = False
    draining: bool = False
    shows: tuple[str, ...] = ()
    restricted: bool = False


@frozen
class CallRow:
    """One contact that is up. ``service`` is its destination, ``peer`` whom it talks with; times are epoch seconds."""

    contact: str
    caller: str
    called: str
    line: str
    channel: int | None
    state: Literal["offered", "ringing", "service", "queued", "talking", "held"]
    service: str
    peer: str
    language: str
    since: float
    state_since: float


@frozen
class QueueRow:
    """One queue: who waits, who could answer, and today's figures."""

    queue: str
    name: str
    strategy: str
    waiting: int
    longest_wait_s: float
    agents: int
    free: int
    offered: int
    answered: int
    abandoned: int
    answered_in_target: int
    target_s: float


@frozen
class AgentRow:
    """One agent. ``since`` is the epoch second of the present state, ``seat`` the phone's account."""

    agent: str
    name: str
    seat: str
    state: Literal["out", "free", "paused", "offered", "ringing", "talking", "held", "wrapup", "busy"]
    since: float
    queues: tuple[str, ...] = ()
    contact: str = ""
    answered: int = 0
    reason: str = ""


@frozen
class PhoneRow:
    """One account of the registrar with its first binding."""

    account: str
    display: str
    registered: bool
    source: str = ""
    agent: str = ""
    expires_at: float = 0.0
    busy: bool = False


@frozen
class EventRow:
    """One event as it stands in the store. ``at`` is epoch seconds."""

    id: int
    at: float
    kind: str
    contact: str
    data: dict[str, Any]


@frozen
class Live:
    """Everything the console shows live, at one moment ``at`` (epoch seconds)."""

    at: float
    version: str
    site: str
    processes: tuple[ProcessRow, ...]
    trunks: tuple[TrunkRow, ...]
    channels: tuple[ChannelRow, ...]
    calls: tuple[CallRow, ...]
    queues: tuple[QueueRow, ...]
    agents: tuple[AgentRow, ...]
    phones: tuple[PhoneRow, ...]
    totals: dict[str, int] = field(factory=dict)
    alarms: tuple[str, ...] = ()
    groups: tuple[GroupRow, ...] = ()


Row = ProcessRow | ChannelRow | TrunkRow | CallRow | QueueRow | AgentRow | PhoneRow


@frozen
class Status:
    """The box in short. ``store`` and ``api`` are counters; ``last_event`` the newest event's id."""

    version: str
    site: str
    language: str
    started_at: float
    at: float
    processes: tuple[ProcessRow, ...]
    calls: int
    agents: int
    phones: int
    registered: int
    trunks: int
    trunks_up: int
    last_event: int
    totals: dict[str, int] = field(factory=dict)
    store: dict[str, int] = field(factory=dict)
    api: dict[str, int] = field(factory=dict)
    alarms: tuple[str, ...] = ()


@frozen
class SmsRow:
    """One short message. ``state``: ours: waiting, sending, sent, delivered, undelivered, failed, unknown (nobody can
    say whether it was taken); theirs: received, handled (plugins have seen it). ``sent`` of its ``parts`` were taken;
    ``next_at`` is when it is tried again, 0 unless it waits. Times are epoch seconds.
    """

    id: str
    incoming: bool
    at: float
    number: str
    text: str
    state: str
    line: str
    contact: str
    parts: int
    missing: int
    sent: int
    tries: int
    next_at: float
    reason: str


@frozen
class SetupState:
    """Whether the admin has said that the site is set up; then when (epoch seconds) and who."""

    done: bool
    at: float = 0.0
    by: str = ""
