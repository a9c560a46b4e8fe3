"""A short message is a contact too, unless it belongs to one: over as soon as it is there."""

from __future__ import annotations

from sqlalchemy import Executable, insert

from appliance.sms.message import Sms
from appliance.store.tables import contact


def contact_of(message: Sms) -> Executable:
    """The contact of a message that begins one."""
    caller, called = (message.number, "") if message.incoming else ("", message.number)
    return insert(contact).values(
        id=message.contact, channel="sms", line=message.line, called=called, caller=caller, language="", service="",
        offered_at=message.at, ended_at=message.at, talked=False,
    )  # fmt: skip
