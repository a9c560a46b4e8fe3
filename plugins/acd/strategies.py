"""How a queue chooses among its free agents. A new strategy is a function here and a row in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import frozen


class Candidate(Protocol):
    """What a strategy may know of an agent."""

    @property
    def number(self) -> str:
        """As in the queue's list."""

    @property
    def idle_since(self) -> float:
        """Seconds on the engine's clock."""


Choose = Callable[[Sequence[Candidate], Mapping[str, int]], Sequence[Candidate]]


@frozen
class Strategy:
    """``choose`` picks whom to ring, out of free agents and their places in the queue's list.

    ``joins``: agents who come free while a call already rings elsewhere ring too.
    """

    choose: Choose
    joins: bool = False


def longest_idle(free: Sequence[Candidate], rank: Mapping[str, int]) -> Sequence[Candidate]:
    """The one who has been idle longest (业务量均衡); of equals the first in the list."""
    return [min(free, key=lambda agent: (agent.idle_since, rank[agent.number]))]


def hunting(free: Sequence[Candidate], rank: Mapping[str, int]) -> Sequence[Candidate]:
    """The first free one in the order of the list (循环振铃)."""
    return [min(free, key=lambda agent: rank[agent.number])]


def ring_all(free: Sequence[Candidate], rank: Mapping[str, int]) -> Sequence[Candidate]:
    """Everybody who is free; the first to answer has the call (集体振铃)."""
    return sorted(free, key=lambda agent: rank[agent.number])


STRATEGIES: dict[str, Strategy] = {
    "longest-idle": Strategy(longest_idle),
    "hunting": Strategy(hunting),
    "ring-all": Strategy(ring_all, joins=True),
}
