"""English readings, against num2words, which was written by others."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from appliance.plugin import Digits, Money
from plugins.speech import reading_en as reading


def test_every_number_to_twelve_thousand_is_read_as_num2words_reads_it() -> None:
    different = [n for n in range(12_001) if reading.number(n) != num2words(n).replace(",", "")]
    assert different == []


@given(st.integers(-(10**15) + 1, 10**15 - 1))
@settings(max_examples=1500, deadline=None)
def test_numbers_of_any_size_are_read_as_num2words_reads_them(value: int) -> None:
    assert reading.number(value) == num2words(value).replace(",", "")


def test_days_and_years_are_read_as_num2words_reads_them() -> None:
    assert [reading.ordinal(n) for n in range(1, 100)] == [num2words(n, to="ordinal") for n in range(1, 100)]
    years = [y for y in range(1000, 2100) if reading.year(y) != num2words(y, to="year").replace(",", "")]
    assert years == []


@given(st.text("0123456789", min_size=1, max_size=24))
def test_digit_strings_keep_every_digit_in_order(text: str) -> None:
    said = reading.digits(Digits(text)).replace(",", "").split()
    assert said == [num2words(int(digit)) for digit in text]


@pytest.mark.parametrize(
    ("yuan", "text"),
    [
        ("0", "zero yuan"), ("3.50", "three yuan fifty"), ("3.05", "three yuan and five fen"), ("0.5", "fifty fen"),
        ("-1", "minus one yuan"), ("1200.99", "one thousand two hundred yuan ninety-nine"),
    ],
)  # fmt: skip
def test_money_as_a_clerk_says_it(yuan: str, text: str) -> None:
    assert reading.money(Money(Decimal(yuan))) == text


def test_dates_and_times_as_a_clerk_says_them() -> None:
    assert reading.day(date(2026, 3, 2)) == "March second, twenty twenty-six"
    times = [(0, 0), (0, 5), (9, 0), (12, 0), (12, 30), (14, 5), (23, 59)]
    assert [reading.clock(time(*one)) for one in times] == [
        "midnight", "twelve oh five a.m.", "nine a.m.", "noon", "twelve thirty p.m.", "two oh five p.m.",
        "eleven fifty-nine p.m.",
    ]  # fmt: skip


@given(st.decimals(0, 10**6, places=3))
@settings(max_examples=500, deadline=None)
def test_decimals_are_read_digit_by_digit(value: Decimal) -> None:
    whole, fraction = f"{value:f}".split(".")
    digits = [num2words(int(digit)) for digit in fraction]
    assert reading.decimal(value) == " ".join([num2words(int(whole)).replace(",", ""), "point", *digits])
