"""A short message as the control process keeps it, and the rules for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from attrs import asdict, define, field, frozen
from sqlalchemy import RowMapping

#: Ours: waits for its turn or for another try, is in the line process's hands, was taken whole, reached its receiver,
#: did not; is given up; nobody knows. Theirs: on the disk, and dealt with by all plugins.
State = Literal["waiting", "sending", "sent", "delivered", "undelivered", "failed", "unknown", "received", "handled"]

#: Characters of the longest text: thirty parts of Chinese.
MAX_TEXT = 2000
#: A message that could not be sent for so long is given up.
GIVE_UP_S = 24 * 3600.0
#: Pauses before the next tries, in seconds; the last one from then on.
_PAUSES_S = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
#: Numbers are the same when so many of their last digits are: the network may put the country's code in front.
_SAME_DIGITS = 8


@define
class Sms:
    """One message; a row of the table ``sms``. ``state`` see ``State``; times are seconds since the epoch."""

    id: str
    incoming: bool
    number: str
    text: str
    at: float
    state: State = "waiting"
    contact: str = ""
    wanted: str = ""
    line: str = ""
    parts: int = 0
    missing: int = 0
    reference: int = 0
    references: list[int] = field(factory=list)
    reports: list[str] = field(factory=list)
    tries: int = 0
    next_at: float = 0.0
    reason: str = ""
    pdu: str = ""

    def row(self) -> dict[str, Any]:
        """Its columns."""
        return asdict(self)


@frozen
class ShortMessage:
    """A message that has come in, as plugins see it (``onecall_sms_received``).

    ``text`` is empty where none could be read; ``missing`` parts never came and stand as "[…]" in the text.
    """

    id: str
    contact: str
    line: str
    number: str
    text: str
    at: float
    missing: int = 0


def of_row(row: RowMapping) -> Sms:
    """The message of a row."""
    return Sms(**{name: row[name] for name in Sms.__annotations__})


def received(message: Sms) -> ShortMessage:
    """What plugins see of it."""
    return ShortMessage(
        message.id, message.contact, message.line, message.number, message.text, message.at, message.missing
    )


def check(number: str, text: str) -> None:
    """Raises ``ValueError`` for what can never be sent."""
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"number: {number!r} must be 1 to 20 digits, * or #, with + in front for an international one")
    if not text.strip() or len(text) > MAX_TEXT:
        raise ValueError(f"text: has {len(text)} characters, must have 1 to {MAX_TEXT}")


def pause_s(tries: int) -> float:
    """Seconds until the next try after ``tries`` that failed."""
    return _PAUSES_S[min(tries, len(_PAUSES_S)) - 1]


def choose(messages: Sequence[Sms], line: str, now: float) -> Sms | None:
    """The message that goes over a free line next: the oldest that is due and may go over it."""
    due = [m for m in messages if m.state == "waiting" and m.next_at <= now and m.wanted in ("", line)]
    return min(due, key=lambda message: message.at, default=None)


def same_number(one: str, other: str) -> bool:
    """Whether two ways of writing a number mean the same subscriber."""
    a, b = (re.sub(r"\D", "", number) for number in (one, other))
    length = min(len(a), len(b))
    return a == b or (length >= _SAME_DIGITS and a[-length:] == b[-length:])


def note(message: Sms, reference: int, outcome: str) -> None:
    """Take a report on one part into the message. References come again after 256 parts: the first open one counts."""
    message.reports += [""] * (len(message.references) - len(message.reports))
    for part, own in enumerate(message.references):
        if own == reference and message.reports[part] in ("", "trying"):
            message.reports[part] = outcome
            return


def settle(message: Sms) -> bool | None:
    """Whether a message that was sent has reached its receiver; None while that is open, or was known before."""
    if message.state != "sent":
        return None
    if "failed" in message.reports:
        message.state = "undelivered"
        return False
    if len(message.reports) == message.parts and set(message.reports) == {"delivered"}:
        message.state = "delivered"
        return True
    return None
