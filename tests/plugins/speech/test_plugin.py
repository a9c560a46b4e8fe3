"""The speech plugin in the control process: found by its hooks, told by its event."""

from __future__ import annotations

import asyncio
from pathlib import Path

import plugins.speech.plugin as speech
from tests.plugins.house import house


def site(folder: Path) -> Path:
    (folder / "etc/prompts").mkdir(parents=True)
    (folder / "etc/prompts/zh.toml").write_text('[p]\nhello = "您好。"\nplace = "还有{count}位。"\n', encoding="utf-8")
    return folder / "etc"


def test_the_site_s_text_is_played_to_a_caller(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, {"speech": speech}, etc=site(tmp_path), number="say:") as here:

            async def say(call, _):
                await call.answer()
                await call.say("p.place", count=3)

            here.desk.switchboard.plugins.services["say"] = say
            here.desk.caller("95001")
            assert await here.heard("p.place", count=3) == 0
            await here.desk.until("contact.ended")

    asyncio.run(main())


def test_a_missing_engine_is_told_at_the_start_and_a_call_goes_on_without_its_prompts(tmp_path: Path) -> None:
    config = '[speech]\nprogram = "/nowhere/espeak-ng"\n'

    async def main() -> None:
        async with house(tmp_path, {"speech": speech}, etc=site(tmp_path), number="say:", config=config) as here:
            await here.times("speech.failed", 1)  # the prompts that are made ahead fail right after the engine
            failed = (await here.desk.events.rows(kind="speech.failed"))[0].data
            assert (failed["prompt"], failed["engine"]) == ("", "espeak")
            assert "apt-get install espeak-ng" in failed["reason"]

            async def say(call, _):
                await call.answer()
                await call.say("p.hello")
                call.go("queue:service")

            here.desk.switchboard.plugins.services["say"] = say
            here.desk.caller("95001")
            await here.desk.until("contact.ended")
            assert [queue for queue, _, _ in here.reached] == ["service"]
            assert (await here.event("prompt.failed"))["prompt"] == "p.hello"
            assert "plugin.failed" not in await here.desk.kinds()

    asyncio.run(main())


def test_wrong_settings_are_told_with_what_is_allowed(tmp_path: Path) -> None:
    config = '[speech]\nengine = "festival"\nspeed = 3\n'

    async def main() -> None:
        async with house(tmp_path, {"speech": speech}, etc=site(tmp_path), number="say:", config=config) as here:
            told = (await here.event("plugin.failed"))["error"]
            assert "unknown key speed (allowed: engine, program, rate" in told

    asyncio.run(main())
