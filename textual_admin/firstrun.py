"""The first steps: what is known of each, and whether it is done. Pure but for ``gather``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from appliance.api.types import PhoneRow
from textual_admin import machine
from textual_admin.feed import Feed
from textual_admin.lang import N_, _
from textual_admin.machine import Lines, MachineError

Name = Literal["zone", "lines", "number", "agents", "phones", "done"]
Rows = Sequence[Mapping[str, Any]]

TITLES: Mapping[Name, str] = {
    "zone": N_("Zone"),
    "lines": N_("Lines"),
    "number": N_("Number"),
    "agents": N_("Agents"),
    "phones": N_("Phones"),
    "done": N_("Finished"),
}
#: What is to be done while a step is open.
TODO: Mapping[Name, str] = {
    "zone": N_("choose whose tones callers hear"),
    "lines": N_("choose the card's lines or the simulator"),
    "number": N_("enter the number that callers dial"),
    "agents": N_("add agents, and give a PIN to those who have none"),
    "phones": N_("add a phone for each desk, and register it with its password"),
    "done": N_("when all is as it should be, say here that the site is set up"),
}
#: Events after which the facts are old.
CHANGES = ("agent.changed", "agent.removed", "seat.", "number.", "site.")


@frozen
class Facts:
    """Agents, seats and numbers as the API lists them; ``lines`` None: nobody knows, and ``trouble`` may say why."""

    agents: Rows
    seats: Rows
    numbers: Rows
    done: bool
    lines: Lines | None = None
    trouble: str = ""


@frozen
class Step:
    """One of the first steps: whether it is done, and how it is now, in words; ``here``: it can be done here."""

    name: Name
    done: bool
    now: str
    here: bool = True


async def gather(feed: Feed, config: Path | None) -> Facts:
    """Ask the service, and the machine for its lines. Raises as ``Feed.call`` does."""
    agents, seats, numbers, state = [
        await feed.call(method) for method in ("people.list", "seats.list", "numbers.list", "site.setup")
    ]
    found, trouble = None, ""
    if config is not None:
        try:
            found = await machine.lines(config)
        except MachineError as error:
            trouble = str(error)
    return Facts(agents, seats, numbers, bool(state["done"]), found, trouble)


def published(facts: Facts) -> list[str]:
    """Numbers that callers from outside can dial: no codes of our phones, no prefixes."""
    return [row["pattern"] for row in facts.numbers if "*" not in row["pattern"]]


def why_unknown(facts: Facts) -> str:
    """Why the lines are not known, as a sentence."""
    return facts.trouble or _("this console has no settings file to change, as in a demo")


def steps(facts: Facts, phones: Sequence[PhoneRow]) -> list[Step]:
    """All in their order; ``phones`` are those of the live view."""
    numbers, there = published(facts), sum(phone.registered for phone in phones)
    without = [row["number"] for row in facts.agents if not row["has_pin"]]
    people = _("{} agents").format(len(facts.agents))
    if without:
        people += ", " + _("without PIN: {}").format(", ".join(without))
    return [
        Step("zone", facts.lines is not None, _zone(facts), facts.lines is not None),
        Step("lines", _lines_done(facts.lines), _lines(facts), facts.lines is not None),
        Step("number", bool(numbers), ", ".join(numbers) or _("none")),
        Step("agents", bool(facts.agents) and not without, people),
        Step("phones", there > 0, _("{} phones, {} registered").format(len(facts.seats), there)),
        Step("done", facts.done, _("yes") if facts.done else _("not yet")),
    ]


def _lines_done(lines: Lines | None) -> bool:
    """A card's lines need a card; modems or the simulator are a choice as good as any where there is none."""
    if lines is None or not lines.drivers:
        return False
    return "serial" in lines.drivers or ("dahdi" in lines.drivers) is bool(lines.cards)


def _zone(facts: Facts) -> str:
    if facts.lines is None:
        return why_unknown(facts)
    return f"{facts.lines.zone} {facts.lines.zones.get(facts.lines.zone, '?')}"


def _lines(facts: Facts) -> str:
    if facts.lines is None:
        return why_unknown(facts)
    drivers = {"sim": _("simulator"), "dahdi": _("card"), "serial": _("modem")}
    used = ", ".join(drivers.get(name, name) for name in sorted(set(facts.lines.drivers))) or _("none")
    found = _("found: {} card spans, {} serial ports").format(len(facts.lines.cards), len(facts.lines.serial))
    return _("{}; {}").format(used, found)


def advice(steps: Sequence[Step]) -> str:
    """What to do next, as a sentence; nothing once the last step is done."""
    for step in () if steps[-1].done else steps:
        if step.here and not step.done:
            return _("Next: {}: {}").format(_(TITLES[step.name]), _(TODO[step.name]))
    return _("The site is set up. Every step can be opened again.")
