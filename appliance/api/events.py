"""What was done through the API to calls and the site; ``by`` is the user's name."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from appliance.events.types import Event


@frozen
class ContactHungUp(Event):
    """A contact was ended from the console or the command line."""

    kind: ClassVar[str] = "contact.hungup"
    by: str


@frozen
class SiteSetUp(Event):
    """The admin says that the first steps are finished."""

    kind: ClassVar[str] = "site.setup_done"
    by: str
