"""Values that are read aloud in a way of their own; ``int``, ``date`` and ``time`` as a clerk says them."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen


@frozen
class Digits:
    """Read one by one (telephone, waybill, ticket numbers); in Chinese 1 is 幺."""

    text: str


@frozen
class Money:
    """An amount in yuan with at most two decimals: 三元五角 / three yuan fifty."""

    yuan: Decimal
