"""What to answer to a caller: settings and the time in, a prompt with its values out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from attrs import frozen

from onecall_branches.settings import Branch, Weekday

_WEEKDAYS = get_args(Weekday)


@frozen
class Answer:
    """What to say, and whether the office is open now."""

    prompt: str
    values: dict[str, Any]
    open: bool


def answer(branch: Branch, at: datetime, language: str) -> Answer:
    """The answer to "is it open?" at the local time ``at``."""
    name = branch.zh if language == "zh" else branch.en
    if _WEEKDAYS[at.weekday()] in branch.closed:
        return Answer("branches.closed_today", {"name": name}, open=False)
    is_open = branch.opens <= at.time() < branch.closes
    prompt = "branches.open" if is_open else "branches.closed_now"
    return Answer(prompt, {"name": name, "opens": branch.opens, "closes": branch.closes}, open=is_open)
