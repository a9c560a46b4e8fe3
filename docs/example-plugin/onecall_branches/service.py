"""The service in a call."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from attrs import frozen

from appliance.plugin import Box, Call, Digits, Event, ShortMessage
from onecall_branches.engine import answer
from onecall_branches.settings import BranchSettings


@frozen
class BranchAsked(Event):
    """A caller asked for an office; ``found`` and ``open`` are what he was told."""

    kind: ClassVar[str] = "branches.asked"
    number: str
    found: bool
    open: bool


async def serve(call: Call, box: Box, settings: BranchSettings) -> None:
    """Ask for an office's number and say its hours, until the caller hangs up, wants an agent, or tries in vain."""
    await call.answer()
    for _ in range(settings.tries):
        number = await call.ask("branches.number", digits=range(1, 7))
        if number == "0":
            call.go(settings.operator)
        branch = settings.offices.get(number)
        if branch is None:
            call.emit(BranchAsked(number, found=False, open=False))
            await call.say("branches.unknown", number=Digits(number or "0"))
            continue
        told = answer(branch, datetime.fromtimestamp(box.now()), call.language)
        call.emit(BranchAsked(number, found=True, open=told.open))
        call.data["branch"] = number
        await call.say(told.prompt, **told.values)
        if (await call.say("branches.more", until_digit=True) or await call.digit(5.0)) == "0":
            call.go(settings.operator)
    call.go(settings.operator)


async def reply(message: ShortMessage, box: Box, settings: BranchSettings) -> None:
    """Answer a short message that is an office's number; the answer belongs to the contact that the message is."""
    branch = settings.offices.get(message.text.strip())
    if branch is None:
        return
    told = answer(branch, datetime.fromtimestamp(box.now()), box.language)
    box.events.append(BranchAsked(message.text.strip(), found=True, open=told.open), message.contact)
    text = box.prompts[box.language][told.prompt].format(**told.values)
    await box.send_sms(message.number, text, contact=message.contact)
