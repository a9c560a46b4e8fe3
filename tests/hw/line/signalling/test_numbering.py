"""Types of number and the prefixes that are dialled for them (Q.931 §4.5.8), as functions and on the line."""

from __future__ import annotations

import asyncio

import pytest

from hw.line.settings import SpanSettings
from hw.line.signalling.numbering import CHINA, Prefixes
from hw.messages import Answered, Proceeding
from hw.sim.exchange import NumberSettings

TYPED = [
    ("02188881234", "2188881234", "national"),
    ("0085223456789", "85223456789", "international"),
    ("13800138000", "13800138000", "unknown"),
    ("95588", "95588", "unknown"),
    ("", "", "unknown"),
]


@pytest.mark.parametrize("number,digits,kind", TYPED)
def test_a_prefix_and_a_type_stand_for_each_other(number, digits, kind):
    assert CHINA.typed(number) == (digits, kind)
    assert CHINA.dialled(digits, kind) == number


@pytest.mark.parametrize("number", ["0", "00", "0*1", "00#", "*0"])
def test_a_prefix_without_a_number_behind_it_is_dialled_as_it_is(number):
    assert CHINA.typed(number) == (number, "unknown")


def test_an_exchange_that_sends_type_and_prefix_does_not_get_it_twice():
    assert CHINA.dialled("02188881234", "national") == "02188881234"
    assert CHINA.dialled("0085223456789", "international") == "0085223456789"
    assert CHINA.dialled("", "national") == "", "no number stays no number"


def test_empty_prefixes_leave_numbers_alone():
    none = Prefixes("", "")
    assert none.typed("0085223456789") == ("0085223456789", "unknown")
    assert none.dialled("2188881234", "national") == "2188881234"


def test_callers_from_afar_can_be_called_back_as_they_are_shown(pair):
    async def main():
        async with pair(numbers=(NumberSettings("02188881234", answer_ms=0),)) as p:
            for caller in ("13800138000", "02188881234", "0085223456789"):
                p.exchange.call("95001", caller)
                assert (await p.incoming()).caller == caller
            p.trunk.dial("out", "02188881234", "02161612345", "")
            await p.next(Answered, leg="out")
            [person] = [each for each in p.exchange.subscribers if not each.calls]
            assert (person.called, person.caller) == ("02188881234", "02161612345")

    asyncio.run(main())


def test_the_type_crosses_the_line_and_each_side_puts_its_own_prefix(pair):
    async def main():
        async with pair(national_prefix="8", international_prefix="810") as p:  # the exchange has 0 and 00
            for caller, shown in (("02188881234", "82188881234"), ("0085223456789", "81085223456789")):
                p.exchange.call("0400", caller)
                call = await p.incoming()
                assert (call.called, call.caller) == ("0400", shown), "the number called is ours, and left alone"
            people = []
            p.exchange.on_call = people.append
            p.trunk.dial("out", "81085223456789", "82188881234", "")
            await p.next(Proceeding, leg="out")
            assert [(each.called, each.caller) for each in people] == [("0085223456789", "02188881234")]

    asyncio.run(main())


def test_prefixes_that_cannot_be_say_so():
    with pytest.raises(ValueError, match="national_prefix: '0x'"):
        SpanSettings("e1", national_prefix="0x")
    with pytest.raises(ValueError, match="international_prefix: '0' is national_prefix too"):
        SpanSettings("e1", international_prefix="0")
    SpanSettings("e1", national_prefix="", international_prefix="")
