"""What happens to short messages. Their text is in the store's table only: events are shown to everybody."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from appliance.events.types import Event


@frozen
class SmsQueued(Event):
    """A message is to be sent; ``by`` asked for it (a user's or a plugin's word, may be empty)."""

    kind: ClassVar[str] = "sms.queued"
    id: str
    number: str
    characters: int
    by: str


@frozen
class SmsSent(Event):
    """The network has taken all parts of a message."""

    kind: ClassVar[str] = "sms.sent"
    id: str
    line: str
    number: str
    parts: int
    ms: float


@frozen
class SmsPostponed(Event):
    """A message was not taken and will be tried again in ``again_s`` seconds."""

    kind: ClassVar[str] = "sms.postponed"
    id: str
    line: str
    number: str
    reason: str
    again_s: float


@frozen
class SmsFailed(Event):
    """A message is not tried again. ``unknown``: nobody can say whether the network has taken it."""

    kind: ClassVar[str] = "sms.failed"
    id: str
    line: str
    number: str
    reason: str
    unknown: bool


@frozen
class SmsReported(Event):
    """The network's last word about a message: it reached its receiver with all parts, or did not."""

    kind: ClassVar[str] = "sms.reported"
    id: str
    line: str
    number: str
    delivered: bool


@frozen
class SmsReceived(Event):
    """A message has come in, and is on the disk. ``readable`` is False where no text could be read from it."""

    kind: ClassVar[str] = "sms.received"
    id: str
    line: str
    number: str
    parts: int
    missing: int
    readable: bool
