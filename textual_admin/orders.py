"""What can be ordered for a row: which key, which method of the API, what is asked first, and what stands against it.

Pure. An order that cannot be given now stays visible and says why (``hinder``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from appliance.api.types import AgentRow, CallRow, ChannelRow, QueueRow, TrunkRow
from textual_admin.lang import N_, _
from textual_admin.words import STRATEGIES


@frozen
class Order:
    """``key`` gives it; ``question`` is asked before, "" for what is easily undone.

    ``prompt`` asks for one more word, the parameter ``word``. ``optional``: a plugin offers the method.
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


def hindrance(order: Order, row: object | None, missing: frozenset[str]) -> str:
    """Why an order cannot be given for a row (None: no row is chosen), as a sentence; "" when it can."""
    if row is None:
        return _("nothing is chosen: move to a row first")
    if order.method in missing:
        return _("the service does not offer {}: is its plugin switched on?").format(order.method)
    return order.hinder(row)


# -- trunks ------------------------------------------------------------------------------------------------------------


def place(row: TrunkRow | ChannelRow) -> str:
    """A channel, or the whole trunk, in words."""
    if isinstance(row, TrunkRow):
        return _("all channels of {}").format(row.line)
    return _("channel {} of {}").format(row.channel, row.line)


def _place_params(row: TrunkRow | ChannelRow, blocked: bool) -> Mapping[str, Any]:
    return {"line": row.line, "channel": row.channel if isinstance(row, ChannelRow) else None, "blocked": blocked}


def _block_question(row: TrunkRow | ChannelRow) -> str:
    busy = row.busy if isinstance(row, TrunkRow) else int(row.state == "busy")
    text = _("Block {}? No new call will use it.").format(place(row))
    return text + (" " + _("Calls on it go on: {}.").format(busy) if busy else "")


def _block_hinder(row: TrunkRow | ChannelRow) -> str:
    if isinstance(row, TrunkRow):
        return _("this trunk has no channels to block") if not row.channels else ""
    return _("it is blocked already") if row.state == "blocked" else ""


def _unblock_hinder(row: TrunkRow | ChannelRow) -> str:
    blocked = row.blocked > 0 if isinstance(row, TrunkRow) else row.state == "blocked"
    return "" if blocked else _("it is not blocked")


BLOCK = Order(
    "block", "b", N_("Block"), "trunks.block", lambda row: _place_params(row, True), N_("blocked: {}"),
    question=_block_question, hinder=_block_hinder,
)  # fmt: skip
UNBLOCK = Order(
    "unblock", "u", N_("Unblock"), "trunks.block", lambda row: _place_params(row, False), N_("in service again: {}"),
    hinder=_unblock_hinder,
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
        case TrunkRow() | ChannelRow():
            return place(row)
        case CallRow():
            return row.caller or row.contact
        case AgentRow():
            return who(row)
        case QueueRow():
            return row.name
    return str(row)
