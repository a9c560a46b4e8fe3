"""The control process comes back: calls that are up go on, on whatever the processes report, and nothing stays open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.calls import audio
from appliance.calls.adoption import adopt
from appliance.calls.call import Call
from appliance.calls.switchboard import Switchboard
from appliance.link.client import Process
from appliance.store.tables import contact, leg
from hw.messages import (
    Alerting,
    Cleared,
    Dial,
    Hangup,
    LegPhase,
    LegState,
    Media,
    MediaOffer,
    Message,
    Mix,
    Play,
    Played,
    PlayItem,
    Refused,
    Snapshot,
    Stop,
)
from tests.appliance.calls.desk import THEIRS, Desk, desk

MUSIC = [PlayItem("clip", "/music.wav")]


def again(d: Desk) -> Switchboard:
    """The switchboard of the next start, on the same store and links."""
    old = d.switchboard
    new = Switchboard(
        line=d.line,  # type: ignore[arg-type]
        phone=d.phone,  # type: ignore[arg-type]
        events=d.events, people=old.people, plugins=old.plugins, now=time.time,
        numbers=list(old.numbers), music=MUSIC,
    )  # fmt: skip
    d.switchboard = new
    d.line.sent.clear()
    d.phone.sent.clear()
    return new


def trunk() -> LegState:
    return LegState("t1", "e1", "up", True, "95001", "13800138000", 5)


def phone(dial: Dial, phase: LegPhase = "up", media: Media = THEIRS) -> LegState:
    return LegState(dial.leg, "phones", phase, False, "8001", "13800138000", None, media)


def both(dial: Dial, media: Media = THEIRS) -> dict[Process, Snapshot]:
    """What the processes report of a caller and a phone that talk."""
    return {"line": Snapshot("line", (trunk(),), (dial.leg,)), "phone": Snapshot("phone", (phone(dial, media=media),))}


async def serve(call: Call, _: str) -> None:
    """Rings 8001 with music meanwhile and talks."""
    await call.answer()
    call.music()
    await call.bridge(await call.dial_seat("8001", ring_s=30))


def run(path: Path, scenario: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        async with desk(path, {"test": serve}) as d:
            await scenario(d)
            async with asyncio.timeout(5):
                while any(d.switchboard.leftover().values()):
                    await asyncio.sleep(0)
            for table in (contact, leg):
                assert not await d.store.rows(select(table).where(table.c.ended_at.is_(None))), f"an open {table.name}"

    asyncio.run(main())


async def talking(d: Desk) -> Dial:
    """A caller talks with 8001; then the control process stops."""
    d.caller("95001")
    dial = await d.agent_answers()
    await d.until("contact.bridged")
    await d.switchboard.stop()
    return dial


def test_an_agent_who_has_the_caller_on_hold_goes_on_holding_and_can_take_him_back(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        dial = await talking(d)
        board = again(d)
        held = Media(THEIRS.address, THEIRS.port, THEIRS.codecs, THEIRS.telephone_event, "sendonly")
        shots = both(dial, held)
        assert await adopt(board, d.store, shots, {}) == 1
        await d.until("contact.held")
        plays = [m for m in d.line.sent if isinstance(m, Play) and m.port == "t1"]
        assert [p.items[0].kind for p in plays] == ["silence", "clip"] and plays[-1].items == tuple(MUSIC)
        d.say("phone", MediaOffer(dial.leg, THEIRS))
        assert (await d.sent(Stop)).player == plays[-1].player
        d.say("line", Played("t1", plays[-1].player, "stopped"))
        assert [m for m in d.line.sent if isinstance(m, Mix) and m.port == "t1"][-1] == Mix("t1", {dial.leg: 1.0})
        d.say("line", Cleared("t1", 16, "far"))

    run(tmp_path, scenario)


def test_music_of_before_ends_when_the_adopted_parties_talk(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        dial = await talking(d)
        shots = both(dial)
        assert await adopt(again(d), d.store, shots, {}) == 1
        play = await d.sent(Play)
        assert (play.items[0].kind, play.items[0].ms, play.loop) == ("silence", 20, False)
        d.say("line", Cleared("t1", 16, "far"))

    run(tmp_path, scenario)


def test_a_caller_who_hangs_up_while_his_call_is_taken_over_is_not_kept_for_ever(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        dial = await talking(d)
        board = again(d)
        since: dict[str, Cleared] = {}
        shots = both(dial)
        send = d.line.send

        def gone(message: Message) -> None:
            since["t1"] = Cleared("t1", 16, "far")  # the link tells of it before the port is open
            send(message)

        d.line.send = gone  # type: ignore[method-assign]
        await adopt(board, d.store, shots, since)
        assert (await d.sent(Hangup, "phone")).leg == dial.leg

    run(tmp_path, scenario)


def test_without_a_line_process_the_call_is_closed_and_its_phone_hung_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "OPEN_S", 0.05)

    async def scenario(d: Desk) -> None:
        dial = await talking(d)
        board = again(d)
        shots = both(dial)
        d.line.up = False
        assert await adopt(board, d.store, shots, {}) == 0
        assert (await d.sent(Hangup, "phone")).leg == dial.leg
        assert (await d.until("contact.ended")).data["cause"] == 27

    run(tmp_path, scenario)


def test_a_phone_that_rang_stops_its_leg_is_closed_and_the_caller_is_served_again(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95001")
        dial = await d.sent(Dial, "phone")
        d.say("phone", Alerting(dial.leg))
        await d.until("leg.alerting")
        await d.switchboard.stop()
        board = again(d)
        shots: dict[Process, Snapshot] = {
            "line": Snapshot("line", (trunk(),)), "phone": Snapshot("phone", (phone(dial, "alerting"),))
        }  # fmt: skip
        assert await adopt(board, d.store, shots, {}) == 1
        assert Hangup(dial.leg, 41) in d.phone.sent
        [cleared] = [e for e in await d.events.rows(kind="leg.cleared") if e.data["leg"] == dial.leg]
        assert cleared.data == {"leg": dial.leg, "cause": 41, "by": "us"}
        music = await d.sent(Play)
        assert (await d.agent_answers()).leg != dial.leg
        await d.until("contact.bridged")
        d.say("line", Played("t1", music.player, "stopped"))
        d.say("line", Cleared("t1", 16, "far"))

    run(tmp_path, scenario)


def test_calls_refused_while_the_control_process_was_away_are_counted_as_blocked(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        shot = Snapshot("line", missed=(Refused("e1", "95001", "13800138000", 34),))
        await adopt(d.switchboard, d.store, {"line": shot}, {})
        assert (await d.until("contact.blocked")).data["cause"] == 34
        assert d.switchboard.counters["blocked"] == 1

    run(tmp_path, scenario)
