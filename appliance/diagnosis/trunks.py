"""Checks of the trunk groups: lines that are not there, trunks that no call goes out over, what is out of service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from appliance.api.locale import Translate
from appliance.api.types import GroupRow, TrunkRow
from appliance.findings import Finding


def check(groups: Sequence[GroupRow], trunks: Sequence[TrunkRow], _: Translate) -> Iterator[Finding]:
    """A finding for each fault of the groups, and for each trunk or group that takes no calls; else that all is well"""
    lines = {trunk.line for trunk in trunks}
    used = {_line(member) for group in groups for member in group.members}
    faults = 0
    for group in groups:
        for line in (_line(member) for member in group.members if _line(member) not in lines):
            faults += 1
            todo = _("onecall groups change {} --lines …, or name the trunk in onecall.toml").format(group.group)
            yield Finding("groups", "fail", _("group {}: there is no trunk {}").format(group.group, line), todo)
        if group.blocked:
            todo = _("when it shall take calls again: onecall groups unblock {}").format(group.group)
            yield Finding("groups", "warn", _("group {} takes no new calls: it is blocked").format(group.group), todo)
    for line in sorted(lines - used) if groups else ():
        faults += 1
        todo = _("add it to a group if calls shall go out over it")
        yield Finding("groups", "warn", _("trunk {} is in no group: it only takes calls in").format(line), todo)
    for trunk in trunks:
        if trunk.blocked and trunk.blocked >= trunk.channels:
            todo = _("when it shall take calls again: onecall trunks unblock {} all").format(trunk.line)
            found = _("trunk {} takes no new calls: it is blocked").format(trunk.line)
            yield Finding("lines.blocked", "warn", found, todo)
    if not faults:
        found = _("trunk groups: {}").format(len(groups)) if groups else _("no trunk groups: any trunk, any call")
        yield Finding("groups", "ok", found)


def _line(member: str) -> str:
    return member.partition(":")[0]
