"""What both languages share in reading values: how digits are grouped, how money is taken apart."""

from __future__ import annotations

from decimal import Decimal

from appliance.plugin import Money


def groups(text: str) -> list[str]:
    """Digits in groups that an ear can hold: up to five in one, a mobile number 3-4-4, anything else by fours.

    Spaces and hyphens already in ``text`` are taken as the grouping that the writer wants.
    """
    if parts := text.replace("-", " ").split():
        if len(parts) > 1 or len(parts[0]) <= 5:
            return parts
        text = parts[0]
    first = 3 if len(text) == 11 and text.startswith("1") else len(text) % 4
    return [text[:first]] * bool(first) + [text[at : at + 4] for at in range(first, len(text), 4)]


def whole_fen(value: Money) -> tuple[bool, int, int, int]:
    """(negative, yuan, jiao, fen). Raises ``ValueError`` for an amount with a part of a fen, or no number."""
    amount = value.yuan * 100
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(f"{value.yuan} yuan cannot be read aloud: at most two decimals")
    yuan, fen = divmod(abs(int(amount)), 100)
    return amount < Decimal(0), yuan, fen // 10, fen % 10
