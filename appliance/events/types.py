"""The core's events. Plugins add their own by subclassing ``Event``; a kind is a name with dots, stable for reports."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class Event:
    """Something that happened, once. ``kind`` is stored with the fields as JSON; secrets never are fields."""

    kind: ClassVar[str] = "event"


@frozen
class ContactOffered(Event):
    """A customer's call came in, or an agent's phone began one."""

    kind: ClassVar[str] = "contact.offered"
    leg: str
    line: str
    channel: int | None
    called: str
    caller: str
    name: str = ""


@frozen
class ContactBlocked(Event):
    """A call that could not be taken: no channel, or refused by the line process, or by a trunk ``group``."""

    kind: ClassVar[str] = "contact.blocked"
    line: str
    called: str
    caller: str
    cause: int
    group: str = ""


@frozen
class ServiceEntered(Event):
    """The contact is now served by ``destination``."""

    kind: ClassVar[str] = "service.entered"
    destination: str


@frozen
class ServiceFailed(Event):
    """A service threw; the call went on by the default rule."""

    kind: ClassVar[str] = "service.failed"
    destination: str
    error: str
    default: str


@frozen
class LegDialled(Event):
    """We call somebody for this contact."""

    kind: ClassVar[str] = "leg.dialled"
    leg: str
    line: str
    number: str
    group: str = ""


@frozen
class TrunkOverflowed(Event):
    """A way out failed before the called party was reached; the call goes on to the next one, if there is one."""

    kind: ClassVar[str] = "trunk.overflowed"
    group: str
    line: str
    number: str
    cause: int


@frozen
class LegAlerting(Event):
    """The one we call rings, ``ms`` after the dial."""

    kind: ClassVar[str] = "leg.alerting"
    leg: str
    ms: float


@frozen
class LegAnswered(Event):
    """A leg is up: the caller's (by us) or the one we called."""

    kind: ClassVar[str] = "leg.answered"
    leg: str
    ms: float


@frozen
class LegCleared(Event):
    """A leg is gone."""

    kind: ClassVar[str] = "leg.cleared"
    leg: str
    cause: int
    by: str


@frozen
class OneWay(Event):
    """The caller was to talk with somebody, and his line carries audio one way at a time."""

    kind: ClassVar[str] = "contact.one_way"
    leg: str
    line: str


@frozen
class Bridged(Event):
    """Two legs talk."""

    kind: ClassVar[str] = "contact.bridged"
    leg: str
    peer: str
    number: str


@frozen
class Unbridged(Event):
    """They talk no more; ``ms`` is how long they did."""

    kind: ClassVar[str] = "contact.unbridged"
    leg: str
    peer: str
    ms: float
    reason: str


@frozen
class Held(Event):
    """A party put the other on hold (``on``) or took him back."""

    kind: ClassVar[str] = "contact.held"
    leg: str
    on: bool


@frozen
class Transferred(Event):
    """A transfer was asked for: to whom, and how it ended (``result`` is a SIP status)."""

    kind: ClassVar[str] = "contact.transferred"
    leg: str
    to: str
    result: int


@frozen
class DigitIgnored(Event):
    """A key nobody asked for; never says which."""

    kind: ClassVar[str] = "digit.ignored"
    leg: str


@frozen
class PromptFailed(Event):
    """A prompt could not be said or played; the call went on without it."""

    kind: ClassVar[str] = "prompt.failed"
    prompt: str
    reason: str


@frozen
class ContactAdopted(Event):
    """Taken over after a restart of the control process; ``as_`` says how it goes on."""

    kind: ClassVar[str] = "contact.adopted"
    leg: str
    as_: str


@frozen
class ContactEnded(Event):
    """The end of a contact: its last leg is gone; only its recording may be told to be whole later.

    ``talked``: whether it was ever bridged.
    """

    kind: ClassVar[str] = "contact.ended"
    cause: int
    by: str
    talked: bool
    ms: float


@frozen
class PhoneRegistered(Event):
    """A phone is there."""

    kind: ClassVar[str] = "phone.registered"
    account: str
    source: str
    agent: str


@frozen
class PhoneUnregistered(Event):
    """A phone is gone."""

    kind: ClassVar[str] = "phone.unregistered"
    account: str
    reason: str


@frozen
class PhoneRefused(Event):
    """Somebody used an unknown account or a wrong password."""

    kind: ClassVar[str] = "phone.refused"
    account: str
    source: str
    reason: str


@frozen
class LineChanged(Event):
    """A trunk went up or down."""

    kind: ClassVar[str] = "line.changed"
    line: str
    up: bool
    alarm: str


@frozen
class ProcessChanged(Event):
    """The link to a process came up or was lost; ``control`` is up once it has adopted earlier calls."""

    kind: ClassVar[str] = "process.changed"
    process: str
    up: bool


@frozen
class PluginFailed(Event):
    """A plugin's hook threw or took too long."""

    kind: ClassVar[str] = "plugin.failed"
    plugin: str
    hook: str
    error: str


@frozen
class PluginDisabled(Event):
    """A plugin failed too often and is off until the next start: an alarm."""

    kind: ClassVar[str] = "plugin.disabled"
    plugin: str
    failures: int


@frozen
class FaultReported(Event):
    """A process could not do what it was told, or something failed inside it."""

    kind: ClassVar[str] = "fault"
    process: str
    subject: str
    reason: str
    command: str
