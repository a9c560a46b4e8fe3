"""What a diagnosis finds: for ``onecall doctor`` and for the plugins that check what is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from attrs import frozen

T = TypeVar("T")

State = Literal["ok", "warn", "fail"]


@frozen
class Finding:
    """One check: its name (``speech.prompt``), how it came out, what was found, and what to do about it."""

    check: str
    state: State
    found: str
    todo: str = ""


def told(fact: Mapping[str, Any], texts: Mapping[str, tuple[str, str]], check: str) -> Finding:
    """A fact that a check of the line side has printed (``code``, ``span``, ``state``, ``values``), as a finding.

    ``texts`` has for each code what it means and what to do; an unknown one is told by its code.
    """
    code, values = str(fact["code"]), dict(fact["values"])
    found, todo = texts.get(code, (code, ""))
    name = f"{check}.{fact['span']}" if fact["span"] else check
    return Finding(name, fact["state"], found.format(**values), todo.format(**values))


class Place(Protocol):
    """What a check may know of the box. The box itself is one; without the service the settings file makes one."""

    etc: Path
    var: Path
    language: str
    prompts: Mapping[str, Mapping[str, str]]

    def settings(self, table: str, kind: type[T]) -> T:
        """A table of onecall.toml as an attrs class. Raises ``SettingsError``."""
        ...
