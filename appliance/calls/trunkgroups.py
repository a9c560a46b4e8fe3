"""Trunk groups: bundles of lines (trunks) that are used alike. Values, what they may be, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs
from attrs import frozen

Direction = Literal["both", "in", "out"]
Hunt = Literal["in_order", "round_robin", "most_idle"]

_NAME = re.compile(r"[^\s\":=,]{1,32}")
_DIALLED = re.compile(r"\+?[0-9*#]{0,24}")
_SHOWN = re.compile(r"(\+?[0-9]{1,24})(?:-(\+?[0-9]{1,24}))?")


@frozen
class Member:
    """A line of a group, and how many of the group's calls may be on it at once; 0: as many as it has channels."""

    line: str
    most: int = 0

    def __str__(self) -> str:
        """``e1``, ``e1:10``."""
        return f"{self.line}:{self.most}" if self.most else self.line


@frozen
class Route:
    """What a group carries: numbers that begin with ``prefix`` ("" is every number), at a ``cost`` that only has to
    compare with those of other groups. ``strip`` digits are taken off in front, ``prepend`` is put there then.
    """

    prefix: str = ""
    cost: float = 0.0
    strip: int = 0
    prepend: str = ""
    barred: bool = False

    def __str__(self) -> str:
        """``00=0.3,strip=2,prepend=17951``, ``00=barred``."""
        more = [f"strip={self.strip}"] * bool(self.strip) + [f"prepend={self.prepend}"] * bool(self.prepend)
        return ",".join([f"{self.prefix}={'barred' if self.barred else format(self.cost, '.12g')}", *more])

    def sent(self, number: str) -> str:
        """The number as it goes out over the line."""
        return self.prepend + number[self.strip :]


@frozen
class TrunkGroup:
    """``caller`` is the number that its calls show ("": the site's); ``shows`` are the numbers that its lines may show,
    single or as a range ``first-last`` (none: ``caller`` alone). ``restricted``: the called party is not shown it
    (CLIR). Without ``routes`` it carries every number at cost 0. ``most`` calls at once, both ways; 0: no limit.
    """

    name: str
    members: tuple[Member, ...]
    hunting: Hunt = "in_order"
    direction: Direction = "both"
    caller: str = ""
    shows: tuple[str, ...] = ()
    restricted: bool = False
    routes: tuple[Route, ...] = ()
    most: int = 0

    def route(self, number: str) -> Route | None:
        """The longest of its routes that fits a number."""
        fitting = (route for route in self.routes if number.startswith(route.prefix))
        return max(fitting, key=lambda route: len(route.prefix), default=None) if self.routes else Route()


def presented(group: TrunkGroup, caller: str, wanted: str = "") -> str:
    """The number that a call over the group shows: never one that is not its lines' own.

    ``wanted`` where the group may show it; else the group's own, the site's (``caller``), the first that it may show.
    """
    if not group.shows:
        return group.caller or caller
    own = (number for number in (wanted, group.caller, caller) if number and owns(group.shows, number))
    return next(own, group.shows[0].partition("-")[0])


def owns(shows: Iterable[str], number: str) -> bool:
    """Whether a number is one of these, or within one of these ranges (of numbers as long as it)."""
    for entry in shows:
        first, _, last = entry.partition("-")
        if len(number) == len(first) and first <= number <= (last or first):
            return True
    return False


def dialled(number: str) -> str:
    """A number as it is dialled to the outside. Raises ``ValueError``."""
    if not number or not _DIALLED.fullmatch(number):
        raise ValueError(f"number {number!r} must be 1 to 24 digits, * or #, with + in front for an international one")
    return number


def member(text: str) -> Member:
    """A member as it is written, ``LINE`` or ``LINE:MOST``. Raises ``ValueError``."""
    line, colon, most = text.partition(":")
    if not line or (colon and not most.isdecimal()):
        raise ValueError(f"line {text!r} must be LINE or LINE:MOST, such as e1 or e1:10")
    return Member(line, int(most or 0))


def route(text: str) -> Route:
    """A route as it is written, ``PREFIX=COST,strip=N,prepend=DIGITS`` or ``PREFIX=barred``. Raises ``ValueError``."""
    head, *options = text.split(",")
    prefix, _, cost = head.partition("=")
    given = dict(option.partition("=")[::2] for option in options)
    try:
        if given.keys() - {"strip", "prepend"}:
            raise ValueError
        barred = cost == "barred"
        return Route(
            prefix, 0.0 if barred else float(cost or 0), int(given.get("strip", 0)), given.get("prepend", ""), barred
        )
    except ValueError:
        raise ValueError(
            f"route {text!r} must be PREFIX=COST with ,strip=N and ,prepend=DIGITS where wanted, or PREFIX=barred"
        ) from None


def texts(group: TrunkGroup) -> dict[str, Any]:
    """The group as it is stored, exported and shown: its members and routes as they are written."""
    written = {"members": [str(each) for each in group.members], "routes": [str(each) for each in group.routes]}
    return {**attrs.asdict(group, recurse=False), "shows": list(group.shows), **written}


def fields(written: Mapping[str, Any]) -> dict[str, Any]:
    """What ``texts`` has written, or a part of it, as fields of ``TrunkGroup``. Raises ``ValueError``."""
    made = dict(written)
    for name, read in (("members", member), ("routes", route), ("shows", str)):
        if made.get(name) is not None:
            made[name] = tuple(read(text) for text in made[name])
    return made


def checked(group: TrunkGroup) -> TrunkGroup:
    """The group. Raises ``ValueError`` with a sentence that says what is allowed."""
    where = f"group {group.name!r}"
    if not _NAME.fullmatch(group.name):
        raise ValueError(f"{where}: the name must have 1 to 32 characters without spaces and any of \" : = ,")
    lines = [each.line for each in group.members]
    if not lines or len(set(lines)) < len(lines) or not all(lines):
        raise ValueError(f"{where}: it must have a line at least, and each once; it has: {', '.join(lines) or 'none'}")
    if min(group.most, *(each.most for each in group.members)) < 0:
        raise ValueError(f"{where}: a greatest number of calls must be 0 (no limit) or more")
    _check_shown(group, where)
    prefixes = [each.prefix for each in group.routes]
    for each in group.routes:
        if prefixes.count(each.prefix) > 1:
            raise ValueError(f"{where}: the prefix {each.prefix!r} is given twice")
        _check_route(each, where)
    return group


def _check_shown(group: TrunkGroup, where: str) -> None:
    for entry in group.shows:
        found = _SHOWN.fullmatch(entry)
        first, last = found.groups() if found else ("", "")
        if not found or (last and (len(first) != len(last) or first > last)):
            raise ValueError(
                f"{where}: {entry!r} must be a number, or a range of numbers of one length such as 01012340-01012349"
            )
    if group.caller and not re.fullmatch(r"\+?[0-9]{1,24}", group.caller):
        raise ValueError(f"{where}: caller {group.caller!r} must be 1 to 24 digits, or empty for the site's number")
    if group.caller and group.shows and not owns(group.shows, group.caller):
        raise ValueError(f"{where}: caller {group.caller} is none of the numbers that its lines may show")


def _check_route(route: Route, where: str) -> None:
    if not (_DIALLED.fullmatch(route.prefix) and _DIALLED.fullmatch(route.prepend)):
        raise ValueError(f"{where}: route {route}: prefix and prepend must be at most 24 digits, * and #")
    if not (0 <= route.cost < 1e9 and 0 <= route.strip <= 24):
        raise ValueError(f"{where}: route {route}: cost must be 0 or more, strip 0 to 24")
