"""Methods of the API that change who works here and what numbers reach, one by one or all from one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from appliance import siteplan
from appliance.api.dispatch import Method
from appliance.api.peer import Peer
from appliance.calls.numbering import Number
from appliance.calls.plan import NumberingPlan
from appliance.people import secrets
from appliance.people.directory import Agent, Directory, Seat
from appliance.transfer import SiteTransfer


class SiteMethods:
    """``table`` has them by name. PINs and passwords made here are told once, in the answer, and kept as hashes."""

    def __init__(
        self, people: Directory, numbers: NumberingPlan, site: SiteTransfer, logged_in: Callable[[], set[str]]
    ) -> None:
        """``logged_in``: the numbers of agents who may not be removed now."""
        self._people = people
        self._numbers = numbers
        self._site = site
        self._logged_in = logged_in
        self.table: Mapping[str, Method] = {
            "people.list": self._people_list,
            "agents.add": self._agent_add,
            "agents.change": self._agent_change,
            "agents.remove": self._agent_remove,
            "seats.list": self._seats_list,
            "seats.add": self._seat_add,
            "seats.change": self._seat_change,
            "seats.remove": self._seat_remove,
            "numbers.list": self._numbers_list,
            "numbers.add": self._number_add,
            "numbers.change": self._number_change,
            "numbers.remove": self._number_remove,
            "site.export": self._export,
            "site.check": self._check,
            "site.import": self._import,
        }

    async def _people_list(self) -> list[Agent]:
        return self._people.agents()

    async def _agent_add(
        self, number: str, name: str, peer: Peer, pin: str | None = None, language: str = ""
    ) -> dict[str, Any]:
        """Without ``pin`` one is made at random; an empty one is none."""
        given = secrets.make_pin() if pin is None else pin
        agent = await self._people.add_agent(number, name, pin=given, language=language, by=peer.name)
        return {**attrs.asdict(agent), "pin": given if pin is None else ""}

    async def _agent_change(
        self,
        number: str,
        peer: Peer,
        name: str | None = None,
        pin: str | None = None,
        language: str | None = None,
        new_pin: bool = False,
    ) -> dict[str, Any]:
        """``new_pin``: one is made at random."""
        given = secrets.make_pin() if new_pin else pin
        agent = await self._people.change_agent(number, name=name, pin=given, language=language, by=peer.name)
        return {**attrs.asdict(agent), "pin": given if new_pin else ""}

    async def _agent_remove(self, number: str, peer: Peer) -> dict[str, str]:
        if number in self._logged_in():
            raise ValueError(f"agent {number} is logged in; log him out first")
        await self._people.remove_agent(number, by=peer.name)
        return {"number": number}

    async def _seats_list(self) -> list[Seat]:
        return self._people.seats()

    async def _seat_add(
        self, account: str, peer: Peer, password: str | None = None, display: str = "", outside: bool = False
    ) -> dict[str, Any]:
        """Without ``password`` one is made at random."""
        given = password or secrets.make_password()
        seat = await self._people.add_seat(account, given, display=display, outside=outside, by=peer.name)
        return {**attrs.asdict(seat), "password": "" if password else given}

    async def _seat_change(
        self,
        account: str,
        peer: Peer,
        password: str | None = None,
        display: str | None = None,
        outside: bool | None = None,
        new_password: bool = False,
    ) -> dict[str, Any]:
        """``new_password``: one is made at random."""
        given = secrets.make_password() if new_password else password
        seat = await self._people.change_seat(account, password=given, display=display, outside=outside, by=peer.name)
        return {**attrs.asdict(seat), "password": given if new_password else ""}

    async def _seat_remove(self, account: str, peer: Peer) -> dict[str, str]:
        await self._people.remove_seat(account, by=peer.name)
        return {"account": account}

    async def _numbers_list(self) -> list[Number]:
        return self._numbers.numbers()

    async def _number_add(
        self, pattern: str, destination: str, peer: Peer, name: str = "", language: str = ""
    ) -> Number:
        return await self._numbers.add(pattern, destination, name=name, language=language, by=peer.name)

    async def _number_change(
        self,
        pattern: str,
        peer: Peer,
        destination: str | None = None,
        name: str | None = None,
        language: str | None = None,
    ) -> Number:
        return await self._numbers.change(
            pattern, destination=destination, name=name, language=language, by=peer.name
        )

    async def _number_remove(self, pattern: str, peer: Peer) -> dict[str, str]:
        await self._numbers.remove(pattern, by=peer.name)
        return {"pattern": pattern}

    async def _export(self) -> str:
        return siteplan.write(self._site.plan())

    async def _check(self, text: str) -> dict[str, Any]:
        """What an import would change, and which of the site's files must be written (None: removed) before it."""
        plan = siteplan.read(text)
        changes = self._site.check(plan)
        files = {change.name: plan.files.get(change.name) for change in changes if change.kind == "file"}
        return {"changes": changes, "etc": str(self._site.etc), "files": files}

    async def _import(self, text: str, peer: Peer) -> dict[str, Any]:
        return {"problems": await self._site.apply(siteplan.read(text), peer.name)}
