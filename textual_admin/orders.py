"""What can be ordered for a row: which key, which method of the API, what is asked first, and what stands against it.

Pure. An order that cannot be given now stays visible and says why (``hinder``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from appliance.api.types import AgentRow, CallRow, ChannelRow, GroupRow, QueueRow, TrunkRow
from textual_admin import grouping
from textual_admin.forms import Field, Values
from textual_admin.lang import N_, _
from textual_admin.words import STRATEGIES


@frozen
class Order:
    """``key`` gives it; ``question`` is asked before, "" for what is easily undone.

    ``prompt`` asks for one more word, the parameter ``word``. ``form`` asks for more, with ``note`` over it, and
    ``read`` makes parameters of it.
    ``answer`` is a text to be read made of what the service answers. ``instead``: another method for a kind of rows.
    ``optional``: a plugin offers the method.
    """

    name: str
    key: str
    label: str
    method: str
    params: Callable[[Any], Mapping[str, Any]]
    done: str
    question: Callable[[Any], str] = lambda row: ""
    hinder: Callable[[Any], str] = lambda row: ""
    word: str = ""
    prompt: Callable[[Any], str] = lambda row: ""
    optional: bool = False
    form: Callable[[Any], Sequence[Field]] | None = None
    note: str = ""
    read: Callable[[Values], Mapping[str, Any]] = lambda values: values
    answer: Callable[[Any], str] | None = None
    instead: Mapping[type, str] = field(factory=dict)

    def method_for(self, row: object) -> str:
        """The method of the API for a row."""
        return self.instead.get(type(row), self.method)


def hindrance(order: Order, row: object | None, missing: frozenset[str]) -> str:
    """Why an order cannot be given for a row (None: no row is chosen), as a sentence; "" when it can."""
    if row is None:
        return _("nothing is chosen: move to a row first")
    if order.method in missing:
        return _("the service does not offer {}: is its plugin switched on?").format(order.method)
    return order.hinder(row)


# -- trunks ------------------------------------------------------------------------------------------------------------


Place = TrunkRow | ChannelRow | GroupRow


def place(row: Place) -> str:
    """A channel, the whole trunk, or a trunk group, in words."""
    if isinstance(row, GroupRow):
        return _("the group {}").format(row.group)
    if isinstance(row, TrunkRow) and not row.channels:
        return _("the trunk {}").format(row.line)
    if isinstance(row, TrunkRow):
        return _("all channels of {}").format(row.line)
    return _("channel {} of {}").format(row.channel, row.line)


def _place_params(row: Place, **more: bool) -> Mapping[str, Any]:
    if isinstance(row, GroupRow):
        return {"name": row.group, **more}
    return {"line": row.line, "channel": row.channel if isinstance(row, ChannelRow) else None, **more}


def _busy(row: Place) -> int:
    if isinstance(row, ChannelRow):
        return int(row.state == "busy")
    return row.busy if isinstance(row, TrunkRow) else row.calls


def _blocked(row: Place) -> bool:
    """Whether no new call can use it at all."""
    if isinstance(row, TrunkRow):
        return row.blocked >= max(row.channels, 1)
    return row.blocked if isinstance(row, GroupRow) else row.state == "blocked"


def _question(row: Place, asks: str) -> str:
    text = asks.format(place(row)) + " " + _("No new call will use it.")
    return text + (" " + _("Calls on it go on: {}.").format(busy) if (busy := _busy(row)) else "")


def _block_hinder(row: Place) -> str:
    return _("it is blocked already") if _blocked(row) else ""


def _unblock_hinder(row: Place) -> str:
    some = _blocked(row) or row.draining or (isinstance(row, TrunkRow) and row.blocked > 0)
    return "" if some else _("it is not blocked")


def _drain_hinder(row: Place) -> str:
    if row.draining:
        return _("it is being drained already")
    return "" if _busy(row) else _block_hinder(row)


BLOCK = Order(
    "block", "b", N_("Block"), "trunks.block", lambda row: _place_params(row, blocked=True), N_("blocked: {}"),
    question=lambda row: _question(row, _("Block {}?")), hinder=_block_hinder, instead={GroupRow: "groups.block"},
)  # fmt: skip
UNBLOCK = Order(
    "unblock", "u", N_("Unblock"), "trunks.block", lambda row: _place_params(row, blocked=False),
    N_("in service again: {}"), hinder=_unblock_hinder, instead={GroupRow: "groups.block"},
)  # fmt: skip
DRAIN = Order(
    "drain", "d", N_("Drain"), "trunks.drain", _place_params, N_("is being drained: {}"),
    question=lambda row: _question(row, _("Drain {} and tell when its last call has ended?")), hinder=_drain_hinder,
    instead={GroupRow: "groups.drain"},
)  # fmt: skip


# -- trunk groups ------------------------------------------------------------------------------------------------------


def _must_be_group(row: Place) -> str:
    return "" if isinstance(row, GroupRow) else _("this is no trunk group: move to one first")


def _group_params(row: GroupRow) -> Mapping[str, Any]:
    return {"name": row.group}


GROUP_NEW = Order(
    "group-new", "n", N_("New group"), "groups.add", lambda row: {}, N_("the trunk group is there"),
    form=lambda row: grouping.fields(row, new=True), read=grouping.read, note=grouping.NOTE,
)  # fmt: skip
GROUP_CHANGE = Order(
    "group-change", "e", N_("Edit"), "groups.change", _group_params, N_("changed: {}"), hinder=_must_be_group,
    form=lambda row: grouping.fields(row, new=False), read=grouping.read, note=grouping.NOTE,
)  # fmt: skip
GROUP_REMOVE = Order(
    "group-remove", "x", N_("Remove"), "groups.remove", _group_params, N_("removed: {}"), hinder=_must_be_group,
    question=lambda row: _("Remove {}? Its calls go on; without any group every call may use every trunk.").format(
        place(row)
    ),
)  # fmt: skip
GROUP_TRY = Order(
    "group-try", "t", N_("Try number"), "groups.try", lambda row: {}, "", word="number",
    prompt=lambda row: _("Outside number, as it is dialled behind the prefix"), answer=grouping.tried,
)  # fmt: skip


# -- calls -------------------------------------------------------------------------------------------------------------


def _hangup_question(row: CallRow) -> str:
    return _("Hang up the call of {}? The caller loses the connection at once.").format(row.caller or row.contact)


HANGUP = Order(
    "hangup", "x", N_("Hang up"), "calls.hangup", lambda row: {"contact": row.contact}, N_("hung up: {}"),
    question=_hangup_question,
)  # fmt: skip


# -- agents ------------------------------------------------------------------------------------------------------------


def who(row: AgentRow) -> str:
    """An agent's number and name."""
    return f"{row.agent} {row.name}".strip()


def _must_be_in(row: AgentRow) -> str:
    return _("{} is not logged in").format(who(row)) if row.state == "out" else ""


def _pause_hinder(row: AgentRow) -> str:
    return _must_be_in(row) or (_("{} is paused already").format(who(row)) if row.state == "paused" else "")


def _resume_hinder(row: AgentRow) -> str:
    ready = row.state not in ("paused", "wrapup")
    return _must_be_in(row) or (_("{} is not paused and not in wrap-up").format(who(row)) if ready else "")


def _login_hinder(row: AgentRow) -> str:
    return "" if row.state == "out" else _("{} is logged in already").format(who(row))


def _logout_question(row: AgentRow) -> str:
    later = " " + _("The call goes on; he is logged out after it.") if row.contact else ""
    return _("Log {} out?").format(who(row)) + later


def _agent_params(row: AgentRow) -> Mapping[str, Any]:
    return {"agent": row.agent}


LOGIN = Order(
    "login", "i", N_("Log in"), "agents.login", _agent_params, N_("logged in: {}"), hinder=_login_hinder,
    word="seat", prompt=lambda row: _("Seat (phone account) for {}").format(who(row)), optional=True,
)  # fmt: skip
LOGOUT = Order(
    "logout", "o", N_("Log out"), "agents.logout", _agent_params, N_("logged out: {}"), hinder=_must_be_in,
    question=_logout_question, optional=True,
)  # fmt: skip
PAUSE = Order(
    "pause", "p", N_("Pause"), "agents.pause", _agent_params, N_("paused: {}"), hinder=_pause_hinder, optional=True
)
RESUME = Order(
    "resume", "r", N_("Resume"), "agents.resume", _agent_params, N_("ready: {}"), hinder=_resume_hinder, optional=True
)


# -- queues ------------------------------------------------------------------------------------------------------------

STRATEGY = Order(
    "strategy", "s", N_("Strategy"), "queues.set_strategy", lambda row: {"queue": row.queue},
    N_("strategy changed: {}"), word="strategy",
    prompt=lambda row: _("Strategy for {} ({})").format(row.name, ", ".join(STRATEGIES)), optional=True,
)  # fmt: skip

#: All that a plugin offers, to ask the service for once.
OPTIONAL: Sequence[Order] = (LOGIN, LOGOUT, PAUSE, RESUME, STRATEGY)


def subject(row: object) -> str:
    """What an order was about, for the word that it is done."""
    match row:
        case TrunkRow() | ChannelRow() | GroupRow():
            return place(row)
        case CallRow():
            return row.caller or row.contact
        case AgentRow():
            return who(row)
        case QueueRow():
            return row.name
    return str(row)
