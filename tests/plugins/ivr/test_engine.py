"""What a caller meets in a menu, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.ivr import engine
from plugins.ivr.engine import Ask, Choose, Go, Hangup, Keep, Say, Speak, Step
from plugins.ivr.menu import Menu, read
from plugins.ivr.settings import IvrSettings

TEXT = """
start = "hello"
[nodes.hello]
kind = "say"
prompt = "hello"
next = "choose"
[nodes.choose]
kind = "menu"
prompt = "choose"
repeat = 1
otherwise = "bye"
keys = { 1 = "sales", 2 = "please", 8 = "other", 9 = "choose", "*" = "menu:night" }
[nodes.sales]
kind = "go"
destination = "queue:sales"
data = { concern = "business" }
[nodes.please]
kind = "say"
prompt = "please"
next = "number"
[nodes.number]
kind = "ask"
prompt = "number"
save = "number"
least = 4
most = 4
repeat = 1
next = "dial"
otherwise = "choose"
[nodes.dial]
kind = "go"
destination = "extension:{number}"
[nodes.other]
kind = "language"
language = "other"
next = "hello"
[nodes.bye]
kind = "hangup"
prompt = "bye"
cause = 31
"""
CHOOSE = Choose(("choose",), 5.0)
OPERATOR = Go("queue:service", "queue:service")


@pytest.fixture
def menu() -> Menu:
    return read("m", TEXT.encode(), IvrSettings())


def press(menu: Menu, *keys: str) -> Step:
    """The step after the caller answered every action with one of ``keys``."""
    taken = engine.start(menu)
    for key in keys:
        taken = engine.step(taken.state, key)
    return taken


@pytest.mark.requirement("A4.02")
def test_a_key_of_the_menu_leads_to_its_target_with_the_data_of_the_node(menu: Menu) -> None:
    assert press(menu).last == Say("hello", until_digit=True)
    assert press(menu, "").last == CHOOSE
    chosen = press(menu, "", "1")
    assert (chosen.first, chosen.last) == ((Keep("concern", "business"),), Go("queue:sales", "queue:service"))


def test_a_key_pressed_during_the_welcome_counts_at_the_menu_behind_it(menu: Menu) -> None:
    assert press(menu, "1").last == Go("queue:sales", "queue:service")
    assert press(menu, "5").last == CHOOSE


@pytest.mark.requirement("A4.02")
def test_a_wrong_key_is_told_and_the_prompt_said_again_until_the_repeats_are_used_up(menu: Menu) -> None:
    again = press(menu, "", "5")
    assert again.last == Choose(("ivr.invalid", "choose"), 5.0)
    assert engine.step(again.state, "5").last == Say("bye", until_digit=True)
    assert press(menu, "", "5", "5", "").last == Hangup(31)


@pytest.mark.requirement("A4.02")
def test_silence_repeats_the_prompt_without_a_reproach_and_then_leads_on(menu: Menu) -> None:
    assert press(menu, "", "").last == CHOOSE
    assert press(menu, "", "", "").last == Say("bye", until_digit=True)


def test_choosing_to_hear_it_again_counts_the_repeats_anew(menu: Menu) -> None:
    assert press(menu, "", "5", "9", "5").last == Choose(("ivr.invalid", "choose"), 5.0)


@pytest.mark.requirement("A4.01")
def test_an_extension_is_asked_for_and_dialled(menu: Menu) -> None:
    assert press(menu, "", "2").last == Say("please", until_digit=False)
    assert press(menu, "", "2", "").last == Ask((), "number", 4, "#", 5.0)
    entered = press(menu, "", "2", "", "8001")
    assert (entered.first, entered.last) == ((Keep("number", "8001"),), Go("extension:{number}", "queue:service"))
    assert engine.filled("extension:{number}", {"number": "8001"}) == "extension:8001"
    assert engine.filled("extension:{number}", {}) is None


def test_too_few_digits_are_asked_for_again_and_then_lead_back(menu: Menu) -> None:
    assert press(menu, "", "2", "", "80").last == Ask(("ivr.invalid",), "number", 4, "#", 5.0)
    assert press(menu, "", "2", "", "80", "").last == CHOOSE


@pytest.mark.requirement("A4.03")
@pytest.mark.parametrize("before", [(), ("",), ("", "5"), ("", "2"), ("", "2", ""), ("", "", "")])
def test_the_operator_key_leads_to_the_operator_from_every_node(menu: Menu, before: tuple[str, ...]) -> None:
    assert press(menu, *before, "0").last == OPERATOR


def test_a_zero_inside_a_number_is_a_digit(menu: Menu) -> None:
    assert press(menu, "", "2", "", "0000").last == Go("extension:{number}", "queue:service")


def test_the_other_language_is_spoken_from_then_on(menu: Menu) -> None:
    changed = press(menu, "", "8")
    assert (changed.first, changed.last) == ((Speak("other"),), Say("hello", until_digit=True))


@pytest.mark.requirement("A4.03")
def test_a_menu_can_be_entered_at_any_node_and_at_its_start_when_there_is_no_such_node(menu: Menu) -> None:
    assert engine.start(menu, "number").last == Ask((), "number", 4, "#", 5.0)
    assert engine.start(menu, "nowhere").last == Say("hello", until_digit=True)


def test_a_caller_silent_through_many_menus_is_taken_to_the_operator(menu: Menu) -> None:
    assert engine.start(menu, "", engine.SILENT_MENUS + 1).last == OPERATOR


def test_the_shipped_main_menu_knows_the_keys_it_names(root: Path) -> None:
    main = read("main", (root / "etc/menus/main.toml").read_bytes(), IvrSettings())
    assert press(main, "", "1").last == Go("queue:service", "queue:service")
    assert press(main, "", "3").first == (Keep("concern", "complaint"),)
    assert press(main, "", "4", "8001").last == Go("extension:{extension}", "queue:service")
    assert press(main, "", "8").first == (Speak("other"),)
    assert press(main, "", "9").last == press(main, "").last
    assert press(main, "", "", "", "").last == OPERATOR
