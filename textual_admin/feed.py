"""The connection to the service: keeps it up, and turns what comes into messages for the app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from textual.message import Message

from appliance.api.client import ApiError, Client, NotRunningError, RefusedError
from appliance.api.types import EventRow, Live
from textual_admin.lang import _

#: The service's time for an answer or the next view; then the connection is made anew.
DEAF_S = 8.0
#: Between two tries to connect.
RETRY_S = 1.0
#: Events fetched from the store when the console begins.
BEFORE = 500
#: JSON-RPC 2.0 §5.1: the method does not exist.
_METHOD_NOT_FOUND = -32601


class LiveCame(Message):
    """A view of this moment."""

    def __init__(self, view: Live) -> None:
        super().__init__()
        self.view = view


class EventsCame(Message):
    """Events in order; ``lost`` counts all that were lost since the connection was made."""

    def __init__(self, rows: list[EventRow], lost: int) -> None:
        super().__init__()
        self.rows, self.lost = rows, lost


class Connected(Message):
    """There is a connection; the service does not have the methods ``missing``."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__()
        self.missing = missing


class Trouble(Message):
    """There is none: why, and that it is tried again."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class Feed:
    """``run`` for as long as the console lives. ``methods`` are those that a plugin may offer."""

    def __init__(self, path: Path, post: Callable[[Message], object], methods: Iterable[str]) -> None:
        """Not connected yet."""
        self._path = path
        self._post = post
        self._methods = tuple(methods)
        self._client: Client | None = None
        self._last = 0
        self._heard = 0.0

    @property
    def connected(self) -> bool:
        """Whether the service can be asked now."""
        return self._client is not None

    async def call(self, method: str, **params: Any) -> Any:
        """Ask the service. Raises ``ApiError`` or ``NotRunningError``, both with a sentence to show."""
        if self._client is None:
            raise NotRunningError(_("there is no connection to the service"))
        async with asyncio.timeout(DEAF_S):
            return await self._client.call(method, **params)

    async def history(self, contact: str) -> list[EventRow]:
        """A contact's events from its first on. Raises as ``call`` does."""
        if self._client is None:
            raise NotRunningError(_("there is no connection to the service"))
        async with asyncio.timeout(DEAF_S):
            return await self._client.events(0, contact=contact, limit=1000)

    async def run(self) -> None:
        """Connect, listen, and begin again when the connection ends, until cancelled."""
        while True:
            try:
                async with Client(self._path) as client:
                    await self._listen(client)
            except RefusedError as error:
                self._post(Trouble(_("Refused: {}").format(error)))
            except TimeoutError:  # before OSError, of which it is one
                self._post(Trouble(_("The service has the connection but says nothing; connecting again.")))
            except (NotRunningError, OSError) as error:
                self._post(Trouble(_("No answer from the service: is it running? (onecall serve) {}").format(error)))
            except ApiError as error:
                self._post(Trouble(str(error)))
            finally:
                self._client = None
            await asyncio.sleep(RETRY_S)

    async def _listen(self, client: Client) -> None:
        async with asyncio.timeout(DEAF_S):
            missing = frozenset([method for method in self._methods if not await _offered(client, method)])
            newest = await client.events(limit=BEFORE)
        self._client = client
        self._post(Connected(missing))
        self._tell(client, [row for row in newest if row.id > self._last])
        await self._follow(client, newest[-1].id if newest else 0)

    async def _follow(self, client: Client, after: int) -> None:
        """Until the connection ends. Raises ``TimeoutError`` when no view comes for ``DEAF_S``."""
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        tasks = [asyncio.create_task(self._views(client)), asyncio.create_task(self._events(client, after))]
        try:
            ended: set[asyncio.Task[None]] = set()
            while not ended:
                if loop.time() - self._heard > DEAF_S:
                    raise TimeoutError
                ended, _waiting = await asyncio.wait(tasks, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            await client.close()  # first: then the tasks do not wait for a service that is deaf to unsubscribe them
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, client: Client, rows: list[EventRow]) -> None:
        if rows:
            self._last = rows[-1].id
            self._post(EventsCame(rows, client.dropped))

    async def _views(self, client: Client) -> None:
        async with client.live_views() as views:
            async for view in views:
                self._heard = asyncio.get_running_loop().time()
                self._post(LiveCame(view))

    async def _events(self, client: Client, after: int) -> None:
        async with client.follow_events(after=after) as rows:
            async for row in rows:
                self._tell(client, [row])


async def _offered(client: Client, method: str) -> bool:
    """Whether there is such a method: asked without the parameter that all of them need, so that nothing is done."""
    try:
        await client.call(method)
    except RefusedError:
        raise
    except ApiError as error:
        return error.code != _METHOD_NOT_FOUND
    return True
