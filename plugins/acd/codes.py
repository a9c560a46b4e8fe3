"""``agent:login|logout|pause|resume``: feature codes that agents dial at their phones (``*501001``: 1001 logs in)."""

from __future__ import annotations

import re

from appliance.plugin import Call, Digits

from . import words
from .dispatcher import Dispatcher
from .words import NotPossibleError

#: Wrong numbers or PINs in one call.
TRIES = 3

_AFTER_CODE = re.compile(r"\*\d\d\*?(\d*)#?")


async def serve(dispatcher: Dispatcher, call: Call, what: str) -> None:
    """Do what the code means for the agent at this phone, say the result. Raises ``LookupError`` for no such code."""
    if what not in ("login", "logout", "pause", "resume"):
        raise LookupError(f"no agent code {what!r} (there are: login, logout, pause, resume)")
    await call.answer()
    if not call.seat:
        await call.say("acd.code.not_here")
    elif what == "login":
        await _login(dispatcher, call)
    else:
        await _change(dispatcher, call, what)
    call.hangup(16)


def dialled_after_code(called: str) -> str:
    """What was dialled after a feature code: ``1001`` of ``*501001``; empty when the number is no feature code."""
    match = _AFTER_CODE.fullmatch(called)
    return match[1] if match else ""


async def _login(dispatcher: Dispatcher, call: Call) -> None:
    number = dialled_after_code(call.called)
    for _ in range(TRIES):
        number = number or await call.ask("acd.code.number", digits=range(2, 16))
        agent = dispatcher.box.people.agent(number)
        if agent is not None and not agent.has_pin and dispatcher.settings.login_without_pin:
            break
        pin = await call.ask("acd.code.pin", digits=range(1, 17), secret=True)
        if agent is not None and pin and await dispatcher.box.people.check_pin(number, pin):
            break
        await call.say("acd.code.wrong")
        number = number if agent is not None else ""
    else:
        await call.say("acd.code.refused")
        return
    call.language = agent.language or call.language
    try:
        dispatcher.login(number, call.seat)
    except NotPossibleError:
        await call.say("acd.code.in_call")
    else:
        await call.say("acd.code.login", agent=Digits(number))


async def _change(dispatcher: Dispatcher, call: Call, what: str) -> None:
    agent = dispatcher.engine.roster.at_seat(call.seat)
    if agent is None:
        await call.say("acd.code.nobody")
        return
    digit = dialled_after_code(call.called)
    match what:
        case "logout":
            dispatcher.tell(words.Logout(agent.number))
        case "pause":
            dispatcher.tell(words.Pause(agent.number, dispatcher.settings.pause_reasons.get(digit, digit)))
        case _:
            dispatcher.tell(words.Resume(agent.number))
    await call.say(f"acd.code.{what}", agent=Digits(agent.number))
