"""The core's tables. Times are epoch seconds (UTC), causes Q.850; plugins keep tables of their own."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table

#: Constraints have names, so that a migration can name them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: One customer's one concern. ``line`` is how it came in, ``trunk_channel`` its bearer channel (None: by a phone).
contact = Table(
    "contact",
    metadata,
    Column("id", String, primary_key=True),
    Column("channel", String, nullable=False, server_default="phone"),
    Column("line", String, nullable=False, server_default=""),
    Column("trunk_channel", Integer),
    Column("called", String, nullable=False, server_default=""),
    Column("caller", String, nullable=False, server_default="", index=True),
    Column("language", String, nullable=False, server_default=""),
    Column("service", String, nullable=False, server_default=""),
    Column("offered_at", Float, nullable=False, index=True),
    Column("answered_at", Float),
    Column("ended_at", Float),
    Column("cause", Integer),
    Column("talked", Boolean, nullable=False, server_default="0"),
)

#: One party's connection. ``peer`` is the leg it was last joined with.
leg = Table(
    "leg",
    metadata,
    Column("id", String, primary_key=True),
    Column("contact", String, ForeignKey("contact.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("line", String, nullable=False),
    Column("channel", Integer),
    Column("number", String, nullable=False, server_default=""),
    Column("incoming", Boolean, nullable=False),
    Column("peer", String, nullable=False, server_default=""),
    Column("started_at", Float, nullable=False),
    Column("answered_at", Float),
    Column("ended_at", Float),
    Column("cause", Integer),
)

#: Everything that happened; ``id`` is given by the event log, in order. ``contact`` is "" where there is none.
event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False, index=True),
    Column("contact", String, nullable=False, server_default=""),
    Column("kind", String, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "contact", "id"),
    Index(None, "kind", "id"),
)

#: A person who logs in at a seat. ``pin_hash`` as in ``appliance.people.secrets``; "" has no PIN yet and cannot log in.
agent = Table(
    "agent",
    metadata,
    Column("number", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("pin_hash", String, nullable=False, server_default=""),
    Column("language", String, nullable=False, server_default=""),
)

#: A desk with a phone. ``ha1`` = MD5(account:realm:password), RFC 2617 §3.2.2.2; ``outside`` may dial outside lines.
seat = Table(
    "seat",
    metadata,
    Column("account", String, primary_key=True),
    Column("ha1", String, nullable=False),
    Column("display", String, nullable=False, server_default=""),
    Column("outside", Boolean, nullable=False, server_default="0"),
)

#: What a called number reaches. ``pattern``: exact, or a prefix ending in ``*``; feature codes (``*50``) are rows too.
#: ``destination`` is ``service:argument``.
number = Table(
    "number",
    metadata,
    Column("pattern", String, primary_key=True),
    Column("destination", String, nullable=False),
    Column("name", String, nullable=False, server_default=""),
    Column("language", String, nullable=False, server_default=""),
)

#: A bundle of lines that are used alike (``appliance.calls.trunkgroups.TrunkGroup``). ``members``, ``shows`` and
#: ``routes`` are lists of texts, as they are written everywhere.
trunk_group = Table(
    "trunk_group",
    metadata,
    Column("name", String, primary_key=True),
    Column("members", JSON, nullable=False),
    Column("hunting", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("caller", String, nullable=False, server_default=""),
    Column("shows", JSON, nullable=False),
    Column("restricted", Boolean, nullable=False, server_default="0"),
    Column("routes", JSON, nullable=False),
    Column("most", Integer, nullable=False, server_default="0"),
)

#: What we have taken out of service: a ``line`` (``channel`` 0: all of it) or a trunk ``group``. ``draining``: somebody
#: waits for its calls to end.
block = Table(
    "block",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("channel", Integer, primary_key=True, autoincrement=False, server_default="0"),
    Column("draining", Boolean, nullable=False, server_default="0"),
)

#: Short messages, both ways. ``wanted``: the line it shall go over, "" for any; ``line``: the one it went or came over.
#: ``reference`` joins the parts of ours; ``references`` are the network's of each part that it took, and ``reports``
#: what became of those. ``state`` as in ``appliance.sms.message``.
sms = Table(
    "sms",
    metadata,
    Column("id", String, primary_key=True),
    Column("incoming", Boolean, nullable=False),
    Column("contact", String, nullable=False, server_default=""),
    Column("wanted", String, nullable=False, server_default=""),
    Column("line", String, nullable=False, server_default=""),
    Column("number", String, nullable=False),
    Column("text", String, nullable=False),
    Column("state", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("parts", Integer, nullable=False, server_default="0"),
    Column("missing", Integer, nullable=False, server_default="0"),
    Column("reference", Integer, nullable=False, server_default="0"),
    Column("references", JSON, nullable=False),
    Column("reports", JSON, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Float, nullable=False, server_default="0"),
    Column("reason", String, nullable=False, server_default=""),
    Column("pdu", String, nullable=False, server_default=""),
    Index(None, "at"),
    Index(None, "state"),
    Index(None, "number", "at"),
    Index(None, "contact"),
)
