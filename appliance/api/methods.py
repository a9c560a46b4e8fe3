"""The core's methods of the API. Plugins add theirs (``agents.login``) by the ``onecall_methods`` hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from appliance.api.dispatch import Method
from appliance.api.events import ContactHungUp
from appliance.api.live import LiveView
from appliance.api.peer import Peer
from appliance.api.types import AgentRow, CallRow, EventRow, Live, PhoneRow, Status, TrunkRow
from appliance.events.log import MAX_ROWS, EventLog


class Actions(Protocol):
    """What the API can do to calls."""

    def hangup(self, contact: str) -> None:
        """End a contact. Raises ``LookupError`` with a sentence when it is not up."""


class CoreMethods:
    """``table`` has them by name."""

    def __init__(
        self,
        view: LiveView,
        events: EventLog,
        actions: Actions,
        *,
        language: str,
        store: Callable[[], Mapping[str, int]],
        api: Callable[[], Mapping[str, int]],
    ) -> None:
        """``store`` and ``api`` give the counters that ``status`` shows."""
        self._view = view
        self._events = events
        self._actions = actions
        self._language = language
        self._store = store
        self._api = api
        self._started_at = view.now()
        self.table: Mapping[str, Method] = {
            "status": self._status,
            "live": self._live,
            "calls.list": self._calls,
            "calls.hangup": self._hangup,
            "agents.list": self._agents,
            "phones.list": self._phones,
            "trunks.list": self._trunks,
            "events.list": self._events_list,
        }

    async def _status(self) -> Status:
        view = self._view.build()
        return Status(
            version=view.version,
            site=view.site,
            language=self._language,
            started_at=self._started_at,
            at=view.at,
            processes=view.processes,
            calls=len(view.calls),
            agents=sum(agent.state != "out" for agent in view.agents),
            phones=len(view.phones),
            registered=sum(phone.registered for phone in view.phones),
            trunks=len(view.trunks),
            trunks_up=sum(trunk.up for trunk in view.trunks),
            last_event=self._events.last_id,
            totals=view.totals,
            store=dict(self._store()),
            api=dict(self._api()),
            alarms=view.alarms,
        )

    async def _live(self) -> Live:
        return self._view.build()

    async def _calls(self) -> Sequence[CallRow]:
        return self._view.build().calls

    async def _agents(self) -> Sequence[AgentRow]:
        return self._view.build().agents

    async def _phones(self) -> Sequence[PhoneRow]:
        return self._view.build().phones

    async def _trunks(self) -> Sequence[TrunkRow]:
        return self._view.build().trunks

    async def _hangup(self, contact: str, peer: Peer) -> dict[str, str]:
        self._actions.hangup(contact)
        self._events.append(ContactHungUp(peer.name), contact)
        return {"contact": contact}

    async def _events_list(
        self, after: int | None = None, kind: str = "", contact: str = "", limit: int = 200
    ) -> list[EventRow]:
        """Without ``after``: the newest."""
        if not 1 <= limit <= MAX_ROWS:
            raise ValueError(f"limit must be from 1 to {MAX_ROWS}, is {limit}")
        if after is None:
            return await self._events.tail(kind, contact, limit)
        return await self._events.rows(after, kind, contact, limit)
