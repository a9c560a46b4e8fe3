"""Which line an outgoing call takes, at the least cost. Pure: groups and the lines' load in, ways in their order out.

A number is offered to the groups that have a route for it, the cheapest first; within a group its lines are tried in
the group's order. A site without groups has one, of all lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import inf
from typing import Literal

from attrs import frozen

from appliance.calls.load import Load, full
from appliance.calls.trunkgroups import Member, Route, TrunkGroup, presented

#: Why a group, or a line of it, is not tried.
Why = Literal["in only", "blocked", "no route", "barred", "full", "line down", "line busy", "tried", "no such line"]

#: Q.850: the number is allowed nowhere, leads nowhere, there is no idle line.
REJECTED, NO_ROUTE, NO_CIRCUIT = 21, 3, 34
#: Q.850 causes after which the next line is tried: the way was at fault, not the number or the one who was called.
OVERFLOW = frozenset({2, 3, 6, 27, 34, 38, 41, 42, 44, 47, 50, 58, 69, 102})


@frozen
class Attempt:
    """One way for a call: dial ``number`` over ``line`` and show ``caller``, or ask for it not to be shown."""

    group: str
    line: str
    number: str
    caller: str
    restricted: bool = False
    cost: float = 0.0


@frozen
class Passed:
    """A group (``line`` "": all of it) that is not tried, and why."""

    group: str
    line: str
    why: Why


@frozen
class Choice:
    """The ways in their order; without any, ``cause`` (Q.850) says why there is none."""

    attempts: tuple[Attempt, ...]
    passed: tuple[Passed, ...]
    cause: int


def choose(
    number: str,
    groups: Sequence[TrunkGroup],
    load: Load,
    *,
    caller: str = "",
    wanted: str = "",
    tried: Collection[tuple[str, str]] = (),
) -> Choice:
    """How to call ``number``. ``caller`` is the site's number, ``wanted`` the one that this call would like to show;
    ``tried`` are (group, line) that have failed already.
    """
    every = groups or (TrunkGroup("", tuple(Member(name) for name in load.lines)),)
    passed: list[Passed] = []
    fitting: list[tuple[float, int, str, TrunkGroup, Route]] = []
    for group in every:
        route = group.route(number)
        if (why := _unfit(group, route, number, load)) is not None:
            passed.append(Passed(group.name, "", why))
        elif route is not None:
            fitting.append((route.cost, -len(route.prefix), group.name, group, route))
    attempts: list[Attempt] = []
    for cost, _, name, group, route in sorted(fitting, key=lambda each: each[:3]):
        lines, left = _lines(group, load, tried)
        passed += left
        shown = presented(group, caller, wanted)
        attempts += [Attempt(name, line, route.sent(number), shown, group.restricted, cost) for line in lines]
    return Choice(tuple(attempts), tuple(passed), 0 if attempts else _cause(passed))


def _unfit(group: TrunkGroup, route: Route | None, number: str, load: Load) -> Why | None:
    if group.direction == "in":
        return "in only"
    if route is None or route.strip >= len(number):
        return "no route"
    if route.barred:
        return "barred"
    if group.name in load.blocked:
        return "blocked"
    return "full" if full(group, load) else None


def _lines(
    group: TrunkGroup, load: Load, tried: Collection[tuple[str, str]]
) -> tuple[list[str], list[Passed]]:
    """The group's lines that can take a call, in its order, and the others."""
    rooms: dict[str, float] = {}
    passed: list[Passed] = []
    for member in _from_last(group, load):
        room = "tried" if (group.name, member.line) in tried else _room(group, member, load)
        if isinstance(room, str):
            passed.append(Passed(group.name, member.line, room))
        else:
            rooms[member.line] = room
    if group.hunting != "most_idle":
        return list(rooms), passed
    return sorted(rooms, key=lambda line: (-rooms[line], load.lines[line].calls)), passed


def _from_last(group: TrunkGroup, load: Load) -> Iterable[Member]:
    """The members in their order; for round robin beginning behind the one that was used last."""
    names = [member.line for member in group.members]
    last = load.last.get(group.name, "")
    begin = names.index(last) + 1 if group.hunting == "round_robin" and last in names else 0
    return (*group.members[begin:], *group.members[:begin])


def _room(group: TrunkGroup, member: Member, load: Load) -> float | Why:
    """How many more calls a member takes, or why none."""
    line = load.lines.get(member.line)
    if line is None:
        return "no such line"
    if line.blocked:
        return "blocked"
    if not line.up:
        return "line down"
    share = member.most - load.calls.get((group.name, member.line), 0) if member.most else inf
    if share <= 0:
        return "full"
    return min(share, inf if line.idle is None else line.idle) or "line busy"


def _cause(passed: Iterable[Passed]) -> int:
    """Why there is no way at all: one that is only busy or down now says more than one that never was."""
    whys = {each.why for each in passed}
    if whys - {"in only", "no route", "barred"} or not whys:
        return NO_CIRCUIT
    return REJECTED if "barred" in whys else NO_ROUTE
