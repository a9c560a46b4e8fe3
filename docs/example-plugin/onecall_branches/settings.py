"""The ``[branches]`` table of onecall.toml."""

from __future__ import annotations

from datetime import time
from typing import Literal

from attrs import field, frozen, validators

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


@frozen
class Branch:
    """One office: its name in both languages, its hours, and the days on which it is closed."""

    zh: str
    en: str
    hours: str = field(default="09:00-17:00", validator=validators.matches_re(f"{_CLOCK}-{_CLOCK}"))
    closed: tuple[Weekday, ...] = ()

    @property
    def opens(self) -> time:
        """When it opens."""
        return time.fromisoformat(self.hours.partition("-")[0])

    @property
    def closes(self) -> time:
        """When it closes."""
        return time.fromisoformat(self.hours.partition("-")[2])


@frozen
class BranchSettings:
    """The offices by the number that callers type."""

    offices: dict[str, Branch] = field(factory=dict)
    #: Where callers go who press 0 or do not find their office.
    operator: str = "queue:service"
    #: How often a caller may try a number.
    tries: int = field(default=3, validator=validators.ge(1))
