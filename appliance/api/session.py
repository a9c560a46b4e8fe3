"""One client of the API: reads its requests in order, answers them, and sends what it subscribed to."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

from appliance.api import rpc
from appliance.api.dispatch import Dispatcher
from appliance.api.live import LivePublisher
from appliance.api.outbox import Outbox
from appliance.api.peer import Peer
from appliance.api.rpc import ApiError
from appliance.events.log import EventLog

log = logging.getLogger(__name__)

Topic = Literal["live", "events"]


class Session:
    """Lives as long as the connection."""

    def __init__(self, peer: Peer, dispatcher: Dispatcher, live: LivePublisher, events: EventLog) -> None:
        """``peer`` is allowed in already."""
        self.peer = peer
        self.outbox = Outbox()
        self._dispatcher = dispatcher
        self._live = live
        self._log = events
        self._following: asyncio.Task[None] | None = None

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client goes."""
        sending = asyncio.create_task(self._send(writer), name="API sender")
        try:
            while await self._read_one(reader):
                pass
        except ConnectionError:
            log.debug("API client %s (pid %d) is gone", self.peer.name, self.peer.pid)
        finally:
            await self.unsubscribe("live")
            await self.unsubscribe("events")
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _read_one(self, reader: asyncio.StreamReader) -> bool:
        await self.outbox.room()
        try:
            line = await reader.readline()
        except ValueError:  # over the limit: where the next request begins is not known
            problem = ApiError(f"a line must not be over {rpc.MAX_LINE} bytes", rpc.INVALID_REQUEST)
            self._answer(rpc.error(None, problem))
            await self.outbox.sent()
            return False
        if not line:
            return False
        if line.strip():
            answers = [answer for part in rpc.parse(line) if (answer := await self._handle(part)) is not None]
            if answers:
                self._answer(answers if rpc.is_batch(line) else answers[0])
        return True

    async def _handle(self, request: rpc.Request | ApiError) -> dict[str, Any] | None:
        if isinstance(request, ApiError):
            return rpc.error(None, request)
        try:
            value = await self._dispatcher.call(request.method, request.params, {Session: self, Peer: self.peer})
            answer = rpc.result(request.id, value)
        except ApiError as problem:
            answer = rpc.error(request.id, problem)
        return answer if request.answered else None

    def _answer(self, answer: Any) -> None:
        try:
            line = rpc.encode(answer)
        except (TypeError, ValueError) as error:
            log.exception("an answer cannot be written as JSON")
            problem = ApiError(f"the answer cannot be written as JSON: {error}", rpc.INTERNAL_ERROR)
            line = rpc.encode(rpc.error(answer.get("id") if isinstance(answer, dict) else None, problem))
        self.outbox.answer(line)

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(await self.outbox.take())
            try:
                await writer.drain()
            except ConnectionError:
                return

    # -- subscriptions -------------------------------------------------------------------------------------------------

    async def subscribe(self, topic: Topic, kind: str, contact: str, after: int | None) -> None:
        """Begin (again, with other filters) to send live views or events."""
        await self.unsubscribe(topic)
        if topic == "live":
            self._live.watch(self.outbox.live)
        else:
            self._following = asyncio.create_task(self._follow(kind, contact, after), name="API events")

    async def unsubscribe(self, topic: Topic) -> None:
        """End it, if it was begun."""
        if topic == "live":
            self._live.unwatch(self.outbox.live)
        elif self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None

    async def _follow(self, kind: str, contact: str, after: int | None) -> None:
        """Events from now on; with ``after`` first those saved since that number: none twice, none missing."""
        async with self._log.subscribe(kind) as coming:
            sent = 0
            while after is not None and (rows := await self._log.rows(after, kind, contact, limit=500)):
                for row in rows:
                    self.outbox.event(rpc.notification("event", row))
                sent = after = rows[-1].id
                await self.outbox.sent()
            async for row in coming:
                if row.id > sent and (not contact or row.contact == contact) and matches(row.kind, kind):
                    self.outbox.event(rpc.notification("event", row))


def matches(kind: str, wanted: str) -> bool:
    """Whether an event's kind is the one wanted, or of the family wanted (``contact.``); "" wants all."""
    return not wanted or (kind.startswith(wanted) if wanted.endswith(".") else kind == wanted)
