"""No caller is trapped in a menu, whatever the menu and whatever he presses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.ivr import engine
from plugins.ivr.engine import Ask, Choose, Go, Hangup, Say
from plugins.ivr.menu import AskNode, GoNode, HangupNode, LanguageNode, Menu, MenuNode, Node, SayNode, problems

NAMES = [f"n{at}" for at in range(7)]
OUT = ["queue:service", "menu:other", "extension:8001"]
targets = st.sampled_from([*NAMES, *OUT])
keys = st.dictionaries(st.sampled_from("123456789*#"), targets, max_size=5)
repeats = st.integers(0, 3)
nodes: st.SearchStrategy[Node] = st.one_of(
    st.builds(SayNode, prompt=st.just("p"), next=targets),
    st.builds(MenuNode, prompt=st.just("p"), keys=keys, repeat=repeats, otherwise=st.one_of(st.just(""), targets)),
    st.builds(
        AskNode, prompt=st.just("p"), save=st.just("x"), next=targets, least=st.integers(1, 3), most=st.integers(3, 8),
        repeat=repeats, otherwise=st.one_of(st.just(""), targets),
    ),
    st.builds(LanguageNode, language=st.sampled_from(["zh", "en", "other"]), next=targets),
    st.builds(GoNode, destination=st.sampled_from([*OUT, "extension:{x}"])),
    st.builds(HangupNode, prompt=st.sampled_from(["", "bye"])),
)
menus = st.builds(
    lambda found: Menu("m", "v", "n0", "queue:service", "0", dict(zip(NAMES, found, strict=True))),
    st.lists(nodes, min_size=len(NAMES), max_size=len(NAMES)),
)
#: More steps than a caller can take in 7 nodes with 3 repeats each without coming to the same state twice.
ENOUGH = 7 * 5


def usable(menu: Menu) -> bool:
    return not any("{x}" not in problem for problem in problems(menu))


@pytest.mark.requirement("A4.12")
@given(
    menu=menus,
    node=st.sampled_from(NAMES),
    pressed=st.lists(st.sampled_from(["", *"123456789*#", "8001"]), max_size=12),
)
@settings(max_examples=600, deadline=None)
def test_after_any_keys_the_operator_is_one_key_away_and_silence_leads_out(
    menu: Menu, node: str, pressed: list[str]
) -> None:
    if not usable(menu):
        return
    taken = engine.start(menu, node)
    for key in pressed:
        if isinstance(taken.last, Go | Hangup):
            return
        if isinstance(taken.last, Say) and not taken.last.until_digit:
            key = ""  # the key waits for the ask node that follows
        taken = engine.step(taken.state, key)
    asked = taken
    for _ in range(ENOUGH):
        match asked.last:
            case Go() | Hangup():
                break
            case Say(_, False):
                asked = engine.step(asked.state, "")
            case Say() | Choose() | Ask():
                asked = engine.step(asked.state, "0")
                assert asked.last == Go("queue:service", "queue:service")
    else:
        pytest.fail("the operator's key was never heard")
    for _ in range(ENOUGH):
        if isinstance(taken.last, Go | Hangup):
            return
        taken = engine.step(taken.state, "")
    pytest.fail("a silent caller goes round for ever")


@pytest.mark.requirement("A4.12")
@given(menu=menus)
@settings(max_examples=600, deadline=None)
def test_the_check_finds_a_circle_exactly_where_a_silent_caller_would_go_round(menu: Menu) -> None:
    told = {problem.split(":")[0] for problem in problems(menu) if "for ever" in problem}
    for name in NAMES:
        seen, at = [], name
        while at in NAMES and at not in seen:
            seen.append(at)
            node = menu.nodes[at]
            way = "next" if isinstance(node, SayNode | LanguageNode) else "otherwise"
            at = getattr(node, way, "")
        assert (f"node {name}" in told) == (at == name)


def test_the_generator_makes_menus_that_can_be_used_often_enough() -> None:
    found = []

    @given(menu=menus)
    @settings(max_examples=200, deadline=None, database=None)
    def count(menu: Menu) -> None:
        found.append(usable(menu))

    count()
    assert sum(found) > len(found) // 10
