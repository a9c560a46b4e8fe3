"""The bearer channels of one trunk: who has which, which may be taken, and which is taken next. No effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import define

from hw.line.trunk import NoChannel
from hw.messages import ChannelState

State = Literal["idle", "busy", "blocked", "alarm"]
#: Which idle channel is taken next: the lowest, the highest, the one that is idle longest.
Hunt = Literal["up", "down", "most_idle"]


class Hunting:
    """The order in which a trunk's channels are taken. Among those that are idle equally long it is downwards with
    ``from_top``: every channel is, until it has carried a call.
    """

    def __init__(self, numbers: Iterable[int], how: Hunt, *, from_top: bool = False) -> None:
        self._longest = how == "most_idle"
        reverse = from_top if self._longest else how == "down"
        self._order = {number: place for place, number in enumerate(sorted(numbers, reverse=reverse))}
        self._freed: dict[int, int] = {}
        self._count = 0

    def choose(self, idle: Iterable[int]) -> int:
        """The one of these channels that is next. Raises ``NoChannel``."""
        chosen = min(idle, key=lambda number: (self._freed.get(number, 0), self._order[number]), default=None)
        if chosen is None:
            raise NoChannel("no idle channel")
        return chosen

    def freed(self, number: int) -> None:
        """A call has left the channel: its idle time begins. Of two in the same moment the first is idle longer."""
        if self._longest:
            self._count += 1
            self._freed[number] = self._count


def hunting(numbers: Iterable[int], how: Hunt | Literal["by_role"], *, network: bool) -> Hunting:
    """The order that settings ask for. ``by_role``: we from the top, the exchange from the bottom, to avoid glare."""
    by_role: Hunt = "up" if network else "down"
    return Hunting(numbers, by_role if how == "by_role" else how, from_top=not network)


@define
class _Channel:
    leg: str = ""
    blocked: bool = False
    restarting: bool = False

    @property
    def idle(self) -> bool:
        return not (self.leg or self.blocked or self.restarting)


class Channels:
    """Channels by their numbers; ``order`` says which is taken next."""

    def __init__(self, numbers: Sequence[int], order: Hunting) -> None:
        self._channels = {number: _Channel() for number in numbers}
        self._order = order

    def __contains__(self, number: object) -> bool:
        return number in self._channels

    def idle(self, number: int) -> bool:
        """Whether a new call may take this channel; False too for a number that is no channel of ours."""
        return number in self._channels and self._channels[number].idle

    def any_idle(self) -> bool:
        """Whether a new call may take any channel."""
        return any(channel.idle for channel in self._channels.values())

    def hunt(self) -> int:
        """The idle channel that is next. Raises ``NoChannel``."""
        return self._order.choose(number for number, channel in self._channels.items() if channel.idle)

    def owner(self, number: int) -> str:
        """The leg on a channel, empty when there is none (or no such channel)."""
        return self._channels[number].leg if number in self._channels else ""

    def take(self, number: int, leg: str) -> None:
        """Give the channel to ``leg``, whoever had it."""
        self._channels[number].leg = leg

    def free(self, number: int, leg: str) -> None:
        """Take the channel back, if it is still ``leg``'s."""
        if self._channels[number].leg == leg:
            self._channels[number].leg = ""
            self._order.freed(number)

    def block(self, number: int | None, blocked: bool) -> None:
        """Mark one channel or all. Raises ``ValueError`` for a number that is no channel."""
        for each in self.some(number):
            self._channels[each].blocked = blocked

    def restarting(self, number: int, on: bool) -> None:
        """Mark a channel as being restarted: no call may take it."""
        self._channels[number].restarting = on

    def some(self, number: int | None) -> list[int]:
        """One channel or all, as a list. Raises ``ValueError`` for a number that is no channel."""
        if number is None:
            return list(self._channels)
        if number not in self._channels:
            raise ValueError(f"channel {number}: allowed are {', '.join(map(str, self._channels))}")
        return [number]

    def states(self, *, up: bool) -> tuple[ChannelState, ...]:
        """Every channel as it is now; all in alarm while the line is not ``up``."""
        return tuple(ChannelState(number, _state(each, up), each.leg) for number, each in self._channels.items())


def _state(channel: _Channel, up: bool) -> State:
    if not up:
        return "alarm"
    if channel.leg:
        return "busy"
    return "idle" if channel.idle else "blocked"
