"""Which calls go on after a restart of the control process: what the store knows against what is still up."""

from __future__ import annotations

from appliance.link.adopt import OpenContact, OpenLeg, plan
from hw.messages import LegState


def contact(name: str) -> OpenContact:
    return OpenContact(name, "95001", "138", "zh", "queue:service", 1.0, True)


def known(leg: str, of: str, *, incoming: bool, peer: str = "") -> OpenLeg:
    return OpenLeg(leg, of, "e1" if incoming else "phones", "138", incoming, peer)


def up(leg: str, phase: str = "up") -> LegState:
    return LegState(leg, "e1", phase, leg.startswith("t"), "95001", "138")  # type: ignore[arg-type]


PAIR = [known("t1", "c1", incoming=True, peer="p1"), known("p1", "c1", incoming=False, peer="t1")]


def test_a_pair_that_is_still_up_goes_on_talking() -> None:
    [adoption] = plan([contact("c1")], PAIR, {"t1": up("t1"), "p1": up("p1")}).adopt
    assert (adoption.how, adoption.leg.leg, adoption.peer and adoption.peer.leg) == ("bridge", "t1", "p1")


def test_a_caller_whose_agent_is_gone_is_served_again() -> None:
    todo = plan([contact("c1")], PAIR, {"t1": up("t1")})
    assert todo.adopt[0].how == "serve" and todo.close_legs == ("p1",)


def test_an_agent_who_was_ringing_for_a_waiting_caller_stops_ringing() -> None:
    legs = [known("t1", "c1", incoming=True), known("p1", "c1", incoming=False)]
    [adoption] = plan([contact("c1")], legs, {"t1": up("t1"), "p1": up("p1", "alerting")}).adopt
    assert adoption.how == "serve" and adoption.others == ("p1",)


def test_an_agent_whose_caller_is_gone_is_not_adopted_and_the_contact_closed() -> None:
    todo = plan([contact("c1")], PAIR, {"p1": up("p1")})
    assert not todo.adopt and todo.close_contacts == ("c1",) and todo.close_legs == ("t1",)


def test_a_caller_who_was_never_answered_is_not_adopted() -> None:
    todo = plan([contact("c1")], [known("t1", "c1", incoming=True)], {"t1": up("t1", "offered"), "t9": up("t9")})
    assert not todo.adopt and todo.close_contacts == ("c1",)
