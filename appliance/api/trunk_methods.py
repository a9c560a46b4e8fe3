"""Methods of the API about trunk groups, and about taking channels, trunks and groups out of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from appliance.api.dispatch import Method
from appliance.api.peer import Peer
from appliance.calls import trunkgroups
from appliance.calls.trunkgroups import Direction, Hunt, TrunkGroup
from appliance.calls.trunks import Trunks


class TrunkMethods:
    """``table`` has them by name. Lines and routes of a group are given as they are written (``trunkgroups``)."""

    def __init__(self, trunks: Trunks) -> None:
        self._trunks = trunks
        self.table: Mapping[str, Method] = {
            "trunks.block": self._block,
            "trunks.drain": self._drain,
            "groups.list": self._list,
            "groups.add": self._add,
            "groups.change": self._change,
            "groups.remove": self._remove,
            "groups.block": self._block_group,
            "groups.drain": self._drain_group,
            "groups.try": self._try,
        }

    async def _block(
        self, line: str, peer: Peer, channel: int | None = None, blocked: bool = True
    ) -> dict[str, object]:
        self._trunks.block(line, channel, blocked, peer.name)
        return {"line": line, "channel": channel, "blocked": blocked}

    async def _drain(self, line: str, peer: Peer, channel: int | None = None) -> dict[str, object]:
        """No new calls; ``busy`` calls are still to end: an event ``line.drained`` follows."""
        return {"line": line, "channel": channel, **attrs.asdict(self._trunks.drain(line, channel, peer.name))}

    async def _list(self) -> list[dict[str, Any]]:
        return [self._shown(group) for group in self._trunks.groups.groups()]

    async def _add(
        self,
        name: str,
        members: tuple[str, ...],
        peer: Peer,
        hunting: Hunt = "in_order",
        direction: Direction = "both",
        caller: str = "",
        shows: tuple[str, ...] = (),
        restricted: bool = False,
        routes: tuple[str, ...] = (),
        most: int = 0,
    ) -> dict[str, Any]:
        written = {
            "name": name, "members": members, "hunting": hunting, "direction": direction, "caller": caller,
            "shows": shows, "restricted": restricted, "routes": routes, "most": most,
        }  # fmt: skip
        return self._shown(await self._trunks.groups.add(TrunkGroup(**trunkgroups.fields(written)), by=peer.name))

    async def _change(
        self,
        name: str,
        peer: Peer,
        members: tuple[str, ...] | None = None,
        hunting: Hunt | None = None,
        direction: Direction | None = None,
        caller: str | None = None,
        shows: tuple[str, ...] | None = None,
        restricted: bool | None = None,
        routes: tuple[str, ...] | None = None,
        most: int | None = None,
    ) -> dict[str, Any]:
        written = {
            "members": members, "hunting": hunting, "direction": direction, "caller": caller,
            "shows": shows, "restricted": restricted, "routes": routes, "most": most,
        }  # fmt: skip
        return self._shown(await self._trunks.groups.change(name, by=peer.name, **trunkgroups.fields(written)))

    async def _remove(self, name: str, peer: Peer) -> dict[str, str]:
        await self._trunks.remove_group(name, peer.name)
        return {"name": name}

    async def _block_group(self, name: str, peer: Peer, blocked: bool = True) -> dict[str, object]:
        self._trunks.block_group(name, blocked, peer.name)
        return {"name": name, "blocked": blocked}

    async def _drain_group(self, name: str, peer: Peer) -> dict[str, object]:
        """No new calls; ``busy`` calls are still to end: an event ``group.drained`` follows."""
        return {"name": name, **attrs.asdict(self._trunks.drain_group(name, peer.name))}

    async def _try(self, number: str) -> dict[str, Any]:
        """The ways that a call to a number would try now, in their order, and why others are passed over."""
        return {"number": number, **attrs.asdict(self._trunks.choose(trunkgroups.dialled(number)))}

    def _shown(self, group: TrunkGroup) -> dict[str, Any]:
        return {**trunkgroups.texts(group), "blocked": group.name in self._trunks.blocks.groups()}
