"""What a diagnosis finds: for ``onecall doctor`` and for the plugins that check what is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol, TypeVar

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


class Place(Protocol):
    """What a check may know of the box. The box itself is one; without the service the settings file makes one."""

    etc: Path
    var: Path
    language: str
    prompts: Mapping[str, Mapping[str, str]]

    def settings(self, table: str, kind: type[T]) -> T:
        """A table of onecall.toml as an attrs class. Raises ``SettingsError``."""
        ...
