"""The site as one text: people, phones, numbers, trunk groups and the site's files. Pure: reading, writing, comparing.

PINs and passwords never are in it, their hashes are: keep it as safe as a backup.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from appliance import toml
from appliance.calls.trunkgroups import Direction, Hunt
from hw.settings import SettingsError, structure

FORMAT = 1

_HEADER = """\
# OneCall：站点导出，由 onecall import 读入。含密码的散列值，请妥善保管。
# OneCall: a site, read by onecall import. It has hashes of PINs and passwords: keep it safe.
"""


@frozen
class PlanAgent:
    """``[agents]``, by number."""

    name: str
    pin_hash: str = field(default="", repr=False)
    language: str = ""


@frozen
class PlanSeat:
    """``[seats]``, by account."""

    display: str = ""
    ha1: str = field(default="", repr=False)
    outside: bool = False


@frozen
class PlanNumber:
    """``[numbers]``, by pattern."""

    destination: str
    name: str = ""
    language: str = ""


@frozen
class PlanGroup:
    """``[groups]``, by name: a trunk group, its lines and routes as they are written."""

    members: tuple[str, ...]
    hunting: Hunt = "in_order"
    direction: Direction = "both"
    caller: str = ""
    shows: tuple[str, ...] = ()
    restricted: bool = False
    routes: tuple[str, ...] = ()
    most: int = 0


@frozen
class SitePlan:
    """The whole text. ``realm`` is what the seats' HA1 were made with; ``files`` by their names below etc."""

    format: int
    realm: str
    agents: dict[str, PlanAgent] = field(factory=dict)
    seats: dict[str, PlanSeat] = field(factory=dict)
    numbers: dict[str, PlanNumber] = field(factory=dict)
    groups: dict[str, PlanGroup] = field(factory=dict)
    files: dict[str, str] = field(factory=dict)


@frozen
class Change:
    """One row or file: ``change`` is add, change or remove; ``kind`` agent, seat, number, group or file."""

    change: str
    kind: str
    name: str
    what: str = ""


def read(text: str) -> SitePlan:
    """The plan in a text. Raises ``ValueError`` naming the row, the key and what is allowed."""
    try:
        plan = structure(tomllib.loads(text), SitePlan, "site")
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"site: not TOML: {error}") from None
    except SettingsError as error:
        raise ValueError(str(error)) from None
    if plan.format != FORMAT:
        raise ValueError(f"site: format = {plan.format} is not known, this version reads {FORMAT}")
    return plan


def write(plan: SitePlan) -> str:
    """The text of a plan: the same plan gives the same text."""
    lines = [_HEADER, f"format = {FORMAT}", f"realm = {toml.value(plan.realm)}"]
    for table, rows in _tables(plan):
        lines += ["", f"[{table}]", *(f"{toml.key(name)} = {toml.value(rows[name])}" for name in sorted(rows))]
    lines += ["", "[files]", *(f"{toml.key(name)} = {toml.text(plan.files[name])}" for name in sorted(plan.files))]
    return "\n".join(lines) + "\n"


def compare(before: SitePlan, after: SitePlan) -> list[Change]:
    """What makes ``after`` of ``before``, row by row."""
    found: list[Change] = []
    for (table, old), (_, new) in zip(_tables(before), _tables(after), strict=True):
        found += _compare(table[:-1], old, new)
    files = [{name: {"": text} for name, text in plan.files.items()} for plan in (before, after)]
    return [*found, *_compare("file", *files)]


def _compare(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change("remove", kind, name)
        elif name not in old:
            yield Change("add", kind, name)
        elif old[name] != new[name]:
            keys = sorted(k for k in {*old[name], *new[name]} if old[name].get(k) != new[name].get(k))
            yield Change("change", kind, name, " ".join(keys).strip())


def _tables(plan: SitePlan) -> list[tuple[str, dict[str, dict[str, Any]]]]:
    """The tables with rows of keys and values; keys at their defaults are left out."""
    return [
        (name, {row: _short(item) for row, item in getattr(plan, name).items()})
        for name in ("agents", "seats", "numbers", "groups")
    ]


def _short(item: Any) -> dict[str, Any]:
    return {
        a.name: getattr(item, a.name)
        for a in attrs.fields(type(item))
        if a.default is attrs.NOTHING or getattr(item, a.name) != a.default
    }
