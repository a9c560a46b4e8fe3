"""A client of the API, for the console and the ``onecall`` command: ``async with Client(path) as client``."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from cattrs.preconf.json import make_converter

from appliance.api import rpc
from appliance.api.rpc import ApiError
from appliance.api.types import EventRow, Live

#: What users of the client need: the errors that it raises are known by it.
__all__ = ["ApiError", "Client", "NotRunningError", "RefusedError"]

T = TypeVar("T")

#: The longest line that the service sends: a live view of a big site, or ten thousand events.
_LIMIT = 64 << 20
#: Events that wait for a slow reader before the oldest go.
_BEHIND = 10_000

_converter = make_converter()


class NotRunningError(Exception):
    """The service does not answer at its socket."""


class RefusedError(ApiError):
    """This user may not use the API; the text says what to do."""


class _Box(Generic[T]):
    """What came and was not yet read; the oldest goes when it is full."""

    def __init__(self, size: int) -> None:
        self.rows: deque[T] = deque(maxlen=size)
        self.some = asyncio.Event()

    def put(self, row: T) -> bool:
        """Add one; whether another had to go."""
        full = len(self.rows) == self.rows.maxlen
        self.rows.append(row)
        self.some.set()
        return full


class Client:
    """One connection to the socket at ``path``: ``async with Client(path) as client``. Calls may overlap."""

    def __init__(self, path: Path) -> None:
        """Not connected yet."""
        self._path = path
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._lives: set[_Box[Live]] = set()
        self._events: set[_Box[EventRow]] = set()
        self._reason: Exception | None = NotRunningError(f"{path}: not connected")
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        #: Events that were lost because we, or this program's reader, were too slow.
        self.dropped = 0

    async def connect(self) -> None:
        """Connect. Raises ``NotRunningError``, ``RefusedError`` (that also later, by the first call)."""
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=_LIMIT)
        except PermissionError:
            text = "permission denied: add the user to the group onecall (usermod -aG onecall USER), then log in again"
            raise RefusedError(f"{self._path}: {text}", rpc.REFUSED) from None
        except OSError as error:
            raise NotRunningError(f"{self._path}: {error.strerror or error}") from None
        self._reason = None
        self._task = asyncio.create_task(self._read(reader), name="API client")

    async def close(self) -> None:
        """Close the connection; open calls fail, iterators end. May be connected again."""
        if self._task is not None and self._writer is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._writer.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, method: str, /, **params: Any) -> Any:
        """The method's result as JSON data.

        Raises ``ApiError`` with the service's sentence, ``RefusedError``, ``NotRunningError`` when the connection ends.
        """
        if self._reason is not None or self._writer is None:
            raise self._reason or NotRunningError(f"{self._path}: not connected")
        number = next(self._numbers)
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(rpc.request(number, method, params))
            return await answer
        finally:
            self._open.pop(number, None)

    async def get(self, kind: type[T], method: str, /, **params: Any) -> T:
        """The method's result as the type that it has (``Status``, ``list[CallRow]``)."""
        return _converter.structure(await self.call(method, **params), kind)

    async def live(self) -> Live:
        """The live view of this moment."""
        return await self.get(Live, "live")

    async def events(
        self, after: int | None = None, kind: str = "", contact: str = "", limit: int = 200
    ) -> list[EventRow]:
        """Saved events numbered over ``after``, oldest first; without ``after`` the newest."""
        return await self.get(list[EventRow], "events.list", after=after, kind=kind, contact=contact, limit=limit)

    @asynccontextmanager
    async def live_views(self) -> AsyncIterator[AsyncIterator[Live]]:
        """Live views while open: ``async with client.live_views() as views: async for view in views``. One waits."""
        box: _Box[Live] = _Box(1)
        self._lives.add(box)
        try:
            await self.call("subscribe", topic="live")
            yield self._take(box)
        finally:
            self._lives.discard(box)
            if not self._lives:
                await self._unsubscribe("live")

    @asynccontextmanager
    async def follow_events(
        self, kind: str = "", contact: str = "", after: int | None = None
    ) -> AsyncIterator[AsyncIterator[EventRow]]:
        """Events while open, from now on or from those saved after a number. One set of filters at a time."""
        box: _Box[EventRow] = _Box(_BEHIND)
        self._events.add(box)
        try:
            await self.call("subscribe", topic="events", kind=kind, contact=contact, after=after)
            yield self._take(box)
        finally:
            self._events.discard(box)
            if not self._events:
                await self._unsubscribe("events")

    async def _unsubscribe(self, topic: str) -> None:
        if self._reason is None:
            await self.call("unsubscribe", topic=topic)

    async def _take(self, box: _Box[T]) -> AsyncIterator[T]:
        """Until the connection ends; then what ended it is raised."""
        while True:
            while box.rows:
                yield box.rows.popleft()
            if self._reason is not None:
                raise self._reason
            box.some.clear()
            await box.some.wait()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        reason: Exception = NotRunningError("the service closed the connection")
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if "method" in message:
                    self._notified(message["method"], message["params"])
                elif (problem := self._answered(message)) is not None:
                    reason = problem
                    break
        except (OSError, ValueError) as error:
            reason = NotRunningError(f"the connection broke: {error}")
        finally:
            self._end(reason)

    def _answered(self, message: dict[str, Any]) -> Exception | None:
        """Settle a call; an error without one is why the service will not talk with us."""
        future = self._open.get(message["id"]) if message["id"] is not None else None
        if (problem := message.get("error")) is not None:
            kind = RefusedError if problem["code"] == rpc.REFUSED else ApiError
            error = kind(problem["message"], problem["code"])
            if message["id"] is None:
                return error
            if future is not None and not future.done():
                future.set_exception(error)
        elif future is not None and not future.done():
            future.set_result(message["result"])
        return None

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "live" if self._lives:
                view = _converter.structure(params, Live)
                for views in self._lives:
                    views.put(view)
            case "event" if self._events:
                row = _converter.structure(params, EventRow)
                for rows in self._events:
                    self.dropped += rows.put(row)
            case "dropped":
                self.dropped += params["events"]

    def _end(self, reason: Exception) -> None:
        self._reason = reason
        for future in self._open.values():
            if not future.done():
                future.set_exception(reason)
        for some in (*(box.some for box in self._lives), *(box.some for box in self._events)):
            some.set()
