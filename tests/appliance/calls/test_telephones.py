"""Analog telephones are phones like all others: called, calling, held by the hook, and gone with their line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from appliance.phones import Phones
from hw.messages import (
    Answered,
    ChannelState,
    Dial,
    Flash,
    Hangup,
    Incoming,
    LineState,
    Mix,
    Play,
    Stop,
)
from tests.appliance.calls.desk import Desk, desk

CALLED = "95002"


def telephones(*, up: bool = True) -> LineState:
    """A line with the telephone 8001 on channel 2."""
    channel = ChannelState(2, "idle" if up else "alarm", number="8001")
    return LineState("desk", "fxs", up, (channel,), "" if up else "RED")


def run(path: Path, work: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        async with desk(path) as made, asyncio.timeout(10):
            made.switchboard.handle("line", telephones())
            await work(made)

    asyncio.run(main())


@pytest.mark.requirement("A9.16")
def test_a_seat_with_a_telephone_is_dialled_on_its_line_and_is_busy_as_a_phone(tmp_path: Path) -> None:
    async def work(made: Desk) -> None:
        made.caller(CALLED)
        dial = await made.sent(Dial, "line")
        assert (dial.line, dial.number, dial.media) == ("desk", "8001", None)
        assert made.switchboard.seat_busy("8001")
        made.say("line", Answered(dial.leg))
        await made.until("contact.bridged")

    run(tmp_path, work)


@pytest.mark.requirement("A7.02")
def test_the_hook_pressed_for_a_moment_holds_and_comes_back(tmp_path: Path) -> None:
    async def work(made: Desk) -> None:
        made.caller(CALLED)
        dial = await made.sent(Dial, "line")
        made.say("line", Answered(dial.leg))
        await made.until("contact.bridged")
        made.say("line", Flash(dial.leg))
        await made.until("contact.held")
        mix, music = (next(m for m in reversed(made.line.sent) if isinstance(m, kind)) for kind in (Mix, Play))
        assert isinstance(mix, Mix) and (mix.port, mix.sources) == ("t1", {})
        assert isinstance(music, Play) and music.port == "t1"
        made.say("line", Flash(dial.leg))
        assert await made.sent(Stop, "line") == Stop("t1", music.player)

    run(tmp_path, work)


def test_a_telephone_may_dial_what_its_seat_may(tmp_path: Path) -> None:
    async def work(made: Desk) -> None:
        made.say("line", Incoming("t1", "desk", "8002", "8001", channel=2))
        dial = await made.sent(Dial, "phone")
        assert (dial.line, dial.number, dial.caller) == ("phones", "8002", "8001")
        made.say("line", Incoming("t2", "desk", "9110", "8001", channel=2))
        assert (await made.sent(Hangup, "line")).cause == 21

    run(tmp_path, work)


def test_calls_outside_never_take_a_line_of_telephones(tmp_path: Path) -> None:
    async def work(made: Desk) -> None:
        ways = made.switchboard.trunks.choose("110").attempts
        assert [way.line for way in ways] == ["e1"]
        assert made.switchboard.trunks.load().lines.keys() == {"e1", "desk"}

    run(tmp_path, work)


def test_a_telephone_is_there_while_its_line_is_up(tmp_path: Path) -> None:
    async def work(made: Desk) -> None:
        board = made.switchboard
        phones = Phones(made.events, board.people, "onecall", time.time, board.telephones)

        def row() -> tuple[bool, str]:
            found = next(each for each in phones.rows(board.seat_busy) if each.account == "8001")
            return found.registered, found.source

        assert phones.registered("8001") and row() == (True, "desk 2")
        board.handle("line", telephones(up=False))
        assert not phones.registered("8001") and row() == (False, "")
        board.handle("line", telephones())
        board.process_lost("line")
        assert not phones.registered("8001")
        kinds = [kind for kind in await made.kinds() if kind.startswith("phone.")]
        assert kinds == ["phone.registered", "phone.unregistered"] * 2

    run(tmp_path, work)
