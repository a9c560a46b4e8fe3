"""A line that rings: when the call is offered, whose it is, when the caller is gone."""

from __future__ import annotations

from hw.line.serial.ringing import Ringing


def rung(*rings: float) -> Ringing:
    ringing = Ringing(wait_s=4.0, gap_s=7.0)
    for at in rings:
        ringing.ring(at)
    return ringing


def test_a_call_is_offered_when_its_number_has_come_and_a_name_had_time_to() -> None:
    ringing = rung(10.0)
    assert ringing.due(10.0) == 4.0
    assert ringing.line("NMBR = 13800138000", 11.5)
    assert 0 < ringing.due(11.5) <= 0.2
    assert ringing.line("NAME = ACME", 11.55)
    assert ringing.due(11.7) == 0
    assert (ringing.caller.number, ringing.caller.name) == ("13800138000", "ACME")


def test_a_second_ring_means_that_no_number_comes() -> None:
    assert rung(10.0, 15.0).due(15.0) == 0


def test_a_number_in_front_of_the_first_ring_belongs_to_it_and_an_old_one_does_not() -> None:
    ringing = Ringing(wait_s=4.0, gap_s=7.0)
    ringing.line("NMBR=02112345678", 5.0)
    assert ringing.ring(6.0) and ringing.due(6.0) == 0
    ringing.over()
    ringing.line("NMBR=02112345678", 50.0)
    ringing.ring(80.0)
    assert ringing.caller.number == ""


def test_numbers_that_are_not_shown_are_restricted_or_unknown() -> None:
    cases = (("P", "", True), ("PRIVATE", "", True), ("O", "", False), ("+86 10-1", "+86101", False))
    for told, number, restricted in cases:
        ringing = rung(1.0)
        ringing.line(f"NMBR = {told}", 2.0)
        assert (ringing.caller.number, ringing.caller.restricted, ringing.caller.known) == (number, restricted, True)


def test_a_caller_is_gone_after_a_pause_without_a_ring() -> None:
    ringing = rung(10.0, 15.0)
    assert ringing.silent(15.0) == 7.0 and ringing.silent(22.0) == 0


def test_other_lines_are_not_caller_id() -> None:
    assert not rung(1.0).line("NO CARRIER", 2.0)
