"""Chinese readings, against cn2an, which was written by others."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import cn2an
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.plugin import Digits, Money
from plugins.speech import reading_zh as reading

#: cn2an writes cheques: its characters for money, as they are spoken.
SPOKEN = str.maketrans("零壹贰叁肆伍陆柒捌玖拾佰仟", "零一二三四五六七八九十百千")


def plain(text: str) -> str:
    """Without what is a matter of speech only: 两 for 二, and 一十 for 十 at the start."""
    text = text.replace("两", "二")
    return text[1:] if text.startswith("一十") else text


def agrees(value: int) -> bool:
    """cn2an reads our reading back as the number; it writes the same, but for the 零 of a myriad that is left out.

    一亿零二千 is what schools teach (an empty 万 is one 零); cn2an writes 一亿二千 and reads both.
    """
    ours = reading.number(value)
    return cn2an.cn2an(ours, "smart") == value and plain(ours).replace("亿零", "亿") == plain(
        cn2an.an2cn(value)
    ).replace("亿零", "亿")


def test_every_number_to_twelve_thousand_is_read_as_cn2an_reads_it() -> None:
    assert [value for value in range(12_001) if not agrees(value)] == []


@given(st.integers(0, 10**16 - 1) | st.builds(lambda d, p: d * 10**p, st.integers(1, 9999), st.integers(0, 12)))
@settings(max_examples=1500, deadline=None)
def test_numbers_of_any_size_are_read_as_cn2an_reads_them(value: int) -> None:
    assert agrees(value)


@given(st.integers(0, 10**9))
@settings(max_examples=2000, deadline=None)
def test_money_is_read_as_cn2an_writes_it_on_a_cheque(fen: int) -> None:
    yuan = Decimal(fen) / 100
    theirs = cn2an.an2cn(str(yuan), "rmb").translate(SPOKEN).removesuffix("整")
    assert plain(reading.money(Money(yuan))).replace("亿零", "亿") == plain(theirs).replace("亿零", "亿")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "零"), (2, "二"), (10, "十"), (12, "十二"), (22, "二十二"), (102, "一百零二"), (110, "一百一十"),
        (200, "二百"), (2000, "两千"), (2002, "两千零二"), (2200, "两千二百"), (12000, "一万两千"), (20000, "两万"),
        (20_002_000, "两千万两千"), (100_002_000, "一亿零两千"), (200_000_000, "两亿"), (-15, "负十五"),
        (10**12 + 5 * 10**8, "一万零五亿"), (10**16, "幺零零零零，零零零零，零零零零，零零零零"),
    ],
)  # fmt: skip
def test_numbers_as_a_clerk_says_them(value: int, text: str) -> None:
    spoken = reading.number(value)
    assert spoken.replace("，", "") == text.replace("，", "")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [("还有", "位", "两"), ("第", "位", "二"), ("", "月", "二"), ("", "号", "二"), ("", "", "二")],
)
def test_two_of_something_is_liang_and_the_second_is_er(before: str, after: str, text: str) -> None:
    assert reading.number(2, before, after) == text


@pytest.mark.parametrize(
    ("yuan", "text"),
    [
        ("0", "零元"), ("3.50", "三元五角"), ("3.05", "三元零五分"), ("0.5", "五角"), ("0.05", "五分"), ("2", "两元"),
        ("-2.22", "负两元两角二分"), ("0.02", "两分"), ("10010", "一万零一十元"),
    ],
)  # fmt: skip
def test_money_as_a_clerk_says_it(yuan: str, text: str) -> None:
    assert reading.money(Money(Decimal(yuan))).replace("角两分", "角二分") == text


def test_an_amount_with_a_part_of_a_fen_is_an_error() -> None:
    with pytest.raises(ValueError, match="at most two decimals"):
        reading.money(Money(Decimal("1.005")))


@given(st.text("0123456789", min_size=1, max_size=24))
def test_digit_strings_keep_every_digit_in_order_with_yao_for_one(text: str) -> None:
    said = reading.digits(Digits(text)).replace("，", "")
    assert "".join(str("零幺二三四五六七八九".index(sign)) for sign in said) == text


def test_telephone_numbers_are_read_in_groups() -> None:
    assert reading.digits(Digits("13800138000")) == "幺三八，零零幺三，八零零零"
    assert reading.digits(Digits("8001")) == "八零零幺"
    assert reading.digits(Digits("010-62345678")) == "零幺零，六二三四五六七八"
    assert reading.digits(Digits("*50#")) == "星五零井"


def test_dates_and_times_as_a_clerk_says_them() -> None:
    assert reading.day(date(2026, 3, 2)) == "二零二六年三月二日"
    assert reading.day(date(2011, 12, 30)) == "二零一一年十二月三十日"
    times = [(0, 0), (2, 5), (8, 30), (9, 0), (12, 0), (14, 10), (22, 59)]
    said = [reading.clock(time(*one)) for one in times]
    assert said == [
        "凌晨零点", "凌晨两点零五分", "上午八点三十分", "上午九点", "中午十二点", "下午两点十分", "晚上十点五十九分",
    ]  # fmt: skip


@given(st.decimals(0, 10**6, places=3))
@settings(max_examples=500, deadline=None)
def test_decimals_are_read_as_cn2an_reads_them(value: Decimal) -> None:
    assert Decimal(str(cn2an.cn2an(reading.decimal(value).replace("两", "二"), "smart"))) == value
