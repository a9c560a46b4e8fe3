"""The machine of a GSM module's call: whatever comes in whatever order, it comes to rest and tells each call's end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hw.line.serial.gsm_call import Audio, Do, GsmCall
from hw.line.serial.gsm_codes import CALL_ENDS, CallState, Listed
from hw.line.signalling import notices as told

CALLS = st.lists(
    st.builds(Listed, st.integers(1, 2), st.booleans(), st.sampled_from(CallState), st.sampled_from(["", "1", "2"])),
    max_size=2,
)
EVENTS = st.one_of(
    st.tuples(st.just("rings")),
    st.tuples(st.just("caller"), st.sampled_from(["", "1", "2"]), st.booleans()),
    st.tuples(st.just("word"), st.sampled_from(["", *CALL_ENDS])),
    st.tuples(st.just("listed"), CALLS),
    st.tuples(
        st.just("result"), st.sampled_from(["dial", "answer", "clear", "refuse", "reason", "digit"]), st.booleans(),
        st.sampled_from(["", "ERROR", "NO CARRIER", "+CEER: 0,17"]),
    ),
    st.tuples(st.just("dial"), st.just("139")),
    st.tuples(st.just("answer")),
    st.tuples(st.just("hang_up"), st.sampled_from([16, 17])),
    st.tuples(st.just("lost")),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_order_of_events_leaves_it_at_rest_with_one_end_for_each_call(events: list, early: bool) -> None:
    call = GsmCall("95001", early=early)
    begun = ended = 0
    audio = False

    def take(actions: list) -> None:
        nonlocal begun, ended, audio
        for action in actions:
            match action:
                case told.Seized():
                    begun += 1
                case told.Released(cause):
                    assert 1 <= cause <= 127
                    ended += 1
                case Audio(on):
                    assert on != audio
                    audio = on
                case Do(command):
                    assert command.startswith("AT") and command.isascii()
        assert begun - ended == (call.phase != "idle")

    for name, *arguments in events:
        if name == "dial":
            if not call.idle:
                continue
            begun += 1
        take(getattr(call, name)(*arguments))
    # The module has no call any more, and answers what it is asked.
    take(call.hang_up(16))
    for _ in range(6):
        take(call.listed([]))
        take(call.result("reason", True, ""))
    assert (call.phase, audio, begun - ended) == ("idle", False, 0)
