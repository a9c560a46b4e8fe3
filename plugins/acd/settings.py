"""What a site can set: ``[acd]`` of onecall.toml for the machine, queues.toml for the queues."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import Attribute, evolve, field, fields_dict, frozen

from appliance.plugin import SettingsError, structure

from .strategies import STRATEGIES

Validator = Callable[[Any, "Attribute[Any]", Any], None]


def _between(low: float, high: float, unit: str = " seconds") -> Validator:
    def check(_: Any, attribute: Attribute[Any], value: float) -> None:
        if not low <= value <= high:
            raise ValueError(f"{attribute.name} = {value!r} must be from {low:g} to {high:g}{unit}")

    return check


def _destination(_: Any, attribute: Attribute[Any], value: str) -> None:
    if value and not value.partition(":")[2]:
        raise ValueError(f"{attribute.name} = {value!r} must be a destination SERVICE:ARGUMENT, such as hangup:17")


def _strategy(_: Any, attribute: Attribute[Any], value: str) -> None:
    if value not in STRATEGIES:
        raise ValueError(f"{attribute.name} = {value!r} must be one of {', '.join(STRATEGIES)}")


def _numbers(_: Any, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    if not all(number.isascii() and number.isdigit() for number in value) or len(set(value)) < len(value):
        raise ValueError(f'{attribute.name} = {list(value)!r} must be agents\' numbers, each once, as ["1001", "1002"]')


def _ring_s() -> Any:
    return field(default=20.0, validator=_between(3, 180))


def _wrapup_s() -> Any:
    return field(default=0.0, validator=_between(0, 3600))


def _target_s() -> Any:
    return field(default=20.0, validator=_between(1, 3600))


@frozen
class AcdSettings:
    """``[acd]``: the file of queues (beside onecall.toml) and what holds where a queue says nothing itself."""

    queues: str = "queues.toml"
    #: How long one agent's phone rings, seconds.
    ring_s: float = _ring_s()
    #: Time for after-call work before the next call, seconds.
    wrapup_s: float = _wrapup_s()
    #: Y of the service level, seconds.
    target_s: float = _target_s()
    #: So many calls not answered in a row pause the agent.
    max_no_answer: int = field(default=2, validator=_between(1, 100, " calls"))
    #: How much earlier a caller is served who has talked with an agent and is back in a queue (a failed transfer).
    returned_priority: int = field(default=10, validator=_between(0, 100, ""))
    #: Whether an agent who has no PIN yet may log in at a phone.
    login_without_pin: bool = False
    #: Reasons that an agent can dial after the feature code of a pause, by their digit.
    pause_reasons: dict[str, str] = field(factory=lambda: {"1": "break", "2": "meal", "3": "training", "4": "meeting"})


@frozen
class Queue:
    """One queue. Times are seconds; a destination is what a number can have too (``menu:main``, ``hangup:17``)."""

    queue: str
    name: str
    agents: tuple[str, ...] = field(default=(), validator=_numbers)
    strategy: str = field(default="longest-idle", validator=_strategy)
    priority: int = field(default=0, validator=_between(-100, 100, ""))
    ring_s: float = _ring_s()
    wrapup_s: float = _wrapup_s()
    target_s: float = _target_s()
    #: Between two announcements of place and estimated wait; 0 says nothing.
    announce_s: float = field(default=30.0, validator=_between(0, 3600))
    announce_position: bool = True
    announce_wait: bool = True
    #: Longest wait; 0 waits for ever. What comes then, after an apology.
    max_wait_s: float = field(default=600.0, validator=_between(0, 86_400))
    overflow: str = field(default="hangup:17", validator=_destination)
    #: Where callers go while nobody is logged in; empty: they are told so and wait.
    unstaffed: str = field(default="", validator=_destination)
    #: Place of each agent in ``agents``, the order of the strategy "hunting".
    rank: Mapping[str, int] = field(init=False, repr=False, eq=False)

    @rank.default
    def _rank(self) -> dict[str, int]:
        return {agent: place for place, agent in enumerate(self.agents)}


_KEYS = [name for name, attribute in fields_dict(Queue).items() if attribute.init and name != "queue"]


def read_queues(path: Path, defaults: AcdSettings) -> dict[str, Queue]:
    """Queues of the file, one table each, by their names; what a table does not say comes from ``defaults``.

    Raises ``SettingsError`` that names the file, the queue, the key and what is allowed.
    """
    try:
        return queues_in(str(path), path.read_text(encoding="utf-8"), defaults)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def queues_in(where: str, toml: str, defaults: AcdSettings) -> dict[str, Queue]:
    """The same for a text that stands ``where``."""
    try:
        data = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: not TOML: {error}") from None
    return {name: _queue(f"{where}: queue {name}", name, table, defaults) for name, table in data.items()}


def with_strategy(queue: Queue, strategy: str) -> Queue:
    """The same queue under another strategy. Raises ``ValueError`` for one that there is not."""
    return evolve(queue, strategy=strategy)


def _queue(where: str, name: str, table: Any, defaults: AcdSettings) -> Queue:
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: must be a table [{name}], is {table!r}")
    if unknown := sorted(set(table) - set(_KEYS)):
        raise SettingsError(f"{where}: unknown key {', '.join(unknown)} (allowed: {', '.join(_KEYS)})")
    own = {"name": name, "ring_s": defaults.ring_s, "wrapup_s": defaults.wrapup_s, "target_s": defaults.target_s}
    return structure({**own, **table, "queue": name}, Queue, where)
