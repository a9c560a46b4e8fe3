"""What a run of the demo proves: calls counted from events, audio followed live and in recordings, nothing left."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from appliance.api.types import EventRow

#: Talks shorter than this are not judged: a voice code takes about a second to be said twice.
JUDGED_MS = 3000.0
#: A code counts as heard when it was found so often.
HEARD = 2


@frozen
class Talk:
    """One caller and one seat that talked; ``recording`` is empty when none was made."""

    contact: str
    caller: str
    seat: str
    ms: float
    recording: str


def talks(events: Sequence[EventRow]) -> list[Talk]:
    """Who talked with whom, from the events of contacts that came from outside."""
    callers: dict[str, str] = {}
    seats: dict[str, str] = {}
    recordings: dict[str, str] = {}
    found: list[tuple[str, str, float]] = []
    for event in events:
        match event.kind:
            case "contact.offered" if event.data["line"] != "phones":
                callers[event.contact] = event.data["caller"]
            case "contact.bridged":
                seats[event.contact] = event.data["number"]
            case "contact.unbridged" if event.contact in callers:
                found.append((event.contact, seats[event.contact], event.data["ms"]))
            case "recording.made":
                recordings[event.contact] = event.data["path"]
            case _:
                pass
    return [Talk(c, callers[c], seat, ms, recordings.get(c, "")) for c, seat, ms in found]


def judge(talked: Sequence[Talk], sim: Mapping[str, Any], heard: Mapping[str, Any]) -> dict[str, Any]:
    """Directions checked and right: each party's ear live, each party's channel in the recording. Names what is wrong.

    ``sim`` is the simulator's report, ``heard`` the codes found in each recording's two channels.
    """
    subscribers = {call["caller"]: call for call in sim["calls"]}
    phones: dict[str, list[Mapping[str, Any]]] = {}
    for call in sim["phones"]:
        phones.setdefault(call["account"], []).append(call)
    checked = right = 0
    wrong: list[str] = []

    def check(what: str, codes: Mapping[str, int], wanted: int) -> None:
        nonlocal checked, right
        checked += 1
        if codes.get(str(wanted), 0) >= HEARD:
            right += 1
        else:
            wrong.append(f"{what}: wanted {wanted}, heard {dict(codes)}")

    for talk in talked:
        subscriber = subscribers.get(talk.caller)
        if subscriber is None or talk.seat not in phones or talk.ms < JUDGED_MS:
            continue
        code, desk = subscriber["code"], phones[talk.seat][0]["code"]
        at_desk = [c["codes"] for c in phones[talk.seat] if c["number"] == talk.caller]
        check(f"{talk.contact} caller's ear", subscriber["codes"], desk)
        check(f"{talk.contact} phone's ear", at_desk[0] if at_desk else {}, code)
        channels = heard.get(talk.recording) or [{}, {}]
        if isinstance(channels, dict):
            channels = [{}, {}]
        check(f"{talk.contact} recording left {talk.recording}", channels[0], code)
        check(f"{talk.contact} recording right {talk.recording}", channels[1], desk)
    return {"checked": checked, "right": right, "wrong": wrong}


async def listen(files: Sequence[str]) -> dict[str, Any]:
    """Codes found in the recordings, by the simulator's own ears in a process of its own."""
    if not files:
        return {}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw.sim.listen", *files, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    try:
        found: dict[str, Any] = json.loads(out)["files"]
    except (ValueError, KeyError):
        raise RuntimeError(f"the recordings could not be heard: {errors.decode(errors='replace')}") from None
    return found


def read_sim(path: Path) -> dict[str, Any]:
    """The simulator's report; an empty one when it wrote none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"calls": [], "phones": []}
    return report
