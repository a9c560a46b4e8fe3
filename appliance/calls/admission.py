"""Which calls may come in over a line, and the trunk group that they are counted for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from appliance.calls.load import Load, full
from appliance.calls.trunkgroups import Member, TrunkGroup

#: Q.850: the group is for outgoing calls; it has as many calls as it may; it takes none now.
REJECTED, NO_CIRCUIT, CONGESTION = 21, 34, 42


@frozen
class Admission:
    """The group that an incoming call belongs to ("": none), and the Q.850 cause to refuse it with; 0: it may come."""

    group: str
    cause: int = 0


def admit(line: str, groups: Iterable[TrunkGroup], load: Load) -> Admission:
    """Whether a call may come in over a line: over one that is in no group it may."""
    refused = None
    for group in groups:
        for member in _on(group, line):
            cause = _refusal(group, member, load)
            if not cause:
                return Admission(group.name)
            refused = refused or Admission(group.name, cause)
            if refused.cause == REJECTED and cause != REJECTED:  # one that takes calls, but not now, says more
                refused = Admission(group.name, cause)
    return refused or Admission("")


def group_of(line: str, incoming: bool, groups: Iterable[TrunkGroup]) -> str:
    """The group that a call on a line is counted for when nobody remembers which it was."""
    wrong = "out" if incoming else "in"
    return next((group.name for group in groups if group.direction != wrong for _ in _on(group, line)), "")


def _on(group: TrunkGroup, line: str) -> Iterator[Member]:
    return (member for member in group.members if member.line == line)


def _refusal(group: TrunkGroup, member: Member, load: Load) -> int:
    if group.direction == "out":
        return REJECTED
    if group.name in load.blocked:
        return CONGESTION
    share_full = bool(member.most) and load.calls.get((group.name, member.line), 0) >= member.most
    return NO_CIRCUIT if share_full or full(group, load) else 0
