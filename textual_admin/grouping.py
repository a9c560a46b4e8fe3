"""Trunk groups in the console: what their forms ask, and what came of trying a number. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.api.types import ChannelRow, GroupRow, TrunkRow
from textual_admin.forms import Field, Values
from textual_admin.happenings import cause
from textual_admin.lang import N_, _

#: Why a group or a line of it was passed over (``appliance.calls.choice.Why``).
PASSED: Mapping[str, str] = {
    "in only": N_("incoming calls only"),
    "blocked": N_("blocked"),
    "no route": N_("no route for this number"),
    "barred": N_("barred for this number"),
    "full": N_("as many calls as it may have"),
    "line down": N_("line down"),
    "line busy": N_("no idle channel"),
    "no such line": N_("no such line"),
}
#: What stands over the form.
NOTE = N_(
    "Lines and routes with spaces between. Order: in_order, round_robin or most_idle. Direction: both, in or out. "
    "A route may strip and prepend digits: 00=2,strip=2,prepend=17951, or bar numbers: 0081=barred."
)
_LISTS = ("members", "shows", "routes")


def fields(row: TrunkRow | ChannelRow | GroupRow, *, new: bool) -> Sequence[Field]:
    """One field for each property; a new group is offered the trunk that was chosen."""
    old = row if isinstance(row, GroupRow) and not new else None
    line = "" if isinstance(row, GroupRow) else row.line
    named = [Field("name", _("Name"))] if new else []
    return [
        *named,
        Field("members", _("Lines, LINE or LINE:MOST"), " ".join(old.members) if old else line),
        Field("hunting", _("Order"), old.hunting if old else "in_order"),
        Field("direction", _("Direction"), old.direction if old else "both"),
        Field("routes", _("Routes, PREFIX=COST"), " ".join(old.routes) if old else ""),
        Field("most", _("Calls at once, 0: no limit"), str(old.most if old else 0)),
        Field("caller", _("Number shown"), old.caller if old else ""),
        Field("shows", _("Numbers it may show"), " ".join(old.shows) if old else ""),
        Field("restricted", _("Not shown, CLIR (y/n)"), "y" if old and old.restricted else "n", yes=True),
    ]


def read(values: Values) -> Mapping[str, Any]:
    """What was typed as parameters of the API; what is no number there is refused by the service with a sentence."""
    most = values["most"]
    return {
        **values,
        **{name: values[name].split() for name in _LISTS},
        "most": int(most) if most.isdecimal() else most,
        "restricted": values["restricted"] == "y",
    }


def tried(answer: Mapping[str, Any]) -> str:
    """The ways that a call would try, in their order, and why others are passed over."""
    number = answer["number"]
    if not answer["attempts"]:
        lines = [_("{} cannot be called now: cause {}.").format(number, cause(answer["cause"]))]
    else:
        lines = [_("A call to {} tries:").format(number)]
    for place, way in enumerate(answer["attempts"], 1):
        shown = _("hidden") if way["restricted"] else way["caller"]
        where = f"{way['group'] or '–'}/{way['line']}"
        lines.append(f"  {place}  {where}  {way['number']}  " + _("shows {}, cost {:g}").format(shown, way["cost"]))
    for each in answer["passed"]:
        where = f"{each['group'] or '–'}/{each['line']}".rstrip("/")
        lines.append(f"  –  {where}  {_(PASSED.get(each['why'], each['why']))}")
    return "\n".join(lines)
