"""The live view: all that the console shows, from the switchboard's rows and the plugins', built only when watched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from appliance.api import rpc
from appliance.api.types import (
    AgentRow,
    CallRow,
    ChannelRow,
    GroupRow,
    Live,
    PhoneRow,
    ProcessRow,
    QueueRow,
    Row,
    TrunkRow,
)

log = logging.getLogger(__name__)

#: A watcher gets at most one view in this time, and one at least in that (seconds).
FASTEST_S, SLOWEST_S = 0.25, 1.0


class LiveSource(Protocol):
    """What the core knows, as rows of this moment. Asked a few times a second: no I/O, no waiting."""

    def processes(self) -> Sequence[ProcessRow]:
        """The line, phone and control process."""

    def trunks(self) -> Sequence[TrunkRow]:
        """Every trunk."""

    def channels(self) -> Sequence[ChannelRow]:
        """Every bearer channel."""

    def groups(self) -> Sequence[GroupRow]:
        """Every trunk group."""

    def calls(self) -> Sequence[CallRow]:
        """Every contact that is up."""

    def phones(self) -> Sequence[PhoneRow]:
        """Every seat's phone."""

    def totals(self) -> Mapping[str, int]:
        """Figures since the start of the control process, by name."""

    def alarms(self) -> Sequence[str]:
        """What is wrong now, a sentence each."""


class LiveView:
    """Builds views. ``plugin_rows`` are the rows of the ``onecall_live`` hook by topic."""

    def __init__(
        self,
        source: LiveSource,
        plugin_rows: Callable[[], Mapping[str, Sequence[Row]]],
        *,
        version: str,
        site: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``now`` is the wall clock, ``site`` the call centre's name."""
        self.source = source
        self.version = version
        self.site = site
        self.now = now
        self._plugin_rows = plugin_rows

    def build(self) -> Live:
        """The view of this moment."""
        more = self._plugin_rows()
        return Live(
            at=self.now(),
            version=self.version,
            site=self.site,
            processes=tuple(self.source.processes()),
            trunks=tuple(self.source.trunks()),
            channels=tuple(self.source.channels()),
            calls=tuple(self.source.calls()),
            queues=tuple(row for row in more.get("queues", ()) if isinstance(row, QueueRow)),
            agents=tuple(row for row in more.get("agents", ()) if isinstance(row, AgentRow)),
            phones=tuple(self.source.phones()),
            totals=dict(self.source.totals()),
            alarms=tuple(self.source.alarms()),
            groups=tuple(self.source.groups()),
        )

    def logged_in(self) -> set[str]:
        """The numbers of agents who are logged in."""
        rows = self._plugin_rows().get("agents", ())
        return {row.agent for row in rows if isinstance(row, AgentRow) and row.state != "out"}


class LivePublisher:
    """Sends the view to whoever watches: soon after a change, at most four times a second, at least once."""

    def __init__(self, view: LiveView) -> None:
        """Nothing is built while nobody watches."""
        self._view = view
        self._watchers: set[Callable[[bytes], None]] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        #: Views built.
        self.built = 0

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def touch(self) -> None:
        """Something changed."""
        self._changed.set()

    def watch(self, send: Callable[[bytes], None]) -> None:
        """Give ``send`` every view, as a line, from now on; the first at once."""
        self._watchers.add(send)
        self.touch()
        if self._task is None:
            self._task = asyncio.create_task(self._publish(), name="live view")

    def unwatch(self, send: Callable[[bytes], None]) -> None:
        """No more; nothing is done for one that does not watch."""
        self._watchers.discard(send)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _publish(self) -> None:
        while True:
            self._changed.clear()
            try:
                line = rpc.notification("live", self._view.build())
            except Exception:
                log.exception("the live view could not be built")
            else:
                self.built += 1
                for send in tuple(self._watchers):
                    send(line)
            await asyncio.sleep(FASTEST_S)
            try:
                async with asyncio.timeout(SLOWEST_S - FASTEST_S):
                    await self._changed.wait()
            except TimeoutError:
                continue
