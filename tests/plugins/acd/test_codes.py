"""Agents log in, out, pause and resume by feature codes dialled at their phones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from plugins.acd.codes import dialled_after_code
from tests.plugins.acd.floor import Floor, floor

QUEUES = '[service]\nname = "客服"\nagents = ["1001", "1002"]\n'


def run(path: Path, scenario: Callable[[Floor], Awaitable[None]], settings: str = "") -> None:
    async def main() -> None:
        async with floor(path, QUEUES, settings) as f:
            await scenario(f)

    asyncio.run(main())


async def dial(f: Floor, called: str, *answers: str) -> list[str]:
    """Dial a code at seat 8001, answer its questions with keys, wait for the end; the prompts that were said."""
    left = list(answers)

    leg = f"p{f.desk.events.last_id}"

    def answer(prompt: str) -> None:
        if prompt in ("acd.code.number", "acd.code.pin"):
            f.keys(leg, left.pop(0))

    f.voice.said.clear()
    f.voice.heard = answer
    before = f.desk.events.last_id
    f.dials_from_seat("8001", called, leg)
    await f.event("contact.ended", after=before)
    assert left == []
    return [prompt.removeprefix("acd.code.") for prompt, _ in f.voice.said]


def test_an_agent_logs_in_with_his_pin_pauses_resumes_and_logs_out(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        assert await dial(f, "*501001", "2468#") == ["pin", "login"]
        await f.event("agent.state", agent="1001", seat="8001", state="busy", was="out", was_ms=0.0)
        await f.event("agent.state", agent="1001", seat="8001", state="free")
        assert await dial(f, "*522") == ["pause"]
        await f.event("agent.state", agent="1001", state="paused", reason="meal")
        assert await dial(f, "*53") == ["resume"]
        assert await dial(f, "*51") == ["logout"]
        assert f.state("1001") == "out"
        assert await dial(f, "*52") == ["nobody"]

    run(tmp_path, scenario)


def test_the_number_is_asked_for_when_it_was_not_dialled(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        assert await dial(f, "*50", "1002#", "2468#") == ["number", "pin", "login"]
        assert f.dispatcher.engine.roster.agents["1002"].seat == "8001"

    run(tmp_path, scenario)


def test_three_wrong_pins_end_the_attempt_and_no_pin_is_in_the_log(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        assert await dial(f, "*501001", "1357#", "1357#", "#") == ["pin", "wrong"] * 3 + ["refused"]
        assert "1001" not in f.dispatcher.engine.roster.agents
        assert await dial(f, "*501001", "1357#", "2468#") == ["pin", "wrong", "pin", "login"]
        told = [str(v) for row in await f.desk.events.rows(limit=1000) for v in row.data.values() if isinstance(v, str)]
        assert told
        assert not [text for text in told if "1357" in text or "2468" in text]

    run(tmp_path, scenario)


def test_an_unknown_number_is_refused_like_a_wrong_pin(tmp_path: Path) -> None:
    async def scenario(f: Floor) -> None:
        assert await dial(f, "*507777", "2468#", "1001#", "2468#") == ["pin", "wrong", "number", "pin", "login"]

    run(tmp_path, scenario)


@pytest.mark.parametrize(("allowed", "said"), [("false", ["pin", "wrong"] * 3 + ["refused"]), ("true", ["login"])])
def test_an_agent_without_a_pin_logs_in_only_where_the_site_allows_it(
    tmp_path: Path, allowed: str, said: list[str]
) -> None:
    async def scenario(f: Floor) -> None:
        assert await dial(f, "*501003", *["2468#"] * said.count("pin")) == said

    run(tmp_path, scenario, f"[acd]\nlogin_without_pin = {allowed}\n")


def test_what_was_dialled_after_the_code() -> None:
    dialled = ("*501001", "*50", "*50*1001#", "*521", "95001", "1001")
    assert [dialled_after_code(called) for called in dialled] == ["1001", "", "1001", "1", "", ""]
