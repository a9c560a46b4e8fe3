"""Methods of the API about the first steps: whether the site is set up, and the admin's word that it is."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.dispatch import Method
from appliance.api.events import SiteSetUp
from appliance.api.peer import Peer
from appliance.api.types import SetupState
from appliance.events.log import EventLog


class SetupMethods:
    """``table`` has them by name. The event is the state: nothing else is kept."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self.table: Mapping[str, Method] = {"site.setup": self._state, "site.setup_done": self._done}

    async def _state(self) -> SetupState:
        rows = await self._events.tail(SiteSetUp.kind, limit=1)
        return SetupState(True, rows[0].at, str(rows[0].data["by"])) if rows else SetupState(False)

    async def _done(self, peer: Peer) -> SetupState:
        await self._events.commit(SiteSetUp(peer.name))
        return await self._state()
