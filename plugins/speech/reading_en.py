"""How values are read aloud in English: numbers, digit strings, money, dates and times as words."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from appliance.plugin import Digits, Money
from plugins.speech.values import groups, whole_fen

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("", " thousand", " million", " billion", " trillion")
_TOO_LONG = 10**15
_SPOKEN = {**dict(zip("0123456789", _SMALL, strict=False)), "*": "star", "#": "hash"}
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
             "twelve": "twelfth"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def number(value: int, before: str = "", after: str = "") -> str:
    """``value`` in words: one thousand two hundred and thirty-four. The text around it plays no part in English."""
    del before, after
    if value < 0:
        return "minus " + number(-value)
    if value >= _TOO_LONG:
        return digits(Digits(str(value)))
    if value < 1000:
        return _hundreds(value)
    parts = []
    for power in range(4, -1, -1):
        if group := value // 1000**power % 1000:
            last = power == 0 and group < 100
            parts.append(("and " if last else "") + _hundreds(group) + _THOUSANDS[power])
    return " ".join(parts)


def _hundreds(value: int) -> str:
    """0 to 999: nine hundred and ninety-nine."""
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return _tens(rest)
    return f"{_SMALL[hundreds]} hundred" + (f" and {_tens(rest)}" if rest else "")


def _tens(value: int) -> str:
    if value < 20:
        return _SMALL[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")


def ordinal(value: int) -> str:
    """1 to 99 as first, second, twentieth, twenty-first."""
    head, dash, last = _tens(value).rpartition("-")
    if last.endswith("y"):
        return head + dash + last[:-1] + "ieth"
    return head + dash + _ORDINALS.get(last, last + "th")


def digits(value: Digits) -> str:
    """Digits one by one in groups with a pause: one three eight, zero zero one three. Letters stay; ``*`` is star."""
    return ", ".join(" ".join(_SPOKEN.get(sign, sign) for sign in group) for group in groups(value.text))


def money(value: Money) -> str:
    """three yuan fifty, three yuan and five fen, fifty fen, zero yuan. Raises ``ValueError`` for a part of a fen."""
    minus, yuan, jiao, fen = whole_fen(value)
    small = jiao * 10 + fen
    if not yuan and small:
        text = f"{number(small)} fen"
    else:
        text = f"{number(yuan)} yuan"
        if small:
            text += f" {number(small)}" if jiao else f" and {number(small)} fen"
    return ("minus " if minus else "") + text


def day(value: date) -> str:
    """March second, twenty twenty-six."""
    return f"{_MONTHS[value.month - 1]} {ordinal(value.day)}, {year(value.year)}"


def year(value: int) -> str:
    """nineteen oh-five, two thousand and five, twenty twenty-six."""
    century, rest = divmod(value, 100)
    if value < 1000 or (century % 10 == 0 and rest < 10):
        return number(value)
    if not rest:
        return f"{_tens(century)} hundred"
    return f"{_tens(century)} " + (f"oh-{_SMALL[rest]}" if rest < 10 else _tens(rest))


def clock(value: time) -> str:
    """two oh five p.m., nine a.m., noon, midnight; seconds are not said."""
    if not value.minute and value.hour in (0, 12):
        return "noon" if value.hour else "midnight"
    text = _SMALL[value.hour % 12 or 12]
    if value.minute:
        text += f" oh {_SMALL[value.minute]}" if value.minute < 10 else f" {_tens(value.minute)}"
    return text + (" p.m." if value.hour >= 12 else " a.m.")


def decimal(value: Decimal) -> str:
    """three point one four: the decimals digit by digit."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be read aloud")
    whole, _, fraction = f"{abs(value):f}".partition(".")
    words = [number(int(whole)), *(["point"] if fraction else []), *(_SMALL[int(digit)] for digit in fraction)]
    return ("minus " if value < 0 else "") + " ".join(words)
