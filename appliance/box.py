"""The box as plugins see it: what the core lends them (``appliance.plugin.Box``)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from appliance.calls.call import Call
from appliance.calls.switchboard import Switchboard
from appliance.events.log import EventLog
from appliance.people.directory import Directory
from appliance.phones import Phones
from appliance.sms.desk import SmsDesk
from appliance.store.store import Store
from appliance.tasks import Tasks
from hw import settings as files

T = TypeVar("T")


class CoreBox:
    """Made once by the daemon after everything is open."""

    def __init__(
        self, *, config: Path, etc: Path, var: Path, store: Store, switchboard: Switchboard, phones: Phones,
        sms: SmsDesk,
    ) -> None:  # fmt: skip
        self._config = config
        self._switchboard = switchboard
        self._phones = phones
        self._sms = sms
        self.tasks = Tasks()
        self.etc = etc
        self.var = var
        self.store = store
        self.events: EventLog = switchboard.events
        self.people: Directory = switchboard.people
        self.language = switchboard.language
        self.prompts: Mapping[str, Mapping[str, str]] = switchboard.plugins.prompts.texts
        self.now: Callable[[], float] = switchboard.now

    def settings(self, table: str, kind: type[T]) -> T:
        """The plugin's own table of onecall.toml. Raises ``SettingsError``."""
        return files.load(self._config, table, kind)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run work beside the calls, at most until the box stops."""
        self.tasks.spawn(work, name)

    def call_of(self, contact: str) -> Call | None:
        """The call of a contact that is up."""
        return self._switchboard.calls.get(contact)

    async def send_sms(self, number: str, text: str, *, contact: str = "", line: str = "") -> str:
        """Send a short message; its id. Raises ``ValueError``, ``LookupError``."""
        return (await self._sms.send(number, text, contact=contact, line=line, by="plugin")).id

    def registered(self, seat: str) -> bool:
        """Whether the seat's phone is registered now."""
        return self._phones.registered(seat)

    def busy(self, seat: str) -> bool:
        """Whether the seat's phone has a call."""
        return self._switchboard.seat_busy(seat)
