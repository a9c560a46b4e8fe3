"""The desk for short messages: the one face of outbox and inbox to daemon, API and plugins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from sqlalchemy import select

from appliance.calls.call import new_contact_id
from appliance.events.log import EventLog
from appliance.pluginmanager import Plugins
from appliance.sms import message
from appliance.sms.contacts import contact_of
from appliance.sms.inbox import Inbox
from appliance.sms.message import Sms
from appliance.sms.outbox import Outbox
from appliance.store.store import Store
from appliance.store.tables import sms as table
from appliance.tasks import Tasks
from hw.messages import Fault, LineState, Message, SmsFailed, SmsReceived, SmsReport, SmsSent, Snapshot

log = logging.getLogger(__name__)


class SmsDesk:
    """Made by ``open``."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        plugins: Plugins,
        *,
        lines: Callable[[], Iterable[LineState]],
        send: Callable[[Message], None],
        now: Callable[[], float],
    ) -> None:
        """``lines`` are all there are; ``send`` gives the line process a command and raises ``LinkDown``."""
        self._store = store
        self._now = now
        self._outbox = Outbox(store, events, lines=lines, send=send, now=now)
        self._inbox = Inbox(store, events, plugins, send=send, now=now)
        self._came: asyncio.Queue[SmsReceived] = asyncio.Queue()
        self._tasks = Tasks()

    async def open(self) -> None:
        """Read what was not finished when the process ended, and go on with it."""
        await self._outbox.load()
        await self._inbox.load()
        self._tasks.spawn(self._outbox.run(), "sms outbox")
        self._tasks.spawn(self._inbox.run(), "sms inbox")
        self._tasks.spawn(self._take(), "sms")

    async def close(self) -> None:
        """End; nothing is lost, all of it is in the store or still in the module."""
        await self._tasks.stop()

    # -- the line process ----------------------------------------------------------------------------------------------

    def line_up(self, snapshot: Snapshot) -> None:
        """The line process is there (again)."""
        self._outbox.line_up(snapshot)
        for missed in snapshot.missed:
            self.handle(missed)

    def handle(self, event: Message) -> bool:
        """Take an event about messages; whether it was one."""
        match event:
            case SmsReceived():
                self._came.put_nowait(event)
            case SmsReport():
                self._outbox.reported(event)
            case SmsSent() | SmsFailed() | Fault(command="SendSms"):
                self._outbox.handle(event)
            case LineState():
                self._outbox.poke()
                return False
            case _:
                return False
        return True

    async def _take(self) -> None:
        """One after the other: a message twice in a row must find itself in the store."""
        while True:
            event = await self._came.get()
            try:
                await self._inbox.received(event)
            except Exception:
                log.exception("a short message could not be kept; the module still has it")

    # -- everybody else ------------------------------------------------------------------------------------------------

    async def send(self, number: str, text: str, *, line: str = "", contact: str = "", by: str = "") -> Sms:
        """Send a message; it is safe on disk on return. ``contact``: the one it belongs to, else it is one of its own.

        Raises ``ValueError`` for a number or text that cannot be, ``LookupError`` without a line for it.
        """
        own = contact or new_contact_id(self._now())
        new = Sms("", False, number, text, self._now(), contact=own, line=line)
        changes = () if contact else (contact_of(new),)
        return await self._outbox.send(number, text, line=line, contact=own, by=by, changes=changes)

    async def messages(self, *, number: str = "", contact: str = "", limit: int = 50) -> list[Sms]:
        """The newest messages, the oldest of them first; of a number, of a contact."""
        query = select(table).order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
        if number:
            query = query.where(table.c.number == number)
        if contact:
            query = query.where(table.c.contact == contact)
        return [message.of_row(row) for row in reversed(await self._store.rows(query))]
