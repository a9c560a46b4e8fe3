"""From a prompt's template and values to what is spoken, without any effect: sentences, and runs of one language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from string import Formatter
from types import ModuleType
from typing import Any

from appliance.plugin import Digits, Money
from plugins.speech import reading_en, reading_zh

_READINGS: Mapping[str, ModuleType] = {"zh": reading_zh, "en": reading_en}
_PIECE = re.compile(r"[\u3400-\u9fff]|[A-Za-z]+|\d+|.", re.DOTALL)


class PromptError(Exception):
    """A prompt that cannot be made into a sentence; the text says why."""


def fields(template: str) -> tuple[tuple[str, str], ...]:
    """``template`` as (literal text, name of the value after it or nothing). Only plain ``{name}`` is allowed.

    Raises ``PromptError``.
    """
    try:
        parts = tuple(Formatter().parse(template))
    except ValueError as error:
        raise PromptError(f"template {template!r}: {error}") from None
    for _, name, spec, conversion in parts:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise PromptError(f"template {template!r}: only {{name}} is allowed in braces, not {{{name}…}}")
    return tuple((literal, name or "") for literal, name, _, _ in parts)


def sentence(template: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence to speak: every value read as the language reads it. Raises ``PromptError``."""
    parts = fields(template)
    if not any(name for _, name in parts):
        return "".join(literal for literal, _ in parts)
    text = ""
    for at, (literal, name) in enumerate(parts):
        text += literal
        if name:
            if name not in values:
                raise PromptError(f"template {template!r}: no value for {{{name}}}")
            after = parts[at + 1][0] if at + 1 < len(parts) else ""
            text += read(values[name], language, before=text, after=after)
    return text


def read(value: Any, language: str, *, before: str = "", after: str = "") -> str:
    """One value in words; a text is said as it stands. Raises ``PromptError`` for what cannot be read aloud."""
    if language not in _READINGS:
        raise PromptError(f"no reading rules for language {language!r} (there are: {', '.join(_READINGS)})")
    rules = _READINGS[language]
    try:
        match value:
            case bool():
                raise PromptError("a truth value cannot be read aloud")
            case int():
                return str(rules.number(value, before, after))
            case Digits():
                return str(rules.digits(value))
            case Money():
                return str(rules.money(value))
            case datetime():
                return f"{rules.day(value)} {rules.clock(value.time())}"
            case date():
                return str(rules.day(value))
            case time():
                return str(rules.clock(value))
            case Decimal():
                return str(rules.decimal(value))
            case str():
                return value
    except ValueError as error:
        raise PromptError(str(error)) from None
    allowed = "int, Digits, Money, date, time, Decimal, str"
    raise PromptError(f"a {type(value).__name__} cannot be read aloud (allowed: {allowed})")


def runs(text: str, language: str) -> tuple[tuple[str, str], ...]:
    """``text`` as (language, part) runs, each for one voice: 中文服务请按1。For English, press 2.

    Chinese characters belong to ``zh``, Latin words to ``en``; digits and punctuation go with the run before them.
    Arabic figures inside Chinese become characters.
    """
    found: list[list[str]] = []
    for piece in _PIECE.findall(text):
        first = piece[0]
        kind = "zh" if "\u3400" <= first <= "\u9fff" else "en" if first.isascii() and first.isalpha() else ""
        if found and (not kind or kind == found[-1][0] or not found[-1][0]):
            found[-1][0] = found[-1][0] or kind
            found[-1][1] += piece
        else:
            found.append([kind, piece])
    spoken = [(kind or language, part) for kind, part in found if part.strip()]
    return tuple((kind, _figures(part) if kind == "zh" else part) for kind, part in spoken)


def _figures(text: str) -> str:
    """Figures in Chinese text as it is spoken: up to four places a number, longer ones digit by digit."""

    def spoken(match: re.Match[str]) -> str:
        figures = match[0]
        if len(figures) > 4 or (figures.startswith("0") and len(figures) > 1):
            return reading_zh.digits(Digits(figures))
        return reading_zh.number(int(figures), text[: match.start()], text[match.end() :])

    return re.sub(r"[0-9]+", spoken, text)
