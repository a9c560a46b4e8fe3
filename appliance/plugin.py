"""The public face for plugins: import this and no deeper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pluggy

from appliance.api.locale import catalogue
from appliance.api.types import AgentRow, QueueRow, Row
from appliance.calls.audio import Recording
from appliance.calls.call import Call, NotAnswered, Service
from appliance.calls.leg import Leg
from appliance.events.log import EventLog
from appliance.events.types import Event
from appliance.findings import Finding, Place
from appliance.people.directory import Agent, Directory
from appliance.sitefiles import SiteFiles
from appliance.sms.message import ShortMessage
from appliance.speaking import Digits, Money
from appliance.store.store import Store
from hw.journal import mark as log_fields
from hw.settings import SettingsError, structure

__all__ = [
    "Agent", "AgentRow", "Box", "Call", "Digits", "Directory", "Event", "EventLog", "Finding", "Leg", "Method", "Money",
    "NotAnswered", "Place", "QueueRow", "Recording", "Row", "Service", "SettingsError", "ShortMessage", "SiteFiles",
    "Store",
    "catalogue", "date", "hookimpl", "log_fields", "structure", "time",
]

T = TypeVar("T")
hookimpl = pluggy.HookimplMarker("onecall")

#: What answers an API method.
Method = Callable[..., Awaitable[Any]]


class Box(Protocol):
    """What the core lends a plugin."""

    store: Store
    events: EventLog
    people: Directory
    #: Folder of the site's files (menus, prompts, music), read-only: /etc/onecall.
    etc: Path
    #: Folder for what the plugin makes (prompt cache, recordings): /var/lib/onecall.
    var: Path
    #: Language where nothing else says: ``zh`` or ``en``.
    language: str

    #: Texts of all prompts: ``prompts[language][prompt id]`` is a template with values in braces.
    prompts: Mapping[str, Mapping[str, str]]

    def now(self) -> float:
        """Wall clock, seconds since the epoch (UTC); jumps in tests with virtual time."""
        ...

    def settings(self, table: str, kind: type[T]) -> T:
        """The plugin's own table of onecall.toml as an attrs class, with its defaults. Raises ``SettingsError``."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run work beside the calls; it is cancelled at stop, what it throws is recorded."""
        ...

    def call_of(self, contact: str) -> Call | None:
        """The call of a contact that is up."""
        ...

    async def send_sms(self, number: str, text: str, *, contact: str = "", line: str = "") -> str:
        """Send a short message over the first line that can; it is safe on disk on return, and tried until it is sent.

        Its id, as in the events ``sms.…``. ``contact``: what it belongs to, else it is a contact of its own. Raises
        ``ValueError`` for a number or text that cannot be, ``LookupError`` where no line carries messages.
        """
        ...

    def registered(self, seat: str) -> bool:
        """Whether the seat's phone is registered now."""
        ...

    def busy(self, seat: str) -> bool:
        """Whether the seat's phone has a call, ringing or up."""
        ...
