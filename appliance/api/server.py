"""The API server: a Unix socket, its clients, and who is let in."""

from __future__ import annotations

import asyncio
import grp
import logging
import os
import socket
from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.api import rpc
from appliance.api.dispatch import Dispatcher, Method
from appliance.api.live import LivePublisher, LiveView
from appliance.api.peer import Credentials, credentials, identify, refusal
from appliance.api.rpc import ApiError
from appliance.api.session import Session, Topic
from appliance.events.log import EventLog

log = logging.getLogger(__name__)

#: A client more is refused.
MAX_CLIENTS = 100
#: How long a client that was refused may take to go.
LINGER_S = 2.0


class ApiServer:
    """Serves the core's methods and the plugins' (looked up at each call) to the clients of one socket."""

    def __init__(
        self,
        path: Path,
        *,
        core: Mapping[str, Method],
        plugins: Mapping[str, Method],
        view: LiveView,
        events: EventLog,
        group: str = "onecall",
        timeout_s: float = 10.0,
        ask: Callable[[socket.socket], Credentials] = credentials,
    ) -> None:
        """``core`` comes before ``plugins`` where both have a name; ``ask`` says who a peer is."""
        self._path = path
        self._group = group
        self._ask = ask
        self._events = events
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._watching: asyncio.Task[None] | None = None
        self._gone = {"events_dropped": 0, "live_skipped": 0}
        self._refused = 0
        self.live = LivePublisher(view)
        own: dict[str, Method] = {"subscribe": _subscribe, "unsubscribe": _unsubscribe}
        self._dispatcher = Dispatcher(ChainMap(own, dict(core), plugins), timeout_s)  # type: ignore[arg-type]  # read only

    def counters(self) -> dict[str, int]:
        """Clients now, and what was refused, dropped and skipped since the start."""
        dropped = sum(s.outbox.events_dropped for s in self._sessions)
        skipped = sum(s.outbox.live_skipped for s in self._sessions)
        return {
            "clients": len(self._sessions),
            "refused": self._refused,
            "events_dropped": self._gone["events_dropped"] + dropped,
            "live_skipped": self._gone["live_skipped"] + skipped,
            "live_built": self.live.built,
        }

    async def start(self) -> None:
        """Bind the socket, mode 0660 for the group if there is one; a socket left by a dead process is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, str(self._path), limit=rpc.MAX_LINE)
        try:
            os.chown(self._path, -1, grp.getgrnam(self._group).gr_gid)
        except (KeyError, PermissionError) as error:
            log.warning("%s is for root and this user only, not for group %s: %s", self._path, self._group, error)
        self._path.chmod(0o660)
        self._watching = asyncio.create_task(self._watch_events(), name="API live trigger")

    async def close(self) -> None:
        """Close all connections and remove the socket."""
        if self._server is None or self._watching is None:
            return
        self._server.close()
        self._watching.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._watching, *self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _watch_events(self) -> None:
        """Whatever happens may change the live view."""
        async with self._events.subscribe(behind=1) as events:
            async for _ in events:
                self.live.touch()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio runs this as a task
        self._tasks.add(task)
        try:
            peer = identify(self._ask(writer.get_extra_info("socket")), self._group, os.getuid())
            if peer.role == "refused":
                await self._refuse(writer, refusal(peer, self._group))
            elif len(self._sessions) >= MAX_CLIENTS:
                await self._refuse(writer, f"{MAX_CLIENTS} clients are connected already")
            else:
                await self._serve(Session(peer, self._dispatcher, self.live, self._events), reader, writer)
            await _linger(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            log.debug("an API client is gone, or we are")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sessions.add(session)
        try:
            await session.run(reader, writer)
        finally:
            self._sessions.discard(session)
            self._gone["events_dropped"] += session.outbox.events_dropped
            self._gone["live_skipped"] += session.outbox.live_skipped

    async def _refuse(self, writer: asyncio.StreamWriter, sentence: str) -> None:
        self._refused += 1
        log.warning("API: %s", sentence)
        writer.write(rpc.encode(rpc.error(None, ApiError(sentence, rpc.REFUSED))))
        await writer.drain()


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the client read our last word before the connection is gone: one that is still writing would lose it."""
    if writer.can_write_eof() and not writer.is_closing():
        writer.write_eof()
    try:
        async with asyncio.timeout(LINGER_S):
            while await reader.read(1 << 16):
                continue
    except TimeoutError:
        log.debug("an API client was told to go and does not")


async def _subscribe(
    session: Session, topic: Topic, kind: str = "", contact: str = "", after: int | None = None
) -> dict[str, str]:
    await session.subscribe(topic, kind, contact, after)
    return {"topic": topic}


async def _unsubscribe(session: Session, topic: Topic) -> dict[str, str]:
    await session.unsubscribe(topic)
    return {"topic": topic}
