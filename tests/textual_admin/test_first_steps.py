"""The first steps: the console opens on them until the site is set up, and each of them does what it says."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import attrs
import pytest

from appliance.setup.lines import use_lines
from tests.appliance.api.site_serving import SiteServing, serving_site
from tests.textual_admin.seeing import Seeing, see
from textual_admin import firstrun, machine
from textual_admin.firstrun import Facts
from textual_admin.machine import Lines

ROOT = Path(__file__).resolve().parents[2]
FIRST = {"first_steps": True}
ZONES = {"cn": "China", "hk": "Hong Kong"}


def site(seeing: Seeing) -> SiteServing:
    assert isinstance(seeing.served, SiteServing)
    return seeing.served


def simulated(folder: Path) -> Path:
    """A settings file as the package installs it: its line is the simulator's."""
    config = folder / "onecall.toml"
    config.write_text(use_lines((ROOT / "etc" / "onecall.toml").read_text(encoding="utf-8"), "sim"), encoding="utf-8")
    return config


async def opened(see: Seeing, step: str, seen: str) -> None:
    """Go to a step by its place and open it."""
    names = [*firstrun.TITLES]
    await see.press("home", *["down"] * names.index(step), "enter")  # type: ignore[arg-type]
    await see.until(seen)


async def fill(see: Seeing, *values: str) -> None:
    """Type into one field after the other; "" leaves it as it is."""
    for value in values:
        if value:
            await see.press("end", "ctrl+u")
            await see.type(value)
        await see.press("enter")


def test_the_console_begins_with_the_first_steps_until_the_admin_says_that_they_are_finished(tmp_path: Path) -> None:
    async def first(see: Seeing) -> None:
        await see.until("Next: Number")
        for text in ("Zone ○ open this", "Number ○ open none", "Agents ○ open 0 agents", "2 phones", "8 Set up"):
            await see.until(text.replace("2 phones", "0 phones, 1 registered"))
        await opened(see, "done", "Is the site set up?")
        await see.press("n")
        assert await site(see).events.rows(kind="site.setup_done") == []
        await opened(see, "done", "Is the site set up?")
        await see.press("y")
        await see.until("Finished ✓ done yes")
        [row] = await site(see).events.rows(kind="site.setup_done")
        assert row.data["by"]

    async def later(see: Seeing) -> None:
        await see.until(lambda: see.app.store.live is not None and not see.app._first_steps)
        assert see.app.panel.NAME == "overview"
        await see.press("8")
        await opened(see, "done", "the site is set up already")

    see(tmp_path, first, serve=serving_site, console=FIRST)
    see(tmp_path, later, serve=serving_site, console=FIRST)


def test_without_being_told_so_the_console_begins_with_the_overview(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.until("offered 7")
        await see.pilot.pause(0.1)
        assert (see.app.panel.NAME, see.app.store.setup) == ("overview", None)

    see(tmp_path, work, serve=serving_site)


def test_a_number_is_published_and_changed(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("8")
        await opened(see, "number", "Leads to")
        await fill(see, "95001", "nowhere", "")
        await see.until("must be SERVICE:ARGUMENT")
        assert see.sees("nowhere")
        await see.press("shift+tab")
        await fill(see, "queue:service", "Hotline")
        await see.until("Number ✓ done 95001")
        await opened(see, "number", "queue:service")
        await fill(see, "", "menu:main", "")
        await see.until(lambda: [n.destination for n in site(see).numbers.numbers()] == ["menu:main"])
        assert site(see).numbers.numbers()[0].name == "Hotline"

    see(tmp_path, work, serve=serving_site)


def test_an_agent_gets_a_pin_that_is_typed_twice_or_shown_once_and_one_without_is_told(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        people = site(see).people
        await people.add_agent("1002", "李雷")
        await see.press("8")
        await see.until("1 agents, without PIN: 1002")
        await opened(see, "agents", "PIN again")
        await fill(see, "1001", "王芳", "246810", "246811")
        await see.until("the two PINs are not the same")
        await fill(see, "246810")
        await see.until("2 agents, without PIN: 1002")
        assert await people.check_pin("1001", "246810")
        await opened(see, "agents", "PIN again")
        await fill(see, "", "", "", "")
        await see.until("Agent 1002 is there already")
        await see.press("y")
        await see.until("The PIN of agent 1002 is ")
        found = re.search(r"agent 1002 is (\d{6})", see.text())
        assert found and await people.check_pin("1002", found[1])
        await see.press("enter")
        assert see.sees(found[1])
        await see.press("escape")
        await see.until("Agents ✓ done 2 agents")
        assert not see.sees(found[1])
        assert [agent.name for agent in people.agents()] == ["王芳", "李雷"]

    see(tmp_path, work, serve=serving_site)


@pytest.mark.requirement("A9.05")
def test_a_phone_gets_a_password_that_is_shown_once_and_a_new_one_after_a_question(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        people = site(see).people
        await see.press("8")
        await opened(see, "phones", "May call outside")
        await fill(see, "8001", "Desk 1", "y")
        await see.until("Phone 8001: the password is ")
        await see.press("escape")
        await see.until("1 phones, 1 registered")
        before = people.ha1("8001")
        assert (people.seats()[0].display, people.seats()[0].outside) == ("Desk 1", True)
        await opened(see, "phones", "May call outside")
        await fill(see, "8001", "", "")
        await see.until("Make a new password?")
        await see.press("n")
        await see.until(lambda: not see.sees("Make a new password?"))
        assert people.ha1("8001") == before
        await see.press("enter")
        await see.until("Make a new password?")
        await see.press("y")
        await see.until("Phone 8001: the password is ")
        assert people.ha1("8001") != before

    see(tmp_path, work, serve=serving_site)


def test_the_lines_are_chosen_by_the_command_after_a_question_that_says_what_it_does(tmp_path: Path) -> None:
    config = simulated(tmp_path)

    def driver() -> str:
        return str(tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"][0]["driver"])

    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("simulator; found: ")
        await opened(see, "lines", "Use the card's lines?")
        assert see.sees("calls that are up end: 1.")
        await see.press("enter", "n")
        await see.until(lambda: not see.sees("Use the card's lines?"))
        assert driver() == "sim"
        await opened(see, "lines", "Use the card's lines?")
        await see.press("y")
        await see.until("they hold from the next start")
        await see.until("card; found: ")
        assert driver() == "dahdi"

    see(tmp_path, work, serve=serving_site, console={"config": config})


@pytest.mark.requirement("A9.18")
def test_with_a_card_the_signalling_of_its_digital_lines_is_asked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = simulated(tmp_path)
    told = machine.lines

    async def lines(config: Path) -> Lines:
        return attrs.evolve(await told(config), cards=("Span 1: WCT1/0",))

    monkeypatch.setattr(machine, "lines", lines)

    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("simulator; found: 1 card spans")
        await opened(see, "lines", "What the exchange speaks on E1 lines")
        await fill(see, "ss7")
        await see.until("the signalling must be one of pri, r2")
        await fill(see, "r2")
        await see.until("Use the card's lines?")
        await see.press("y")
        await see.until("card; found: ")
        [span] = tomllib.loads(config.read_text(encoding="utf-8"))["line"]["spans"]
        assert (span["driver"], span["signalling"]) == ("dahdi", "r2")

    see(tmp_path, work, serve=serving_site, console={"config": config})


@pytest.mark.requirement("A9.18")
def test_the_zone_is_chosen_from_those_that_there_are_after_a_question(tmp_path: Path) -> None:
    config = simulated(tmp_path)

    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("Zone ✓ done cn China")
        await opened(see, "zone", "hk  Hong Kong")
        await fill(see, "mars")
        await see.until("there are the zones cn, hk, tw, sg, us, uk, de, fr")
        await fill(see, "hk")
        await see.until("Use the zone hk (Hong Kong)?")
        assert see.sees("calls that are up end: 1.")
        await see.press("y")
        await see.until("Zone ✓ done hk Hong Kong")
        assert tomllib.loads(config.read_text(encoding="utf-8"))["line"]["zone"] == "hk"

    see(tmp_path, work, serve=serving_site, console={"config": config})


def test_what_the_command_cannot_do_is_told_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = simulated(tmp_path)
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\necho "sudo: a password is required" >&2; exit 1\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    may = os.access  # root may write everything; another may not write here
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and may(path, mode))

    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("simulator; found: ")
        await opened(see, "lines", "Use the card's lines?")
        await see.press("y")
        await see.until("sudo: a password is required")
        assert see.sees("sudo onecall lines use dahdi")
        assert see.sees("sudo systemctl restart onecall.target")
        await see.press("escape")
        await see.until("simulator; found: ")
        assert not (tmp_path / "onecall.toml.old").exists()

    see(tmp_path, work, serve=serving_site, console={"config": config})


def test_settings_that_cannot_be_changed_by_machine_stay_and_the_command_s_sentence_is_told(tmp_path: Path) -> None:
    config = simulated(tmp_path)
    before = config.read_text(encoding="utf-8").replace("[line]", '[line]\nbend_it_like = "this"', 1)
    config.write_text(before, encoding="utf-8")

    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("simulator; found: ")
        await opened(see, "lines", "Use the card's lines?")
        await see.press("y")
        await see.until("bend_it_like")
        assert not see.sees("It can be done in a terminal")
        assert config.read_text(encoding="utf-8") == before

    see(tmp_path, work, serve=serving_site, console={"config": config})


def test_a_console_without_settings_says_why_its_lines_cannot_be_changed(tmp_path: Path) -> None:
    async def work(see: Seeing) -> None:
        await see.press("8")
        await see.until("此控制台没有可修改的配置文件")
        await see.until("下一步：号码")
        assert see.sees("8 初次设置")

    see(tmp_path, work, serve=serving_site, language="zh")


@pytest.mark.parametrize(
    ("lines", "done"),
    [
        (Lines(("sim",), (), (), "cn", ZONES), True),
        (Lines(("sim",), ("Span 1: WCT1/0",), (), "cn", ZONES), False),
        (Lines(("dahdi",), ("Span 1: WCT1/0",), (), "cn", ZONES), True),
        (Lines(("dahdi",), (), (), "cn", ZONES), False),
        (Lines((), (), (), "cn", ZONES), False),
        (None, False),
    ],
)
def test_a_card_s_lines_need_a_card_and_the_simulator_is_enough_where_there_is_none(
    lines: Lines | None, done: bool
) -> None:
    found = {step.name: step.done for step in firstrun.steps(Facts([], [], [], False, lines), [])}
    assert found["lines"] is done
