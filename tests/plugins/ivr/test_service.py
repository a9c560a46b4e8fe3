"""Callers in menus, on the real switchboard with real speech."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import plugins.ivr.plugin as ivr
import plugins.speech.plugin as speech
from hw.messages import Dial, Hangup
from tests.plugins.house import House, house

SHORT = """
start = "choose"
operator = "queue:help"
[nodes.choose]
kind = "menu"
prompt = "p.choose"
timeout_s = 1
repeat = 0
otherwise = "bye"
keys = { 1 = "queue:one", 2 = "menu:gone", 3 = "menu:short/number" }
[nodes.number]
kind = "ask"
prompt = "p.number"
save = "number"
most = 4
timeout_s = 1
next = "dial"
[nodes.dial]
kind = "go"
destination = "extension:{number}"
[nodes.bye]
kind = "hangup"
cause = 31
"""
PROMPTS = '[p]\nchoose = "请按1。"\nnumber = "请输入号码。"\n'


def etc(folder: Path) -> Path:
    for name, text in (("menus/short.toml", SHORT), ("prompts/zh.toml", PROMPTS)):
        path = folder / "etc" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return folder / "etc"


def run(path: Path, scenario: Callable[[House], Awaitable[None]], *, site: Path, menu: str, config: str = "") -> None:
    async def main() -> None:
        modules = {"ivr": ivr, "speech": speech}
        async with asyncio.timeout(20), house(path, modules, etc=site, number=menu, config=config) as here:
            await scenario(here)

    asyncio.run(main())


@pytest.mark.requirement("A4.02")
@pytest.mark.requirement("A4.09")
def test_a_caller_hears_the_welcome_and_reaches_the_queue_with_what_he_wants(tmp_path: Path, root: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("main.welcome")
        await here.heard("main.choose")
        here.press("3")
        await here.desk.until("contact.ended")
        ((queue, data, language),) = here.reached
        assert (queue, data["concern"], language) == ("service", "complaint", "zh")
        entered, left = await here.event("menu.entered"), await here.event("menu.left")
        assert (entered["menu"], entered["node"], left["to"]) == ("main", "welcome", "queue:service")
        assert entered["version"] == left["version"] != ""

    run(tmp_path, scenario, site=root / "etc", menu="menu:main")


@pytest.mark.requirement("A4.03")
def test_zero_leads_to_an_agent_and_eight_to_english(tmp_path: Path, root: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("main.choose")
        here.press("8")
        await here.heard("main.choose", "en")
        here.press("0")
        await here.desk.until("contact.ended")
        assert [(queue, language) for queue, _, language in here.reached] == [("service", "en")]

    run(tmp_path, scenario, site=root / "etc", menu="menu:main")


@pytest.mark.requirement("A4.01")
def test_an_extension_is_dialled_from_the_menu(tmp_path: Path, root: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("main.choose")
        here.press("4")
        await here.heard("main.extension")
        here.press("8001")
        dial = await here.desk.sent(Dial, "phone")
        assert dial.number == "8001"
        assert "8001" not in str(await here.event("menu.left"))
        here.desk.switchboard.legs["t1"][0].hangup(16)
        await here.desk.until("contact.ended")

    run(tmp_path, scenario, site=root / "etc", menu="menu:main")


def test_a_silent_caller_is_cleared_with_the_cause_of_the_node(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        assert (await here.desk.sent(Hangup, "line")).cause == 31
        assert (await here.event("menu.left"))["to"] == "hangup"

    run(tmp_path, scenario, site=etc(tmp_path), menu="menu:short")


def test_zero_alone_reaches_the_operator_where_a_number_is_asked_for(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("p.number")
        here.press("0#")
        await here.desk.until("contact.ended")
        assert [queue for queue, _, _ in here.reached] == ["help"]

    run(tmp_path, scenario, site=etc(tmp_path), menu="menu:short/number")


@pytest.mark.requirement("A4.03")
def test_a_call_sent_back_to_a_node_keeps_its_data(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        async def agent(call, _):
            call.data["customer"] = "42"
            call.go("menu:short/choose")

        here.desk.switchboard.plugins.services["agent"] = agent
        here.desk.caller("95001")
        await here.heard("p.choose")
        here.press("1")
        await here.desk.until("contact.ended")
        ((queue, data, _),) = here.reached
        assert (queue, data["customer"]) == ("one", "42")

    run(tmp_path, scenario, site=etc(tmp_path), menu="agent:")


def test_a_broken_or_missing_menu_takes_the_call_to_the_default_destination_and_is_told(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("p.choose")
        here.press("2")  # to menu:gone
        await here.desk.until("contact.ended")
        assert [queue for queue, _, _ in here.reached] == ["night"]
        assert "gone.toml: cannot be read" in (await here.event("menu.broken"))["error"]
        assert "service.failed" not in await here.desk.kinds()

    run(tmp_path, scenario, site=etc(tmp_path), menu="menu:short", config='[ivr]\ndefault = "queue:night"\n')


@pytest.mark.requirement("A4.05")
def test_an_edit_while_a_caller_is_in_the_menu_is_for_the_next_caller(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        here.desk.caller("95001")
        await here.heard("p.choose")
        file = here.box.etc / "menus/short.toml"
        file.write_text(SHORT.replace("queue:one", "queue:changed"), encoding="utf-8")
        os.utime(file, ns=(1, 1))
        here.desk.caller("95001", leg="t2")
        await here.times("menu.entered", 2)
        here.press("1")
        here.press("1", leg="t2")
        await here.times("contact.ended", 2)
        assert [queue for queue, _, _ in here.reached] == ["one", "changed"]

    run(tmp_path, scenario, site=etc(tmp_path), menu="menu:short")


@pytest.mark.requirement("A4.05")
def test_the_api_lists_every_menu_with_its_faults_and_prompts_without_a_text(tmp_path: Path) -> None:
    async def scenario(here: House) -> None:
        (here.box.etc / "menus/broken.toml").write_text("start = 1\n")
        broken, short = await here.desk.switchboard.plugins.methods["menus.list"]()
        assert (broken.menu, broken.version) == ("broken", "")
        assert broken.error.startswith("broken.toml: ")
        assert (short.menu, short.error) == ("short", "")
        assert set(short.missing) == {"en/p.choose", "en/p.number"}

    run(tmp_path, scenario, site=etc(tmp_path), menu="menu:short")
