"""Whatever happens in whatever order, the engine keeps its promises (property tests over random events)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.acd import words as w
from plugins.acd.engine import Engine
from plugins.acd.settings import Queue
from plugins.acd.strategies import STRATEGIES

AGENTS = "12345"
CONTACTS = "abcdefgh"
SEATS = [f"8{agent}" for agent in AGENTS]

agents, contacts, seats = st.sampled_from(AGENTS), st.sampled_from(CONTACTS), st.sampled_from(SEATS)
calls = st.builds(w.CallEntered, contacts, st.sampled_from(["service", "vip"]))
rare = st.one_of(
    st.builds(w.CallLeft, contacts),
    st.builds(w.Login, agents, seats),
    st.builds(w.Logout, agents),
    st.builds(w.Pause, agents, st.just("lunch")),
    st.builds(w.Resume, agents),
    st.builds(w.SeatBusy, seats),
    st.builds(w.SeatFree, seats),
    st.builds(w.SeatGone, seats),
    st.builds(w.SeatThere, seats),
    st.just(w.Due()),
)
phones = st.sampled_from(["alerting", "answered", "not answered", "not answered", "ended"])
events = st.one_of(calls, phones, rare)
steps = st.lists(st.tuples(events, st.integers(0, 40), st.integers(0, 7)), min_size=20, max_size=80)


class Model:
    """Follows the actions as the phones and callers would, and checks the promises after each event."""

    def __init__(self, strategy: str, vip_strategy: str) -> None:
        queues = [
            Queue("service", "客服", tuple(AGENTS), strategy=strategy, wrapup_s=10.0, max_wait_s=300.0),
            Queue("vip", "贵宾", ("1", "2"), strategy=vip_strategy, priority=5, unstaffed="menu:main", announce_s=0.0),
        ]
        self.engine = Engine({queue.queue: queue for queue in queues}, max_no_answer=2)
        self.at = 1000.0
        self.entered: dict[str, str] = {}
        self.ringing: set[tuple[str, str]] = set()
        self.talking: dict[str, str] = {}
        self.shown: dict[str, str] = {}
        for agent in AGENTS[:3]:
            self.step(w.Login(agent, f"8{agent}"), 1, 0)

    def step(self, event: object, after: int, choice: int) -> None:
        self.at += after
        event = self.real(event, choice)
        if event is None or (isinstance(event, w.CallEntered) and event.contact in self.talking):
            return
        line_before = [call.contact for call in self.engine.line]
        try:
            actions = self.engine.handle(event, self.at)
        except w.NotPossibleError:
            actions = []
        self.note(event)
        refused = (event.contact, event.agent) if isinstance(event, w.NotAnswered) else None
        for action in actions:
            self.follow(action, refused)
        self.check(line_before)

    def real(self, event: object, choice: int) -> object:
        """Phone events happen only to phones that ring or talk."""
        pairs = sorted(self.talking.items() if event == "ended" else self.ringing)
        if not isinstance(event, str):
            return event
        if not pairs:
            return None
        contact, agent = pairs[choice % len(pairs)]
        match event:
            case "alerting":
                return w.Alerting(contact, agent)
            case "answered":
                return w.Answered(contact, agent)
            case "not answered":
                return w.NotAnswered(contact, agent, (17, 19, 20)[choice % 3])
            case _:
                return w.CallEnded(contact, agent)

    def note(self, event: object) -> None:
        match event:
            case w.CallEntered(contact=contact, queue=queue):
                self.entered.setdefault(contact, queue)
            case w.CallLeft(contact=contact):
                self.entered.pop(contact, None)
            case w.Answered(contact=contact, agent=agent):
                self.ringing.discard((contact, agent))
                self.talking[contact] = agent
                del self.entered[contact]
            case w.NotAnswered(contact=contact, agent=agent):
                self.ringing.discard((contact, agent))
            case w.CallEnded(contact=contact):
                del self.talking[contact]

    def follow(self, action: w.Action, refused: tuple[str, str] | None) -> None:
        match action:
            case w.Offer(contact=contact, agent=agent, since=since):
                assert agent not in {a for _, a in self.ringing}, "an agent is offered two calls"
                assert agent not in self.talking.values(), "an agent who talks is offered a call"
                assert since <= self.at
                if refused == (contact, agent):
                    others = [a for a in self.engine.roster.agents.values() if self.engine.roster.eligible(a)]
                    rank = self.engine.queues[self.entered[contact]]
                    free = [a.number for a in others if a.number in rank.rank]
                    assert not free or rank.strategy == "ring-all", "twice in a row while another is free"
                self.ringing.add((contact, agent))
            case w.Withdraw(contact=contact, agent=agent):
                assert (contact, agent) in self.ringing
                self.ringing.discard((contact, agent))
            case w.Overflow(contact=contact):
                del self.entered[contact]
            case w.StateChanged(agent=agent, state=state, was=was):
                assert self.shown.get(agent, "out") == was
                self.shown[agent] = state

    def check(self, line_before: list[str]) -> None:
        engine = self.engine
        line = [call.contact for call in engine.line]
        assert sorted(line) == sorted(self.entered), "a call is lost, or waits that should not"
        stayed = [contact for contact in line_before if contact in line]
        assert [contact for contact in line if contact in stayed] == stayed, "the order changed"
        assert engine.line == sorted(engine.line, key=lambda call: call.order)
        for call in engine.line:
            assert len(call.offers) <= 1 or engine.queues[call.queue].strategy == "ring-all"
        assert {(c.contact, a) for c in engine.line for a in c.offers} == self.ringing
        for agent in engine.roster.agents.values():
            assert self.shown.get(agent.number, "out") == agent.shown[0] == engine.roster.status(agent)[0]
            for call in engine.line if engine.roster.eligible(agent) else ():
                queue = engine.queues[call.queue]
                if agent.number in queue.rank:
                    assert call.offers, "an agent is free while a call waits that he may take"
        seated = [agent.seat for agent in engine.roster.agents.values() if agent.state != "out"]
        assert len(seated) == len(set(seated)), "two agents at one seat"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(STRATEGIES)), st.sampled_from(sorted(STRATEGIES)), steps)
def test_the_promises_hold_for_any_sequence_of_events(strategy: str, vip_strategy: str, sequence: list) -> None:
    model = Model(strategy, vip_strategy)
    for event, after, choice in sequence:
        model.step(event, after, choice)


@pytest.mark.requirement("A3.01")
def test_answered_counts_of_equal_agents_are_fair_under_uniform_load() -> None:
    agents = tuple(str(1001 + n) for n in range(11))
    engine = Engine({"service": Queue("service", "客服", agents, max_wait_s=0.0)})
    rng = random.Random(7)
    answered = dict.fromkeys(agents, 0)
    for n, agent in enumerate(agents):
        engine.handle(w.Login(agent, str(8001 + n)), float(n))
    ends: list[tuple[float, str, str]] = []
    at, calls = 100.0, 0

    def follow(actions: list[w.Action], at: float) -> None:
        for action in actions:
            if isinstance(action, w.Offer):
                answered[action.agent] += 1
                ends.append((at + 2 + rng.expovariate(1 / 120), action.contact, action.agent))
                follow(engine.handle(w.Answered(action.contact, action.agent), at), at)

    while calls < 2200:
        arrival = at + rng.expovariate(0.07)
        for end, contact, agent in sorted(end for end in ends if end[0] <= arrival):
            ends.remove((end, contact, agent))
            follow(engine.handle(w.CallEnded(contact, agent), end), end)
        at, calls = arrival, calls + 1
        follow(engine.handle(w.CallEntered(f"c{calls}", "service"), at), at)
    assert sum(answered.values()) >= 2190
    mean = sum(answered.values()) / len(agents)
    assert max(answered.values()) - min(answered.values()) <= 0.15 * mean, answered
