"""Whatever the line process answers, nobody waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.calls.audio import AudioError, LineAudio
from hw.messages import Fault, Message, OpenRtp, Play, Played, PlayItem, Record, Recorded

CLIP = [PlayItem("clip", "/x.wav")]


async def answered(work: asyncio.Future[object] | asyncio.Task[object]) -> object:
    async with asyncio.timeout(2):
        return await work


def test_a_command_that_the_line_process_refuses_ends_the_wait_with_its_reason() -> None:
    async def main() -> None:
        sent: list[Message] = []
        audio = LineAudio(sent.append)
        opening = asyncio.create_task(audio.open_rtp("p1"))
        await asyncio.sleep(0)
        assert sent == [OpenRtp("p1")]
        audio.handle(Fault("p1", "no port is free", "OpenRtp"))
        with pytest.raises(AudioError, match="no port is free"):
            await answered(opening)

        _, playing = audio.play("p1", CLIP)
        audio.handle(Fault("p1", "there is no 'p1'", "Play"))
        assert (await answered(playing)).reason == "gone"  # type: ignore[attr-defined]

        recording = audio.record("p1", Path("/r.wav"))
        [command] = [m for m in sent if isinstance(m, Record)]
        audio.handle(Fault(command.recorder, "there is no 'p1'", "Record"))
        assert (await recording.finished()).reason == "there is no 'p1'"
        assert audio.pending == 0

    asyncio.run(main())


def test_when_the_line_process_is_gone_everything_ends() -> None:
    async def main() -> None:
        audio = LineAudio(lambda _: None)
        opening = asyncio.create_task(audio.open_rtp("p1"))
        _, playing = audio.play("p2", CLIP, loop=True)
        recording = audio.record("p2", Path("/r.wav"))
        await asyncio.sleep(0)
        audio.lost()
        with pytest.raises(AudioError):
            await answered(opening)
        assert (await answered(playing)).reason == "gone"  # type: ignore[attr-defined]
        assert (await recording.finished()).reason
        assert audio.pending == 0

    asyncio.run(main())


def test_a_player_is_stopped_only_while_it_plays_and_late_answers_are_nobody_s() -> None:
    async def main() -> None:
        sent: list[Message] = []
        audio = LineAudio(sent.append)
        player, playing = audio.play("p1", CLIP)
        assert audio.handle(Played("p1", player, "done"))
        await answered(playing)
        audio.stop("p1", player)
        assert [type(m) for m in sent] == [Play]
        assert not audio.handle(Played("p1", player, "stopped"))
        assert not audio.handle(Recorded("x", "/x.wav", 0))

    asyncio.run(main())
