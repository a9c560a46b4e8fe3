"""From templates and values to what each voice is given."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.plugin import Digits, Money
from plugins.speech.engine import PromptError, runs, sentence


@pytest.mark.parametrize(
    ("template", "values", "language", "said"),
    [
        ("您前面还有{count}位。", {"count": 2}, "zh", "您前面还有两位。"),
        ("您是第{count}位。", {"count": 2}, "zh", "您是第二位。"),
        ("工号{agent}为您服务。", {"agent": Digits("1001")}, "zh", "工号幺零零幺为您服务。"),
        ("运费{price}。", {"price": Money(Decimal("12.5"))}, "zh", "运费十二元五角。"),
        ("{day}{at}到。", {"day": date(2026, 3, 2), "at": time(14, 30)}, "zh", "二零二六年三月二日下午两点三十分到。"),
        ("{at}", {"at": datetime(2026, 3, 2, 9, 0)}, "en", "March second, twenty twenty-six nine a.m."),
        ("There are {count} callers.", {"count": 21}, "en", "There are twenty-one callers."),
        ("{name}您好", {"name": "李先生"}, "zh", "李先生您好"),
        ("重{kg}公斤", {"kg": Decimal("2.05")}, "zh", "重二点零五公斤"),
        ("{{}}", {}, "zh", "{}"),
    ],
)
def test_values_are_read_as_the_language_reads_them(
    template: str, values: dict[str, Any], language: str, said: str
) -> None:
    assert sentence(template, values, language) == said


@pytest.mark.parametrize(
    ("template", "values", "reason"),
    [
        ("还有{count}位", {}, "no value for {count}"),
        ("还有{count:02d}位", {"count": 1}, "only {name} is allowed"),
        ("还有{count!r}位", {"count": 1}, "only {name} is allowed"),
        ("还有{count.real}位", {"count": 1}, "only {name} is allowed"),
        ("还有{}位", {}, "only {name} is allowed"),
        ("还有{count位", {"count": 1}, "template"),
        ("还有{count}位", {"count": 1.5}, "a float cannot be read aloud"),
        ("还有{count}位", {"count": True}, "a truth value cannot be read aloud"),
        ("{price}", {"price": Money(Decimal("0.001"))}, "at most two decimals"),
    ],
)
def test_a_prompt_that_cannot_be_said_is_an_error_that_says_why(
    template: str, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PromptError, match=reason.replace("{", "\\{").replace("(", "\\(")):
        sentence(template, values, "zh")


@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("中文请按1。For English, press 2.", "zh", (("zh", "中文请按一。"), ("en", "For English, press 2."))),
        ("Welcome. 中文服务请按8。", "en", (("en", "Welcome. "), ("zh", "中文服务请按八。"))),
        ("运单SF，幺二三", "zh", (("zh", "运单"), ("en", "SF，"), ("zh", "幺二三"))),
        ("请拨95588或2号线", "zh", (("zh", "请拨九五五八八或二号线"),)),
        ("共2个", "zh", (("zh", "共两个"),)),
        ("123", "en", (("en", "123"),)),
        ("  ", "zh", ()),
    ],
)
def test_each_voice_is_given_what_is_of_its_language(text: str, language: str, parts: object) -> None:
    assert runs(text, language) == parts


@given(st.text("中文两位ab12 ,。.", max_size=30), st.sampled_from(["zh", "en"]))
def test_runs_lose_no_letter(text: str, language: str) -> None:
    def letters(said: str) -> str:
        return "".join(sign for sign in said if sign in "中文位ab")

    assert letters("".join(part for _, part in runs(text, language))) == letters(text)
