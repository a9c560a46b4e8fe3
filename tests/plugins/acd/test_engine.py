"""The queue engine decides as its rules say: order, longest idle, no answer, overflow, wrap-up, announcements."""

from __future__ import annotations

import pytest

from plugins.acd.engine import Engine
from plugins.acd.settings import Queue
from plugins.acd.words import (
    Alerting,
    Announce,
    Answered,
    CallEnded,
    CallEntered,
    CallLeft,
    Due,
    Held,
    Login,
    Logout,
    NotAnswered,
    NotPossibleError,
    Offer,
    Overflow,
    Pause,
    QueuesChanged,
    Restored,
    Resume,
    SeatBusy,
    SeatFree,
    SeatGone,
    SeatThere,
    Withdraw,
)


class Floor:
    """An engine with a clock: each event happens a second after the one before, unless told otherwise."""

    def __init__(self, *queues: Queue, agents: str = "", max_no_answer: int = 2) -> None:
        self.engine = Engine({queue.queue: queue for queue in queues}, max_no_answer)
        self.at = 1000.0
        for agent in agents:
            self(Login(agent, f"8{agent}"))

    def __call__(self, event: object, at: float | None = None) -> list:
        self.at = self.at + 1 if at is None else at
        return self.engine.handle(event, self.at)

    def offers(self, event: object, at: float | None = None) -> list[tuple[str, str]]:
        return [(a.contact, a.agent) for a in self(event, at) if isinstance(a, Offer)]

    def state(self, agent: str) -> str:
        return self.engine.roster.agents[agent].shown[0]

    def talk(self, contact: str, agent: str) -> None:
        self(Alerting(contact, agent))
        self(Answered(contact, agent))
        assert self.state(agent) == "talking"


def service(**more: object) -> Queue:
    return Queue("service", "客服", ("1", "2", "3"), **more)


def only(kind: type, actions: list) -> list:
    return [action for action in actions if isinstance(action, kind)]


@pytest.mark.requirement("A3.08")
def test_the_agent_who_is_idle_longest_gets_the_call() -> None:
    floor = Floor(service(), agents="213")
    assert floor.offers(CallEntered("a", "service")) == [("a", "2")]
    floor.talk("a", "2")
    assert floor.offers(CallEntered("b", "service")) == [("b", "1")]
    floor(CallEnded("a", "2"))
    assert floor.offers(CallEntered("c", "service")) == [("c", "3")]
    assert floor.offers(CallEntered("d", "service")) == [("d", "2")]


@pytest.mark.requirement("A3.05")
def test_hunting_tries_agents_in_the_order_of_the_list() -> None:
    floor = Floor(service(strategy="hunting"), agents="321")
    assert floor.offers(CallEntered("a", "service")) == [("a", "1")]
    assert floor.offers(NotAnswered("a", "1", 19)) == [("a", "2")]
    assert floor.offers(NotAnswered("a", "2", 19)) == [("a", "3")]
    assert floor.offers(NotAnswered("a", "3", 19)) == [("a", "1")]


@pytest.mark.requirement("A3.06")
def test_ring_all_rings_everybody_and_one_gets_the_call() -> None:
    floor = Floor(service(strategy="ring-all"), agents="12")
    assert floor.offers(CallEntered("a", "service")) == [("a", "1"), ("a", "2")]
    assert floor.offers(Login("3", "83")) == [("a", "3")]
    actions = floor(Answered("a", "2"))
    assert only(Withdraw, actions) == [Withdraw("a", "1"), Withdraw("a", "3")]
    assert [floor.state(agent) for agent in "123"] == ["free", "talking", "free"]
    assert only(Withdraw, floor(Answered("a", "3"))) == [Withdraw("a", "3")], "one who answers too late is let go"


def test_callers_are_served_by_priority_then_time() -> None:
    vip = Queue("vip", "贵宾", ("1",), priority=10)
    floor = Floor(service(), vip)
    for contact, queue in (("a", "service"), ("b", "service"), ("c", "vip")):
        floor(CallEntered(contact, queue))
    floor(CallEntered("old", "service", entered_at=900.0))
    assert floor.offers(Login("1", "81")) == [("c", "1")]
    assert floor.offers(Login("2", "82")) == [("old", "2")]
    assert floor.offers(Login("3", "83")) == [("a", "3")]


def test_a_call_goes_to_the_next_agent_when_one_does_not_answer() -> None:
    floor = Floor(service(), agents="12", max_no_answer=3)
    assert floor.offers(CallEntered("a", "service")) == [("a", "1")]
    assert floor.offers(NotAnswered("a", "1", 19)) == [("a", "2")]
    assert floor.offers(NotAnswered("a", "2", 19)) == [("a", "1")], "all have let it ring: round again"
    floor(Pause("2"))
    assert floor.offers(NotAnswered("a", "1", 19)) == [("a", "1")], "nobody else is there"


def test_an_agent_who_lets_calls_ring_is_paused() -> None:
    floor = Floor(service(), agents="12")
    floor(CallEntered("a", "service"))
    for agent in "1212":
        floor(NotAnswered("a", agent, 19))
    assert floor.state("1") == floor.state("2") == "paused"
    assert floor.engine.roster.agents["1"].reason == "no-answer"
    assert floor.offers(Resume("1")) == [("a", "1")]


def test_a_caller_who_hangs_up_stops_the_phone_and_frees_the_agent() -> None:
    floor = Floor(service(), agents="1")
    floor(CallEntered("a", "service"))
    floor(CallEntered("b", "service"))
    actions = floor(CallLeft("a"))
    assert actions[:2] == [Withdraw("a", "1"), Offer("b", "1", "81", 20.0, floor.at)]
    assert floor.engine.waiting("a") is None


@pytest.mark.parametrize(("cause", "shown", "missed"), [(17, "busy", 1), (20, "paused", 0), (41, "paused", 0)])
def test_a_phone_that_fails_at_once_is_left_alone_a_while(cause: int, shown: str, missed: int) -> None:
    floor = Floor(service(announce_s=0.0), agents="1")
    floor(CallEntered("a", "service"), 2000.0)
    assert floor.offers(NotAnswered("a", "1", cause), 2000.1) == []
    assert (floor.state("1"), floor.engine.roster.agents["1"].missed) == (shown, missed)
    assert floor.offers(SeatFree("81"), 2000.2) == []
    assert floor.offers(SeatThere("81"), 2000.2) == []
    assert floor.offers(Due(), 2000.3) == []
    assert floor.engine.next_due() == 2005.1
    assert floor.offers(Due(), 2005.1) == [("a", "1")]


@pytest.mark.requirement("A3.02")
def test_a_state_change_is_visible_to_routing_at_once() -> None:
    floor = Floor(service(), agents="1")
    floor(Pause("1", "lunch"))
    assert floor.offers(CallEntered("a", "service")) == []
    assert floor.offers(Resume("1")) == [("a", "1")]
    assert floor.offers(Pause("1")) == [], "pausing while it rings gives the call back"
    assert floor.engine.waiting("a").offers == set()


def test_a_phone_that_is_gone_or_busy_gets_no_calls() -> None:
    floor = Floor(service(), agents="12")
    floor(SeatGone("81"))
    floor(SeatBusy("82"))
    assert (floor.state("1"), floor.state("2")) == ("paused", "busy")
    assert floor.offers(CallEntered("a", "service")) == []
    assert floor.offers(SeatFree("82")) == [("a", "2")]
    assert floor.offers(CallEntered("b", "service")) == []
    assert floor.offers(SeatThere("81")) == [("b", "1")]


def test_a_phone_that_vanishes_while_it_rings_gives_the_call_to_the_next() -> None:
    floor = Floor(service(), agents="12")
    floor(CallEntered("a", "service"))
    actions = floor(SeatGone("81"))
    assert only(Withdraw, actions) == [Withdraw("a", "1")]
    assert [offer.agent for offer in only(Offer, actions)] == ["2"]
    assert floor.offers(NotAnswered("a", "2", 20)) == [], "20: not registered"
    assert floor.state("2") == "paused"
    assert floor.engine.roster.agents["2"].missed == 0


def test_wrapup_follows_the_talk_and_ends_by_time_or_by_wish() -> None:
    floor = Floor(service(wrapup_s=30.0), agents="1")
    floor(CallEntered("a", "service"))
    floor.talk("a", "1")
    floor(Held("a", True))
    assert floor.state("1") == "held"
    floor(Held("a", False))
    floor(CallEnded("a", "1"))
    assert floor.state("1") == "wrapup"
    floor(CallEntered("b", "service"))
    assert floor.engine.next_due() <= floor.at + 30
    assert floor.offers(Due(), floor.at + 30) == [("b", "1")]
    floor.talk("b", "1")
    floor(CallEnded("b", "1"))
    floor(Resume("1"))
    assert floor.state("1") == "free"


def test_pause_and_logout_during_a_talk_wait_for_its_end() -> None:
    floor = Floor(service(), agents="12")
    for contact, agent in (("a", "1"), ("b", "2")):
        floor(CallEntered(contact, "service"))
        floor.talk(contact, agent)
    floor(Pause("1", "lunch"))
    floor(Logout("2"))
    assert floor.state("1") == floor.state("2") == "talking"
    floor(CallEnded("a", "1"))
    floor(CallEnded("b", "2"))
    assert (floor.state("1"), floor.engine.roster.agents["1"].reason, floor.state("2")) == ("paused", "lunch", "out")


def test_a_seat_has_one_agent_and_a_talking_one_cannot_be_put_out() -> None:
    floor = Floor(service(), agents="1")
    floor(Login("2", "81"))
    assert (floor.state("1"), floor.state("2")) == ("out", "free")
    floor(CallEntered("a", "service"))
    floor.talk("a", "2")
    with pytest.raises(NotPossibleError, match="agent 2 is in a call at seat 81"):
        floor(Login("1", "81"))
    with pytest.raises(NotPossibleError, match="agent 2 is in a call at seat 81"):
        floor(Login("2", "85"))
    with pytest.raises(NotPossibleError, match="agent 3 is not logged in"):
        floor(Pause("3"))
    assert floor.state("2") == "talking"


@pytest.mark.requirement("A3.07")
def test_waiting_callers_are_told_place_and_wait_at_intervals_but_not_when_offered() -> None:
    floor = Floor(service(announce_s=30.0), agents="12")
    floor.engine.handled("service", 100.0)
    assert only(Announce, floor(CallEntered("a", "service"))) == [], "he is offered at once"
    floor(CallEntered("b", "service"))
    assert only(Announce, floor(CallEntered("c", "service"))) == [Announce("c", 3, 150.0, True)]
    floor.talk("a", "1")
    floor.talk("b", "2")
    assert floor.engine.next_due() == 1005.0 + 30.0
    assert only(Announce, floor(Due(), 1035.0)) == [Announce("c", 1, 50.0, True)]
    assert only(Announce, floor(Due(), 1064.0)) == []


def test_the_estimated_wait_counts_rivals_for_the_same_agents_in_other_queues() -> None:
    sales = Queue("sales", "销售", ("3",))
    floor = Floor(service(), sales, agents="3")
    floor.engine.handled("service", 60.0)
    floor(Pause("3"))
    floor(CallEntered("x", "sales"))
    floor(CallEntered("a", "service"))
    call = floor.engine.waiting("a")
    assert floor.engine.position(call) == 1
    assert floor.engine.estimate(call) is None, "nobody works: nothing can be promised"
    floor(Resume("3"))
    assert floor.engine.estimate(call) == 120.0


def test_the_longest_wait_ends_in_overflow_but_not_while_a_phone_rings() -> None:
    floor = Floor(service(max_wait_s=60.0, overflow="menu:sorry"), agents="1", max_no_answer=1)
    floor(CallEntered("a", "service"), 2000.0)
    assert only(Overflow, floor(Due(), 2070.0)) == []
    floor(NotAnswered("a", "1", 19), 2071.0)
    assert floor.engine.next_due() <= 2071.0
    assert only(Overflow, floor(Due(), 2072.0)) == [Overflow("a", "menu:sorry", "max-wait")]
    assert floor.engine.line == []


def test_without_agents_callers_are_told_so_or_sent_on() -> None:
    floor = Floor(service(announce_s=0.0), Queue("sales", "销售", ("1",), unstaffed="voicemail:sales"))
    assert only(Announce, floor(CallEntered("a", "service"))) == [Announce("a", 1, None, False)]
    assert only(Overflow, floor(CallEntered("b", "sales"))) == [Overflow("b", "voicemail:sales", "unstaffed")]
    floor(Login("1", "81"))
    floor(CallEntered("c", "sales"))
    floor(Pause("1"))
    assert floor.engine.waiting("c") is not None, "one who pauses comes back"
    assert only(Overflow, floor(Logout("1"))) == [Overflow("c", "voicemail:sales", "unstaffed")]


@pytest.mark.requirement("A3.04")
def test_rules_change_while_callers_wait_and_keep_their_places() -> None:
    floor = Floor(service())
    floor(CallEntered("a", "service"), 1500.0)
    floor(CallEntered("b", "service"), 1600.0)
    floor(QueuesChanged({"service": service(strategy="hunting")}))
    assert [(call.contact, call.entered_at) for call in floor.engine.line] == [("a", 1500.0), ("b", 1600.0)]
    assert floor.offers(Login("2", "82")) == [("a", "2")]
    with pytest.raises(NotPossibleError, match="service"):
        floor(QueuesChanged({}))


def test_after_a_restart_agents_are_as_they_were() -> None:
    floor = Floor(service())
    floor(Restored("1", "81", "talking", 900.0, contact="a", queue="service"))
    floor(Restored("2", "82", "paused", 900.0, "lunch"))
    assert floor.offers(CallEntered("b", "service")) == []
    assert floor.offers(CallEnded("a", "1")) == [("b", "1")]
    assert floor.state("2") == "paused"


def test_an_offer_tells_since_when_both_were_there() -> None:
    floor = Floor(service(), agents="1")
    [offer] = only(Offer, floor(CallEntered("a", "service"), 1200.0))
    assert offer.since == 1200.0
    floor(CallEntered("b", "service"), 1210.0)
    [offer] = only(Offer, floor(CallLeft("a"), 1220.0))
    assert offer.since == 1220.0, "the agent was taken until then"
