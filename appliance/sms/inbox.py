"""Messages that have come in: on the disk first, then the module may forget them, then plugins deal with them.

What the disk has and no plugin was told of, because the process ended, is told at the next start: so plugins may see a
message twice, and never miss one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from sqlalchemy import insert, select, update

from appliance.calls.call import new_contact_id
from appliance.events.log import EventLog
from appliance.link.client import LinkDown
from appliance.pluginmanager import Plugins
from appliance.sms import events, message
from appliance.sms.contacts import contact_of
from appliance.sms.message import Sms
from appliance.store.store import Store
from appliance.store.tables import sms as table
from hw.messages import Message, SmsReceived, SmsTaken

log = logging.getLogger(__name__)


class Inbox:
    """``send`` as the outbox's."""

    def __init__(
        self, store: Store, log_: EventLog, plugins: Plugins, *, send: Callable[[Message], None],
        now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._store = store
        self._events = log_
        self._plugins = plugins
        self._send = send
        self._now = now
        self._unhandled: asyncio.Queue[Sms] = asyncio.Queue()

    async def load(self) -> None:
        """Read what plugins were not told of when the process ended."""
        for row in await self._store.rows(select(table).where(table.c.state == "received").order_by(table.c.at)):
            self._unhandled.put_nowait(message.of_row(row))

    async def received(self, event: SmsReceived) -> None:
        """Put a message on the disk, unless it is there, and let the module forget it."""
        name = f"in-{event.line}-{event.id}"
        if not await self._store.rows(select(table.c.id).where(table.c.id == name)):
            await self._keep(name, event)
        with contextlib.suppress(LinkDown):  # it is told again when the line process is back
            self._send(SmsTaken(event.id, event.line))

    async def run(self) -> None:
        """Tell plugins, one message after the other, for ever."""
        while True:
            new = await self._unhandled.get()
            await self._plugins.sms_received(message.received(new))
            self._store.save(update(table).where(table.c.id == new.id).values(state="handled"))

    async def _keep(self, name: str, event: SmsReceived) -> None:
        now = self._now()
        new = Sms(
            name, True, event.number, event.text, now, "received", new_contact_id(now), line=event.line,
            parts=event.parts, missing=event.missing, pdu=event.pdu,
        )  # fmt: skip
        came = events.SmsReceived(name, new.line, new.number, new.parts, new.missing, not new.pdu)
        await self._events.commit(came, new.contact, [contact_of(new), insert(table).values(new.row())])
        self._unhandled.put_nowait(new)
