"""What a site can set: ``[acd]`` of onecall.toml for the machine, queues.toml for the queues."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, fields, frozen

from .strategies import STRATEGIES


class QueuesError(ValueError):
    """queues.toml cannot be used; the text names file, queue, key and what is allowed."""


@frozen
class AcdSettings:
    """``[acd]``: the file of queues (beside onecall.toml) and what holds where a queue says nothing itself."""

    queues: str = "queues.toml"
    #: How long one agent's phone rings, seconds.
    ring_s: float = 20.0
    #: Time for after-call work before the next call, seconds.
    wrapup_s: float = 0.0
    #: Y of the service level, seconds.
    target_s: float = 20.0
    #: So many calls not answered in a row pause the agent.
    max_no_answer: int = 2
    #: How much earlier a caller is served who has talked with an agent and is back in a queue (a failed transfer).
    returned_priority: int = 10
    #: Whether an agent who has no PIN yet may log in at a phone.
    login_without_pin: bool = False
    #: Reasons that an agent can dial after the feature code of a pause, by their digit.
    pause_reasons: dict[str, str] = field(factory=lambda: {"1": "break", "2": "meal", "3": "training", "4": "meeting"})


@frozen
class Queue:
    """One queue. Times are seconds; a destination is what a number can have too (``menu:main``, ``hangup:17``)."""

    queue: str
    name: str
    agents: tuple[str, ...]
    strategy: str = "longest-idle"
    priority: int = 0
    ring_s: float = 20.0
    wrapup_s: float = 0.0
    target_s: float = 20.0
    #: Between two announcements of place and estimated wait; 0 says nothing.
    announce_s: float = 30.0
    announce_position: bool = True
    announce_wait: bool = True
    #: Longest wait; 0 waits for ever. What comes then, after an apology.
    max_wait_s: float = 600.0
    overflow: str = "hangup:17"
    #: Where callers go while nobody is logged in; empty: they are told so and wait.
    unstaffed: str = ""
    #: Place of each agent in ``agents``, the order of the strategy "hunting".
    rank: Mapping[str, int] = field(init=False, repr=False, eq=False)

    @rank.default
    def _rank(self) -> dict[str, int]:
        return {agent: place for place, agent in enumerate(self.agents)}


#: Allowed range of every number in seconds, and of the priority.
_RANGES: dict[str, tuple[float, float]] = {
    "priority": (-100, 100),
    "ring_s": (3, 180),
    "wrapup_s": (0, 3600),
    "target_s": (1, 3600),
    "announce_s": (0, 3600),
    "max_wait_s": (0, 86400),
}
_TEXTS = ("name", "strategy", "overflow", "unstaffed")
_SWITCHES = ("announce_position", "announce_wait")
_KEYS = tuple(f.name for f in fields(Queue) if f.init and f.name != "queue")


def read_queues(path: Path, defaults: AcdSettings) -> dict[str, Queue]:
    """Queues of the file, one table each, by their names; what a table does not say comes from ``defaults``.

    Raises ``QueuesError``.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise QueuesError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise QueuesError(f"{path}: not TOML: {error}") from None
    return {name: _queue(path, name, table, defaults) for name, table in data.items()}


def with_strategy(queue: Queue, strategy: str) -> Queue:
    """The same queue under another strategy. Raises ``QueuesError`` for one that there is not."""
    if strategy not in STRATEGIES:
        raise QueuesError(f"strategy {strategy!r}: must be one of {', '.join(STRATEGIES)}")
    return evolve(queue, strategy=strategy)


def _queue(path: Path, name: str, table: Any, defaults: AcdSettings) -> Queue:
    def wrong(key: str, value: Any, allowed: str) -> QueuesError:
        return QueuesError(f"{path}: queue {name}: {key} = {value!r}: must be {allowed}")

    if not isinstance(table, dict):
        raise QueuesError(f"{path}: {name}: must be a table [{name}]")
    if unknown := sorted(set(table) - set(_KEYS)):
        raise QueuesError(f"{path}: queue {name}: unknown key {', '.join(unknown)} (allowed: {', '.join(_KEYS)})")
    values: dict[str, Any] = {"name": name, "agents": [], "ring_s": defaults.ring_s, "wrapup_s": defaults.wrapup_s,
                              "target_s": defaults.target_s} | table
    for key, value in values.items():
        if key in _RANGES:
            low, high = _RANGES[key]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise wrong(key, value, f"a number from {low:g} to {high:g}")
        elif key in _SWITCHES and not isinstance(value, bool):
            raise wrong(key, value, "true or false")
        elif key in _TEXTS and not isinstance(value, str):
            raise wrong(key, value, "text")
    for key in ("overflow", "unstaffed"):
        if values.get(key) and not values[key].partition(":")[2]:
            raise wrong(key, values[key], "a destination SERVICE:ARGUMENT, such as hangup:17 or menu:main")
    if values.get("strategy", "longest-idle") not in STRATEGIES:
        raise wrong("strategy", values["strategy"], f"one of {', '.join(STRATEGIES)}")
    agents = values.pop("agents")
    if not isinstance(agents, list) or not all(isinstance(a, str) and a.isdigit() for a in agents):
        raise wrong("agents", agents, 'a list of agents\' numbers, such as ["1001", "1002"]')
    if len(set(agents)) < len(agents):
        raise wrong("agents", agents, "a list that names each agent once")
    return Queue(queue=name, agents=tuple(agents), **values)
