"""Events in words: what each kind means, and its data as a short text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api.types import EventRow
from textual_admin.figures import clock, millis
from textual_admin.lang import N_, _
from textual_admin.words import AGENTS, Tone

KINDS: Mapping[str, str] = {
    "contact.offered": N_("call comes in"),
    "contact.blocked": N_("call could not be taken"),
    "service.entered": N_("served by"),
    "service.failed": N_("service failed"),
    "leg.dialled": N_("dialled"),
    "leg.alerting": N_("rings"),
    "leg.answered": N_("answered"),
    "leg.cleared": N_("leg cleared"),
    "contact.one_way": N_("cannot talk: line carries one way at a time"),
    "contact.bridged": N_("connected"),
    "contact.unbridged": N_("disconnected"),
    "contact.held": N_("hold"),
    "contact.transferred": N_("transfer"),
    "contact.adopted": N_("taken over after a restart"),
    "contact.hungup": N_("hung up by the administrator"),
    "contact.ended": N_("call ended"),
    "digit.ignored": N_("key ignored"),
    "prompt.failed": N_("prompt failed"),
    "menu.entered": N_("menu entered"),
    "menu.left": N_("menu left"),
    "menu.broken": N_("menu cannot be used"),
    "queue.entered": N_("waits in queue"),
    "queue.answered": N_("agent answered"),
    "queue.abandoned": N_("caller gave up"),
    "queue.overflowed": N_("sent on from the queue"),
    "queue.ended": N_("agent is done"),
    "queue.changed": N_("queue changed"),
    "acd.offered": N_("offered to agent"),
    "acd.alerting": N_("agent's phone rings"),
    "acd.not_answered": N_("agent did not answer"),
    "agent.state": N_("agent's state"),
    "phone.registered": N_("phone registered"),
    "phone.unregistered": N_("phone gone"),
    "phone.refused": N_("phone refused"),
    "line.changed": N_("trunk changed"),
    "line.blocked": N_("block changed"),
    "line.drained": N_("the last call has left"),
    "group.changed": N_("trunk group changed"),
    "group.removed": N_("trunk group removed"),
    "group.blocked": N_("block of a trunk group changed"),
    "group.drained": N_("the group's last call has ended"),
    "trunk.overflowed": N_("trunk failed, next one"),
    "agent.changed": N_("agent changed"),
    "agent.removed": N_("agent removed"),
    "agent.locked": N_("agent locked: wrong PINs"),
    "seat.changed": N_("phone changed"),
    "seat.removed": N_("phone removed"),
    "number.changed": N_("number changed"),
    "number.removed": N_("number removed"),
    "process.changed": N_("process changed"),
    "plugin.failed": N_("plugin failed"),
    "plugin.disabled": N_("plugin switched off"),
    "fault": N_("fault"),
    "recording.started": N_("recording begins"),
    "recording.made": N_("recording saved"),
    "recording.failed": N_("recording failed"),
    "speech.failed": N_("speech failed"),
    "sms.queued": N_("message to send"),
    "sms.sent": N_("message sent"),
    "sms.postponed": N_("message is tried again later"),
    "sms.failed": N_("message failed"),
    "sms.reported": N_("message reported"),
    "sms.received": N_("message came in"),
    "site.imported": N_("site imported"),
    "site.seeded": N_("default site written"),
    "site.setup_done": N_("site set up"),
}

KEYS: Mapping[str, str] = {
    "agent": N_("agent"),
    "seat": N_("seat"),
    "queue": N_("queue"),
    "caller": N_("caller"),
    "called": N_("called"),
    "channel": N_("channel"),
    "line": N_("trunk"),
    "group": N_("trunk group"),
    "draining": N_("draining"),
    "cause": N_("cause"),
    "by": N_("by"),
    "node": N_("node"),
    "to": N_("to"),
    "position": N_("position"),
    "wait_ms": N_("wait"),
    "ring_ms": N_("ring"),
    "talk_ms": N_("talk"),
    "handle_ms": N_("handling"),
    "ms": N_("time"),
    "account": N_("account"),
    "source": N_("address"),
    "process": N_("process"),
    "up": N_("up"),
    "alarm": N_("alarm"),
    "blocked": N_("blocked"),
    "talked": N_("talked"),
    "characters": N_("characters"),
    "parts": N_("parts"),
    "missing": N_("missing"),
    "unknown": N_("end unknown"),
    "delivered": N_("delivered"),
    "readable": N_("readable"),
    "again_s": N_("again in seconds"),
    "until": N_("until"),
    "language": N_("language"),
    "pin": "PIN",
    "password": N_("password"),
    "outside": N_("outside calls"),
    "added": N_("added"),
    "changed": N_("changed"),
    "removed": N_("removed"),
    "seats": N_("seats"),
    "numbers": N_("numbers"),
    "strategy": N_("strategy"),
    "on": N_("held"),
    "result": N_("SIP status"),
    "default": N_("goes on to"),
    "as_": N_("goes on as"),
    "plugin": N_("plugin"),
    "hook": N_("hook"),
    "failures": N_("failures"),
    "subject": N_("at"),
    "command": N_("command"),
    "engine": N_("engine"),
    "members": N_("lines"),
    "hunting": N_("order"),
    "direction": N_("direction"),
    "shows": N_("may show"),
    "restricted": N_("not shown"),
    "routes": N_("routes"),
    "most": N_("at most"),
}

#: Causes of Q.850 that a call centre meets daily.
CAUSES: Mapping[int, str] = {
    3: N_("no route"),
    16: N_("normal"),
    17: N_("user busy"),
    18: N_("no answer"),
    19: N_("rings, no answer"),
    20: N_("phone not there"),
    21: N_("rejected"),
    26: N_("answered elsewhere"),
    34: N_("no channel"),
    41: N_("temporary failure"),
    102: N_("timer expired"),
}

#: Data that says nothing to a person who looks at the log, or is said by the kind.
LEFT_OUT = frozenset({"leg", "peer", "version", "was", "was_ms", "name", "agents", "free", "path", "id"})
#: Values that are words of the product.
VALUES: Mapping[str, str] = {
    "far": N_("the far end"),
    "us": "OneCall",
    "caller": N_("caller"),
    "peer": N_("called party"),
    "transferred": N_("transfer"),
}

#: Data that needs no word before it.
ALONE = frozenset(
    {"number", "destination", "menu", "state", "reason", "error", "pattern", "prompt", "display", "file"}
)


def kind_of(row: EventRow) -> str:
    """The event's kind in words; the kind itself for one that a plugin added."""
    return _(KINDS[row.kind]) if row.kind in KINDS else row.kind


def details(row: EventRow) -> str:
    """The data as ``key value`` pairs, shortest form, what is empty left out."""
    shown = ((key, value) for key, value in row.data.items() if key not in LEFT_OUT and value not in ("", None, []))
    return "  ".join(
        _value(key, value) if key in ALONE else f"{_(KEYS.get(key, key))} {_value(key, value)}" for key, value in shown
    )


def _value(key: str, value: Any) -> str:
    if key == "ms" or key.endswith("_ms"):
        return millis(float(value))
    if key == "until":
        return clock(float(value))
    if isinstance(value, list):
        return " ".join(map(str, value))
    if key == "cause":
        return cause(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key == "state" and value in AGENTS:
        return _(AGENTS[value].word)
    return _(VALUES[value]) if key in ("by", "reason") and value in VALUES else str(value)


def cause(value: int) -> str:
    """A cause of Q.850: its number, and what it means where a call centre meets it daily."""
    return f"{value} {_(CAUSES[value])}" if value in CAUSES else str(value)


def tone(row: EventRow) -> Tone:
    """What needs an eye: failures red, what did not go well yellow, the end of things dim."""
    if row.kind in ("fault", "plugin.disabled") or row.kind.endswith((".failed", ".broken")):
        return "bad"
    if row.kind in ("line.changed", "process.changed"):
        return "good" if row.data.get("up") else "bad"
    if row.kind in ("contact.blocked", "queue.abandoned", "queue.overflowed", "acd.not_answered", "phone.refused"):
        return "warn"
    return "dim" if row.kind in ("leg.cleared", "digit.ignored", "recording.made", "phone.unregistered") else ""
