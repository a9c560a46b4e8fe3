"""R2 line and register signalling between two channels, in virtual time: numbers, causes, time-outs, faults."""

from __future__ import annotations

import pytest

from hw.line.signalling import r2_codes as r2
from hw.line.signalling.r2_actions import (
    Accepted,
    Acknowledged,
    Answered,
    Blocked,
    Offered,
    Phase,
    Released,
    Rules,
    Seized,
)
from tests.hw.line.signalling.r2_wire import Wire

CALLED, CALLER = "4008001111", "13800138000"


def offered(wire: Wire, called: str = CALLED, caller: str = CALLER) -> Offered:
    """``a`` calls ``b``, until ``b`` knows the numbers."""
    wire.perform(wire.a, wire.a.channel.seize(wire.now, called, caller))
    wire.until(lambda: wire.b.tells(Offered))
    return wire.b.last(Offered)


def alerting(wire: Wire) -> None:
    offered(wire)
    wire.perform(wire.b, wire.b.channel.alert(wire.now))
    wire.until(lambda: wire.a.tells(Accepted) and wire.b.tone != "")


def up(wire: Wire) -> None:
    alerting(wire)
    wire.perform(wire.b, wire.b.channel.answer(wire.now))
    wire.until(lambda: wire.a.tells(Answered))


def both_idle(wire: Wire, ms: int = 60_000) -> int:
    return wire.until(lambda: wire.a.channel.idle and wire.b.channel.idle, ms)


@pytest.mark.parametrize(
    ("rules", "called", "caller"),
    [
        (Rules(called_digits=10), CALLED, CALLER),
        (Rules(), CALLED, CALLER),
        (Rules(), "8", ""),
        (Rules(called_digits=1), "0", "0"),
        (Rules(called_digits=5, caller_wanted=False), "95001", ""),
        (Rules(caller_wanted=False), "0123456789", ""),
    ],
)
def test_every_digit_of_both_numbers_arrives(rules: Rules, called: str, caller: str) -> None:
    got = offered(Wire(rules_b=rules), called, caller)
    assert (got.called, got.caller) == (called, caller)
    assert got.category == (r2.KA_ORDINARY if rules.caller_wanted else 0)


def test_a_number_of_known_length_needs_no_pause() -> None:
    def took(rules: Rules) -> int:
        wire = Wire(rules_b=rules)
        began = wire.now
        offered(wire)
        return wire.now - began

    assert took(Rules(called_digits=10)) <= took(Rules(pause_ms=2000)) - 1900


def test_a_call_is_alerted_answered_and_cleared_by_the_caller() -> None:
    wire = Wire()
    up(wire)
    assert wire.b.tone == "" and wire.b.bits == r2.ANSWER and wire.a.bits == r2.SEIZE
    wire.perform(wire.a, wire.a.channel.hangup(wire.now, 16))
    both_idle(wire)
    assert wire.a.last(Released) == Released(16, "us")
    assert wire.b.last(Released) == Released(16, "far", called=CALLED, caller=CALLER)
    assert wire.a.bits == wire.b.bits == r2.IDLE


def test_the_called_side_clears_back_and_the_caller_clears_forward() -> None:
    wire = Wire()
    up(wire)
    wire.perform(wire.b, wire.b.channel.hangup(wire.now, 16))
    assert wire.b.bits == r2.CLEAR_BACK
    both_idle(wire)
    assert wire.a.last(Released) == Released(16, "far")
    assert wire.b.last(Released).by == "us"


def test_an_answer_without_alerting_tells_first_that_the_number_is_free() -> None:
    wire = Wire()
    offered(wire)
    wire.perform(wire.b, wire.b.channel.answer(wire.now))
    wire.until(lambda: wire.a.tells(Answered))
    kinds = [type(told) for told in wire.a.told if isinstance(told, Acknowledged | Accepted | Answered)]
    assert kinds == [Acknowledged, Accepted, Answered]
    assert wire.b.tone == ""


def test_an_answer_that_overtakes_the_end_of_the_register_signals_counts() -> None:
    wire = Wire(tone_ms=160)  # heard later than the line signal that is sent behind it
    offered(wire)
    wire.perform(wire.b, wire.b.channel.answer(wire.now))
    wire.until(lambda: wire.a.tells(Answered))
    assert wire.a.tells(Accepted)


@pytest.mark.parametrize(
    ("cause", "heard"), [(17, 17), (21, 17), (1, 1), (28, 1), (34, 42), (41, 42), (127, 42)]
)
def test_a_refusal_reaches_the_caller_as_the_cause_that_r2_has_for_it(cause: int, heard: int) -> None:
    wire = Wire()
    offered(wire)
    wire.perform(wire.b, wire.b.channel.hangup(wire.now, cause))
    both_idle(wire)
    assert wire.a.last(Released) == Released(heard, "far")
    assert wire.b.last(Released).cause == cause and wire.b.last(Released).by == "us"


def test_who_hangs_up_while_it_rings_gives_the_caller_busy_tone_until_he_clears() -> None:
    wire = Wire()
    alerting(wire)
    assert wire.b.tone == "ringback"
    wire.perform(wire.b, wire.b.channel.hangup(wire.now, 17))
    assert wire.b.tone == "busy" and not wire.b.tells(Released)
    wire.perform(wire.a, wire.a.channel.hangup(wire.now, 16))
    both_idle(wire)
    assert wire.b.tone == "" and wire.b.last(Released).cause == 17


def test_a_caller_who_does_not_clear_blocks_his_channel_until_he_does() -> None:
    wire = Wire()
    up(wire)
    wire.a.deaf_bits = True
    wire.perform(wire.b, wire.b.channel.hangup(wire.now, 16))
    wire.until(lambda: wire.b.tells(Released))
    assert "not cleared" in wire.b.channel.blocked
    assert wire.b.last(Blocked) == Blocked(wire.b.channel.blocked, fault=True)
    wire.perform(wire.b, wire.b.channel.bits(wire.now, r2.IDLE))
    wire.run(100)
    assert wire.b.channel.idle and wire.b.last(Blocked).reason == ""


@pytest.mark.parametrize("phase", [Phase.SEIZING, Phase.SENDING, Phase.ACCEPTED, Phase.TALKING])
@pytest.mark.parametrize("after_ms", [0, 30, 70, 500])
def test_the_caller_may_go_in_every_phase(phase: Phase, after_ms: int) -> None:
    wire = Wire()
    if phase in (Phase.SEIZING, Phase.SENDING):
        wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
        wire.until(lambda: wire.a.channel.phase is phase)
    elif phase is Phase.ACCEPTED:
        alerting(wire)
    else:
        up(wire)
    wire.run(after_ms)
    wire.perform(wire.a, wire.a.channel.hangup(wire.now, 16))
    both_idle(wire, 3000)
    assert wire.a.last(Released) == Released(16, "us")
    assert wire.b.last(Released).by == "far"
    assert wire.b.forward is None and wire.b.signal == 0 and wire.b.tone == ""


@pytest.mark.parametrize("lost", range(1, 28))
def test_a_signal_that_is_lost_ends_the_call_in_time_whichever_it_is(lost: int) -> None:
    for end in ("a", "b"):
        wire = Wire()
        getattr(wire, end).lost_signals = {lost}
        wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
        wire.until(lambda wire=wire: wire.a.tells(Released) or wire.b.tells(Offered), 60_000)
        for each in (wire.a, wire.b):
            wire.perform(each, each.channel.hangup(wire.now, 16))
        both_idle(wire)


def test_a_lost_digit_of_a_number_of_known_length_is_refused_and_told_as_incomplete() -> None:
    wire = Wire(rules_b=Rules(called_digits=10))
    wire.a.lost_signals = {20}
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    took = both_idle(wire)
    assert r2.T3 < took < r2.T3 + 5000
    released = wire.b.last(Released)
    assert (released.cause, released.by) == (r2.INCOMPLETE, "fault")
    assert released.caller == CALLER and CALLED.startswith(released.called) and len(released.called) < 10
    assert wire.a.last(Released) == Released(r2.CONGESTION, "far")


def test_t1_a_forward_signal_that_nobody_answers_ends_the_call() -> None:
    wire = Wire()
    wire.b.lost_signals = {1, 2}
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    took = wire.until(lambda: wire.a.tells(Released))
    assert r2.T1 <= took <= r2.T1 + 500
    assert wire.a.last(Released) == Released(r2.TIMER_EXPIRED, "fault")
    both_idle(wire)


def test_t2_a_caller_with_nothing_left_to_send_waits_no_longer_for_the_pulse() -> None:
    wire = Wire(rules_b=Rules(caller_wanted=False))
    wire.b.lost_signals = {3, 4}  # as pulses, behind A-1 for either digit
    wire.perform(wire.a, wire.a.channel.seize(wire.now, "12", ""))
    took = wire.until(lambda: wire.a.tells(Released))
    assert r2.T2 <= took <= r2.T2 + 1500
    assert wire.a.last(Released) == Released(r2.TIMER_EXPIRED, "fault")
    both_idle(wire)


def test_t3_a_caller_who_sends_nothing_is_refused() -> None:
    wire = Wire()
    wire.a.lost_signals = {1}
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    took = wire.until(lambda: wire.a.tells(Released))
    assert r2.T3 <= took <= r2.T3 + 1000
    assert wire.a.last(Released) == Released(r2.CONGESTION, "far")
    both_idle(wire)
    assert wire.b.last(Released) == Released(r2.INCOMPLETE, "fault")


def test_nobody_decides_and_the_caller_is_told_that_the_number_is_free() -> None:
    wire = Wire()
    offered(wire)
    took = wire.until(lambda: wire.a.tells(Accepted))
    assert r2.DECISION - 100 <= took <= r2.DECISION + 500


def test_nobody_answers_and_the_caller_gives_up_in_the_end() -> None:
    wire = Wire()
    alerting(wire)
    wire.until(lambda: wire.a.tells(Released), r2.ANSWERED + 1000)
    assert wire.a.last(Released) == Released(r2.NO_ANSWER, "us")
    both_idle(wire)


def test_a_seizure_without_acknowledgement_stays_and_blocks_until_it_is_acknowledged() -> None:
    wire = Wire()
    wire.b.deaf_bits = True
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    took = wire.until(lambda: wire.a.tells(Released))
    assert took == r2.ACKNOWLEDGE
    assert wire.a.last(Released) == Released(r2.NOT_AVAILABLE, "fault", retry=True)
    assert wire.a.bits == r2.SEIZE and "not acknowledged" in wire.a.channel.blocked
    wire.run(60_000)
    assert wire.a.bits == r2.SEIZE
    wire.b.deaf_bits = False
    wire.perform(wire.a, wire.a.channel.bits(wire.now, r2.SEIZE_ACK))
    wire.run(100)
    assert wire.a.bits == r2.IDLE
    wire.perform(wire.a, wire.a.channel.bits(wire.now, r2.IDLE))
    wire.run(100)
    assert wire.a.channel.idle


@pytest.mark.parametrize("later_ms", [0, 1, 15, 20])
def test_both_seize_and_both_let_go(later_ms: int) -> None:
    wire = Wire()
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    wire.run(later_ms)
    wire.perform(wire.b, wire.b.channel.seize(wire.now, CALLED, CALLER))
    took = both_idle(wire)
    assert took >= r2.DOUBLE_SEIZURE
    for end in (wire.a, wire.b):
        assert end.last(Released) == Released(r2.NOT_AVAILABLE, "fault", retry=True)
        assert not end.tells(Seized)


def test_a_blocked_channel_is_shown_and_taken_by_nobody() -> None:
    wire = Wire()
    wire.perform(wire.b, wire.b.channel.block(wire.now, True))
    wire.run(100)
    assert wire.b.bits == r2.BLOCKED
    assert wire.a.channel.blocked == "blocked by the far end" and not wire.a.channel.idle
    assert wire.b.channel.blocked == "blocked here"
    wire.perform(wire.b, wire.b.channel.block(wire.now, False))
    both_idle(wire)


def test_a_channel_that_is_blocked_with_a_call_on_it_is_blocked_after_the_call() -> None:
    wire = Wire()
    up(wire)
    wire.perform(wire.b, wire.b.channel.block(wire.now, True))
    assert wire.b.bits == r2.ANSWER
    wire.perform(wire.a, wire.a.channel.hangup(wire.now, 16))
    wire.until(lambda: wire.a.tells(Released))
    assert wire.a.channel.phase is Phase.IDLE
    wire.until(lambda: wire.b.bits == r2.BLOCKED)
    wire.run(100)
    assert wire.a.channel.blocked == "blocked by the far end"


def test_a_seizure_that_crosses_the_blocking_is_refused_as_congestion() -> None:
    wire = Wire()
    wire.b.deaf_bits = True
    wire.perform(wire.b, wire.b.channel.block(wire.now, True))
    wire.b.deaf_bits = False
    wire.perform(wire.a, wire.a.channel.seize(wire.now, CALLED, CALLER))
    wire.perform(wire.a, wire.a.channel.bits(wire.now, r2.BLOCKED))  # taken for the acknowledgement
    wire.until(lambda: wire.a.tells(Released))
    assert wire.a.last(Released) == Released(r2.CONGESTION, "far")
    wire.run(500)
    assert wire.b.bits == r2.BLOCKED and not wire.b.tells(Offered)


def test_a_disturbance_shorter_than_the_recognition_time_is_nothing() -> None:
    wire = Wire()
    up(wire)
    wire.perform(wire.b, wire.b.channel.bits(wire.now, r2.IDLE))
    wire.run(r2.RECOGNITION - 2)
    wire.perform(wire.b, wire.b.channel.bits(wire.now, r2.SEIZE))
    wire.run(500)
    assert wire.b.channel.phase is Phase.ANSWERED and not wire.b.tells(Released)


@pytest.mark.parametrize("by", ["a", "b"])
def test_a_reset_ends_the_call_on_both_sides(by: str) -> None:
    wire = Wire()
    up(wire)
    end = getattr(wire, by)
    wire.perform(end, end.channel.reset(wire.now))
    assert end.last(Released).by == "us" and end.last(Released).cause == r2.TEMPORARY_FAILURE
    both_idle(wire)
    assert wire.other(end).last(Released).by == "far"


def test_a_lost_line_ends_the_call_and_comes_back_idle() -> None:
    wire = Wire()
    up(wire)
    for end in (wire.a, wire.b):
        wire.perform(end, end.channel.lost())
        assert end.last(Released).cause == r2.OUT_OF_ORDER and end.last(Released).by == "fault"
        assert end.channel.blocked == "no line signals yet"
    for end in (wire.a, wire.b):
        wire.perform(end, end.channel.show())
    both_idle(wire)


@pytest.mark.parametrize("number", ["12*", "A", "１", ""])
def test_what_r2_cannot_carry_is_refused_before_anything_is_sent(number: str) -> None:
    wire = Wire()
    with pytest.raises(ValueError):
        wire.a.channel.seize(wire.now, number, "")
    assert wire.a.channel.idle and wire.a.bits == r2.IDLE
