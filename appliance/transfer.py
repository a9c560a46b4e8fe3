"""Export and import of the whole site: gathers it from its owners, checks a text, makes the site what it says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import attrs
from attrs import frozen

from appliance import sitefiles, siteplan
from appliance.calls import trunkgroups
from appliance.calls.groups import TrunkGroups
from appliance.calls.numbering import Number
from appliance.calls.plan import NumberingPlan
from appliance.calls.trunkgroups import TrunkGroup
from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.people import rules, secrets
from appliance.people.directory import Agent, Directory, Seat
from appliance.sitefiles import SiteFiles
from appliance.siteplan import Change, PlanAgent, PlanGroup, PlanNumber, PlanSeat, SitePlan

log = logging.getLogger(__name__)


@frozen
class SiteImported(Event):
    """The site was made what a text said: the rows and files that changed, by whom."""

    kind: ClassVar[str] = "site.imported"
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    by: str


class SiteTransfer:
    """Asks and changes the owners; the files of ``etc`` it only reads, they are the admin's to write."""

    def __init__(
        self,
        *,
        realm: str,
        etc: Path,
        people: Directory,
        numbers: NumberingPlan,
        groups: TrunkGroups,
        events: EventLog,
        files: Callable[[], Sequence[SiteFiles]],
        logged_in: Callable[[], set[str]],
    ) -> None:
        """``files``: who reads which; ``logged_in``: the numbers of agents who may not be removed now."""
        self.etc = etc
        self._realm = realm
        self._people = people
        self._numbers = numbers
        self._groups = groups
        self._events = events
        self._files = files
        self._logged_in = logged_in

    def plan(self) -> SitePlan:
        """The site as it is. Raises ``ValueError`` or ``OSError`` for a file that cannot be read."""
        people = self._people
        return SitePlan(
            siteplan.FORMAT,
            self._realm,
            {a.number: PlanAgent(a.name, people.pin_hash(a.number), a.language) for a in people.agents()},
            {s.account: PlanSeat(s.display, people.ha1(s.account), s.outside) for s in people.seats()},
            {n.pattern: PlanNumber(n.destination, n.name, n.language) for n in self._numbers.numbers()},
            {group.name: _plan_group(group) for group in self._groups.groups()},
            sitefiles.read(self.etc, self._files()),
        )

    def check(self, plan: SitePlan) -> list[Change]:
        """What an import would change. Raises ``ValueError`` when it cannot be done."""
        if plan.realm != self._realm:
            raise ValueError(
                f"site: realm {plan.realm!r} is not this machine's {self._realm!r}: its phones' passwords would be"
                " wrong; set realm in [control] of onecall.toml first"
            )
        self._agents(plan)
        self._seats(plan)
        self._rows(plan)
        self._trunk_groups(plan)
        sitefiles.check(plan.files, self._files())
        if gone := sorted((self._logged_in() & {a.number for a in self._people.agents()}) - set(plan.agents)):
            raise ValueError(f"agents {', '.join(gone)} would be removed and are logged in; log them out first")
        return siteplan.compare(self.plan(), plan)

    async def apply(self, plan: SitePlan, by: str) -> list[str]:
        """Make the site what the plan says, in one transaction; the files must be in place. Raises ``ValueError``.

        What readers of the files say who cannot take them over now, a sentence each: they do so at the next start.
        """
        changes = self.check(plan)
        if waiting := [change.name for change in changes if change.kind == "file"]:
            raise ValueError(f"these files in {self.etc} are not yet as the import has them: {', '.join(waiting)}")
        parts = (
            self._people.replacement(self._agents(plan), self._seats(plan)),
            self._numbers.replacement(self._rows(plan)),
            self._groups.replacement(self._trunk_groups(plan)),
        )
        added, changed, removed = (
            tuple(f"{c.kind} {c.name}" for c in changes if c.change == how) for how in ("add", "change", "remove")
        )
        event = SiteImported(added, changed, removed, by)
        await self._events.commit(event, changes=[c for part in parts for c in part.changes])
        for part in parts:
            part.settle()
        return [sentence for kind in self._files() if (sentence := _tell(kind))]

    def _agents(self, plan: SitePlan) -> dict[str, tuple[Agent, str]]:
        made = {}
        for number, row in plan.agents.items():
            rules.check_number("agent number", number)
            if row.pin_hash and not secrets.is_pin_hash(row.pin_hash):
                raise ValueError(f"agent {number}: pin_hash is not a hash that onecall export has written")
            agent = Agent(number, rules.check_name(row.name), bool(row.pin_hash), rules.check_language(row.language))
            made[number] = (agent, row.pin_hash)
        return made

    def _seats(self, plan: SitePlan) -> dict[str, tuple[Seat, str]]:
        made = {}
        for account, row in plan.seats.items():
            rules.check_number("account", account)
            if not secrets.is_ha1(row.ha1):
                raise ValueError(f"seat {account}: ha1 must be 32 hexadecimal digits, as onecall export writes them")
            made[account] = (Seat(account, row.display, row.outside), row.ha1)
        return made

    def _rows(self, plan: SitePlan) -> dict[str, Number]:
        return {
            pattern: self._numbers.checked(Number(pattern, row.destination, row.name, row.language))
            for pattern, row in plan.numbers.items()
        }

    def _trunk_groups(self, plan: SitePlan) -> dict[str, TrunkGroup]:
        return {
            name: trunkgroups.checked(TrunkGroup(name, **trunkgroups.fields(attrs.asdict(row))))
            for name, row in plan.groups.items()
        }


def _plan_group(group: TrunkGroup) -> PlanGroup:
    written = trunkgroups.texts(group)
    del written["name"]
    return PlanGroup(**{**written, **{key: tuple(written[key]) for key in ("members", "shows", "routes")}})


def _tell(kind: SiteFiles) -> str:
    """Let a reader look at his files again; what he says against it."""
    try:
        kind.changed()
    except Exception as error:  # the change itself is made; whatever a reader throws is for the user to know
        log.exception("%s could not be read again", kind.pattern)
        return f"{kind.pattern}: {error}"
    return ""
