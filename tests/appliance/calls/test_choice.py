"""Which line an outgoing call takes: cost, order, shares, overflow, and the number that it shows."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from appliance.calls.choice import Attempt, Choice, Passed, choose
from appliance.calls.load import Line, Load
from appliance.calls.trunkgroups import Member, Route, TrunkGroup, member, presented, route

LINES = {name: Line(name, True, 30) for name in ("e1", "e2", "sip")}
FREE = Load(LINES)


def group(name: str, *lines: str, routes: str = "", **more) -> TrunkGroup:
    return TrunkGroup(name, tuple(map(member, lines)), routes=tuple(route(text) for text in routes.split()), **more)


def ways(choice: Choice) -> list[str]:
    return [f"{way.group}/{way.line}" for way in choice.attempts]


def whys(choice: Choice) -> set[str]:
    return {f"{each.group}/{each.line}: {each.why}" for each in choice.passed}


def test_a_site_without_groups_has_one_of_all_lines_and_dials_the_number_as_it_is() -> None:
    choice = choose("13800138000", (), FREE, caller="95001")
    assert choice.attempts[0] == Attempt("", "e1", "13800138000", "95001")
    assert ways(choice) == ["/e1", "/e2", "/sip"]
    assert choose("10086", (), Load({"e1": Line("e1", False, 0)})).cause == 34


@pytest.mark.requirement("A1.23")
def test_the_cheapest_group_is_first_by_the_longest_prefix_that_fits_and_the_others_follow() -> None:
    groups = (
        group("city", "e1", routes="=1 0=5 00=20"),
        group("carrier", "e2", routes="0=2 00=8,strip=2,prepend=17951"),
        group("voip", "sip", routes="00=3 001=9 008=barred"),
    )
    assert ways(choose("66661234", groups, FREE)) == ["city/e1"]
    assert ways(choose("01066661234", groups, FREE)) == ["carrier/e2", "city/e1"]
    assert ways(choose("0033123456", groups, FREE)) == ["voip/sip", "carrier/e2", "city/e1"]
    assert ways(choose("001123456", groups, FREE)) == ["carrier/e2", "voip/sip", "city/e1"]
    choice = choose("0081123456", groups, FREE)
    assert choice.attempts[0] == Attempt("carrier", "e2", "1795181123456", "", cost=8)
    assert Passed("voip", "", "barred") in choice.passed


@pytest.mark.requirement("A1.23")
def test_the_next_group_is_tried_when_the_cheapest_is_busy_down_full_blocked_or_has_failed() -> None:
    cheap, dear = group("cheap", "e1:2", routes="=1"), group("dear", "sip", routes="=9")
    busy = {"e1": Line("e1", True, 0)}
    down = {"e1": Line("e1", False, 0)}
    blocked = {"e1": Line("e1", True, 5, blocked=True)}
    for load, why in (
        (Load({**LINES, **busy}), "cheap/e1: line busy"),
        (Load({**LINES, **down}), "cheap/e1: line down"),
        (Load({**LINES, **blocked}), "cheap/e1: blocked"),
        (Load({"sip": LINES["sip"]}), "cheap/e1: no such line"),
        (Load(LINES, {("cheap", "e1"): 2}), "cheap/e1: full"),
        (Load(LINES, blocked={"cheap"}), "cheap/: blocked"),
    ):
        choice = choose("10086", (cheap, dear), load)
        assert (ways(choice), whys(choice)) == (["dear/sip"], {why})
    choice = choose("10086", (cheap, dear), FREE, tried={("cheap", "e1")})
    assert (ways(choice), whys(choice)) == (["dear/sip"], {"cheap/e1: tried"})
    limited = evolve(cheap, most=3)
    assert ways(choose("10086", (limited, dear), Load(LINES, {("cheap", "e1"): 1}))) == ["cheap/e1", "dear/sip"]
    assert whys(choose("10086", (evolve(limited, members=(Member("e1"), Member("e2"))), dear),
                       Load(LINES, {("cheap", "e1"): 1, ("cheap", "e2"): 2}))) == {"cheap/: full"}  # fmt: skip


@pytest.mark.parametrize(
    ("hunting", "last", "order"),
    [
        ("in_order", "e1", ["e1", "e2", "sip"]),
        ("round_robin", "", ["e1", "e2", "sip"]),
        ("round_robin", "e1", ["e2", "sip", "e1"]),
        ("round_robin", "sip", ["e1", "e2", "sip"]),
        ("most_idle", "e1", ["e2", "sip", "e1"]),
    ],
)
def test_within_a_group_lines_are_tried_in_its_order(hunting, last, order) -> None:
    lines = {"e1": Line("e1", True, 3), "e2": Line("e2", True, 20), "sip": Line("sip", True, None)}
    load = Load(lines, {("g", "sip"): 4}, {"g": last})
    choice = choose("10086", (group("g", "e1", "e2", "sip:10", hunting=hunting),), load)
    assert [way.line for way in choice.attempts] == order


def test_most_idle_prefers_among_lines_without_channels_the_one_with_fewer_calls() -> None:
    load = Load({"a": Line("a", True, None, 5), "b": Line("b", True, None, 2)})
    assert ways(choose("1", (group("g", "a", "b", hunting="most_idle"),), load)) == ["g/b", "g/a"]


def test_a_group_for_incoming_calls_is_never_chosen() -> None:
    choice = choose("10086", (group("in", "e1", direction="in"),), FREE)
    assert (ways(choice), whys(choice), choice.cause) == ([], {"in/: in only"}, 3)


def test_without_a_way_the_cause_says_why() -> None:
    only = group("only", "e1", routes="0=1 00=barred")
    assert choose("10086", (only,), FREE).cause == 3
    assert choose("0033123", (only,), FREE).cause == 21
    assert choose("010123", (only,), Load({"e1": Line("e1", True, 0)})).cause == 34
    assert choose("0", (group("g", "e1", routes="0=1,strip=1"),), FREE).cause == 3


def test_only_a_number_of_the_lines_own_is_shown() -> None:
    plain, own = group("g", "e1"), group("g", "e1", caller="4008")
    block = group("g", "e1", shows=("95001", "01012340000-01012340099"))
    assert presented(plain, "95001", "13800138000") == "95001"
    assert presented(own, "95001", "13800138000") == "4008"
    assert presented(block, "95001", "01012340042") == "01012340042"
    assert presented(block, "95001", "01012340100") == "95001"
    assert presented(block, "4001", "13800138000") == "95001"
    assert presented(evolve(block, caller="01012340000"), "4001", "0101234004") == "01012340000"
    hidden = choose("10086", (evolve(own, restricted=True),), FREE).attempts[0]
    assert (hidden.caller, hidden.restricted) == ("4008", True)


NAMES = st.sampled_from(["e1", "e2", "e3"])
GROUPS = st.lists(
    st.builds(
        TrunkGroup,
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.builds(Member, NAMES, st.integers(0, 3)), min_size=1, max_size=3, unique_by=lambda m: m.line)
        .map(tuple),
        st.sampled_from(["in_order", "round_robin", "most_idle"]),
        st.sampled_from(["both", "in", "out"]),
        shows=st.sampled_from([(), ("100-199",)]),
        routes=st.lists(
            st.builds(
                Route, st.sampled_from(["", "0", "00"]), st.floats(0, 9), st.integers(0, 4), barred=st.booleans()
            ),
            max_size=3, unique_by=lambda r: r.prefix,
        ).map(tuple),
        most=st.integers(0, 4),
    ),
    max_size=3, unique_by=lambda g: g.name,
)  # fmt: skip
LOADS = st.builds(
    Load,
    st.lists(st.builds(Line, NAMES, st.booleans(), st.none() | st.integers(0, 3), st.integers(0, 3), st.booleans()))
    .map(lambda lines: {line.name: line for line in lines}),
    st.dictionaries(st.tuples(st.sampled_from(["a", "b", "c"]), NAMES), st.integers(0, 4)),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), NAMES),
    st.sets(st.sampled_from(["a", "b", "c"])),
)  # fmt: skip


@given(GROUPS, LOADS, st.sampled_from(["123", "0123", "00123", "0"]), st.sampled_from(["", "150", "250"]))
def test_every_way_is_allowed_has_room_and_the_last_failure_always_comes(groups, load, number, wanted) -> None:
    tried: set[tuple[str, str]] = set()
    costs = []
    while (choice := choose(number, groups, load, caller="95001", wanted=wanted, tried=tried)).attempts:
        way = choice.attempts[0]
        line = load.lines[way.line]
        assert line.up and not line.blocked and line.idle != 0
        assert (way.group, way.line) not in tried
        if groups:
            [mine] = [group for group in groups if group.name == way.group]
            [share] = [each.most for each in mine.members if each.line == way.line]
            chosen = mine.route(number)
            assert mine.direction != "in" and way.group not in load.blocked
            assert chosen is not None and not chosen.barred
            assert way.number == chosen.sent(number) != ""
            assert not share or load.calls.get((way.group, way.line), 0) < share
            assert not mine.shows or (len(way.caller) == 3 and way.caller.startswith("1"))
        costs.append(way.cost)
        tried.add((way.group, way.line))
    assert costs == sorted(costs)
    assert choice.cause in (3, 21, 34)
