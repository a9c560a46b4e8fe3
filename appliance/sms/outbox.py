"""Messages on their way out: kept in the store until the network has taken them, tried again with growing pauses.

A message is marked as handed over, on the disk, before the line process is told; and a line is given the next one only
when the end of the one before is on the disk. So whatever dies when, no part that was taken is sent again: where nobody
can say whether it was, the message is not sent again but told to be unknown.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Callable, Iterable

from sqlalchemy import Executable, insert, select, update

from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.link.client import LinkDown
from appliance.sms import events, message
from appliance.sms.message import Sms
from appliance.store.store import Store
from appliance.store.tables import sms as table
from hw.messages import Fault, LineState, Message, SendSms, SmsFailed, SmsReport, SmsSent, Snapshot

log = logging.getLogger(__name__)

#: Reports look for their message among so many of the newest that were sent.
_RECENT = 500
#: Messages that wait are looked at so often at least, in seconds.
_LOOK_S = 60.0


class Outbox:
    """``lines`` are all there are; ``send`` gives the line process a command and raises ``LinkDown``."""

    def __init__(
        self,
        store: Store,
        log_: EventLog,
        *,
        lines: Callable[[], Iterable[LineState]],
        send: Callable[[Message], None],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._events = log_
        self._lines = lines
        self._send = send
        self._now = now
        self._open: dict[str, Sms] = {}
        #: Messages whose reports may come, the oldest first.
        self._sent: dict[str, Sms] = {}
        self._in_hand: dict[str, str] = {}
        #: Those in hand of which the line process was told, perhaps.
        self._told: set[str] = set()
        self._there = False  # the line process
        self._some = asyncio.Event()
        self._numbers = itertools.count(int(now() * 1000))

    async def load(self) -> None:
        """Read what was on its way when the process ended."""
        rows = await self._store.rows(select(table).where(table.c.state.in_(("waiting", "sending"))))
        self._open = {row["id"]: message.of_row(row) for row in rows}
        self._in_hand = {each.line: each.id for each in self._open.values() if each.state == "sending"}
        self._told = set(self._in_hand.values())
        recent = select(table).where(table.c.state == "sent").order_by(table.c.at.desc()).limit(_RECENT)
        self._sent = {row["id"]: message.of_row(row) for row in reversed(await self._store.rows(recent))}

    @property
    def waiting(self) -> int:
        """Messages that are not sent yet."""
        return len(self._open)

    async def send(
        self, number: str, text: str, *, line: str, contact: str, by: str, changes: Iterable[Executable]
    ) -> Sms:
        """Take a message; it is on the disk on return, with ``changes``. Raises ``ValueError``, ``LookupError``."""
        message.check(number, text)
        able = [state.line for state in self._lines() if state.sms]
        if not able:
            raise LookupError("no line carries short messages")
        if line and line not in able:
            raise LookupError(f"line {line!r} carries no short messages (these do: {', '.join(able)})")
        new = Sms(
            f"sms-{next(self._numbers):x}", False, number, text, self._now(), contact=contact, wanted=line,
            reference=secrets.randbelow(65536),
        )  # fmt: skip
        queued = events.SmsQueued(new.id, number, len(text), by)
        await self._events.commit(queued, contact, [*changes, insert(table).values(new.row())])
        self._open[new.id] = new
        self._some.set()
        return new

    async def run(self) -> None:
        """Give messages to lines that are free, for ever."""
        while True:
            self._some.clear()
            await self._give()
            due = [each.next_at - self._now() for each in self._open.values() if each.state == "waiting"]
            # One that is due and found no line waits for the word of one, or until it is given up.
            pause = min((seconds for seconds in due if seconds > 0), default=_LOOK_S)
            try:
                async with asyncio.timeout(min(pause, _LOOK_S)):
                    await self._some.wait()
            except TimeoutError:
                pass

    def poke(self) -> None:
        """A line may be free, or up again."""
        self._some.set()

    # -- the line process ----------------------------------------------------------------------------------------------

    def line_up(self, snapshot: Snapshot) -> None:
        """The line process is there. What it was given and does not know any more has an unknown end."""
        for each in list(self._open.values()):
            if each.id in self._told and each.id not in snapshot.messages:
                self._fail(each, "the line process has ended meanwhile", unknown=True)
        self._there = True
        self._some.set()

    def handle(self, event: SmsSent | SmsFailed | Fault) -> None:
        """The end of a message, or of a part of it; once more does nothing."""
        each = self._open.get(event.subject if isinstance(event, Fault) else event.id)
        if each is None or each.state != "sending":
            return
        match event:
            case SmsSent(line=line, part=part, parts=parts, reference=reference) if line == each.line:
                if part == len(each.references) + 1:
                    each.references.append(reference)
                    each.parts = parts
                    self._took_part(each)
            case SmsFailed(line=line, outcome=outcome, reason=reason) if line == each.line:
                if outcome == "again":
                    self._postpone(each, reason)
                else:
                    self._fail(each, reason, unknown=outcome == "unknown")
            case Fault(reason=reason):
                self._postpone(each, reason)

    def reported(self, report: SmsReport) -> None:
        """The network's word about a part; one that belongs to no message of ours is dropped, and logged."""
        for each in reversed([*self._sent.values(), *self._open.values()]):
            same = each.line == report.line and message.same_number(each.number, report.number)
            if same and report.reference in each.references:
                message.note(each, report.reference, report.outcome)
                self._settle(each)
                return
        log.info("line %s: a report on no message of ours", report.line)

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def _give(self) -> None:
        now = self._now()
        for each in [each for each in self._open.values() if each.state == "waiting"]:
            if now - each.at > message.GIVE_UP_S:
                self._fail(each, f"not sent within {message.GIVE_UP_S / 3600:.0f} hours: {each.reason}", unknown=False)
        for state in list(self._lines()):
            if self._there and state.sms and state.up and state.line not in self._in_hand:
                chosen = message.choose(list(self._open.values()), state.line, now)
                if chosen is not None:
                    await self._hand_over(chosen, state.line)

    async def _hand_over(self, each: Sms, line: str) -> None:
        each.state, each.line = "sending", line
        self._in_hand[line] = each.id
        try:
            await asyncio.gather(self._store.save(_changed(each)), self._store.save())
        except Exception:  # the store has logged and counted it; without the mark nothing is sent
            log.exception("message %s is not handed over", each.id)
            self._back(each, self._now() + _LOOK_S)
            return
        self._told.add(each.id)
        try:
            self._send(SendSms(each.id, line, each.number, each.text, each.reference, len(each.references) + 1))
        except LinkDown:
            self._there = False
            self._back(each, each.next_at)
            self._store.save(_changed(each))

    def _took_part(self, each: Sms) -> None:
        if len(each.references) < each.parts:
            self._store.save(_changed(each))
            return
        each.state, each.reason = "sent", ""
        self._over(each)
        ms = (self._now() - each.at) * 1000
        self._tell(each, events.SmsSent(each.id, each.line, each.number, each.parts, ms))
        self._sent[each.id] = each
        while len(self._sent) > _RECENT:
            del self._sent[next(iter(self._sent))]
        self._settle(each)  # the reports may have been faster than the last part's own word

    def _settle(self, each: Sms) -> None:
        delivered = message.settle(each)
        if delivered is None:
            self._store.save(_changed(each))
        else:
            self._sent.pop(each.id, None)
            self._tell(each, events.SmsReported(each.id, each.line, each.number, delivered))

    def _postpone(self, each: Sms, reason: str) -> None:
        each.tries += 1
        each.reason = reason
        again_s = message.pause_s(each.tries)
        self._back(each, self._now() + again_s)
        self._tell(each, events.SmsPostponed(each.id, each.line, each.number, reason, again_s))

    def _back(self, each: Sms, next_at: float) -> None:
        each.state, each.next_at = "waiting", next_at
        self._free(each)

    def _fail(self, each: Sms, reason: str, *, unknown: bool) -> None:
        each.state, each.reason = "unknown" if unknown else "failed", reason
        self._over(each)
        self._tell(each, events.SmsFailed(each.id, each.line, each.number, reason, unknown))

    def _over(self, each: Sms) -> None:
        self._open.pop(each.id, None)
        self._free(each)

    def _free(self, each: Sms) -> None:
        self._told.discard(each.id)
        if self._in_hand.get(each.line) == each.id:
            del self._in_hand[each.line]
        self._some.set()

    def _tell(self, each: Sms, event: Event) -> None:
        self._events.append(event, each.contact, [_changed(each)])


def _changed(each: Sms) -> Executable:
    row = each.row()
    return update(table).where(table.c.id == row.pop("id")).values(row)
