"""How values are read aloud in Mandarin: numbers, digit strings, money, dates and times as Chinese characters."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from appliance.plugin import Digits, Money
from plugins.speech.values import groups, whole_fen

_DIGITS = "零一二三四五六七八九"
_SPOKEN = dict(zip("0123456789*#", "零幺二三四五六七八九星井", strict=True))
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿")
#: Numbers from here on are read digit by digit: nobody follows a number of seventeen places.
_TOO_LONG = 10**16
#: What is counted with 两: measure words. Not here: 号 月 日 楼 年级, which follow an ordinal and take 二.
_COUNTED = frozenset("个位条次天分秒小块元角名张件份封通台辆家种遍周岁箱包只吨套项笔步段")


def number(value: int, before: str = "", after: str = "") -> str:
    """``value`` in words: 两千零三, 一万零二十. ``before`` and ``after`` are the text around it.

    A bare 2 counts as 两 before a measure word (还有两位) unless it is an ordinal (第二位).
    """
    if value < 0:
        return "负" + number(-value)
    if value == 2 and after[:1] in _COUNTED and after and not before.endswith("第"):
        return "两"
    if value >= _TOO_LONG:
        return digits(Digits(str(value)))
    if value == 0:
        return _DIGITS[0]
    text = _myriads(value)
    return text[1:] if text.startswith("一十") else text


def _myriads(value: int) -> str:
    """Groups of four places, highest first; a gap between two groups or inside one is one 零."""
    parts: list[str] = []
    gap = False
    for power in range(3, -1, -1):
        group = value // 10 ** (4 * power) % 10_000
        if not group:
            gap = bool(parts)
            continue
        if parts and (gap or group < 1000):
            parts.append("零")
        gap = False
        # 万亿 is 万 of 亿: 一万亿零五亿 does not exist, so 亿 is said once, after the lower group, if there is one.
        unit = "万" if power == 3 and value // 10**8 % 10_000 else _MYRIADS[power]
        parts.append(("两" if group == 2 and power else _group(group)) + unit)
    return "".join(parts)


def _group(value: int) -> str:
    """One to four places: 一千零二十."""
    parts: list[str] = []
    gap = False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if not digit:
            gap = bool(parts)
            continue
        if gap:
            parts.append("零")
            gap = False
        parts.append(("两" if digit == 2 and place == 3 else _DIGITS[digit]) + _PLACES[place])
    return "".join(parts)


def digits(value: Digits) -> str:
    """Digits one by one, 1 as 幺, in groups: 幺三八，零零幺三，八零零零. Letters stay; ``*`` 星, ``#`` 井."""
    return "，".join("".join(_SPOKEN.get(sign, sign) for sign in group) for group in groups(value.text))


def money(value: Money) -> str:
    """三元五角, 三元零五分, 五角, 零元. Raises ``ValueError`` for more than two decimals."""
    minus, yuan, jiao, fen = whole_fen(value)
    parts = []
    if yuan:
        parts.append(number(yuan, after="元") + "元")
    if jiao:
        parts.append(number(jiao, after="角") + "角")
    if fen:
        parts.append("零" if yuan and not jiao else "")
        parts.append(number(fen, after="" if yuan and not jiao else "分") + "分")
    return ("负" if minus else "") + ("".join(parts) or "零元")


def day(value: date) -> str:
    """二零二六年三月二日: the year digit by digit (with 一, not 幺)."""
    year = "".join(_DIGITS[int(digit)] for digit in str(value.year))
    return f"{year}年{number(value.month)}月{number(value.day)}日"


def clock(value: time) -> str:
    """下午两点零五分, 上午九点, 中午十二点三十分; seconds are not said."""
    hour = value.hour % 12 or (12 if value.hour else 0)
    spoken = "两" if hour == 2 else number(hour)
    text = f"{_part_of_day(value.hour)}{spoken}点"
    if value.minute:
        text += ("零" if value.minute < 10 else "") + number(value.minute) + "分"
    return text


def decimal(value: Decimal) -> str:
    """三点一四: the decimals digit by digit."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be read aloud")
    whole, _, fraction = f"{abs(value):f}".partition(".")
    text = number(int(whole)) + ("点" if fraction else "") + "".join(_DIGITS[int(digit)] for digit in fraction)
    return ("负" if value < 0 else "") + text


def _part_of_day(hour: int) -> str:
    for until, name in ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午")):
        if hour < until:
            return name
    return "晚上"
