"""A menu file is read whole or refused with every fault named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from plugins.ivr.menu import MenuError, prompts, read
from plugins.ivr.settings import IvrSettings

SETTINGS = IvrSettings()
GOOD = """
start = "hello"
[nodes.hello]
kind = "say"
prompt = "p.hello"
next = "choose"
[nodes.choose]
kind = "menu"
prompt = "p.choose"
keys = { 1 = "queue:sales", 2 = "number" }
[nodes.number]
kind = "ask"
prompt = "p.number"
save = "number"
next = "dial"
otherwise = "choose"
[nodes.dial]
kind = "go"
destination = "extension:{number}"
"""


def faults(text: str) -> str:
    with pytest.raises(MenuError) as caught:
        read("m", text.encode(), SETTINGS)
    return str(caught.value)


def test_a_good_menu_has_its_nodes_and_a_version_that_changes_with_the_file() -> None:
    menu = read("m", GOOD.encode(), SETTINGS)
    assert list(menu.nodes) == ["hello", "choose", "number", "dial"]
    assert (menu.operator, menu.operator_key) == ("queue:service", "0")
    assert prompts(menu) == ["p.hello", "p.choose", "ivr.invalid", "p.number"]
    assert read("m", GOOD.encode(), SETTINGS).version == menu.version
    assert read("m", GOOD.replace("sales", "service").encode(), SETTINGS).version != menu.version


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('kind = "say"', 'kind = "sing"'), "node hello: kind: 'sing' is not allowed (allowed: say, menu, ask,"),
        (('next = "choose"', 'next = "chose"'), "node hello: next: there is no node 'chose' (allowed: hello, choose,"),
        (('next = "choose"', 'nxt = "choose"'), "node hello: unknown key nxt (allowed: prompt, next)"),
        (('start = "hello"', 'start = "hallo"'), "start: there is no node 'hallo'"),
        (("1 =", "0 ="), "node choose: keys: '0' is not allowed (allowed: 0123456789*# without 0, which leads"),
        (("1 =", "11 ="), "node choose: keys: '11' is not allowed"),
        (('"queue:sales"', '"queue:"'), "node choose: keys.1: 'queue:' is no destination"),
        (("keys = {", "timeout_s = 0\nkeys = {"), "node choose: 'timeout_s' must be >= 1: 0"),
        (("keys = {", 'repeat = "two"\nkeys = {'), "node choose: 'two' is not allowed (must be int) @ $.repeat"),
        (('keys = { 1 = "queue:sales", 2 = "number" }', "keys = 7"), "node choose: must be a table @ $.keys"),
        (("{number}", "{numbr}"), "node dial: destination: nothing saves {numbr} (saved by ask nodes: number)"),
        (("{number}", "{number"), "node dial: destination: 'extension:{number' has a brace without its partner"),
        (('save = "number"', 'save = "number"\nleast = 9\nmost = 8'), "node number: least: 9 is not allowed"),
        (('start = "hello"', 'start = "hello"\noperator = "menu:m"'), "operator: 'menu:m' is not allowed"),
        (('start = "hello"', 'start = "hello"\noperator_key = "00"'), "operator_key: '00' is not allowed"),
        (('start = "hello"', "start = hello"), "not TOML: "),
    ],
)
def test_a_fault_names_file_node_key_and_what_is_allowed(change: tuple[str, str], fault: str) -> None:
    assert change[0] in GOOD
    told = faults(GOOD.replace(*change, 1))
    assert told.startswith("m.toml: ")
    assert fault in told


def test_a_silent_caller_who_would_go_round_for_ever_is_a_fault_that_shows_the_circle() -> None:
    circle = GOOD.replace('keys = { 1', 'otherwise = "number"\nkeys = { 1')
    assert "node choose: a caller who presses nothing goes round for ever: choose → number → choose" in faults(circle)


def test_every_fault_is_told_at_once() -> None:
    bad = GOOD.replace('next = "choose"', 'next = "chose"').replace("1 =", "A =").replace("{number}", "{x}")
    assert len(faults(bad).splitlines()) == 3


@pytest.mark.requirement("A4.02")
def test_the_shipped_menus_are_good_and_every_prompt_has_a_text_in_both_languages(root: Path) -> None:
    files = sorted((root / "etc/menus").glob("*.toml"))
    assert files
    for language in ("zh", "en"):
        texts: dict[str, dict[str, str]] = {}
        for folder in (root / "plugins/ivr/prompts", root / "etc/prompts"):
            texts |= tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))
        for file in files:
            for prompt in prompts(read(file.stem, file.read_bytes(), SETTINGS)):
                table, _, name = prompt.partition(".")
                assert texts[table][name].strip(), f"{prompt} in {language}"
