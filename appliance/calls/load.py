"""How lines and trunk groups are used at this moment, as the decisions about them see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import field, frozen

from appliance.calls.trunkgroups import TrunkGroup


@frozen
class Line:
    """A line at this moment: ``idle`` channels, None for as many as one likes (SIP), and the calls on it."""

    name: str
    up: bool
    idle: int | None = None
    calls: int = 0
    blocked: bool = False


@frozen
class Load:
    """The lines by name, in the order of the settings; calls that are up by (group, line); the line that each group
    used last; and the groups that take no new calls.
    """

    lines: Mapping[str, Line] = field(factory=dict)
    calls: Mapping[tuple[str, str], int] = field(factory=dict)
    last: Mapping[str, str] = field(factory=dict)
    blocked: Collection[str] = ()


def full(group: TrunkGroup, load: Load) -> bool:
    """Whether the group has as many calls as it may."""
    up = sum(load.calls.get((group.name, member.line), 0) for member in group.members)
    return bool(group.most) and up >= group.most
